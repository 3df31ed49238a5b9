"""How well a taste predicts its owner."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

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
    share = beta(hits + 0.5, n - hits + 0.5)
    return Accuracy(mean=float(share.mean()), low=float(share.ppf(0.025)), high=float(share.ppf(0.975)), n=n)
