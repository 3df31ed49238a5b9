"""What PostgreSQL and Valkey have in common under the supervisor."""

import hashlib
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from app.embedded.errors import ServiceNotStarted
from app.embedded.identity import Identity, give
from app.embedded.process import clear_orphans, end, roll, spawn, tail
from app.embedded.state import ServiceState

POLL_SECONDS = 0.01


class Service(ABC):
    """A server program with its folder, log and port. Not safe for use by several threads."""

    name: ClassVar[str]
    program: ClassVar[str]
    gentle: ClassVar[signal.Signals]
    ending: ClassVar[Sequence[tuple[signal.Signals, float]]]
    start_seconds: ClassVar[float]

    def __init__(self, *, binary: Path, home: Path, identity: Identity, state: ServiceState) -> None:
        self.binary = binary
        self.identity = identity
        self.state = state
        self.folder = home / self.name
        # Stands in the title of every process that serves this folder, so that a later start finds them.
        self.marker = f"penchant-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]}"
        self.log = home / "log" / f"{self.name}.log"
        self.child: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @abstractmethod
    def prepare(self) -> None:
        """Makes the data folder if need be. Raises `EmbeddedError` when it cannot be used."""

    @abstractmethod
    def clean(self) -> None:
        """Removes what a killed process left in the folder and would stop the next one."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments."""

    def stdin(self) -> bytes:
        return b""

    @abstractmethod
    def ready(self) -> bool:
        """Whether the running child accepts connections."""

    def clear(self, seconds: float) -> None:
        """Ends what a killed supervisor or server left running: asks, waits so many seconds, kills."""
        clear_orphans(self.marker, self.program, ask=self.gentle, seconds=seconds)
        self.clean()

    def start(self) -> None:
        """Spawns the child; `await_ready` tells how that went."""
        give(self.folder, self.identity)
        roll(self.log)
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self.child = spawn(
            self.command(), identity=self.identity, log=self.log, on_death=self.gentle, stdin=self.stdin()
        )

    def await_ready(self) -> None:
        """Raises `ServiceNotStarted` if the child ends or is not ready in time."""
        deadline = time.monotonic() + self.start_seconds
        while time.monotonic() < deadline:
            if self.died():
                raise self.failure("ended while starting")
            if self.ready():
                return
            time.sleep(POLL_SECONDS)
        raise self.failure(f"was not ready after {self.start_seconds:.0f} s")

    def died(self) -> bool:
        return self.child is not None and self.child.poll() is not None

    def stop(self) -> None:
        if self.child is not None:
            end(self.child, self.ending)
            self.child = None

    def failure(self, what: str) -> ServiceNotStarted:
        said = tail(self.log, self._log_start)
        advice = "Free some disk space and start again." if "No space left" in said else f"See {self.log}."
        return ServiceNotStarted(f"The embedded {self.name} {what}. {advice}\n{said}", service=self.name)
