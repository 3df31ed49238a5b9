"""Simulated people: tastes over the attributes that pictures are drawn from, and noise like real people's."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from app.taste.arrays import Array
from app.taste.comparisons import Answer
from starter.attributes import HOW, NAMES

Seen = Mapping[str, Array]  # an attribute's name to the probability (n, classes) of each value in n images

SEED = 2_611
# How much of a taste hangs on each attribute, on average; people differ in that too.
IMPORTANCE = {"medium": 4.0, "palette": 3.0, "light": 2.0, "density": 1.0}
JOINT = (("medium", "palette"), ("medium", "light"), ("palette", "light"))
INTERACTIONS = 0.25  # their share of the variance of utility over the gallery
TAILS = 5  # degrees of freedom: most values matter little to a person, a few matter much
AGREEMENT = (0.75, 0.80)  # how often people answer a pair as before when asked again
GAPS = 4000


@dataclass(frozen=True)
class Person:
    """Somebody's taste. Utilities are in standard deviations over the gallery, 0 for its average.

    linear: an effect (classes,) of each attribute; joint: tables (classes, classes) of two attributes';
    sharpness: logits of a choice a unit of utility; confounded: whether the images that this person likes
    in the gallery are mostly of two subjects.
    """

    number: int
    linear: Mapping[str, Array]
    joint: Mapping[tuple[str, str], Array]
    offset: float
    sharpness: float
    confounded: bool

    def utility(self, seen: Seen) -> Array:
        """How much each of n images is liked (n,), without noise: the mean over what may be seen in it."""
        return self.offset + _linear(self.linear, seen) + _joint(self.joint, seen)

    def answers(self, left: float, right: float, rng: np.random.Generator) -> Answer:
        """A choice between two images of these utilities, with noise."""
        return Answer.LEFT if rng.random() < expit(self.sharpness * (left - right)) else Answer.RIGHT

    def describe(self, count: int = 3) -> str:
        """The values liked and disliked most, apart from interactions."""
        effects = [(float(e), NAMES[name][i]) for name in HOW for i, e in enumerate(self.linear[name])]
        ordered = [value for _, value in sorted(effects, reverse=True)]
        return f"likes {', '.join(ordered[:count])}; not {', '.join(ordered[: -count - 1 : -1])}"


def make(number: int, gallery: Seen) -> Person:
    """The person of this number, whose utilities are in units of this gallery's spread."""
    rng = np.random.default_rng([SEED, number])
    shares = dict(zip(HOW, rng.dirichlet([2.0 * IMPORTANCE[name] for name in HOW]), strict=True))
    linear = {name: _effects(gallery[name], shares[name], rng) for name in HOW}
    factor = np.sqrt((1.0 - INTERACTIONS) / _linear(linear, gallery).var())
    linear = {name: effect * factor for name, effect in linear.items()}
    joint = {names: _table(gallery, names, rng) for names in JOINT}
    factor = np.sqrt(INTERACTIONS / _joint(joint, gallery).var())
    joint = {names: table * factor for names, table in joint.items()}
    raw = Person(number, linear, joint, 0.0, 1.0, number % 2 == 1).utility(gallery)
    size = float(raw.std())
    return Person(
        number=number,
        linear={name: effect / size for name, effect in linear.items()},
        joint={names: table / size for names, table in joint.items()},
        offset=-float(raw.mean()) / size,
        sharpness=_sharpness(raw / size, float(rng.uniform(*AGREEMENT)), rng),
        confounded=number % 2 == 1,
    )


def self_agreement(gaps: Array, sharpness: float) -> float:
    """How often somebody repeats an answer about pairs whose utilities differ by `gaps` (n,)."""
    p = expit(sharpness * gaps)
    return float((p**2 + (1.0 - p) ** 2).mean())


def gaps(utility: Array, rng: np.random.Generator) -> Array:
    """Differences (n,) in utility between random images."""
    a, b = rng.integers(len(utility), size=(2, GAPS))
    return np.asarray(utility[a] - utility[b])


def _sharpness(utility: Array, agreement: float, rng: np.random.Generator) -> float:
    drawn = gaps(utility, rng)
    found = brentq(lambda log: self_agreement(drawn, float(np.exp(log))) - agreement, -4.0, 6.0)
    return float(np.exp(found))


def _effects(seen: Array, share: float, rng: np.random.Generator) -> Array:
    """Effects of one attribute's values that give utility a variance of `share` over the gallery."""
    effects = rng.standard_t(TAILS, seen.shape[1])
    return np.asarray(effects * np.sqrt(share / (seen @ effects).var()))


def _table(gallery: Seen, names: tuple[str, str], rng: np.random.Generator) -> NDArray[np.float64]:
    a, b = (gallery[name] for name in names)
    table = rng.standard_t(TAILS, (a.shape[1], b.shape[1]))
    # What is left has no effect of either attribute alone.
    return np.asarray(table - table.mean(0) - table.mean(1)[:, None] + table.mean())


def _linear(linear: Mapping[str, Array], seen: Seen) -> Array:
    return np.asarray(sum(seen[name] @ effect for name, effect in linear.items()))


def _joint(joint: Mapping[tuple[str, str], Array], seen: Seen) -> Array:
    parts = [((seen[a] @ table) * seen[b]).sum(axis=1) for (a, b), table in joint.items()]
    return np.asarray(sum(parts))
