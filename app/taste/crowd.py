"""The posteriors of many people at once, for learning from them: less exact than a refit and far quicker."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.taste.arrays import Array
from app.taste.comparisons import Comparisons
from app.taste.errors import InvalidInput
from app.taste.likelihood import LAPSE, SCALE, check_lapse, pulls
from app.taste.posterior import Posterior

_MOST_NUMBERS = 4_000_000
_LEAP = 2.0
_STILL = 1e-9  # logits


@dataclass(frozen=True)
class Crowd:
    """p people with about equally many comparisons, padded to n.

    index (p,): their places among those given; rows (p, n, k + 1); outcome (p, n); weight (p, n), 0 where
    padded.
    """

    index: NDArray[np.int64]
    rows: Array
    outcome: Array
    weight: Array


def gather(people: Sequence[Comparisons]) -> list[Crowd]:
    """Sort people into crowds of like size, so that padding is little, none above 32 MB."""
    if len({person.difference.shape[1] for person in people}) > 1:
        raise InvalidInput("people's comparisons differ in dimension")
    order = sorted(range(len(people)), key=lambda i: len(people[i]))
    crowds: list[Crowd] = []
    while order:
        size = max(len(people[order[-1]]), 1)
        room = max(_MOST_NUMBERS // (size * (people[0].difference.shape[1] + 1)), 1)
        near = [i for i in order[-room:] if 2 * len(people[i]) >= size or size <= 8]
        order = order[: len(order) - len(near)]
        crowds.append(_padded(near, people, size))
    return crowds


def _padded(index: list[int], people: Sequence[Comparisons], size: int) -> Crowd:
    p, k = len(index), people[0].difference.shape[1]
    rows, outcome, weight = np.zeros((p, size, k + 1)), np.full((p, size), 0.5), np.zeros((p, size))
    for at, i in enumerate(index):
        n = len(people[i])
        rows[at, :n], outcome[at, :n], weight[at, :n] = people[i].rows, people[i].outcome, people[i].counted
    return Crowd(np.array(index), rows, outcome, weight)


def settle(
    start: Posterior,
    crowd: Crowd,
    near: tuple[Array, Array],
    *,
    steps: int,
    nodes: int = 1,
    lapse: float = LAPSE,
    scale: float = SCALE,
) -> tuple[Array, Array]:
    """Return each person's posterior under the prior `start`: means (p, k + 1) and covariances.

    Fisher scoring, at most `steps` steps from `near` (means, covariances), none moving a logit by more than
    2. With one node it is the refit's Laplace approximation: a dozen steps from the prior agree with it.
    With more, slope and information are averaged over what the logit may be, by Gauss-Hermite quadrature:
    the Gaussian variational approximation (Opper & Archambeau 2009), which does not understate how far
    people with few answers differ, as Laplace does (Breslow & Lin 1995).
    """
    check_lapse(lapse)
    stiff = np.linalg.inv(start.cov)
    rows, (means, covs) = crowd.rows * scale, near
    for _ in range(steps):
        first, information = _averaged(rows, crowd, means, covs, nodes, lapse)
        pull = (first[:, None, :] @ rows)[:, 0] - (means - start.mean) @ stiff
        half = rows * np.sqrt(information)[:, :, None]
        precision = (
            stiff + half.transpose(0, 2, 1) @ half
        )  # a square, so that BLAS computes one triangle only
        covs = np.asarray(np.linalg.inv(precision), dtype=np.float64)
        step = covs @ pull[:, :, None]
        leap = np.abs(rows @ step).max(axis=(1, 2))
        means = means + step[:, :, 0] * np.minimum(1.0, _LEAP / np.maximum(leap, _LEAP))[:, None]
        if leap.max() < _STILL:
            break
    return means, covs


def _averaged(
    rows: Array, crowd: Crowd, means: Array, covs: Array, nodes: int, lapse: float
) -> tuple[Array, Array]:
    """Slope and information (p, n) of each answer, averaged over the uncertain logits."""
    z = (rows @ means[:, :, None])[:, :, 0]
    if nodes == 1:
        first, information = pulls(z, crowd.outcome, lapse=lapse)
        return crowd.weight * first, crowd.weight * information
    place, share = np.polynomial.hermite_e.hermegauss(nodes)
    deviation = np.sqrt(np.maximum(((rows @ covs) * rows).sum(axis=2), 0.0))
    logits = z[:, :, None] + deviation[:, :, None] * place
    first, information = pulls(logits, crowd.outcome[:, :, None], lapse=lapse)
    share = share / share.sum()
    return crowd.weight * (first @ share), crowd.weight * (information @ share)


def unsettled(start: Posterior, crowd: Crowd) -> tuple[Array, Array]:
    """Where everybody begins: at the prior."""
    p = len(crowd.index)
    return np.tile(start.mean, (p, 1)), np.tile(start.cov, (p, 1, 1))
