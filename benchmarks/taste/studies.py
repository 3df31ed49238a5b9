"""What is measured: items, the people a prior is learned from, and the people whose choices are foretold."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.taste.arrays import Array, checked

Indices = NDArray[np.int64]
EXPANSIONS = ("quadratic", "fourier")
WAVES = 32
_PARTS = ("train", "test")
_FIELDS = ("user", "a", "b", "y")
_NAMES = ("items", *(f"{part}_{field}" for part in _PARTS for field in _FIELDS))


@dataclass(frozen=True)
class Choices:
    """Choices between items a and b (n,) of people (n,); y (n,): 1 where a was preferred, 0 b, 0.5 a tie."""

    user: Indices
    a: Indices
    b: Indices
    y: Array

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Indices | NDArray[np.bool_] | slice) -> "Choices":
        return Choices(self.user[rows], self.a[rows], self.b[rows], self.y[rows])

    def by_user(self) -> "dict[int, Choices]":
        """Each person's choices, in order of their numbers."""
        order = np.argsort(self.user, kind="stable")
        users, first = np.unique(self.user[order], return_index=True)
        parts = np.split(order, first[1:])
        return {int(user): self.take(part) for user, part in zip(users, parts, strict=True)}


@dataclass(frozen=True)
class Study:
    """items (m, d); train: choices for the prior; test: choices of the people to foretell.

    by_item: no item stands on both sides of a test person's split; known: how many choices of a test person
    may be learned, half of them where None; components: of the space, as many as the items carry where None;
    whole: the numbers are all that people were told of an item, so there is nothing special about it beside.
    """

    items: Array
    train: Choices
    test: Choices
    by_item: bool = False
    known: int | None = None
    components: int | None = None
    whole: bool = False


def load(path: Path, *, by_item: bool) -> Study:
    """Read a study from an npz file; the arrays are described in the README. Raises ValueError, OSError."""
    with np.load(path, allow_pickle=False) as data:
        missing = [name for name in _NAMES if name not in data]
        if missing:
            raise ValueError(f"{path} lacks the arrays {', '.join(missing)}")
        items = checked("items", data["items"], (None, None))
        train, test = (
            _choices({field: data[f"{part}_{field}"] for field in _FIELDS}, len(items)) for part in _PARTS
        )
    return Study(items=items, train=train, test=test, by_item=by_item)


def _choices(columns: dict[str, NDArray[np.generic]], m: int) -> Choices:
    y = checked("y", columns["y"], (None,))
    user, a, b = (columns[name].astype(np.int64) for name in ("user", "a", "b"))
    if not len(user) == len(a) == len(b) == len(y):
        raise ValueError("the columns of the choices differ in length")
    if len(y) and not (min(a.min(), b.min()) >= 0 and max(a.max(), b.max()) < m):
        raise ValueError("a choice names an item that is not there")
    if not np.isin(y, (0.0, 0.5, 1.0)).all():
        raise ValueError("y is 1 where a was preferred, 0 where b was, and 0.5 for a tie")
    return Choices(user=user, a=a, b=b, y=y)


def split(person: Choices, study: Study, rng: np.random.Generator) -> tuple[Choices, Choices]:
    """Return one person's choices to learn, shuffled, and those to foretell, ties left out.

    A pair that was shown twice stays on one side.
    """
    order = rng.permutation(len(person))
    person = person.take(order)
    if study.by_item:
        there = np.unique(np.concatenate([person.a, person.b]))
        first = rng.permutation(there)[: len(there) // 2]
        a, b = np.isin(person.a, first), np.isin(person.b, first)
        learned, asked = a & b, ~a & ~b
    else:
        key = np.minimum(person.a, person.b) * len(study.items) + np.maximum(person.a, person.b)
        _, seen, pair = np.unique(key, return_index=True, return_inverse=True)
        place = np.argsort(np.argsort(seen))[pair]  # pairs numbered by first appearance in the shuffled order
        learned = place < (len(seen) // 2 if study.known is None else study.known)
        asked = ~learned
    return person.take(learned), person.take(asked & (person.y != 0.5))


def expanded(study: Study, kind: str) -> Study:
    """Return the study with features added to the standardised items that let tastes bend.

    quadratic: all squares and products. fourier: 32 random waves, by which the learner becomes an approximate
    Gaussian process of a squared-exponential kernel on top of the linear one (Rahimi & Recht 2007).
    """
    rng = np.random.default_rng(0)
    spread = study.items.std(axis=0)
    items = (study.items - study.items.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    d = items.shape[1]
    if kind == "quadratic":
        i, j = np.triu_indices(d)
        added = items[:, i] * items[:, j] / np.sqrt(d)
    else:
        waves = rng.standard_normal((d, WAVES)) / np.sqrt(d)
        added = np.cos(items @ waves + rng.uniform(0.0, 2.0 * np.pi, WAVES))
    return replace(study, items=np.column_stack([items, added]), components=None)
