"""Child processes of `penchant up`: started with their log, watched, started again when they die."""

import ctypes
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
FIRST_BACKOFF_SECONDS = 0.2
LAST_BACKOFF_SECONDS = 15.0
STEADY_SECONDS = 30.0
MAX_LOG_BYTES = 20_000_000


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """One supervised process. `watch` starts it again, ever later while it keeps dying at once."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    stop_seconds: float = 10.0
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    _started: float = 0.0
    _backoff: float = FIRST_BACKOFF_SECONDS
    _due: float = field(default=0.0)

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches it only through us."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        self._started = time.monotonic()

    def watch(self) -> int | None:
        """Restart the process if it died; the exit status of a death seen for the first time."""
        if self.process is None:
            if time.monotonic() >= self._due:
                self.restarts += 1
                self.start()
            return None
        status = self.process.poll()
        if status is None:
            return None
        steady = time.monotonic() - self._started > STEADY_SECONDS
        self._backoff = FIRST_BACKOFF_SECONDS if steady else min(2 * self._backoff, LAST_BACKOFF_SECONDS)
        self._due = time.monotonic() + self._backoff
        self.process = None
        return status

    def ask_to_stop(self) -> None:
        """SIGTERM: a worker hands its job back, the server finishes its requests."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self) -> None:
        """Wait for the process after `ask_to_stop`, and kill it when it takes too long."""
        if self.process is None:
            return
        try:
            self.process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_lines(self, lines: int = 8) -> str:
        """The end of the log, for the person at the terminal."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 8_000))
            return "\n".join(file.read().decode(errors="replace").strip().splitlines()[-lines:])
