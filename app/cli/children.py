"""Child processes of `penchant up`: started with their log, watched, started again when they die."""

import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from app.embedded.process import roll, spawn, tail
from app.services.workers import EXIT_BROKEN

FIRST_BACKOFF_SECONDS = 0.2
LAST_BACKOFF_SECONDS = 15.0
# A model that does not load may be gigabytes, read in vain each time until somebody has mended it.
FIRST_BROKEN_SECONDS = 2.0
LAST_BROKEN_SECONDS = 60.0
STEADY_SECONDS = 30.0


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
    told: str = ""  # what is broken, as it was said last
    _started: float = 0.0
    _backoff: float = FIRST_BACKOFF_SECONDS
    _due: float = field(default=0.0)

    def start(self) -> None:
        """Start the process; it ends with us, whatever ends us."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        roll(self.log)
        self.process = spawn(
            self.command,
            log=self.log,
            on_death=signal.SIGTERM,
            environment=self.environment,
            folder=Path.cwd(),
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
        self._backoff = self._pause(status)
        self._due = time.monotonic() + self._backoff
        self.process = None
        return status

    def _pause(self, status: int) -> float:
        """Seconds until the next start. One that found something broken was not steady, however long it took
        to find that."""
        if status == EXIT_BROKEN:
            return min(max(2 * self._backoff, FIRST_BROKEN_SECONDS), LAST_BROKEN_SECONDS)
        if time.monotonic() - self._started > STEADY_SECONDS:
            return FIRST_BACKOFF_SECONDS
        return min(2 * self._backoff, LAST_BACKOFF_SECONDS)

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

    def last_lines(self) -> str:
        """The end of the log, for the person at the terminal."""
        return tail(self.log)
