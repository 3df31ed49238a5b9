"""How well the learner foretells real people's choices.

`python -m benchmarks.taste --data DIR` runs on the three public sets, `--npz FILE` on one's own; the README
beside this package says what the files hold.
"""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # more threads than free cores wait for each other

from benchmarks.taste import people
from benchmarks.taste.measure import Figure, Row, as_json, run
from benchmarks.taste.studies import EXPANSIONS, Study, expanded, load

SETS = ("train", "art", "tigers")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables and write the figures."""
    options = _parser().parse_args(arguments)
    results = {}
    for name, studies in _studies(options):
        if options.expand:
            studies = (expanded(study, options.expand) for study in studies)
        rows = run(studies, gp=options.gp, independent=options.independent)
        results[name] = as_json(rows)
        print(f"\n{name}\n")
        for title, field in (("accuracy, %", "accuracy"), ("log loss", "log_loss"), ("ECE", "ece")):
            print(_table(title, field, rows) + "\n", flush=True)
        print(_few(rows))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.taste", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--npz", type=Path, help="a file of items and people's choices")
    source.add_argument("--data", type=Path, help="the folder that holds train/, art/ and tigers/")
    parser.add_argument("--only", choices=SETS, action="append", help="of the three sets, only this")
    parser.add_argument("--by-item", action="store_true", help="no item on both sides of a person's split")
    parser.add_argument("--splits", type=int, default=20, help="splits of the people of train (20)")
    parser.add_argument("--expand", choices=EXPANSIONS, help="add such features of the items to them")
    parser.add_argument("--independent", action="store_true", help="count answers that share an item fully")
    parser.add_argument("--gp", action="store_true", help="also botorch's PairwiseGP, for 20 people: slow")
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser


def _studies(options: argparse.Namespace) -> Iterator[tuple[str, Iterator[Study]]]:
    if options.npz:
        yield options.npz.name, iter([load(options.npz, by_item=options.by_item)])
        return
    for name in options.only or SETS:
        if name == "train":
            yield name, people.journeys(options.data, options.splits)
        elif name == "art":
            yield name, people.artworks(options.data, options.by_item)
        elif find_spec("pyarrow"):
            yield name, people.videos(options.data)
        else:
            print("\ntigers is left out: reading it needs pyarrow")


def _table(title: str, field: str, rows: list[Row]) -> str:
    columns = dict.fromkeys((row.learner, row.pairs) for row in rows if getattr(row, field) is not None)
    heads = [f"{name}, {pairs}" if name == "Penchant" else name for name, pairs in columns]
    cells = {(row.learner, row.pairs, row.n): getattr(row, field) for row in rows}
    counts = {row.n: row.people for row in rows if row.learner == "Penchant"}
    if field == "ece":
        heads.append("by chance")
    lines = [f"| {title}: n | people | " + " | ".join(heads) + " |", "|---" * (len(heads) + 2) + "|"]
    chance = {row.n: row.chance for row in rows if (row.learner, row.pairs) == ("Penchant", "random")}
    for n, count in sorted(counts.items()):
        found = [_cell(field, cells.get((*column, n))) for column in columns]
        if field == "ece":
            found.append(f"{chance[n]:.3f}")
        lines.append(f"| {n} | {count} | " + " | ".join(found) + " |")
    return "\n".join(lines)


def _cell(field: str, figure: Figure | None) -> str:
    if figure is None:
        return ""
    if field == "accuracy":
        return f"{100 * figure.value:.1f} ± {100 * figure.error:.1f}"
    return f"{figure.value:.3f} ± {figure.error:.3f}"


def _few(rows: list[Row]) -> str:
    """How many chosen pairs do the work of 80 random ones."""
    ours = {(row.pairs, row.n): row.accuracy.value for row in rows if row.learner == "Penchant"}
    many = ours.get(("random", 80))
    enough = [n for (pairs, n), value in sorted(ours.items()) if pairs == "chosen" and many and value >= many]
    if not enough:
        return ""
    return f"{min(enough)} chosen pairs foretell as well as 80 random ones.\n"


if __name__ == "__main__":
    main()
