"""A population prior learned again, and whether it may take the place of the one in use."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.taste.comparisons import Comparisons
from app.taste.likelihood import LAPSE, SCALE
from app.taste.population import MIN_PEOPLE, best_way, learn_prior, stretched
from app.taste.posterior import Posterior

LEAST_GAIN = 0.002
ERRORS = 2.0


@dataclass(frozen=True)
class Renewal:
    """What was found: the best prior's gain over the one in use, and that prior where it may replace it.

    gain: how much lower its log loss is on people it was not learned from, in nats a choice; error: its
    standard error over the `people` that could be asked.
    """

    prior: Posterior | None
    gain: float
    error: float
    people: int


def renew_prior(
    start: Posterior,
    current: Posterior,
    people: Sequence[Comparisons],
    *,
    rng: np.random.Generator,
    lapse: float = LAPSE,
    scale: float = SCALE,
) -> Renewal:
    """Learn the prior from these people, and hold it against `current` on people left out in turn.

    start: what is believed before seeing anybody. It is not `current`, which has seen most of these people:
    learning on from it would count them again at each renewal, and narrow the prior without end. `current`
    has seen also those who are left out, so the comparison errs in its favour. The new prior stands where
    its gain exceeds LEAST_GAIN and ERRORS standard errors. Raises InvalidInput.
    """
    given = [person for person in people if len(person)]
    if len(given) < MIN_PEOPLE:
        return Renewal(None, 0.0, 0.0, len(given))
    found = best_way(start, current, given, rng=rng, lapse=lapse, scale=scale)
    if found is None:
        return Renewal(None, 0.0, 0.0, len(given))
    gain, asked = float(found.gain.mean()), len(found.gain)
    error = float(found.gain.std(ddof=1) / np.sqrt(asked))
    if gain < max(LEAST_GAIN, ERRORS * error):
        return Renewal(None, gain, error, asked)
    learned = learn_prior(start, given, strength=found.strength, lapse=lapse, scale=scale)
    return Renewal(stretched(learned, found.stretch), gain, error, asked)
