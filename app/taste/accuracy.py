"""How well a taste predicts its owner, and what more rating could still add."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from app.taste.arrays import Array, checked
from app.taste.errors import InvalidInput
from app.taste.pairs import logit_nodes
from app.taste.posterior import Posterior

ENOUGH = 0.02


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


def room(posterior: Posterior, difference: Array) -> float:
    """Return how much accuracy, 0 to 1/2, knowing the taste exactly would add on pairs like these.

    difference (n, k), n >= 1: randomly drawn pairs. The better of two guesses is right with max(p, 1 - p);
    the room is its mean with w known, averaged over what w may be, less its value for the predicted
    probability.
    """
    difference = checked("difference", difference, (None, len(posterior.weights)))
    if not len(difference):
        raise InvalidInput("the room for learning is measured on at least one pair")
    p, weights = logit_nodes(posterior, difference)
    now = np.abs(p @ weights - 0.5)
    attainable = np.abs(p - 0.5) @ weights
    return float((attainable - now).mean())


def enough(posterior: Posterior, difference: Array) -> bool:
    """Return whether more rating would add less than two points of accuracy on random pairs (n, k)."""
    return room(posterior, difference) < ENOUGH
