"""Workers that change their model, as processes on real services: announced, bounded, and told to people."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete
from sqlmodel import Session, col

from app.config import Settings
from app.models import EncoderSpace, Job, Person
from app.presets import load_presets
from app.services import joblife, spaces
from app.services.events import Events, get_events
from app.services.workers import EXIT_BROKEN
from app.services.workers import Worker as Announced
from app.storage import get_storage
from app.weights import install
from tests import second
from tests.gallery import make_gallery
from tests.worker import tiny
from tests.worker.conftest import Worker, forget, imagine, job_of, wait_for_state, wait_until
from worker.main import main
from worker.pipelines import Model
from worker.presence import Presence
from worker.reach import ALL, Reach
from worker.runner import Runner
from worker.switching import Look, Switching

StartWorker = Callable[..., Worker]
pytestmark = pytest.mark.timeout(
    300
)  # a process that begins anew imports torch, on whatever the machine has left
SECONDS = 250.0
LOAD_AND_DIE = """
import os, signal
from app.services.events import get_events
from worker.reach import Reach
with Reach(get_events(), [], device="cpu", memory=None).trying("second"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def both(
    studio: Settings, presets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Writes a presets file with the tiny model and the table of another one."""

    def write(table: str) -> None:
        path = tmp_path / "presets.toml"
        path.write_text(presets.read_text() + table)
        monkeypatch.setenv("PENCHANT_PRESETS", str(path))
        forget()

    return write


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait for half a second before more is done for them."""
    monkeypatch.setenv("PENCHANT_SWITCH_SECONDS", "0.5")


def same_model(presets: Path) -> str:
    """The tiny model under the other name."""
    return presets.read_text().replace(f"[{tiny.NAME}", f"[{second.NAME}")


def held() -> list[tuple[str, str]]:
    """What the workers say: their preset and state."""
    return sorted((worker.preset, worker.state) for worker in get_events().workers())


class Other:
    """What one worker of this process decides, that holds the tiny model."""

    def __init__(self, engine: Engine, *, memory: int | None = None) -> None:
        self.reach = Reach(get_events(), [ALL], device="cpu", memory=memory)
        self.presence = Presence(get_events(), preset=tiny.NAME, device="cpu", also=self.reach.offered)
        self.switching = Switching(engine, get_events(), tiny.NAME, self.presence, self.reach)

    def look(self, *, idle: float = 0.0) -> Look:
        self.presence.ready(tiny.NAME)
        return self.switching.look(idle=idle)


def open_own_space(session: Session) -> None:
    """The tiny model's encoder has read the gallery; which numbers it found is nothing to these tests."""
    session.add(EncoderSpace(encoder=tiny.ENCODER, version=1, data=b""))
    session.commit()


def announce(**more: object) -> Announced:
    """Another worker says what it does."""
    fields = {"name": "elsewhere:1", "preset": second.NAME, "device": "cpu", "since": time.time(), **more}
    worker = Announced(**fields)  # type: ignore[arg-type]
    get_events().announce(worker, seconds=60)
    return worker


def test_a_model_that_is_added_later_is_loaded_by_the_worker_that_jobs_wait_for(
    engine: Engine,
    person: Person,
    presets: Path,
    tmp_path: Path,
    both: Callable[[str], None],
    start_worker: StartWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And no second one leaves for it."""
    weights = presets.parent / tiny.NAME
    monkeypatch.setenv("PENCHANT_MODELS", str(tmp_path / "models"))
    lines = [line for line in same_model(presets).splitlines() if not line.startswith("folder")]
    both("\n".join([*lines, "[[second.sources]]", 'repo = "somebody/model"', 'files = ["*"]', ""]))
    workers = [start_worker("--also", ALL).ready(), start_worker("--also", ALL).ready()]
    install.add_from_folder(load_presets()[second.NAME], folder=weights, progress=Silent())
    job_id = imagine(engine, person, "a cat --n 1 --model second")
    job = wait_for_state(engine, job_id, "done", "failed", seconds=SECONDS, worker=workers[0])
    assert job.state == "done", job.error
    left = [worker for worker in workers if "tiny is left for second" in worker.text()]
    assert len(left) == 1
    assert str(job.worker).endswith(f":{left[0].pid}")
    assert held() == [("second", "ready"), ("tiny", "ready")]


@pytest.mark.usefixtures("impatient")
def test_a_model_whose_files_are_not_whole_fails_its_jobs_and_is_never_left_for(
    engine: Engine, person: Person, tmp_path: Path, both: Callable[[str], None], start_worker: StartWorker
) -> None:
    both(second.preset(tmp_path / "nothing"))
    worker = start_worker("--also", ALL).ready()
    for _ in range(2):
        job_id = imagine(engine, person, "a cat --n 1 --model second")
        job = wait_for_state(engine, job_id, "failed", seconds=SECONDS, worker=worker)
        assert job.error_code == "model_not_loaded"
        assert "second could not be loaded" in str(job.error)
        assert str(tmp_path) not in str(job.error)
        wait_until(partial(get_events().latest, job_id), seconds=5)
        assert get_events().latest(job_id) == {"state": "failed", "error": job.error}
    own = imagine(engine, person, "a cat --n 1")
    wait_for_state(engine, own, "done", seconds=SECONDS, worker=worker)
    assert "is left for" not in worker.text()
    assert held() == [("tiny", "ready")]
    assert worker.alive()


def test_a_worker_goes_back_where_a_model_does_not_load(
    presets: Path, tmp_path: Path, both: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which shows only when it is loaded: the weights are whole, and not of this network."""
    shutil.copytree(presets.parent / tiny.NAME, tmp_path / second.NAME)
    config = tmp_path / second.NAME / "unet" / "config.json"
    config.write_text(config.read_text().replace('"in_channels": 4', '"in_channels": 5'))
    both(second.preset(tmp_path / second.NAME))
    become: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _path, command: become.append(command[1:]))
    status = main(["--preset", second.NAME, "--also", ALL, "--instead", tiny.NAME])
    assert status == EXIT_BROKEN  # had the process not become another one by then
    assert become == [["-m", "worker.main", "--preset", tiny.NAME, "--also", second.NAME, "--also", ALL]]
    standing = get_events().standing()
    assert standing is not None
    assert [refusal.preset for refusal in standing.refusals] == [second.NAME]


@pytest.mark.usefixtures("impatient")
def test_an_idle_worker_reads_the_gallery_for_a_model_that_no_taste_can_be_used_with(
    engine: Engine, session: Session, person: Person, presets: Path, both: Callable[[str], None]
) -> None:
    both(same_model(presets).replace(f'encoder = "{tiny.ENCODER}"', 'encoder = "another"'))
    other = Other(engine)
    assert other.look(idle=9.0) == Look()  # there is nothing to read
    make_gallery(session, count=spaces.LEAST_IMAGES)
    session.commit()
    assert other.look(idle=9.0) == Look()  # its own encoder has not read it
    open_own_space(session)
    assert other.look(idle=0.1) == Look()
    job_id = imagine(engine, person, "a cat --n 1")
    assert other.look(idle=9.0) == Look()
    with session.begin():
        session.execute(delete(Job).where(col(Job.id) == job_id))
    reader = announce(state="loading")
    assert other.look(idle=9.0) == Look()
    get_events().leave(reader)
    assert other.look(idle=9.0) == Look(second.NAME)
    assert other.look(idle=9.0) == Look()  # once in a while only, whatever comes of it


@pytest.mark.usefixtures("impatient")
def test_a_worker_knows_when_it_is_idle(
    engine: Engine, session: Session, model: Model, presets: Path, both: Callable[[str], None]
) -> None:
    both(same_model(presets).replace(f'encoder = "{tiny.ENCODER}"', 'encoder = "another"'))
    make_gallery(session, count=spaces.LEAST_IMAGES)
    open_own_space(session)
    session.commit()
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    other = Other(engine)
    other.presence.ready()
    runner = Runner(engine, get_storage(), get_events(), model, switching=other.switching)
    runner._leave_where_idle()
    assert runner.wanted is None
    time.sleep(0.6)
    runner._leave_where_idle()
    signal.signal(signal.SIGTERM, before)
    assert told == [signal.SIGTERM]
    assert runner.wanted == second.NAME


@pytest.mark.usefixtures("impatient")
def test_a_model_whose_load_killed_a_worker_is_not_loaded_by_the_next(
    engine: Engine, person: Person, presets: Path, both: Callable[[str], None], start_worker: StartWorker
) -> None:
    both(same_model(presets))
    done = subprocess.run([sys.executable, "-c", LOAD_AND_DIE], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    worker = start_worker("--also", ALL).ready()
    job_id = imagine(engine, person, "a cat --n 1 --model second")
    job = wait_for_state(engine, job_id, "done", "failed", seconds=SECONDS, worker=worker)
    assert (job.state, job.error_code) == ("failed", "model_not_loaded")
    assert "died while it loaded the model second" in str(job.error)
    assert "is left for" not in worker.text()


class Silent:
    """Shows no progress."""

    def part(self, name: str, size: int) -> Callable[[int], None]:
        return lambda count: None


@pytest.mark.usefixtures("impatient")
def test_a_model_that_another_loads_is_left_to_it(
    engine: Engine, person: Person, presets: Path, both: Callable[[str], None]
) -> None:
    both(same_model(presets))
    imagine(engine, person, "a cat --n 1 --model second")
    other = Other(engine)
    time.sleep(0.6)  # longer than it would be patient with one that holds the model
    loader = announce(state="loading")
    assert other.look() == Look()
    get_events().leave(loader)
    assert other.look() == Look(second.NAME)
    assert held() == [("second", "loading")]


@pytest.mark.usefixtures("impatient")
def test_a_model_that_is_too_large_is_not_loaded_and_its_jobs_are_told(
    engine: Engine, person: Person, presets: Path, both: Callable[[str], None]
) -> None:
    both(same_model(presets).replace("steps =", "memory_gb = 36\nsteps ="))
    job_id = imagine(engine, person, "a cat --n 1 --model second")
    small = Other(engine, memory=24_000_000_000)
    time.sleep(0.6)
    large = announce(preset=tiny.NAME, also=(second.NAME,))
    assert small.look() == Look()
    assert job_of(engine, job_id).state == "queued"
    get_events().leave(large)
    (ended,) = small.look().ended
    job = job_of(engine, job_id)
    assert (job.state, job.error) == ("failed", ended[2])
    assert "needs about 36 GB" in str(job.error)


def test_a_model_that_fits_is_loaded(
    engine: Engine, person: Person, presets: Path, both: Callable[[str], None]
) -> None:
    both(same_model(presets).replace("steps =", "memory_gb = 36\nsteps ="))
    job_id = imagine(engine, person, "a cat --n 1 --model second")
    assert Other(engine, memory=24_000_000_000).look() == Look()
    assert job_of(engine, job_id).state == "queued"  # one that serves it may be about to start
    assert Other(engine, memory=40_000_000_000).look() == Look(second.NAME)


def test_workers_choose_one_after_the_other(
    engine: Engine, person: Person, presets: Path, both: Callable[[str], None]
) -> None:
    both(same_model(presets))
    imagine(engine, person, "a cat --n 1 --model second")
    other = Other(engine)
    with engine.begin() as connection:
        assert connection.exec_driver_sql(f"select pg_try_advisory_xact_lock({joblife.CHOICE_LOCK})").scalar()
        assert other.look() == Look()
    assert other.look() == Look(second.NAME)


def test_without_the_broker_a_worker_keeps_its_model(
    engine: Engine, person: Person, presets: Path, both: Callable[[str], None]
) -> None:
    both(same_model(presets))
    imagine(engine, person, "a cat --n 1 --model second")
    events = Events("redis://127.0.0.1:1")
    reach = Reach(events, [ALL], device="cpu", memory=None)
    presence = Presence(events, preset=tiny.NAME, device="cpu", also=reach.offered)
    presence.ready()
    assert Switching(engine, events, tiny.NAME, presence, reach).look() == Look()
