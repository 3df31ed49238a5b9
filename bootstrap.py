"""Makes .venv and installs Penchant and its tools into it. Standard library only; repeating it does no harm.

Every target of the Makefile runs `python3 bootstrap.py` first. When nothing changed since the last run, it
ends at once. A `.venv` that is a symbolic link is somebody's own and left alone. This file parses on older
Pythons too, so that it can say that they are too old.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "penchant.stamp"
LOG = VENV / "install.log"
OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
TORCH = "2.13.0"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
EXTRAS = "worker,train,test"
NO_NETWORK = (
    "name resolution",
    "Name or service not known",
    "Network is unreachable",
    "NewConnectionError",
    "ConnectTimeoutError",
    "nodename nor servname",
    "Connection refused",
)


class Stop(Exception):
    """The installation cannot go on; the message says what to do."""


def main() -> None:
    if VENV.is_symlink():
        return
    use_new_python()
    # The project's own file is the lock: two `make` at once install one after the other.
    with (ROOT / "pyproject.toml").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = fingerprint()
        if STAMP.exists() and STAMP.read_text() == wanted and PYTHON.exists():
            return
        make_venv()
        install_torch()
        print("Installing Penchant and its tools ...", flush=True)
        pip("install", "-c", str(ROOT / "constraints.txt"), "-e", f"{ROOT}[{EXTRAS}]")
        STAMP.write_text(wanted)
        print("Installed.", flush=True)


def use_new_python() -> None:
    """Goes on in a newer Python from PATH if this one is too old."""
    if sys.version_info >= OLDEST:
        return
    for name in NEWER:
        found = shutil.which(name)
        if found is not None:
            os.execv(found, [found, *sys.argv])
    raise Stop(
        f"Penchant needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and this is {platform.python_version()}. "
        "Install a newer one, and if it is not called python3: make run PYTHON=/path/to/python"
    )


def fingerprint() -> str:
    """Changes whenever an installation made with the former one may be wrong."""
    parts = [sys.version.encode(), os.fsencode(ROOT), Path(__file__).read_bytes()]
    parts += [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_venv() -> None:
    """Makes .venv if there is none that works with this Python and at this place."""
    if PYTHON.exists() and venv_fits():
        return
    print(f"Making .venv with Python {platform.python_version()} ...", flush=True)
    try:
        try:
            venv.create(VENV, clear=True, symlinks=True, with_pip=True)
        except subprocess.CalledProcessError:
            # Debian keeps ensurepip in a package of its own; the pip at hand can do its work.
            venv.create(VENV, clear=True, symlinks=True)
            run([sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "pip"])
    except (OSError, Stop) as error:
        raise Stop(
            f"The folder .venv could not be made: {error}\n"
            "On Debian and Ubuntu `sudo apt install python3-venv` brings what is missing."
        ) from error


def venv_fits() -> bool:
    """Whether .venv has a pip, is of this minor version of Python, and was made at this place."""
    code = "import sys, pip; print(*sys.version_info[:2], sys.prefix)"
    asked = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, check=False)
    script = VENV / "bin" / "pip"
    moved = script.exists() and os.fsencode(VENV) not in script.read_bytes().split(b"\n", 1)[0]
    return asked.stdout.strip() == f"{sys.version_info[0]} {sys.version_info[1]} {VENV}" and not moved


def install_torch() -> None:
    """Installs the build of torch that suits this machine, unless it is there."""
    site = VENV / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    if list(site.glob(f"torch-{TORCH}*.dist-info")):
        return
    print("Installing torch (some minutes at the first start) ...", flush=True)
    # A wheel at hand first; then a build without CUDA, a tenth in size, where no driver could use CUDA.
    attempts = [["--no-index", "--no-deps"]]
    if has_nvidia_driver():
        attempts = []
    elif sys.platform == "linux":
        attempts.append(["--no-deps", "--index-url", TORCH_CPU_INDEX])
    for options in [*attempts, []]:
        try:
            pip("install", *options, f"torch=={TORCH}")
            return
        except Stop as error:
            failure = error
    raise failure


def has_nvidia_driver() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def pip(*arguments: str) -> None:
    run([str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--retries", "2", *arguments])


def run(command: list[str]) -> None:
    """Runs a pip command, keeping what it says in the log. Raises Stop with the reason when it fails."""
    said: list[str] = []
    with LOG.open("a") as log:
        log.write(f"{' '.join(command)}\n")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                log.write(line)
                if sys.stdout.isatty() and line.startswith(("Collecting", "Downloading", "Installing")):
                    print(f"\r\033[K  {line.strip()[:70]}", end="", flush=True)
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)
    if process.returncode != 0:
        raise Stop(reason("".join(said)))


def reason(said: str) -> str:
    """What to do about a failed pip, from what it said."""
    if "No space left on device" in said:
        free = shutil.disk_usage(ROOT).free / 1e9
        return f"The disk is full ({free:.1f} GB free beside {ROOT}). Free at least 4 GB and run this again."
    if any(sign in said for sign in NO_NETWORK):
        return (
            "The packages could not be fetched: no network, or the package index is out of reach. Connect, "
            "or point pip to a mirror (PIP_INDEX_URL), and run this again."
        )
    return f"pip failed. Its last lines, all of it being in {LOG}:\n" + "\n".join(said.splitlines()[-8:])


if __name__ == "__main__":
    try:
        main()
    except Stop as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        sys.exit("Interrupted; run this again to go on.")
