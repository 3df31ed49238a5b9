"""What `penchant up` does now and then: short child processes, one run of each at a time."""

import time
from dataclasses import dataclass, field

from app.cli.children import Child

FIRST_SECONDS = 600.0


@dataclass
class Errand:
    """A child that does its work and ends; `watch` starts it every so many seconds, not before it ended."""

    child: Child
    every_seconds: float
    _next: float = field(default_factory=lambda: time.monotonic() + FIRST_SECONDS)

    def watch(self) -> None:
        """Start the child when it is time."""
        process = self.child.process
        if time.monotonic() < self._next or (process is not None and process.poll() is None):
            return
        self._next = time.monotonic() + self.every_seconds
        self.child.start()
