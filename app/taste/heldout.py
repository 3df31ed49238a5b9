"""How well a prior foretells people it was not learned from, and the settings that do so best."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from app.taste.arrays import Array
from app.taste.comparisons import TYPICAL_WEIGHT, Comparisons, join, take
from app.taste.crowd import gather, settle, unsettled
from app.taste.errors import InvalidInput
from app.taste.likelihood import LAPSE, SCALE
from app.taste.posterior import Posterior, predict
from app.taste.repeats import UNKNOWN, Indices

STAGES = 2
_STEPS = 12
LAPSES = (0.005, 0.02, 0.04, 0.08, 0.15)
SHARES = (0.0, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Settings:
    """What the likelihood leaves open; `tie` and `typical` weigh those answers against a plain choice."""

    lapse: float = LAPSE
    tie: float = 1.0
    typical: float = TYPICAL_WEIGHT


@dataclass(frozen=True)
class Person:
    """One person's answers: choices and ties between images, and comparisons with the typical image."""

    choices: Comparisons
    typical: Comparisons


def log_loss(predicted: Array, outcome: Array) -> Array:
    """Return the log loss (n,) of P(left) in nats; a tie counts half for each side."""
    return np.asarray(-outcome * np.log(predicted) - (1.0 - outcome) * np.log1p(-predicted))


def halves(people: Sequence[Comparisons], *, seed: int) -> tuple[list[Comparisons], list[Comparisons]]:
    """Return half of each person's comparisons to learn, and of the other half what was decided, to ask.

    No image stands in both: what is special about the images that were learned from would help to foretell
    what was said of them, and nothing else. Comparisons of images of both halves are in neither.
    """
    rng = np.random.default_rng(seed)
    sides = [_dealt(person.images, rng) for person in people]
    learned = [take(person, np.flatnonzero(side == 1)) for person, side in zip(people, sides, strict=True)]
    asked = [
        take(person, np.flatnonzero((side == 0) & (person.outcome != 0.5)))
        for person, side in zip(people, sides, strict=True)
    ]
    return learned, asked


def _dealt(images: Indices, rng: np.random.Generator) -> Indices:
    """Return 1 (to learn), 0 (to ask) or -1 (neither) for each comparison of images (n, 2)."""
    found = np.full(len(images), -1, dtype=np.int64)
    side: dict[int, int] = {}
    count = [0, 0]
    for row in rng.permutation(len(images)):
        pair = [int(image) for image in images[row] if image != UNKNOWN]
        there = {side[image] for image in pair if image in side}
        if len(there) < 2:
            found[row] = there.pop() if there else int(count[1] < count[0])
            count[found[row]] += 1
            side |= dict.fromkeys(pair, int(found[row]))
    return found


def losses(
    start: Posterior,
    learned: Sequence[Comparisons],
    asked: Sequence[Comparisons],
    *,
    lapse: float = LAPSE,
    scale: float = SCALE,
) -> Array:
    """Return each person's mean log loss (people, 2) on the choices asked.

    The columns: from the prior alone, and after learning. NaN where nothing is asked.
    """
    found = np.full((len(asked), STAGES), np.nan)
    for crowd in gather(learned):
        near = unsettled(start, crowd)
        means, covs = settle(start, crowd, near, steps=_STEPS, lapse=lapse, scale=scale)
        for i, mean, cov in zip(crowd.index, means, covs, strict=True):
            if len(asked[i]):
                stages = (start, Posterior(mean, cov, len(learned[i])))
                found[i] = [_asked_loss(stage, asked[i], lapse, scale) for stage in stages]
    return found


def _asked_loss(posterior: Posterior, asked: Comparisons, lapse: float, scale: float) -> float:
    predicted = predict(posterior, asked.difference, lapse=lapse, scale=scale)
    return float(log_loss(predicted, asked.outcome).mean())


def tune(start: Posterior, people: Sequence[Person], *, seed: int) -> Settings:
    """Return the settings that foretell halves of people's choices best, with none and all of the rest known.

    One setting after another is searched on its grid, the others held, twice over. The scale is not among
    them: another scale is a stretched prior, and how far to stretch it is found on people whom the prior has
    not seen (`app.taste.population`); these it fits better than others. What must be foretold are always the
    choices between images; ties and comparisons with the typical image are only learned from. Raises
    InvalidInput where nobody has two choices.
    """
    found, best = Settings(), np.inf
    grids = {"lapse": LAPSES, "tie": SHARES, "typical": SHARES}
    if not any(len(person.typical) for person in people):
        del grids["typical"]
    if not any((person.choices.outcome == 0.5).any() for person in people):
        del grids["tie"]
    known, asked = halves([person.choices for person in people], seed=seed)
    learned = [Person(half, person.typical) for half, person in zip(known, people, strict=True)]
    for _, (name, grid) in product(range(min(2, len(grids))), grids.items()):
        for value in grid:
            trial = replace(found, **{name: value})
            loss = _loss(start, learned, asked, trial)
            if loss < best:
                found, best = trial, loss
    if not np.isfinite(best):
        raise InvalidInput("nobody here has two choices to tune on")
    return found


def _loss(
    start: Posterior, learned: Sequence[Person], asked: Sequence[Comparisons], settings: Settings
) -> float:
    found = losses(start, [weighed(person, settings) for person in learned], asked, lapse=settings.lapse)
    return float(np.nanmean(found)) if np.isfinite(found).any() else np.inf


def weighed(person: Person, settings: Settings) -> Comparisons:
    """Return all that a person said, weighed by the settings."""
    ties = person.choices.outcome == 0.5
    choices = replace(person.choices, weight=np.where(ties, settings.tie, 1.0) * person.choices.weight)
    typical = replace(person.typical, weight=np.full(len(person.typical), settings.typical))
    return join([choices, typical])
