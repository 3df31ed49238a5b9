"""How well images follow a taste, measured on simulated people: `python -m benchmarks.personalisation`.

People with tastes over the true attributes of pictures rate the gallery, prompts about subjects alone are
painted for them at several strengths, and a judge that shares nothing with the model says what is seen.
"""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # more threads than free cores wait for each other

from app.config import REPOSITORY
from benchmarks.personalisation import gallery, known, measures
from benchmarks.personalisation.processes import load_world, paint_all
from benchmarks.personalisation.sheet import sheet
from benchmarks.personalisation.table import as_json, as_text
from benchmarks.personalisation.work import QUICK, Plan, State, fingerprint

STATE = REPOSITORY / "out" / "personalisation"


def main(arguments: Sequence[str] | None = None) -> None:
    """Paint what is missing, print the tables and write the files that were asked for."""
    options = _parser().parse_args(arguments)
    plan = _plan(options)
    state = State(options.state / fingerprint())
    world = load_world(plan)
    paint_all(plan, state, options.processes)
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


if __name__ == "__main__":
    main()
