"""How well a profile follows to another encoder, on simulated people: `python -m benchmarks.portability`.

People rate half of the gallery that ships, pairs chosen in the starter's space as on the explore page. The
same answers are then refitted in the space of a second, unrelated encoder, opened as the service opens one.
Both are asked which of two images of the other half is liked more. Nobody rates again.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # more threads than free cores wait for each other

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.config import REPOSITORY
from app.services.gallery import SHIPPED
from app.services.spaces import components
from app.taste.arrays import Array
from app.taste.comparisons import compare
from app.taste.population import with_prior
from app.taste.portability import carry_prior
from app.taste.posterior import prior, refit
from app.taste.space import Space, fit_space, load_space, project
from benchmarks import open_nsfw
from benchmarks.personalisation.gallery import Gallery
from benchmarks.personalisation.history import History, rate
from benchmarks.personalisation.people import make
from starter.attributes import NAMES

FIRST, SECOND = "starter's space", "second space"
CEILINGS = {FIRST: "starter's, ceiling", SECOND: "second's, ceiling"}
RATINGS = (0, 10, 40, 200)
PAIRS = 4000  # of images nobody has rated, that each person is asked about
CACHE = REPOSITORY / "out" / "portability.npy"
Rows = NDArray[np.int64]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.portability", description=__doc__)
    parser.add_argument("--people", type=int, default=24, help="simulated people (24)")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args(arguments)
    gallery, second = load_gallery(), second_embeddings()
    rated, asked = halves(len(second))
    found = measure(gallery, second, rated, asked, people=options.people)
    print(as_text(found))
    if options.json:
        options.json.write_text(json.dumps({name: values.tolist() for name, values in found.items()}) + "\n")


def load_gallery() -> Gallery:
    """The gallery that ships, with its true attributes and the starter's embeddings."""
    lines = [json.loads(line) for line in (SHIPPED / "index.jsonl").read_text("utf-8").splitlines()]
    with np.load(SHIPPED / "embeddings.npz", allow_pickle=False) as data:
        image, text = (data[name].astype(np.float64) for name in ("image", "text"))
    places = {
        name: np.array([names.index(line["attributes"][name]) for line in lines])
        for name, names in NAMES.items()
    }
    seen = {name: np.eye(len(NAMES[name]))[place] for name, place in places.items()}
    return Gallery(image, text, seen, places["subject"], frozenset(line["prompt"] for line in lines))


def second_embeddings() -> Array:
    """What the second encoder sees in the gallery's images; computed once."""
    if not CACHE.exists():
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        names = [
            json.loads(line)["file"] for line in (SHIPPED / "index.jsonl").read_text("utf-8").splitlines()
        ]
        pictures = [Image.open(SHIPPED / name).convert("RGB") for name in names]
        np.save(CACHE, open_nsfw.features(pictures))
    return np.asarray(np.load(CACHE))


def halves(count: int) -> tuple[Rows, Rows]:
    """The images that are rated and those that are asked about."""
    order = np.random.default_rng(8).permutation(count)
    return np.sort(order[: count // 2]), np.sort(order[count // 2 :])


def measure(gallery: Gallery, second: Array, rated: Rows, asked: Rows, *, people: int) -> dict[str, Array]:
    """Accuracy on the images `asked` by each way's name: (people, ratings), and (people, 1) for the ceilings,
    which know the true value of every rated image and fit a straight line through them."""
    starter, some = load_space(SHIPPED.parent / "taste_space.npz"), part(gallery, rated)
    ways = spaces(starter, gallery, second)
    found: dict[str, list[list[float]]] = {name: [] for name in (*ways, *CEILINGS.values())}
    for number in range(people):
        person = make(2 * number, gallery.seen)  # those of even number rate the whole gallery
        history = rate(person, 0, some, starter, max(RATINGS))
        utility = person.utility(gallery.seen)
        for name, (space, image) in ways.items():
            places = project(space, image)
            values = [places @ learned(history, n, space, places[rated]) for n in RATINGS]
            found[name].append([foretold(value, utility, asked, number) for value in values])
            if name in CEILINGS:
                best = straight_line(places, utility, rated)
                found[CEILINGS[name]].append([foretold(best, utility, asked, number)])
    return {name: np.array(rows) for name, rows in found.items()}


def spaces(starter: Space, gallery: Gallery, second: Array) -> dict[str, tuple[Space, Array]]:
    """The spaces that are compared, each with the gallery's embeddings there."""
    plain = fit_space(second, components(*second.shape), encoder=open_nsfw.ENCODER, version=1)
    there, here = project(starter, gallery.image), project(plain, second)
    carried = carry_prior(prior(starter), prior(plain), there, here)
    return {
        FIRST: (starter, gallery.image),
        SECOND: (with_prior(plain, carried, version=1), second),
        f"{SECOND}, broad prior": (plain, second),
    }


def part(gallery: Gallery, rows: Rows) -> Gallery:
    """Some of a gallery's images."""
    seen = {name: values[rows] for name, values in gallery.seen.items()}
    return Gallery(gallery.image[rows], gallery.text[rows], seen, gallery.subject[rows], gallery.prompts)


def learned(history: History, count: int, space: Space, places: Array) -> Array:
    """The preference vector after the first answers; places: of the images that were rated."""
    left, right = places[history.left[:count]], places[history.right[:count]]
    return refit(prior(space), compare(history.answers[:count], left, right)).weights


def straight_line(places: Array, utility: Array, rated: Rows) -> Array:
    """What ridge regression on the rated images' true values says of all images."""
    x = places[rated] - places[rated].mean(axis=0)
    y = utility[rated] - utility[rated].mean()
    return places @ np.linalg.solve(x.T @ x + 0.1 * len(x) * np.eye(x.shape[1]), x.T @ y)


def foretold(value: Array, utility: Array, asked: Rows, number: int) -> float:
    """In percent, how often the better of two images is foreseen, by the person's taste without noise."""
    a, b = asked[np.random.default_rng([8, number]).integers(len(asked), size=(2, PAIRS))]
    said, true = np.sign(value[a] - value[b]), np.sign(utility[a] - utility[b])
    return float(100 * (0.5 + 0.5 * said * true)[true != 0].mean())


def as_text(found: dict[str, Array]) -> str:
    """The table, with standard errors over people."""
    people = len(next(iter(found.values())))
    lines = [f"{people} people; % of random pairs of unrated images foretold, taste without noise"]
    lines.append("| | " + " | ".join(f"{n} ratings" for n in RATINGS) + " |")
    lines.append("|---" * (len(RATINGS) + 1) + "|")
    for name, values in found.items():
        cells = [f"{one.mean():.1f} ± {one.std(ddof=1) / np.sqrt(people):.1f}" for one in values.T]
        lines.append(f"| {name} | " + " | ".join([*cells, *[""] * (len(RATINGS) - len(cells))]) + " |")
    lost = (found[FIRST] - found[SECOND]).T
    cells = [f"{one.mean():+.1f} ± {one.std(ddof=1) / np.sqrt(people):.1f}" for one in lost]
    lines.append("| lost on the way, a person | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
