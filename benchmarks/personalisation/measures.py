"""MEASURE's rows, from what the judge saw and the people like."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from app.taste.arrays import Array
from benchmarks.personalisation.table import Row
from benchmarks.personalisation.work import FEW, MAIN, RATINGS, STRENGTHS, State, Unit, World
from starter.measures import spread

# Utilities nearer than this, in standard deviations over the gallery, are equal and count half: images of one
# prompt and seed differ by as much where they were painted in batches of other sizes.
TIE = 0.01


def wins(own: Array, other: Array) -> float:
    """The share in percent of images liked better than the other's of equal place; equal ones count half."""
    gap = own - other
    return float(100 * (0.5 + 0.5 * np.sign(np.where(np.abs(gap) < TIE, 0.0, gap))).mean())


class Judged:
    """What the judge saw, and how people like it, unit by unit: arrays (prompts, images)."""

    def __init__(self, world: World, state: State) -> None:
        self.world = world
        self.state = state
        self.look = lru_cache(maxsize=None)(state.look)

    def units(self, person: int, stylize: int, ratings: int = RATINGS) -> list[Unit]:
        """One a prompt; at strength 0 those that were painted for nobody."""
        plan, group = self.world.plan, self.world.plan.group(person)
        if not stylize:
            return [Unit(group, prompt, plan.grid) for prompt in range(plan.prompts)]
        count = plan.few if ratings == FEW else plan.grid if stylize == MAIN else plan.part
        return [Unit(group, n, count, person, ratings, stylize) for n in range(plan.prompts)]

    def liking(self, viewer: int, units: list[Unit]) -> Array:
        """The viewer's utilities of the units' images."""
        looks = [self.look(unit.name).seen for unit in units]
        likes = self.world.person(viewer).utility
        return np.stack([likes({n: p.astype(np.float64) for n, p in seen.items()}) for seen in looks])

    def subjects(self, units: list[Unit]) -> Array:
        """The subject seen in each image, by its number."""
        return np.stack([self.look(unit.name).seen["subject"].argmax(axis=1) for unit in units])

    def features(self, units: list[Unit]) -> Array:
        """(prompts, images, f), each brought to length 1."""
        found = np.stack([self.look(unit.name).features.astype(np.float64) for unit in units])
        return np.asarray(found / np.linalg.norm(found, axis=-1, keepdims=True))


@dataclass(frozen=True)
class Measure:
    """A figure of one person at one strength, where it is taken, and what is asked of its mean there."""

    what: str
    value: Callable[[Judged, int, int], float | None]
    strengths: Sequence[int] = STRENGTHS
    least: Mapping[int, float] = field(default_factory=dict)
    most: Mapping[int, float] = field(default_factory=dict)
    unit: str = "%"

    def row(self, judged: Judged, stylize: int) -> Row:
        return Row(
            what=f"{self.what}, s = {stylize}",
            values=[self.value(judged, number, stylize) for number in range(judged.world.plan.people)],
            least=self.least.get(stylize),
            most=self.most.get(stylize),
            unit=self.unit,
        )


def rows(judged: Judged) -> list[Row]:
    """The whole table."""
    plan = judged.world.plan
    grids = [s for s in STRENGTHS if s == MAIN or plan.part > 1]
    measures = (
        Measure("own profile against none", _against_none, least={100: 76.0, 1000: 90.0}),
        Measure("own profile against another's", _against_others, least={100: 75.0}),
        Measure(f"{FEW} ratings, own profile against none", _few, [MAIN]),
        Measure(f"{FEW} ratings less {RATINGS}, same images", _lost, [MAIN], least={MAIN: -5.0},
                unit="points"),
        Measure("subject recognised", _recognised, [0]),
        Measure("subject recognised less often", _dropped, most={100: 3.0, 1000: 10.0}, unit="points"),
        Measure("subjects of liked images leaking", _leaked, (100, 1000), most={100: 2.0, 1000: 2.0},
                unit="points"),
        Measure("diversity inside a grid, of the unpersonalised", _diversity, grids, least={100: 85.0}),
    )  # fmt: skip
    made = [measure.row(judged, stylize) for measure in measures for stylize in measure.strengths]
    return made + _strength(judged)


def _same(judged: Judged, number: int, liking: Array) -> Array:
    """Nobody's images of the same prompts and seeds, as this person likes them."""
    return judged.liking(number, judged.units(number, 0))[:, : liking.shape[1]]


def _against_none(judged: Judged, number: int, stylize: int) -> float:
    own = judged.liking(number, judged.units(number, stylize))
    return wins(own, _same(judged, number, own))


def _against_others(judged: Judged, number: int, stylize: int) -> float:
    """Against every other profile of the group, on the same prompts and seeds."""
    plan = judged.world.plan
    own = judged.liking(number, judged.units(number, stylize))
    strangers = [other for other in plan.members(plan.group(number)) if other != number]
    return float(np.mean([wins(own, judged.liking(number, judged.units(n, stylize))) for n in strangers]))


def _few(judged: Judged, number: int, stylize: int) -> float:
    few = judged.liking(number, judged.units(number, stylize, FEW))
    return wins(few, _same(judged, number, few))


def _lost(judged: Judged, number: int, stylize: int) -> float:
    """Wins against none after few ratings, less those after many on the same seeds."""
    few = judged.liking(number, judged.units(number, stylize, FEW))
    many = judged.liking(number, judged.units(number, stylize))[:, : few.shape[1]]
    plain = _same(judged, number, few)
    return wins(few, plain) - wins(many, plain)


def _recognised(judged: Judged, number: int, stylize: int, count: int | None = None) -> float:
    """How often the prompt's own subject is what the judge sees first."""
    asked = [prompt.subject for prompt in judged.world.prompts(judged.world.plan.group(number))]
    seen = judged.subjects(judged.units(number, stylize))[:, :count]
    return float(100 * (seen == np.array(asked)[:, None]).mean())


def _dropped(judged: Judged, number: int, stylize: int) -> float:
    count = judged.units(number, stylize)[0].count
    return _recognised(judged, number, 0, count) - _recognised(judged, number, stylize)


def _leaked(judged: Judged, number: int, stylize: int) -> float | None:
    """How much more often one of the two liked subjects is seen, of people with a confounded history."""
    if not judged.world.person(number).confounded:
        return None
    units, subjects = judged.units(number, stylize), judged.world.favourites(number)
    plain = judged.subjects(judged.units(number, 0))[:, : units[0].count]
    return float(100 * (np.isin(judged.subjects(units), subjects).mean() - np.isin(plain, subjects).mean()))


def _diversity(judged: Judged, number: int, stylize: int) -> float:
    own = judged.features(judged.units(number, stylize))
    plain = judged.features(judged.units(number, 0))[:, : own.shape[1]]
    return float(100 * np.mean([spread(grid) for grid in own]) / np.mean([spread(grid) for grid in plain]))


def _strength(judged: Judged) -> list[Row]:
    """How far images move and how much better they are liked, and the least step between two strengths."""
    made = []
    for measure in (Measure("images moved", _moved, unit=""), Measure("utility gained", _gained, unit="")):
        curve = [measure.row(judged, stylize) for stylize in STRENGTHS]
        steps = np.diff(np.array([[0.0] * judged.world.plan.people, *(row.values for row in curve)]), axis=0)
        least = int(steps.mean(axis=1).argmin())
        name = f"{measure.what}: least step, s = {(0, *STRENGTHS)[least]} to {STRENGTHS[least]}"
        made += [*curve, Row(name, steps[least].tolist(), least=0.0, unit="")]
    zero = [judged.state.noted(f"zero-{group}") for group in judged.world.plan.groups()]
    return [*made, Row("largest difference of a pixel, s = 0", zero, most=0.0, unit="of 255")]


def _moved(judged: Judged, number: int, stylize: int) -> float:
    """The mean distance, in the judge's features, from nobody's image of the same prompt and seed."""
    count = judged.world.plan.part  # the same seeds at every strength
    own = judged.features(judged.units(number, stylize))[:, :count]
    plain = judged.features(judged.units(number, 0))[:, :count]
    return float(np.linalg.norm(own - plain, axis=-1).mean())


def _gained(judged: Judged, number: int, stylize: int) -> float:
    count = judged.world.plan.part
    own = judged.liking(number, judged.units(number, stylize))[:, :count]
    return float((own - _same(judged, number, own)).mean())
