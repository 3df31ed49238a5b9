"""One supervised child: spawned through the launcher, ended with patience, its orphans cleared away."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import psutil

from app.embedded import launch
from app.embedded.identity import Identity

MAX_LOG_BYTES = 10_000_000
KILL_SECONDS = 5.0  # a killed process is gone sooner, unless the disk holds it


BARE = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    on_death: signal.Signals,
    identity: Identity | None = None,
    environment: Mapping[str, str] = BARE,
    folder: Path = Path("/"),
    stdin: bytes = b"",
) -> subprocess.Popen[bytes]:
    """Starts `command` in `folder` with its output appended to `log`, as `identity` or as who we are.

    It gets a session of its own: a Ctrl-C in the terminal is for us. The child gets
    `on_death` when the *thread* that called this ends (Linux).
    """
    options = {"parent": os.getpid(), "folder": str(folder), "signal": on_death}
    options |= asdict(identity or Identity())
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", launch.__file__, json.dumps(options), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=environment,
        )
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError), child.stdin as pipe:
        pipe.write(stdin)
    return child


def end(child: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Sends each signal in turn and waits its seconds, then kills."""
    for number, seconds in steps:
        child.send_signal(number)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return
    child.kill()
    child.wait()


def clear_orphans(marker: str, program: str, *, ask: signal.Signals, seconds: float) -> None:
    """Ends processes of an earlier supervisor whose titles carry `marker`: asks them, waits, kills."""
    deadline = time.monotonic() + seconds
    found = marked(marker, program)
    pids = {process.pid for process in found}
    for process in found:
        with contextlib.suppress(psutil.Error):
            if seconds > 0 and process.ppid() not in pids:
                process.send_signal(ask)
    while (left := marked(marker, program)) and time.monotonic() < deadline + KILL_SECONDS:
        if time.monotonic() >= deadline:
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
        time.sleep(0.02)


def marked(marker: str, program: str) -> list[psutil.Process]:
    """Processes running `program` with `marker` in their command line or title; a zombie has neither."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == program and marker in " ".join(process.cmdline()):
                found.append(process)
    return found


def runs(pid: int, program: str) -> bool:
    """Whether `pid` is a living process of that name."""
    try:
        process = psutil.Process(pid)
        return process.name() == program and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def roll(log: Path) -> None:
    """Puts a log that grew large aside, over the one put aside before."""
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def tail(log: Path, since: int = 0, lines: int = 6) -> str:
    """The last lines written to `log` after byte `since`."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(since)
        return "\n".join(file.read().decode(errors="replace").strip().splitlines()[-lines:])
