"""The population prior: what people like on the whole and how they differ, learned from many of them.

Empirical Bayes (Robbins 1956): every person's preference vector is a draw from one N(mu, Sigma), and both are
learned from the people who agreed to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.taste.arrays import Array
from app.taste.comparisons import Comparisons
from app.taste.crowd import gather, settle, unsettled
from app.taste.errors import InvalidInput
from app.taste.heldout import halves, losses
from app.taste.likelihood import LAPSE, SCALE
from app.taste.posterior import Posterior
from app.taste.space import Space

STRENGTHS = (5.0, 30.0, 200.0)
STRETCHES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
ROUNDS = 20
FOLDS = 3
MIN_PEOPLE = 10
CHECKED_ON = 200
_FIRST_STEPS, _STEPS, _NODES = 8, 2, 7


def learn_prior(
    start: Posterior,
    people: Sequence[Comparisons],
    *,
    strength: float,
    rounds: int = ROUNDS,
    lapse: float = LAPSE,
    scale: float = SCALE,
) -> Posterior:
    """Return the prior of a person drawn from this population.

    start: what is believed before seeing anybody; it counts as `strength` people. people: the comparisons of
    each; those without any are left out. EM (Dempster, Laird & Rubin 1977) towards the maximum a posteriori
    under a normal-inverse-Wishart prior (Gelman et al., Bayesian Data Analysis, 3.6): the E step is each
    person's Gaussian posterior (m, V), the M step takes the mean of the m, and the mean of V plus the spread
    of the m. Raises InvalidInput.
    """
    if not strength > 0.0:
        raise InvalidInput(f"the strength is {strength}, expected a positive number of people")
    crowds = gather([person for person in people if person.weight.any()])
    current = replace(start, count=0)
    near = [unsettled(start, crowd) for crowd in crowds]
    for turn in range(rounds if crowds else 0):
        steps = _STEPS if turn else _FIRST_STEPS
        near = [
            settle(current, crowd, at, steps=steps, nodes=_NODES, lapse=lapse, scale=scale)
            for crowd, at in zip(crowds, near, strict=True)
        ]
        within = sum((covs.sum(axis=0) for _, covs in near), np.zeros_like(start.cov))
        current = _maximum(start, np.concatenate([means for means, _ in near]), within, strength)
    return current


def _maximum(start: Posterior, means: Array, within: Array, strength: float) -> Posterior:
    """The M step. The mean is held less firmly than the spread: as if by one person.

    means (n, k + 1): the people's; within (k + 1, k + 1): the sum of their covariances.
    """
    n = len(means)
    mean = (start.mean + means.sum(axis=0)) / (1.0 + n)
    apart, moved = means - mean, mean - start.mean
    spread = within + apart.T @ apart + np.outer(moved, moved)
    return Posterior(mean=mean, cov=(strength * start.cov + spread) / (strength + n), count=0)


def population_prior(
    start: Posterior,
    people: Sequence[Comparisons],
    *,
    rng: np.random.Generator,
    lapse: float = LAPSE,
    scale: float = SCALE,
) -> Posterior:
    """Return the learned prior where it foretells people it has not seen better than `start`, else `start`.

    At most 200 of the people are dealt into folds; the prior learned without a fold, at each of STRENGTHS and
    stretched by each of STRETCHES, predicts the people in it, with none and with half of their answers known.
    The best is taken if it lowers the mean log loss. Fewer than MIN_PEOPLE leave `start` standing: nothing
    could be checked. Raises InvalidInput.
    """
    given = [person for person in people if len(person)]
    if len(given) < MIN_PEOPLE:
        return replace(start, count=0)
    best = best_way(start, start, given, rng=rng, lapse=lapse, scale=scale)
    if best is None or best.gain.mean() <= 0.0:
        return replace(start, count=0)
    learned = learn_prior(start, given, strength=best.strength, lapse=lapse, scale=scale)
    return stretched(learned, best.stretch)


@dataclass(frozen=True)
class Candidate:
    """A way to learn the prior, and how much (people,) it lowers the log loss of those it has not seen."""

    strength: float
    stretch: float
    gain: Array


def best_way(
    start: Posterior,
    current: Posterior,
    given: list[Comparisons],
    *,
    rng: np.random.Generator,
    lapse: float,
    scale: float,
) -> Candidate | None:
    """Return the way to learn from `start` that beats `current` by most; None where too few can be asked."""
    gain = _gains(start, current, _some(given, rng), rng, lapse, scale)
    measured = gain[:, :, ~np.isnan(gain).any(axis=(0, 1))]
    if measured.shape[2] < MIN_PEOPLE:
        return None
    i, j = np.unravel_index(measured.mean(axis=2).argmax(), measured.shape[:2])
    return Candidate(STRENGTHS[i], STRETCHES[j], measured[i, j])


def _some(people: list[Comparisons], rng: np.random.Generator) -> list[Comparisons]:
    if len(people) <= CHECKED_ON:
        return people
    return [people[i] for i in rng.permutation(len(people))[:CHECKED_ON]]


def _gains(
    start: Posterior,
    current: Posterior,
    given: list[Comparisons],
    rng: np.random.Generator,
    lapse: float,
    scale: float,
) -> Array:
    """How much lower a person's log loss is under each learned prior: (strengths, stretches, people)."""
    folds = rng.permutation(len(given)) % FOLDS
    gain = np.full((len(STRENGTHS), len(STRETCHES), len(given)), np.nan)
    for fold in range(FOLDS):
        there = np.flatnonzero(folds == fold)
        known = [given[i] for i in np.flatnonzero(folds != fold)]
        asked = halves([given[i] for i in there], seed=int(rng.integers(2**31)))
        before = losses(current, *asked, lapse=lapse, scale=scale)
        for i, strength in enumerate(STRENGTHS):
            learned = learn_prior(start, known, strength=strength, lapse=lapse, scale=scale)
            for j, factor in enumerate(STRETCHES):
                after = losses(stretched(learned, factor), *asked, lapse=lapse, scale=scale)
                gain[i, j, there] = (before - after).mean(axis=1)
    return gain


def stretched(prior: Posterior, factor: float) -> Posterior:
    """Return the prior of people as alike as before, whose every preference is this much stronger."""
    return replace(prior, mean=factor * prior.mean, cov=factor**2 * prior.cov)


def with_prior(space: Space, prior: Posterior, *, version: int) -> Space:
    """Return the space with another population prior, as a version of its own: frozen codes keep theirs."""
    return replace(space, version=version, prior_mean=prior.weights, prior_cov=prior.weights_cov)
