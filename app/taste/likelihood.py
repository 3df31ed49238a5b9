"""How an answer depends on the difference in value: a logistic choice with lapses.

P(left) = lapse / 2 + (1 - lapse) * sigmoid(z). With probability `lapse` the answer was given without looking,
which keeps one slip of the finger from outweighing many considered answers (Wichmann & Hill 2001).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from app.taste.arrays import Array
from app.taste.errors import InvalidInput

LAPSE = 0.04
SCALE = 1.0


class Slopes(NamedTuple):
    """The log likelihood of answers and its derivatives by z, each of the shape of z."""

    value: Array
    first: Array
    second: Array
    information: Array


def check_lapse(lapse: float) -> None:
    if not 0.0 < lapse < 1.0:
        raise InvalidInput(f"lapse is {lapse}, expected a number between 0 and 1")


def probability(z: Array, *, lapse: float = LAPSE) -> Array:
    """Return P(left) for each logit."""
    return np.asarray(0.5 * lapse + (1.0 - lapse) * expit(z))


def slopes(z: Array, outcome: Array, *, lapse: float = LAPSE) -> Slopes:
    """Return y log p + (1 - y) log(1 - p), its first and second derivative and the expected information.

    The observed information, minus the second derivative, is negative where an answer looks like a lapse; the
    expected one, p'^2 / (p (1 - p)), never is.
    """
    rise = expit(z)
    yes = 0.5 * lapse + (1.0 - lapse) * rise
    no = 0.5 * lapse + (1.0 - lapse) * expit(-z)
    slope = (1.0 - lapse) * rise * expit(-z)
    pull = outcome / yes - (1.0 - outcome) / no
    return Slopes(
        value=outcome * np.log(yes) + (1.0 - outcome) * np.log(no),
        first=slope * pull,
        second=slope * (1.0 - 2.0 * rise) * pull - slope**2 * (outcome / yes**2 + (1.0 - outcome) / no**2),
        information=slope**2 / (yes * no),
    )


def pulls(z: Array, outcome: Array, *, lapse: float = LAPSE) -> tuple[Array, Array]:
    """Return the first derivative and the expected information of `slopes` alone, four times as fast."""
    rise = expit(z)
    yes = 0.5 * lapse + (1.0 - lapse) * rise
    slope = (1.0 - lapse) * rise * (1.0 - rise)
    share = slope / (yes * (1.0 - yes))
    return share * (outcome - yes), share * slope
