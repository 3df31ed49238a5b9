"""Simulated galleries and people for the tests of the numerics."""

import numpy as np
from scipy.special import expit

from app.taste.arrays import Array
from app.taste.comparisons import Answer, Comparisons, compare
from app.taste.posterior import Posterior


def flat_prior(k: int, variance: float = 1.0) -> Posterior:
    """A prior that knows no direction, in k dimensions and the bias."""
    return Posterior(mean=np.zeros(k + 1), cov=variance * np.eye(k + 1), count=0)


def ratings_of(weights: Array, n: int, rng: np.random.Generator, *, noise: bool = True) -> Comparisons:
    """n choices of a person with these weights (k,) between random images."""
    left, right = rng.standard_normal((2, n, len(weights)))
    value = (left - right) @ weights
    chance = expit(value) if noise else value > 0
    answers = [Answer.LEFT if yes else Answer.RIGHT for yes in rng.random(n) < chance]
    return compare(answers, left, right)


def part(comparisons: Comparisons, rows: Array | slice | list[int]) -> Comparisons:
    """Some of the comparisons, each of a rating of its own."""
    return Comparisons(
        difference=comparisons.difference[rows],
        outcome=comparisons.outcome[rows],
        weight=comparisons.weight[rows],
        side=comparisons.side[rows],
        count=len(comparisons.outcome[rows]),
    )
