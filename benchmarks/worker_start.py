"""What a worker with the starter costs: seconds until it paints, memory, a grid of four, the first preview.

Run as `python -m benchmarks.worker_start`. The start is the time from the process's birth to the claim of a
job that waits for it: Python, torch and diffusers are loaded in it, and the weights verified. Memory is the
worker's resident set after the grids. The grid is a job from its claim to its end, everything stored; the
first preview is the time from the claim until the broker has one.
"""

import argparse
import statistics
import time
from dataclasses import dataclass
from uuid import UUID

import psutil
from sqlalchemy import select

from app.db import session_scope
from app.models import FINAL_STATES, Job
from app.services.events import get_events
from benchmarks.painting import imagine, wait_for, worker_running

GRIDS = 5
PROMPT = "a lighthouse at dusk, woodblock print --n 4"


@dataclass(frozen=True)
class Start:
    """Seconds from the worker's birth to its first claim, and its process."""

    seconds: float
    process: psutil.Process


def start_of(pid: int) -> Start:
    """How long the worker `pid` took until it claimed the first job there was."""
    process = psutil.Process(pid)
    with session_scope() as session:
        claimed = min(job.started_at.timestamp() for job in session.scalars(select(Job)) if job.started_at)
    return Start(claimed - process.create_time(), process)


def grid() -> tuple[float, float]:
    """Seconds of a grid of four, and until its first preview."""
    (job_id,) = imagine(PROMPT, 1)
    shown = first_preview(job_id)
    (job,) = wait_for([job_id])
    assert job.started_at is not None
    assert job.finished_at is not None
    started = job.started_at.timestamp()
    return job.finished_at.timestamp() - started, shown - started


def first_preview(job_id: UUID) -> float:
    """The moment when the broker first has a preview of the job; its end, if there is none before."""
    while True:
        event = get_events().latest(job_id) or {}
        if event.get("previews") or event.get("state") in FINAL_STATES:
            return time.time()
        time.sleep(0.005)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grids", type=int, default=GRIDS)
    grids = parser.parse_args().grids
    with worker_running("starter") as pid:
        start = start_of(pid)
        seconds, previews = zip(*(grid() for _ in range(grids)), strict=True)
        memory = start.process.memory_info().rss / 1e6
    print(f"\n{'':24}{'median':>8}{'min':>8}{'max':>8}")
    print(f"{'start to first claim, s':24}{start.seconds:8.2f}")
    print(f"{'memory, MB':24}{memory:8.0f}")
    for name, values in (("grid of four, s", seconds), ("first preview, s", previews)):
        print(f"{name:24}{statistics.median(values):8.2f}{min(values):8.2f}{max(values):8.2f}")


if __name__ == "__main__":
    main()
