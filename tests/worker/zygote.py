"""Starts workers quickly: imports torch and diffusers once, and forks a process for each worker asked for.

Reads one JSON object a line, {"environment": {...}, "log": path, "arguments": [...]}, and answers with the
process id. The child runs `worker.main.main`, as `python -m worker.main` does.
"""

import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from worker.main import main


def serve() -> None:
    """Fork a worker for each line until the input ends."""
    gc.freeze()  # what is imported is no garbage, and children share it while nobody writes into it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children: leave no zombies
    print("up", flush=True)
    for line in iter(sys.stdin.readline, ""):
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order)
        print(child, flush=True)


def _become(order: dict[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(order["environment"])
    log = os.open(Path(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(log, stream)
    status = 70
    try:
        status = main(order["arguments"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve()
