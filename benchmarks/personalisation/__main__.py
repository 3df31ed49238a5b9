"""How well images follow a taste, measured on simulated people: `python -m benchmarks.personalisation`.

People with tastes over the true attributes of pictures rate the gallery, prompts about subjects alone are
painted for them at several strengths, and a judge that shares nothing with the model says what is seen.
"""

import argparse
import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from multiprocessing.connection import wait
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # more threads than free cores wait for each other

from app.config import REPOSITORY
from app.taste.space import load_space
from benchmarks.personalisation import gallery, known, measures, studio
from benchmarks.personalisation.sheet import sheet
from benchmarks.personalisation.table import as_json, as_text
from benchmarks.personalisation.work import QUICK, Plan, State, World, fingerprint, paint, units
from starter.gallery import FOLDER

STATE = REPOSITORY / "out" / "personalisation"
POLL_SECONDS = 5.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Paint what is missing, print the tables and write the files that were asked for."""
    options = _parser().parse_args(arguments)
    plan = _plan(options)
    state = State(options.state / fingerprint())
    world = _world(plan)
    _paint_all(plan, state, options.processes)
    judged = measures.Judged(world, state)
    confounded = [world.person(number).confounded for number in range(plan.people)]
    results = {"histories": known.rows(world), "personalised": measures.rows(judged)}
    print(f"{plan.people} people, {plan.prompts} prompts each, means and their standard errors over people")
    for rows in results.values():
        print("\n" + as_text(rows, confounded), flush=True)
    if options.json:
        found = {"plan": asdict(plan)} | {name: as_json(rows) for name, rows in results.items()}
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.sheet:
        sheet(judged).save(options.sheet)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.personalisation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few people and prompts: about five minutes")
    parser.add_argument("--people", type=int, help="simulated people, at least 2 (24; quick: 8)")
    parser.add_argument("--prompts", type=int, help="prompts for each of them (6; quick: 2)")
    parser.add_argument("--processes", type=int, default=2, help="that paint side by side (2)")
    parser.add_argument("--state", type=Path, default=STATE, help="folder for what is finished")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--sheet", type=Path, help="write images of three people here")
    return parser


def _plan(options: argparse.Namespace) -> Plan:
    plan = QUICK if options.quick else Plan()
    plan = replace(plan, people=options.people or plan.people, prompts=options.prompts or plan.prompts)
    if plan.people < 2:
        raise SystemExit("Two people at least: each is compared with another. Use --people 2 or more.")
    if not 1 <= plan.prompts <= gallery.MOST_PROMPTS:
        raise SystemExit(f"Each prompt has a subject of its own. Use --prompts 1 to {gallery.MOST_PROMPTS}.")
    return plan


def _world(plan: Plan) -> World:
    space = load_space(studio.SPACE)
    return World(plan, gallery.load(FOLDER, encoder=space.encoder), space)


def _paint_all(plan: Plan, state: State, processes: int) -> None:
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
    paint(_world(plan), State(folder), studio.open_studio(threads), lambda group: group % parts == part)


def _end_with_parent() -> None:
    """A process whose parent was killed would go on for an hour."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


if __name__ == "__main__":
    main()
