"""The three sets of real choices, read from the folder they were put in; none comes with the project.

`train/train.csv`: 235 people choose between journeys (Ecdat's Train). `art/ratings.csv`: 300 people
rate 91 artworks. `tigers/tigers.parquet`: 22 people like or dislike 500 videos. Splits are by person, always.
"""

import ast
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from app.taste.arrays import Array
from benchmarks.taste.studies import Choices, Indices, Study

TRAIN_TESTED, TRAIN_KNOWN, TRAIN_LEAST = 62, 10, 12
ART_FOLDS, ART_FACTORS, ART_PRIOR_PAIRS, ART_PAIRS = 5, 8, 60, 400
TIGERS_COMPONENTS, TIGERS_LEAST = 32, 20


def journeys(folder: Path, splits: int) -> Iterator[Study]:
    """62 people are tested, each on what is left of 12 or more choices after 10; the others give the prior.

    A journey is its price and time, in standard deviations, and whether it has a change, a second change, and
    which of the three comfort classes: all that people were told of it.
    """
    with (folder / "train" / "train.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    sides = [
        np.array(
            [[float(row[f"{name}{side}"]) for name in ("price", "time", "change", "comfort")] for row in rows]
        )
        for side in (1, 2)
    ]
    both = np.concatenate(sides)
    items, index = np.unique(
        np.column_stack([both[:, :2] / both[:, :2].std(axis=0), both[:, 2:] >= 1, both[:, 2:] >= 2]),
        axis=0,
        return_inverse=True,
    )
    a, b = index.reshape(2, -1)
    user = np.array([int(row["id"]) for row in rows])
    choices = Choices(user, a, b, np.array([float(row["choice"] == "choice1") for row in rows]))
    ids, count = np.unique(user, return_counts=True)
    for seed in range(splits):
        tested = np.random.default_rng(seed).permutation(ids[count >= TRAIN_LEAST])[:TRAIN_TESTED]
        there = np.isin(user, tested)
        yield Study(items, choices.take(~there), choices.take(there), known=TRAIN_KNOWN, whole=True)


def artworks(folder: Path, by_item: bool) -> Iterator[Study]:
    """Five folds of 60 people. An artwork is its mean rating and 8 collaborative factors from the other 240.

    People are asked about random pairs that they rated differently.
    """
    ratings = np.loadtxt(folder / "art" / "ratings.csv", delimiter=",")
    people = np.random.default_rng(0).permutation(len(ratings))
    for fold in range(ART_FOLDS):
        rng = np.random.default_rng(fold)
        tested, known = people[fold::ART_FOLDS], np.delete(people, slice(fold, None, ART_FOLDS))
        items = _factors(ratings[known])
        train, test = (
            _joined([_rated(user, ratings[user], n, rng) for user in users])
            for users, n in ((known, ART_PRIOR_PAIRS), (tested, ART_PAIRS))
        )
        yield Study(items, train, test, by_item=by_item)


def _factors(ratings: Array) -> Array:
    own = ratings - ratings.mean(axis=1, keepdims=True)
    mean = own.mean(axis=0)
    _, size, factors = np.linalg.svd(own - mean, full_matrices=False)
    kept = factors[:ART_FACTORS].T * size[:ART_FACTORS] / np.sqrt(len(own))
    return np.column_stack([mean, kept])


def _rated(user: int, ratings: Array, n: int, rng: np.random.Generator) -> Choices:
    """Up to n different pairs, drawn at random among those rated differently."""
    a, b = np.triu_indices(len(ratings), 1)
    kept = rng.permutation(np.flatnonzero(ratings[a] != ratings[b]))[:n]
    swap = rng.random(len(kept)) < 0.5
    a, b = np.where(swap, b[kept], a[kept]), np.where(swap, a[kept], b[kept])
    return Choices(np.full(len(a), user), a, b, (ratings[a] > ratings[b]).astype(np.float64))


def videos(folder: Path) -> Iterator[Study]:
    """One person with 20 ratings or more is tested at a time, on pairs of a liked and a disliked video.

    No video stands on both sides, so accuracy on the pairs asked about is the AUC of the ratings held out.
    For the prior, the others give as many pairs as they gave ratings: no rating is to count many times.
    """
    from pyarrow import parquet  # noqa: PLC0415  an extra that only this set of data needs

    table = parquet.read_table(folder / "tigers" / "tigers.parquet", columns=["embeddings", "user:rating"])
    items = np.array(table["embeddings"].to_pylist())
    given: dict[int, list[tuple[int, int]]] = {}
    for video, said in enumerate(table["user:rating"].to_pylist()):
        for user, rating in ast.literal_eval(said).items():
            if user:
                given.setdefault(int(user), []).append((video, int(rating)))
    numbers = list(given)
    pairs = {u: _liked(u, np.array(given[user]), np.random.default_rng(u)) for u, user in enumerate(numbers)}
    for tested, user in enumerate(numbers):
        if len(given[user]) >= TIGERS_LEAST:
            others = [pairs[u].take(slice(0, len(given[o]))) for u, o in enumerate(numbers) if u != tested]
            train = _joined([other for other in others if len(other)])
            yield Study(items, train, pairs[tested], by_item=True, components=TIGERS_COMPONENTS)


def _liked(user: int, rated: Indices, rng: np.random.Generator) -> Choices:
    """All pairs of a liked and a disliked video, shuffled, on sides drawn by lot."""
    liked, disliked = rated[rated[:, 1] == 1, 0], rated[rated[:, 1] == 0, 0]
    pairs = rng.permutation(np.stack(np.meshgrid(liked, disliked), axis=-1).reshape(-1, 2))
    y = (rng.random(len(pairs)) < 0.5).astype(np.float64)
    a, b = np.where(y[:, None] == 1, pairs, pairs[:, ::-1]).T
    return Choices(np.full(len(y), user), a, b, y)


def _joined(parts: list[Choices]) -> Choices:
    return Choices(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("user", "a", "b", "y"))
    )
