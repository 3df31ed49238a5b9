"""The bootstrap with a real venv and a real pip, away from any network."""

import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bootstrap

SOURCE = Path(bootstrap.__file__)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout without a .venv, which the imported bootstrap works on."""
    for name in ("bootstrap.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(SOURCE.parent / name, tmp_path)
    for name in ("VENV", "PYTHON", "STAMP", "LOG"):
        monkeypatch.setattr(bootstrap, name, tmp_path / getattr(bootstrap, name).relative_to(bootstrap.ROOT))
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    return tmp_path


def test_it_parses_on_pythons_that_are_too_old() -> None:
    ast.parse(SOURCE.read_text(), feature_version=(3, 7))


def test_it_needs_the_standard_library_only() -> None:
    tree = ast.parse(SOURCE.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_an_old_python_without_a_newer_one_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(bootstrap.Stop, match=r"needs Python 3\.11 or newer.*PYTHON="):
        bootstrap.use_new_python()


def test_a_second_run_ends_at_once(place: Path) -> None:
    bootstrap.PYTHON.parent.mkdir(parents=True)
    bootstrap.PYTHON.symlink_to(sys.executable)
    bootstrap.STAMP.write_text(bootstrap.fingerprint())
    start = time.monotonic()
    ran = subprocess.run([sys.executable, place / "bootstrap.py"], capture_output=True, text=True, check=True)
    assert time.monotonic() - start < 2
    assert ran.stdout == ran.stderr == ""


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_changed_requirement_changes_the_fingerprint(place: Path, changed: str) -> None:
    before = bootstrap.fingerprint()
    with (place / changed).open("a") as file:
        file.write("\n")
    assert bootstrap.fingerprint() != before


def test_a_linked_venv_is_left_alone(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious").touch()
    bootstrap.VENV.symlink_to(other)
    bootstrap.main()
    assert [path.name for path in other.iterdir()] == ["precious"]


def test_a_venv_is_made_and_one_that_was_moved_here_is_not_trusted(place: Path, tmp_path: Path) -> None:
    bootstrap.make_venv()
    assert bootstrap.venv_fits()
    made = bootstrap.PYTHON.stat().st_ctime_ns, bootstrap.VENV.stat().st_ino
    bootstrap.make_venv()
    assert (bootstrap.PYTHON.stat().st_ctime_ns, bootstrap.VENV.stat().st_ino) == made
    script = bootstrap.VENV / "bin" / "pip"
    script.write_text(script.read_text().replace(str(place), "/elsewhere"))
    assert not bootstrap.venv_fits()


def test_a_failed_installation_leaves_no_stamp(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers on the discard port, so this is a machine without network."""
    bootstrap.VENV.mkdir()
    offline = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    }
    for name, value in offline.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setattr(bootstrap, "PYTHON", Path(sys.executable))
    with pytest.raises(bootstrap.Stop, match=r"no network.*PIP_INDEX_URL"):
        bootstrap.pip("install", "penchant-is-not-there")
    assert "penchant-is-not-there" in bootstrap.LOG.read_text()
    assert not bootstrap.STAMP.exists()


def test_reasons_say_what_to_do() -> None:
    assert "Free at least" in bootstrap.reason("OSError: [Errno 28] No space left on device")
    assert "Connect" in bootstrap.reason("Temporary failure in name resolution")
    assert "ResolutionImpossible" in bootstrap.reason("a\nERROR: ResolutionImpossible")
