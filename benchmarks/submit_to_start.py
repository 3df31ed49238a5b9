"""From a submit to the moment a worker has claimed the job, idle, beside bare Celery; interleaved.

Run as `python -m benchmarks.submit_to_start`. The clock starts before the submit's transaction, so its
commit and the send are in it. Bare Celery is one task without a database, on the same broker, from send to
start.
"""

import argparse
import statistics
import time

import redis

from app.config import get_settings
from app.queue import make_celery
from benchmarks.painting import imagine, process, wait_for, worker_running

REPEATS = 200
PAUSE_SECONDS = 0.02
TASK = "benchmark.bare"
KEY = "benchmark:bare"


def bare_worker() -> None:
    """A Celery worker with one task, which notes how long its message took."""
    celery = make_celery(get_settings().redis)

    @celery.task(name=TASK)
    def note(sent: float) -> None:
        with redis.Redis.from_url(get_settings().redis) as client:
            client.rpush(KEY, str(time.time() - sent))

    celery.Worker(
        pool="solo",
        queues=[TASK],
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    ).start()


def measure_bare() -> float:
    """Seconds from send to start."""
    celery = make_celery(get_settings().redis)
    patient = redis.Redis.from_url(get_settings().redis, socket_timeout=120)
    with patient as client, celery.connection_for_write() as connection:
        connection.ensure_connection()
        celery.send_task(TASK, args=[time.time()], queue=TASK, ignore_result=True, connection=connection)
        found = client.blpop([KEY], timeout=60)
    assert found is not None, "the bare worker does not answer"
    return float(found[1])


def measure_service() -> float:
    """Seconds from the call of submit to the claim."""
    before = time.time()
    ids = imagine("a cat --n 1 --steps 1", 1)
    (job,) = wait_for(ids)
    assert job.started_at is not None
    return job.started_at.timestamp() - before


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Submit to worker start.")
    parser.add_argument("--preset", default="starter")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--bare-worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare_worker:
        bare_worker()
        return
    times: dict[str, list[float]] = {"submit to start": [], "bare Celery": []}
    with (
        worker_running(arguments.preset),
        process(["-m", "benchmarks.submit_to_start", "--bare-worker"]),
    ):
        measure_bare()
        measure_service()
        for _ in range(arguments.repeats):
            times["submit to start"].append(measure_service())
            time.sleep(PAUSE_SECONDS)
            times["bare Celery"].append(measure_bare())
            time.sleep(PAUSE_SECONDS)
    print(f"{arguments.repeats} of each, interleaved, the worker idle")
    print(f"{'':18}{'p50 ms':>9}{'p90 ms':>9}{'p99 ms':>9}")
    for name, values in times.items():
        cuts = [1000 * cut for cut in statistics.quantiles(values, n=100)]
        print(f"{name:18}{cuts[49]:9.1f}{cuts[89]:9.1f}{cuts[98]:9.1f}")


if __name__ == "__main__":
    main()
