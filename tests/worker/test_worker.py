"""Worker processes on real services: what holds when they are killed, paused, stopped and starved."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from uuid import UUID

import pytest
import redis
from sqlalchemy import Engine, func, select, text, update
from sqlmodel import Session, col

from app import queue
from app.config import Settings
from app.models import Embedding, Image, Job, JobImage, Person
from app.queue import RENDER_TASK, render_queue
from app.services import generation, workers
from app.services.events import get_events
from app.storage import get_storage
from tests.worker import tiny
from tests.worker.conftest import Worker, imagine, job_of, wait_for_state, wait_until
from tests.worker.tastes import store_code

StartWorker = Callable[..., Worker]
LONG = "a long one --n 8 --steps 40 --seed 5"  # two shots of half a second each, on a fast machine
LONGER = LONG.replace("40", "100")
SECONDS = 110.0


def count(engine: Engine, table: type, *conditions: object) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0  # type: ignore[arg-type]


def attempted(engine: Engine, job_id: UUID, attempts: int) -> bool:
    return job_of(engine, job_id).attempts == attempts


def painting(job_id: UUID) -> bool:
    """Whether the worker is in the middle of it."""
    return ((get_events().latest(job_id) or {}).get("step") or 0) >= 2


def wait_for_painting(job_id: UUID, worker: Worker) -> None:
    wait_until(lambda: painting(job_id), seconds=SECONDS, why=worker.text)


def assert_done_once(engine: Engine, job: Job, *, n: int) -> None:
    """One row a slot, one file a row, and no file beside them."""
    assert job.state == "done", job.error
    assert job.lease_token is None
    with Session(engine) as session:
        slots = session.scalars(select(col(JobImage.slot)).where(col(JobImage.job_id) == job.id)).all()
        keys = session.scalars(select(col(Image.key)).where(col(Image.source) == "job")).all()
    assert sorted(slots) == list(range(n))
    assert count(engine, Image) == count(engine, JobImage)
    for key in keys:
        assert get_storage().get(key)


def test_a_prompt_becomes_a_stored_grid(engine: Engine, person: Person, start_worker: StartWorker) -> None:
    worker = start_worker().ready()
    job_id = imagine(engine, person, "a lighthouse at dusk --n 2 --seed 4294967295")
    job = wait_for_state(engine, job_id, "done", "failed", seconds=SECONDS, worker=worker)
    assert_done_once(engine, job, n=2)
    assert job.attempts == 1
    with Session(engine) as session:
        slots = session.scalars(select(JobImage).order_by(col(JobImage.slot))).all()
        image = session.scalars(select(Image)).first()
    assert [slot.seed for slot in slots] == [4294967295, 0]
    assert slots[0].details["scale"] == 0
    assert count(engine, Embedding) == 2
    assert image is not None
    assert (image.visibility, image.owner_id, image.prompt) == ("private", person.id, "a lighthouse at dusk")
    assert get_storage().get(image.key)[8:12] == b"WEBP"
    assert get_events().latest(job_id) == {"state": "done"}


def test_a_taste_changes_the_picture_and_stylize_0_does_not(
    engine: Engine, person: Person, session: Session, start_worker: StartWorker
) -> None:
    code = store_code(session, person)
    worker = start_worker().ready()
    prompt = "a cat --n 1 --seed 3"
    jobs = [
        imagine(engine, person, prompt + more) for more in ("", f" --p {code} --s 0", f" --p {code} --s 900")
    ]
    for job_id in jobs:
        wait_for_state(engine, job_id, "done", "failed", seconds=SECONDS, worker=worker)
    with Session(engine) as session:
        made = [session.get_one(JobImage, (job_id, 0)) for job_id in jobs]
        plain, zero, much = [session.get_one(Image, slot.image_id).sha256 for slot in made]
    assert plain == zero
    assert plain != much
    assert [slot.details["scale"] > 0 for slot in made] == [False, False, True]


def test_a_worker_killed_in_mid_job_costs_nothing_but_time(
    engine: Engine, person: Person, start_worker: StartWorker
) -> None:
    """kill -9; the job ends done, once, within 30 s plus its own length."""
    first = start_worker().ready()
    job_id = imagine(engine, person, LONGER)
    wait_until(lambda: count(engine, JobImage) == 4, seconds=SECONDS, why=first.text)
    first.send(signal.SIGKILL)
    killed = time.monotonic()
    second = start_worker()
    wait_until(lambda: job_of(engine, job_id).attempts == 2, seconds=30, why=second.text)
    assert time.monotonic() - killed < 30
    job = wait_for_state(engine, job_id, "done", "failed", seconds=SECONDS, worker=second)
    assert_done_once(engine, job, n=8)
    with Session(engine) as session:
        slots = session.scalars(select(JobImage).order_by(col(JobImage.slot))).all()
    # What was stored is not painted again.
    assert [slot.details["attempt"] for slot in slots] == [1] * 4 + [2] * 4


def test_a_job_that_kills_its_worker_fails_at_the_third_time_and_others_proceed(
    engine: Engine, person: Person, start_worker: StartWorker
) -> None:
    deadly, other = imagine(engine, person, LONG), imagine(engine, person, "another --n 1")
    for attempt in (1, 2, 3):
        worker = start_worker()
        wait_until(partial(attempted, engine, deadly, attempt), seconds=SECONDS, why=worker.text)
        worker.send(signal.SIGKILL)
    worker = start_worker()
    wait_for_state(engine, other, "done", seconds=SECONDS, worker=worker)
    job = wait_for_state(engine, deadly, "failed", seconds=SECONDS, worker=worker)
    assert (job.attempts, job.error_code) == (3, "worker_died")
    assert "died 3 times" in str(job.error)


def test_a_paused_worker_writes_nothing_when_it_wakes(
    engine: Engine, person: Person, start_worker: StartWorker
) -> None:
    paused = start_worker().ready()
    job_id = imagine(engine, person, LONG)
    wait_for_painting(job_id, paused)
    paused.send(signal.SIGSTOP)
    second = start_worker()
    wait_until(lambda: job_of(engine, job_id).attempts == 2, seconds=SECONDS, why=second.text)
    paused.send(signal.SIGCONT)
    job = wait_for_state(engine, job_id, "done", "failed", seconds=SECONDS, worker=second)
    assert_done_once(engine, job, n=8)
    wait_until(lambda: "lease was lost" in paused.text(), seconds=SECONDS, why=paused.text)
    assert_done_once(engine, job_of(engine, job_id), n=8)


def test_the_same_message_twice_at_once_is_one_execution(
    engine: Engine, person: Person, start_worker: StartWorker
) -> None:
    workers = [start_worker().ready(), start_worker().ready()]
    job_id = imagine(engine, person, "a cat --n 1")
    for _ in range(4):
        assert queue.send(RENDER_TASK, str(job_id), queue=render_queue(tiny.NAME))
    job = wait_for_state(engine, job_id, "done", seconds=SECONDS, worker=workers[0])
    wait_until(lambda: queue.waiting(render_queue(tiny.NAME)) == 0, seconds=SECONDS)
    assert_done_once(engine, job, n=1)
    assert job.attempts == 1


def test_a_lost_message_is_sent_again(
    engine: Engine, person: Person, redis_url: str, start_worker: StartWorker
) -> None:
    job_id = imagine(engine, person, "a cat --n 1")
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    worker = start_worker()
    job = wait_for_state(engine, job_id, "done", seconds=SECONDS, worker=worker)
    assert_done_once(engine, job, n=1)


def test_cancel_frees_the_worker_and_keeps_what_was_stored(
    engine: Engine, person: Person, start_worker: StartWorker
) -> None:
    worker = start_worker().ready()
    job_id, other = imagine(engine, person, LONG), imagine(engine, person, "another --n 1")
    waiting = imagine(engine, person, "never painted")
    wait_for_painting(job_id, worker)
    with Session(engine) as session:
        for one in (job_id, waiting):
            generation.request_cancel(session, person=person, job_id=one)
        session.commit()
    assert job_of(engine, waiting).state == "cancelled"
    wait_for_state(engine, job_id, "cancelled", seconds=10, worker=worker)
    wait_for_state(engine, other, "done", seconds=SECONDS, worker=worker)
    assert count(engine, JobImage, col(JobImage.job_id) == job_id) < 8
    assert count(engine, JobImage, col(JobImage.job_id) == waiting) == 0


def test_cancel_is_heard_without_the_broker(
    engine: Engine, person: Person, start_worker: StartWorker
) -> None:
    worker = start_worker().ready()
    job_id = imagine(engine, person, LONG)
    wait_for_painting(job_id, worker)
    with Session(engine) as session:
        session.execute(update(Job).where(col(Job.id) == job_id).values(cancel_requested=True))
        session.commit()
    wait_for_state(engine, job_id, "cancelled", seconds=10, worker=worker)


def test_a_worker_told_to_stop_hands_its_job_back(
    engine: Engine, person: Person, start_worker: StartWorker
) -> None:
    worker = start_worker().ready()
    job_id = imagine(engine, person, LONG)
    wait_for_painting(job_id, worker)
    worker.send(signal.SIGTERM)
    wait_until(lambda: not worker.alive(), seconds=20, why=worker.text)
    job = job_of(engine, job_id)
    assert (job.state, job.attempts, job.lease_token) == ("queued", 0, None)
    second = start_worker()
    assert_done_once(
        engine, wait_for_state(engine, job_id, "done", "failed", seconds=SECONDS, worker=second), n=8
    )


def test_without_a_broker_a_submit_answers_and_the_job_is_painted_later(
    engine: Engine, person: Person, studio: Settings, redis_url: str, start_worker: StartWorker
) -> None:
    """The broker takes no connection and drops those it has, then comes back empty."""
    worker = start_worker().ready()
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("maxclients", 1)
        client.client_kill_filter(skipme=True, _type="normal")
        with suppress(redis.RedisError):
            client.client_kill_filter(skipme=True, _type="pubsub")
        try:
            start = time.monotonic()
            job_id = imagine(engine, person, "a cat --n 1")
            assert time.monotonic() - start < 1.5
            assert job_of(engine, job_id).state == "queued"
            time.sleep(0.5)
        finally:
            client.config_set("maxclients", 1000)
    wait_for_state(engine, job_id, "done", seconds=SECONDS, worker=worker)


def test_a_database_that_drops_every_connection_costs_no_job(
    engine: Engine, person: Person, start_worker: StartWorker
) -> None:
    worker = start_worker().ready()
    job_id = imagine(engine, person, LONG)
    wait_for_painting(job_id, worker)
    with Session(engine) as session:
        session.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        )
    assert_done_once(
        engine, wait_for_state(engine, job_id, "done", "failed", seconds=SECONDS, worker=worker), n=8
    )


def test_a_worker_whose_memory_stays_high_makes_room_for_another(
    engine: Engine, person: Person, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends by itself, its job done; whoever watches it starts it anew."""
    monkeypatch.setenv("PENCHANT_MEMORY_GROWTH_BYTES", "1")
    worker = start_worker()
    job_id = imagine(engine, person, "a cat --n 1")
    job = wait_for_state(engine, job_id, "done", "failed", seconds=SECONDS, worker=worker)
    assert_done_once(engine, job, n=1)
    wait_until(lambda: not worker.alive(), seconds=SECONDS, why=worker.text)
    assert "started anew" in worker.text()


def test_a_worker_says_what_it_holds(redis_url: str, start_worker: StartWorker) -> None:
    worker = start_worker()
    with redis.Redis.from_url(redis_url) as client:
        wait_until(lambda: workers.present(client), seconds=SECONDS, why=worker.text)
        worker.ready()
        (found,) = workers.present(client)
        assert (found.preset, found.device, found.state) == (tiny.NAME, "cpu", "ready")
        assert found.name.endswith(f":{worker.pid}")
        worker.end()
        wait_until(lambda: not workers.present(client), seconds=SECONDS)
