"""What the people are like, and how well the learner came to know them."""

from collections.abc import Callable
from functools import partial

import numpy as np

from app.taste.posterior import confidence, prior
from app.taste.space import project
from benchmarks.personalisation import people
from benchmarks.personalisation.gallery import Indices
from benchmarks.personalisation.table import Row
from benchmarks.personalisation.work import FEW, RATINGS, World


def rows(world: World) -> list[Row]:
    """Figures of the people and of their profiles, before anything is painted."""

    def row(what: str, value: Callable[[int], float | None]) -> Row:
        return Row(what, [value(number) for number in range(world.plan.people)])

    made = [row("people's agreement with themselves", partial(_self_agreement, world))]
    for ratings in (FEW, RATINGS):
        foretold, sure = partial(_foretold, world, ratings), partial(_confidence, world, ratings)
        made.append(row(f"random pairs foretold, without noise, {ratings} ratings", foretold))
        made.append(row(f"confidence, {ratings} ratings", sure))
    of_two = partial(_of_favourites, world)
    return [*made, row("liked examples that show the two subjects, confounded", of_two)]


def _pairs(world: World, number: int) -> Indices:
    count = len(world.gallery.subject)
    return np.random.default_rng([people.SEED, number, 2]).integers(count, size=(2, people.GAPS))


def _self_agreement(world: World, number: int) -> float:
    person, (a, b) = world.person(number), _pairs(world, number)
    utility = person.utility(world.gallery.seen)
    return 100 * people.self_agreement(utility[a] - utility[b], person.sharpness)


def _foretold(world: World, ratings: int, number: int) -> float:
    a, b = _pairs(world, number)
    utility = world.person(number).utility(world.gallery.seen)
    value = project(world.space, world.gallery.image) @ world.taste(number, ratings).posterior.weights
    said, true = np.sign(value[a] - value[b]), np.sign(utility[a] - utility[b])
    return float(100 * (0.5 + 0.5 * said * true).mean())


def _confidence(world: World, ratings: int, number: int) -> float:
    return 100 * confidence(world.taste(number, ratings).posterior, prior(world.space))


def _of_favourites(world: World, number: int) -> float | None:
    if not world.person(number).confounded:
        return None
    liked = world.taste(number, RATINGS).liked.embedding
    stored = world.gallery.image.astype(np.float32)
    subjects = [world.gallery.subject[np.abs(stored - one).sum(axis=1).argmin()] for one in liked]
    return float(100 * np.isin(subjects, world.favourites(number)).mean())
