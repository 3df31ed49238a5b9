"""A tiny model, real services, and workers as processes."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import torch
from sqlalchemy import Engine
from sqlmodel import Session

from app.config import Settings, get_settings
from app.models import Job, Person
from app.presets import Preset, load_presets, read_presets
from app.services.events import get_events
from app.services.generation import submit
from tests.worker import families, tiny
from tests.worker.forking import Zygote
from worker.pipelines import Model, load

LEASE_SECONDS = "2"
SWEEP_SECONDS = "0.5"


@pytest.fixture(scope="session")
def presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A presets file with the tiny model."""
    torch.set_num_threads(1)
    return tiny.build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def model(presets: Path) -> Model:
    """The tiny model, loaded."""
    return load(tiny_preset(presets), device="cpu")


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> families.Toys:
    """A tiny model of each family."""
    return families.Toys(tmp_path_factory.mktemp("families"))


@pytest.fixture
def studio(presets: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings with the tiny model and leases short enough to wait for."""
    for name, value in {
        "PRESETS": str(presets),
        "MODEL": tiny.NAME,
        "LEASE_SECONDS": LEASE_SECONDS,
        "SWEEP_SECONDS": SWEEP_SECONDS,
        "TORCH_THREADS": "1",
        "DEVICE": "cpu",
    }.items():
        monkeypatch.setenv(f"PENCHANT_{name}", value)
    forget()
    yield get_settings()
    forget()


def forget() -> None:
    """Clears what the process keeps of its settings and presets."""
    for cached in (get_settings, load_presets, get_events):
        cached.cache_clear()


@pytest.fixture
def person(studio: Settings, session: Session) -> Person:
    """Somebody with an empty profile."""
    person = Person()
    session.add(person)
    session.commit()
    return person


class Worker:
    """A worker process of the tiny model."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log

    def ready(self) -> "Worker":
        wait_until(lambda: " ready." in self.text(), seconds=60, why=self.text)
        return self

    def text(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def end(self) -> None:
        for number in (signal.SIGKILL, signal.SIGCONT):
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
        wait_until(lambda: not self.alive(), seconds=10)


@pytest.fixture
def start_worker(studio: Settings, zygote: Zygote, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Starts workers that end with the test."""
    workers: list[Worker] = []

    def start(*more: str) -> Worker:
        log = tmp_path / f"worker{len(workers)}.log"
        workers.append(Worker(zygote.fork(log, "--preset", tiny.NAME, *more), log))
        return workers[-1]

    yield start
    for worker in workers:
        worker.end()


def tiny_preset(presets: Path) -> Preset:
    return read_presets(presets)[tiny.NAME]


def with_preset(model: Model, **changes: Any) -> Model:
    """The same weights under a changed preset."""
    changed = Model.__new__(Model)
    changed.__dict__ = {**model.__dict__, "preset": model.preset.model_copy(update=changes)}
    return changed


def wait_until(found: Callable[[], object], *, seconds: float, why: Callable[[], str] = str) -> None:
    """Wait for `found` to be true; fails with what `why` says."""
    until = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < until, f"not within {seconds} s: {why()}"
        time.sleep(0.02)


def imagine(engine: Engine, person: Person, prompt: str) -> UUID:
    """Submit one prompt and commit."""
    with Session(engine, expire_on_commit=False) as session:
        (job,) = submit(session, person=person, prompt=prompt)
        session.commit()
        return job.id


def job_of(engine: Engine, job_id: UUID) -> Job:
    """The job's row as it is now."""
    with Session(engine) as session:
        job = session.get(Job, job_id)
        assert job is not None
        return job


def wait_for_state(engine: Engine, job_id: UUID, *states: str, seconds: float, worker: Worker) -> Job:
    """Wait for the job to come to one of the states."""
    wait_until(lambda: job_of(engine, job_id).state in states, seconds=seconds, why=worker.text)
    return job_of(engine, job_id)
