"""Answers turned into comparisons: the only thing the learner sees of a rating."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app.taste.arrays import Array, checked
from app.taste.errors import InvalidInput
from app.taste.repeats import UNKNOWN, Indices, newest_shares, shares

TYPICAL_WEIGHT = 0.5


class Answer(StrEnum):
    """What a person can say about a pair."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"
    BOTH_BAD = "both_bad"
    SKIP = "skip"


_OUTCOME = {Answer.LEFT: 1.0, Answer.RIGHT: 0.0, Answer.TIE: 0.5}


@dataclass(frozen=True)
class Comparisons:
    """Comparisons "this over that" of one or many ratings.

    difference (n, k): the two images' places in the space, subtracted; outcome (n,): 1, 0, or 0.5 for a tie;
    weight (n,): how much of an answer it is; side (n,): 1 where the first image stood left of the second, so
    that a habit of answering "left" is learned apart, else 0; count: the ratings they came from, skips left
    out; images (n, 2): the two images' numbers, UNKNOWN where not given and for the typical image.
    """

    difference: Array
    outcome: Array
    weight: Array
    side: Array
    count: int
    images: Indices = field(default_factory=lambda: _unknown(0))

    def __post_init__(self) -> None:
        n = len(self.outcome)
        if not len(self.images):
            object.__setattr__(self, "images", _unknown(n))
        if self.images.shape != (n, 2):
            raise InvalidInput(f"images has shape {self.images.shape}, expected {(n, 2)}")
        checked("difference", self.difference, (n, None))
        for name in ("outcome", "weight", "side"):
            checked(name, getattr(self, name), (n,))
        if n and not (self.outcome.min() >= 0.0 and self.outcome.max() <= 1.0 and self.weight.min() >= 0.0):
            raise InvalidInput("outcomes lie between 0 and 1, weights are not negative")

    def __len__(self) -> int:
        return len(self.outcome)

    @property
    def rows(self) -> Array:
        """The design matrix (n, k + 1): the differences, then the side."""
        return np.concatenate([self.difference, self.side[:, None]], axis=1)

    @property
    def counted(self) -> Array:
        """How much of an answer each is (n,) beside the others, with which it may share an image."""
        return self.weight * shares(self.images)


def compare(
    answers: Sequence[Answer], left: Array, right: Array, *, images: Indices | None = None
) -> Comparisons:
    """Turn answers about pairs into comparisons.

    left, right (n, k): the images' places in the space; images (n, 2): their numbers, where they may return.
    A skip says nothing. "Both bad" sets each image below the gallery's typical one, which is the origin of
    the space, with less weight than a choice.
    """
    left = checked("left", left, (len(answers), None))
    right = checked("right", right, left.shape)
    images = _unknown(len(answers)) if images is None else images
    given = np.array([Answer(answer) for answer in answers], dtype=object)
    choices = np.isin(given, list(_OUTCOME))
    bad = given == Answer.BOTH_BAD
    outcome = np.array([_OUTCOME[answer] for answer in given[choices]], dtype=np.float64)
    pairs = Comparisons(
        difference=left[choices] - right[choices],
        outcome=outcome,
        weight=np.ones(len(outcome)),
        side=np.ones(len(outcome)),
        count=len(outcome),
        images=images[choices],
    )
    if not bad.any():
        return pairs
    typical = _against_typical(np.concatenate([left[bad], right[bad]]), liked=False, count=int(bad.sum()))
    numbers = np.column_stack([images[bad].T.ravel(), np.full(len(typical), UNKNOWN)])
    return join([pairs, replace(typical, images=numbers)])


def like(images: Array, *, liked: bool) -> Comparisons:
    """Turn likes, or dislikes, of images (n, k) into comparisons with the gallery's typical image."""
    images = checked("images", images, (None, None))
    return _against_typical(images, liked=liked, count=len(images))


def join(parts: Sequence[Comparisons]) -> Comparisons:
    """Put comparisons of one space together; at least one part."""
    if not parts:
        raise InvalidInput("nothing to join")
    if len({part.difference.shape[1] for part in parts}) > 1:
        raise InvalidInput("comparisons of different dimensions cannot be joined")
    return Comparisons(
        difference=np.concatenate([part.difference for part in parts]),
        outcome=np.concatenate([part.outcome for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        side=np.concatenate([part.side for part in parts]),
        count=sum(part.count for part in parts),
        images=np.concatenate([part.images for part in parts]),
    )


def newest(rating: Comparisons, met: Mapping[int, int]) -> Comparisons:
    """Return a rating with the weight it has after others; met: in how many comparisons each image stood."""
    before = [[met.get(int(image), 0) for image in pair] for pair in rating.images]
    return replace(
        rating, weight=rating.weight * newest_shares(np.array(before, dtype=np.int64).reshape(-1, 2))
    )


def take(comparisons: Comparisons, rows: NDArray[np.int64]) -> Comparisons:
    """Return some of the comparisons by index, each counted as a rating of its own."""
    return Comparisons(
        difference=comparisons.difference[rows],
        outcome=comparisons.outcome[rows],
        weight=comparisons.weight[rows],
        side=comparisons.side[rows],
        count=len(rows),
        images=comparisons.images[rows],
    )


def _against_typical(images: Array, *, liked: bool, count: int) -> Comparisons:
    n = len(images)
    return Comparisons(
        difference=images,
        outcome=np.full(n, 1.0 if liked else 0.0),
        weight=np.full(n, TYPICAL_WEIGHT),
        side=np.zeros(n),
        count=count,
    )


def _unknown(n: int) -> Indices:
    return np.full((n, 2), UNKNOWN, dtype=np.int64)
