"""A worker whose own model does not load, on real services: it says why, ends the jobs that wait, and is
well again once the files are."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.config import Settings
from app.models import Person
from app.services.events import get_events
from app.services.workers import EXIT_BROKEN, Refusal
from app.services.workers import Worker as Announced
from tests.worker import tiny
from tests.worker.conftest import Worker, forget, imagine, job_of, wait_for_state
from worker.main import main
from worker.reach import Reach

StartWorker = Callable[..., Worker]
WHY = "The model tiny could not be loaded: its files cannot be used."


class Files:
    """The tiny model's files, of which the network's are cut short until they are mended."""

    def __init__(self, whole: Path, folder: Path) -> None:
        shutil.copytree(whole / tiny.NAME, folder / tiny.NAME)
        self.presets = tiny.presets_file(folder, folder / tiny.NAME)
        self._path = folder / tiny.NAME / "unet" / "diffusion_pytorch_model.safetensors"
        self._data = self._path.read_bytes()
        self._path.write_bytes(self._data[: len(self._data) // 2])

    def mend(self) -> None:
        self._path.write_bytes(self._data)


@pytest.fixture
def files(studio: Settings, presets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Broken files of the model that workers start with."""
    files = Files(presets.parent, tmp_path)
    monkeypatch.setenv("PENCHANT_PRESETS", str(files.presets))
    forget()
    return files


def broken() -> list[Refusal]:
    """What is remembered of presets that did not load."""
    standing = get_events().standing()
    assert standing is not None
    return standing.broken


def start() -> int:
    """Start a worker in this process; the status that it ends with."""
    return main(["--preset", tiny.NAME])


def test_it_says_why_and_its_jobs_end_with_the_reason(
    engine: Engine,
    person: Person,
    files: Files,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job_id = imagine(engine, person, "a cat --n 1")
    assert start() == EXIT_BROKEN
    last = capsys.readouterr().err.splitlines()[-1]
    assert "diffusion_pytorch_model.safetensors" in last
    assert job_of(engine, job_id).state == "queued"  # one that serves it may be about to start
    monkeypatch.setenv("PENCHANT_SWITCH_SECONDS", "0")
    forget()
    other = Announced("elsewhere:1", tiny.NAME, "cpu")
    get_events().announce(other, seconds=60)
    assert start() == EXIT_BROKEN
    assert job_of(engine, job_id).state == "queued"
    get_events().leave(other)
    assert start() == EXIT_BROKEN
    job = job_of(engine, job_id)
    assert (job.state, job.error_code) == ("failed", "model_not_loaded")
    assert str(job.error).startswith(WHY)
    assert str(tmp_path) not in str(job.error)
    assert get_events().latest(job_id) == {"state": "failed", "error": job.error}
    assert get_events().workers() == []


def test_it_is_remembered_until_the_files_are_mended(
    engine: Engine, person: Person, files: Files, start_worker: StartWorker
) -> None:
    assert start() == EXIT_BROKEN
    (found,) = broken()
    assert found.preset == tiny.NAME
    assert found.why.startswith(WHY)
    files.mend()
    worker = start_worker().ready()
    assert broken() == []
    job_id = imagine(engine, person, "a cat --n 1")
    job = wait_for_state(engine, job_id, "done", "failed", seconds=110, worker=worker)
    assert job.state == "done", job.error


def test_jobs_end_once_loading_killed_the_process_three_times(
    engine: Engine, person: Person, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENCHANT_SWITCH_SECONDS", "0")
    forget()
    reach = Reach(get_events(), [], device="cpu", memory=None)
    # What a killed process leaves: a try that was begun.
    tries = [reach.trying(tiny.NAME) for _ in range(2 + 3)]
    for one in tries[:2]:
        one.__enter__()
    assert reach.killed(tiny.NAME) == 2
    job_id = imagine(engine, person, "a cat --n 1")
    worker = start_worker().ready()
    assert wait_for_state(engine, job_id, "done", "failed", seconds=30, worker=worker).state == "done"
    assert reach.killed(tiny.NAME) == 0  # it has loaded
    worker.end()
    get_events().leave(get_events().workers()[0])
    for one in tries[2:]:
        one.__enter__()
    job_id = imagine(engine, person, "a cat --n 1")
    job = wait_for_state(engine, job_id, "done", "failed", seconds=60, worker=start_worker())
    assert (job.state, job.error_code) == ("failed", "model_not_loaded")
    assert "died while it loaded" in str(job.error)


def test_what_is_remembered_is_forgotten_in_time(files: Files) -> None:
    events = get_events()
    events.refuse("studio/cuda:1/", "first", "No memory.", seconds=60)
    events.refuse("studio/cuda:1/", "second", "No memory.", seconds=0.2)
    time.sleep(0.3)
    for _ in range(2):
        assert broken() == [Refusal("studio/cuda:1/", "first", "No memory.")]
