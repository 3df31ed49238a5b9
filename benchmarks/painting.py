"""A worker on embedded services in a temporary home, for the benchmarks that measure the way of a job."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from app.config import REPOSITORY
from app.db import session_scope, upgrade
from app.embedded import Embedded
from app.models import FINAL_STATES, Job, Person
from app.services.generation import submit

POLL_SECONDS = 0.005


@contextmanager
def worker_running(preset: str) -> Iterator[int]:
    """Embedded services, settings pointing at them, and one worker that is ready; all gone afterwards.

    Yields the worker's process id.
    """
    with tempfile.TemporaryDirectory(prefix="penchant-bench-") as home, Embedded(Path(home)) as endpoints:
        os.environ |= {
            "PENCHANT_HOME": home,
            "PENCHANT_DATABASE_URL": endpoints.database_url,
            "PENCHANT_REDIS_URL": endpoints.redis_url,
            "PENCHANT_LOG_LEVEL": "WARNING",
        }
        upgrade(endpoints.database_url)
        with process(["-m", "worker.main", "--preset", preset]) as pid:
            (warm,) = imagine("warming up --n 1 --steps 1", 1)
            wait_for([warm])
            yield pid


@contextmanager
def process(arguments: list[str]) -> Iterator[int]:
    """A Python process that ends with the block; yields its id."""
    child = subprocess.Popen([sys.executable, *arguments], cwd=REPOSITORY)
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait()


def imagine(prompt: str, times: int) -> list[UUID]:
    """Submit a prompt that many times, each in its own transaction."""
    with session_scope() as session:
        person = session.get(Person, 1) or Person(id=1)
        session.add(person)
    ids = []
    for _ in range(times):
        with session_scope() as session:
            ids += [job.id for job in submit(session, person=person, prompt=prompt)]
    return ids


def wait_for(ids: list[UUID], *, seconds: float = 600.0) -> list[Job]:
    """The jobs' rows once all of them have ended well, in the order they started."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with session_scope() as session:
            query = select(Job).where(col(Job.id).in_(ids)).order_by(col(Job.started_at))
            jobs = list(session.scalars(query))
        if all(job.state in FINAL_STATES for job in jobs):
            assert all(job.state == "done" for job in jobs), jobs[0].error
            return jobs
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"{len(ids)} jobs did not end within {seconds} s")
