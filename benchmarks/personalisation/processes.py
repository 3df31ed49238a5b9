"""Several processes that paint side by side."""

import multiprocessing
import os
import sys
import threading
import time
from multiprocessing.connection import wait
from pathlib import Path

from app.taste.space import load_space
from benchmarks.personalisation import gallery, studio
from benchmarks.personalisation.work import Plan, State, World, paint, units
from starter.gallery import FOLDER

POLL_SECONDS = 5.0


def load_world(plan: Plan) -> World:
    """People, prompts and what was learned, over the gallery that comes with the starter."""
    space = load_space(studio.SPACE)
    return World(plan, gallery.load(FOLDER, encoder=space.encoder), space)


def paint_all(plan: Plan, state: State, processes: int) -> None:
    """Share the groups out among processes of one thread each, and say how long it will take."""
    missing = _missing(plan, state)
    if not missing:
        return
    context = multiprocessing.get_context("spawn")
    parts = min(processes, len(plan.groups()))
    workers = [
        context.Process(target=_work, args=(plan, state.folder, part, parts), daemon=True)
        for part in range(parts)
    ]
    for worker in workers:
        worker.start()
    started = time.monotonic()
    while alive := [worker.sentinel for worker in workers if worker.is_alive()]:
        wait(alive, timeout=POLL_SECONDS)
        left = _missing(plan, state)
        if left < missing:
            minutes = (time.monotonic() - started) * left / (missing - left) / 60
            print(
                f"\r{left} images to paint, about {minutes:.0f} minutes ", end="", file=sys.stderr, flush=True
            )
    print(file=sys.stderr)
    if any(worker.exitcode for worker in workers):
        raise SystemExit("Painting failed, see above. What was finished is kept: start again to go on.")


def _missing(plan: Plan, state: State) -> int:
    """Images that are not painted yet, and one for each group whose s = 0 is not compared yet."""
    zero = sum(state.noted(f"zero-{group}") is None for group in plan.groups())
    return zero + sum(unit.count for unit in units(plan) if not state.has(unit.name))


def _work(plan: Plan, folder: Path, part: int, parts: int) -> None:
    """One process's share: every so manyth group."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threads = max((os.cpu_count() or 1) // parts, 1)
    paint(load_world(plan), State(folder), studio.open_studio(threads), lambda group: group % parts == part)


def _end_with_parent() -> None:
    """A process whose parent was killed would go on for an hour."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
