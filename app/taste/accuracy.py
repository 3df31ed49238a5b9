"""How well a taste predicts its owner."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from app.taste.arrays import Array, checked


@dataclass(frozen=True)
class Accuracy:
    """The share of unseen choices that was predicted, with its 95 % credible interval, from n answers."""

    mean: float
    low: float
    high: float
    n: int


def accuracy(predicted: Array, outcome: Array) -> Accuracy:
    """Measure predictions made before the answers to randomly drawn pairs.

    predicted (n,): P(left); outcome (n,): 1 left, 0 right; ties say nothing about a prediction and are left
    out. A prediction of exactly one half counts half. The interval is the Beta posterior under Jeffreys'
    prior.
    """
    predicted = checked("predicted", predicted, (None,))
    outcome = checked("outcome", outcome, predicted.shape)
    decided = outcome != 0.5
    side = np.sign(predicted[decided] - 0.5) * np.sign(outcome[decided] - 0.5)
    n, hits = int(decided.sum()), float((0.5 + 0.5 * side).sum())
    a, b = hits + 0.5, n - hits + 0.5
    low, high = (float(betaincinv(a, b, share)) for share in (0.025, 0.975))
    return Accuracy(mean=a / (a + b), low=low, high=high, n=n)
