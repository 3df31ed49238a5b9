"""A taste: the Gaussian posterior over a person's preference vector, kept up rating by rating."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, cholesky
from scipy.optimize import brentq

from app.taste.arrays import Array, checked
from app.taste.comparisons import Comparisons
from app.taste.errors import InvalidInput, NotConverged
from app.taste.likelihood import LAPSE, SCALE, Slopes, check_lapse, probability, slopes
from app.taste.space import Space

BIAS_VARIANCE = 0.1
_MAX_STEPS = 100
_DECREMENT = 1e-12
_NEAR = 1e-2  # from here on the curvature hardly changes, and its factor is kept


@dataclass(frozen=True)
class Posterior:
    """N(mean, cov) over (preference vector, left-side bias), and the number of ratings in it.

    mean (k + 1,), cov (k + 1, k + 1): the bias, in logits, is the last coordinate.
    """

    mean: Array
    cov: Array
    count: int

    def __post_init__(self) -> None:
        size = len(self.mean)
        checked("mean", self.mean, (size,))
        checked("cov", self.cov, (size, size))
        if size < 2 or self.count < 0:
            raise InvalidInput("a posterior has a coordinate beside the bias, and no negative count")

    @property
    def weights(self) -> Array:
        """The mean preference vector (k,)."""
        return self.mean[:-1]

    @property
    def weights_cov(self) -> Array:
        """Its covariance (k, k)."""
        return self.cov[:-1, :-1]


def prior(space: Space) -> Posterior:
    """Return what is believed about somebody who has rated nothing: the space's population prior."""
    k = len(space.prior_mean)
    cov = np.zeros((k + 1, k + 1))
    cov[:k, :k] = space.prior_cov
    cov[k, k] = BIAS_VARIANCE
    return Posterior(mean=np.append(space.prior_mean, 0.0), cov=cov, count=0)


def update(
    posterior: Posterior, rating: Comparisons, *, lapse: float = LAPSE, scale: float = SCALE
) -> Posterior:
    """Take in one rating by a rank-one Laplace step for each of its comparisons, O(k^2).

    Where its images stood in earlier ones, its weight is to say so (`app.taste.comparisons.newest`).

    Along the row x only z = w.x matters: its mode solves z = m + v l'(z), with m and v the mean and variance
    of w.x (the Gaussian filter of Opper 1998, with the mode in place of the mean). Raises InvalidInput.
    """
    check_lapse(lapse)
    if rating.difference.shape[1] + 1 != len(posterior.mean):
        raise InvalidInput("the rating and the posterior differ in dimension")
    mean, cov = posterior.mean, posterior.cov
    for row, outcome, weight in zip(rating.rows * scale, rating.outcome, rating.weight, strict=True):
        spread = cov @ row
        variance = float(row @ spread)
        if variance <= 0.0 or weight == 0.0:
            continue
        pull, information = _step(float(row @ mean), variance, float(outcome), float(weight), lapse)
        mean = mean + pull * spread
        cov = cov - information / (1.0 + information * variance) * np.outer(spread, spread)
    return Posterior(mean=mean, cov=cov, count=posterior.count + rating.count)


def _step(mean: float, variance: float, outcome: float, weight: float, lapse: float) -> tuple[float, float]:
    """Return the slope and the expected information of the log likelihood at the mode along one row."""
    given = np.array(outcome)

    def residual(z: float) -> float:
        return z - mean - variance * weight * float(slopes(np.array(z), given, lapse=lapse).first)

    reach = variance * weight * (1.0 + 1e-9) + 1e-12  # the slope of the log likelihood never exceeds one
    mode = brentq(residual, mean - reach, mean + reach, xtol=1e-12)
    at = slopes(np.array(mode), given, lapse=lapse)
    return weight * float(at.first), weight * float(at.information)


def refit(
    start: Posterior, comparisons: Comparisons, *, lapse: float = LAPSE, scale: float = SCALE
) -> Posterior:
    """Return the Laplace approximation given the prior `start` and all comparisons, whatever their order.

    Comparisons that share images count less each (`app.taste.repeats`).

    Newton with backtracking from the prior's mean on u, where w = mean + L u and L L' is the prior's
    covariance. Where lapses make the Hessian indefinite, the answers that look like lapses count as flat for
    that step. The resulting covariance takes the expected information and so never exceeds the prior's.
    Raises NotConverged after 100 steps, InvalidInput on a covariance that is not positive definite.
    """
    check_lapse(lapse)
    if comparisons.difference.shape[1] + 1 != len(start.mean):
        raise InvalidInput("the comparisons and the prior differ in dimension")
    root, weight = _root(start.cov), comparisons.counted
    rows = comparisons.rows * scale
    offset, rows = rows @ start.mean, rows @ root
    place = _maximise(offset, rows, comparisons.outcome, weight, lapse)
    at = slopes(offset + rows @ place, comparisons.outcome, lapse=lapse)
    factor = cholesky(_precision(rows, weight * at.information), lower=True)
    half = np.linalg.solve(factor, root.T)
    return Posterior(mean=start.mean + root @ place, cov=half.T @ half, count=start.count + comparisons.count)


def _root(cov: Array) -> Array:
    try:
        return np.asarray(cholesky(cov, lower=True))
    except LinAlgError as error:
        raise InvalidInput("the prior's covariance is not positive definite") from error


def _maximise(offset: Array, rows: Array, outcome: Array, weight: Array, lapse: float) -> Array:
    place = np.zeros(rows.shape[1])
    before, decrement = np.inf, np.inf
    for _ in range(_MAX_STEPS):
        at = slopes(offset + rows @ place, outcome, lapse=lapse)
        gradient = rows.T @ (weight * at.first) - place
        if decrement > min(_NEAR, 0.1 * before):
            factor = _factor(rows, weight, at)
        step = cho_solve(factor, gradient)
        before, decrement = decrement, float(gradient @ step)
        if decrement <= _DECREMENT:
            return np.asarray(place + step)
        value = float(weight @ at.value) - 0.5 * float(place @ place)
        size = 1.0
        while True:
            trial = place + size * step
            there = float(weight @ slopes(offset + rows @ trial, outcome, lapse=lapse).value)
            if there - 0.5 * float(trial @ trial) >= value + 1e-4 * size * decrement - 1e-12 * abs(value):
                break
            size *= 0.5
        place = trial
    raise NotConverged(f"the taste did not settle within {_MAX_STEPS} steps")


def _factor(rows: Array, weight: Array, at: Slopes) -> tuple[Array, bool]:
    factor: tuple[Array, bool]
    try:
        factor = cho_factor(_precision(rows, -weight * at.second), lower=True)
    except LinAlgError:
        factor = cho_factor(_precision(rows, weight * np.maximum(-at.second, 0.0)), lower=True)
    return factor


def _precision(rows: Array, curvature: Array) -> Array:
    """Return I + X' diag(curvature) X; squares of rows, so that BLAS computes one triangle only."""
    up, down = curvature > 0, curvature < 0
    positive = rows[up] * np.sqrt(curvature[up])[:, None]
    matrix = positive.T @ positive
    if down.any():
        negative = rows[down] * np.sqrt(-curvature[down])[:, None]
        matrix -= negative.T @ negative
    matrix[np.diag_indices_from(matrix)] += 1.0
    return np.asarray(matrix)


def predict(posterior: Posterior, difference: Array, *, lapse: float = LAPSE, scale: float = SCALE) -> Array:
    """Return P(left) for pairs with differences (n, k), the uncertainty about w averaged over.

    The logistic of a Gaussian by MacKay's (1992) factor 1 / sqrt(1 + pi v / 8). The side's bias is left out:
    what is predicted is the liking, not the hand.
    """
    difference = checked("difference", difference, (None, len(posterior.weights)))
    mean, variance = moments(posterior, difference, scale=scale)
    return probability(mean / np.sqrt(1.0 + np.pi * variance / 8.0), lapse=lapse)


def moments(posterior: Posterior, difference: Array, *, scale: float = SCALE) -> tuple[Array, Array]:
    """Return mean and variance (n,) of the logit w.d for differences (n, k)."""
    spread = difference @ posterior.weights_cov
    variance = scale**2 * np.einsum("ij,ij->i", spread, difference)
    return scale * (difference @ posterior.weights), np.maximum(variance, 0.0)


def confidence(posterior: Posterior, start: Posterior) -> float:
    """Return how sure the taste is, from 0 (nothing beyond the prior) to 1.

    It is the expected correlation of the estimated with the true vector, sqrt(1 - tr S / tr S_prior).
    """
    left = float(np.trace(posterior.weights_cov)) / float(np.trace(start.weights_cov))
    return float(np.sqrt(np.clip(1.0 - left, 0.0, 1.0)))
