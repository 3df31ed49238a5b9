"""What more rating would still add: the expected gain of answers that have not been given yet."""

import numpy as np
from scipy.special import ndtri

from app.taste.arrays import Array, checked
from app.taste.errors import InvalidInput
from app.taste.likelihood import LAPSE, SCALE, probability
from app.taste.pairs import RANDOM_SHARE
from app.taste.posterior import Posterior

MORE = 50
ENOUGH = 0.01
# A look ahead need not be as exact as what is learned: it is averaged over all pairs.
_NODES, _SHARES = np.polynomial.hermite_e.hermegauss(5)
_SHARES = _SHARES / _SHARES.sum()
_QUANTILES = ndtri((np.arange(32) + 0.5) / 32)


def expected_gain(
    posterior: Posterior,
    difference: Array,
    *,
    more: int = MORE,
    lapse: float = LAPSE,
    scale: float = SCALE,
) -> float:
    """Return how much accuracy, 0 to 1/2, `more` further ratings are expected to add on random pairs (n, k).

    Which pairs will be asked is played through on `difference` itself, in random order: nine in ten the most
    informative, one in ten as it comes. What they will be answered is averaged over, as in preposterior
    analysis (Raiffa & Schlaifer 1961): the covariance shrinks to S' whatever the answers, and the mean will
    be a draw from N(m, S - S'). Raises InvalidInput without pairs.
    """
    difference = checked("difference", difference, (None, len(posterior.weights)))
    if not len(difference):
        raise InvalidInput("what more rating adds is measured on at least one pair")
    mean = scale * (difference @ posterior.weights)
    before = _variance(difference, posterior.weights_cov) * scale**2
    later = _shrunk(posterior, difference, more, lapse, scale)
    after = np.minimum(_variance(difference, later[:-1, :-1]) * scale**2, before)
    reach = np.sqrt(before - after)
    drawn = mean[:, None] + reach[:, None] * _QUANTILES
    gain = _right(drawn, after[:, None], lapse) - _right(mean[:, None], before[:, None], lapse)
    return max(float(gain.mean()), 0.0)


def _right(mean: Array, variance: Array, lapse: float) -> Array:
    """How often the better guess is right for logits N(mean, variance), averaged over the last axis."""
    moderated = np.abs(mean) / np.sqrt(1.0 + np.pi * variance / 8.0)
    return np.asarray(probability(moderated, lapse=lapse).mean(axis=-1))


def _shrunk(posterior: Posterior, difference: Array, more: int, lapse: float, scale: float) -> Array:
    """The covariance (k + 1, k + 1) that `more` answers are expected to leave."""
    rows = scale * np.concatenate([difference, np.ones((len(difference), 1))], axis=1)
    mean, cov = rows @ posterior.mean, posterior.cov
    every = round(1.0 / RANDOM_SHARE)
    for turn in range(1, more + 1):
        variance = _variance(rows, cov)
        information = _information(mean, variance, lapse)
        index = turn % len(rows) if turn % every == 0 else int((information * variance).argmax())
        spread = cov @ rows[index]
        lost = information[index] / (1.0 + information[index] * variance[index])
        cov = cov - lost * np.outer(spread, spread)
    return np.asarray(cov)


def _information(mean: Array, variance: Array, lapse: float) -> Array:
    """The information (n,) of an answer about its logit, averaged over what the logit may be."""
    z = mean[:, None] + np.sqrt(variance)[:, None] * _NODES
    yes = probability(z, lapse=lapse)
    rise = (yes - 0.5 * lapse) / (1.0 - lapse)
    slope = (1.0 - lapse) * rise * (1.0 - rise)
    return np.asarray(slope**2 / (yes * (1.0 - yes)) @ _SHARES)


def _variance(rows: Array, cov: Array) -> Array:
    return np.asarray(np.maximum(np.einsum("ij,ij->i", rows @ cov, rows), 0.0))
