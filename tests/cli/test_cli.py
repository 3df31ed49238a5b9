"""The command line against a whole instance that it started itself."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from app.cli.main import console as CONSOLE
from app.cli.main import errors as ERRORS
from app.cli.main import main
from app.cli.taste import console as TASTE
from tests.worker import tiny
from tests.worker.conftest import forget, wait_until

START_SECONDS = 100
PENCHANT = [sys.executable, "-m", "app.cli"]


@dataclass(frozen=True)
class Instance:
    """A running `penchant up`."""

    process: subprocess.Popen[str]
    environment: dict[str, str]
    url: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command of the same user."""
        return run(self.environment, *arguments)


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own, to its end."""
    return subprocess.run(
        [*PENCHANT, *arguments], env=environment, capture_output=True, text=True, timeout=90, check=False
    )


@dataclass(frozen=True)
class Shell:
    """Runs commands in this process, which has imported them already."""

    environment: dict[str, str]
    capsys: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """One command, with `more` in its environment."""
        self.capsys.readouterr()
        with self.patch.context() as patch:
            for name in [name for name in os.environ if name.startswith("PENCHANT_")]:
                patch.delenv(name)
            for name, value in {**self.environment, **more}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["penchant", *arguments])
            forget()
            with pytest.raises(SystemExit) as ended:
                main()
        forget()
        told = self.capsys.readouterr()
        return subprocess.CompletedProcess(sys.argv, int(ended.value.code or 0), told.out, told.err)


@pytest.fixture
def shell(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """Commands of the same user, without the start of a process for each."""
    for console in (CONSOLE, ERRORS, TASTE):
        monkeypatch.setattr(console, "_width", 200)
    return Shell(environment, capsys, monkeypatch)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A user with an empty home and the tiny model."""
    presets = tiny.build(tmp_path_factory.mktemp("tiny"))
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PENCHANT_")}
    return plain | {
        "PENCHANT_HOME": str(tmp_path_factory.mktemp("home")),
        "PENCHANT_PRESETS": str(presets),
        "PENCHANT_MODEL": tiny.NAME,
        "PENCHANT_TORCH_THREADS": "1",
        "COLUMNS": "200",
    }


@pytest.fixture(scope="module")
def instance(environment: dict[str, str]) -> Iterator[Instance]:
    """`penchant up` on a free port, stopped with SIGTERM; nothing of it may be left."""
    process = subprocess.Popen(
        [*PENCHANT, "up", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
    )
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    assert process.stdout is not None
    line = process.stdout.readline()
    watchdog.cancel()
    found = re.search(r"http://\S+", line)
    assert found, f"no address in {line!r}"
    yield Instance(process, environment, found.group())
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stdout.close()
    assert not [child for child in children if child.is_running()]


def test_up_serves_pages(instance: Instance) -> None:
    assert httpx.get(f"{instance.url}/explore").status_code == 200
    assert httpx.get(f"{instance.url}/healthz").status_code == 200


def test_imagine_renders_and_downloads(instance: Instance, tmp_path: Path) -> None:
    done = instance.run("imagine", "a lighthouse at dusk --n 2 --seed 3", "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    files = list(tmp_path.glob("*.webp"))
    assert len(files) == 2
    for path in files:
        with Image.open(path) as image:
            image.verify()


@pytest.mark.usefixtures("instance")
def test_imagine_says_what_is_wrong(shell: Shell, tmp_path: Path) -> None:
    locked = shell.run("imagine", "a cat --p", "-o", str(tmp_path))
    assert (locked.returncode, list(tmp_path.iterdir())) == (1, [])
    assert "Personalization is locked: 0 of 200 ratings. Rate 200 more on /explore." in locked.stderr
    wrong = shell.run("imagine", "a cat --styliz 20", "-o", str(tmp_path))
    assert wrong.returncode == 1
    assert "--stylize" in wrong.stderr


@pytest.mark.usefixtures("instance")
def test_info_counts(shell: Shell) -> None:
    done = shell.run("info")
    assert done.returncode == 0, done.stderr
    assert "Ratings: 0 of 200" in done.stdout


@pytest.mark.usefixtures("instance")
def test_refit_says_what_came_of_it(shell: Shell) -> None:
    done = shell.run("taste", "refit")
    assert done.returncode == 0, done.stderr
    # Whether the worker has read the gallery by now, and opened a space for its model, is a matter of time.
    assert done.stdout in (
        "There is no taste space yet. Run `penchant seed`.\n",
        "0 people agreed and rated enough; it takes 20.\n",
    )


@pytest.mark.usefixtures("instance")
def test_seed_takes_a_folder_and_names_bad_files(shell: Shell, tmp_path: Path) -> None:
    Image.effect_mandelbrot((96, 64), (-2, -1, 1, 1), 20).convert("RGB").save(tmp_path / "good.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of an image")
    first = shell.run("seed", str(tmp_path))
    assert first.returncode == 0, first.stderr
    assert "skipped broken.jpg" in first.stderr
    assert "1 added" in first.stdout
    assert "0 added" in shell.run("seed", str(tmp_path)).stdout


@pytest.mark.usefixtures("instance")
def test_doctor_finds_everything_well(shell: Shell) -> None:
    done = shell.run("doctor")
    assert done.returncode == 0, done.stdout
    assert "pgvector" in done.stdout


def test_more_workers_are_started_beside_a_running_instance(instance: Instance) -> None:
    with subprocess.Popen(
        [*PENCHANT, "work"], env=instance.environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert "Started more-1." in process.stdout.readline()
            (child,) = psutil.Process(process.pid).children()
            command = ["-m", "worker.main", "--preset", tiny.NAME, "--also", "all"]
            wait_until(lambda: child.cmdline()[1:] == command, seconds=30)  # it becomes that
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not child.is_running()


def test_a_second_start_in_the_same_home_is_refused(instance: Instance) -> None:
    second = instance.run("up", "--port", "0")
    assert second.returncode == 1
    assert "already" in second.stderr


def test_a_taken_port_is_refused_before_anything_starts(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(environment | {"PENCHANT_HOME": str(tmp_path)}, "up", "--port", port)
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_is_named(shell: Shell) -> None:
    done = shell.run("doctor", PENCHANT_PORT="high")
    assert done.returncode == 1
    assert "PENCHANT_PORT" in done.stderr


def test_without_an_instance_the_commands_say_so(shell: Shell, tmp_path: Path) -> None:
    done = shell.run("info", PENCHANT_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "No Penchant is running" in done.stderr
