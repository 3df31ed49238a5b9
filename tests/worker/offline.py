"""Imports every module of Penchant, loads presets, and paints a job with each:
`python -m tests.worker.offline NAME...`. Prints, as JSON, which hosts Python looked up or connected to
meanwhile, and the modules."""

import importlib
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
ELSEWHERE = ("app.migrations",)  # run by alembic, whose context it needs

reached: set[str] = set()


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook; sockets of the machine's own, without a host, are left out."""
    if event == "socket.getaddrinfo":
        reached.add(str(arguments[0]))
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        reached.add(str(arguments[1][0]))


def import_all() -> list[str]:
    """Import app and worker; the names of their modules."""
    names = []
    for package in ("app", "worker"):
        for found in pkgutil.walk_packages([str(REPOSITORY / package)], f"{package}."):
            if not found.name.startswith(ELSEWHERE) and not found.name.endswith("__main__"):
                importlib.import_module(found.name)
                names.append(found.name)
    return names


def paint(name: str) -> None:
    """Load a preset and paint the job that waits for it."""
    module: Any = importlib.import_module
    preset = module("app.presets").usable_preset(name)
    runner = module("worker.runner").Runner(
        module("app.db").get_engine(),
        module("app.storage").get_storage(),
        module("app.services.events").get_events(),
        module("worker.pipelines").load(preset, device="cpu"),
    )
    runner.start()
    runner.render()
    runner.stop()


if __name__ == "__main__":
    sys.addaudithook(watch)  # before anything of Penchant or of its libraries is imported
    modules = import_all()
    for name in sys.argv[1:]:
        paint(name)
    print(json.dumps({"modules": modules, "reached": sorted(reached)}))
