"""The process that starts workers quickly, as the tests see it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from app.config import REPOSITORY


class Zygote:
    """The process that forks workers."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.worker.zygote"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert self._answer() == "up"

    def fork(self, log: Path, *arguments: str) -> int:
        assert self._process.stdin is not None
        order = {"environment": dict(os.environ), "log": str(log), "arguments": arguments}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._answer())

    def end(self) -> None:
        """At once: what it forked has been ended by whoever asked for it."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()
