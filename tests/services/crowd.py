"""Simulated people on the test's database, who have much in common."""

from uuid import uuid4

import numpy as np
from scipy.special import expit
from sqlmodel import Session

from app.models import Pair, Person, PersonSettings, Profile, Rating
from app.services.codes import new_code
from app.services.tastes import needed_space, places
from app.taste.arrays import Array


def settle_people(
    session: Session,
    *,
    images: list[int],
    people: int,
    each: int = 20,
    contribute: bool = True,
    seed: int = 0,
) -> list[Profile]:
    """People who rated `each` random pairs, all of whom like much the same; their global profiles."""
    rng = np.random.default_rng(seed)
    where = places(session, space=needed_space(session), image_ids=images)
    common = np.append([2.0, -2.0], np.zeros(len(where[images[0]]) - 2))
    profiles = []
    for _ in range(people):
        profile = _profile(session, count=each, contribute=contribute)
        _rate(session, profile, images, where, common + 0.3 * rng.standard_normal(len(common)), rng)
        profiles.append(profile)
    session.commit()
    return profiles


def _profile(session: Session, *, count: int, contribute: bool) -> Profile:
    person = Person()
    session.add(person)
    session.flush()
    session.add(PersonSettings(person_id=person.id or 0, contribute=contribute))
    profile = Profile(
        public_id=new_code(),
        person_id=person.id or 0,
        name="Global",
        is_global=True,
        is_default=True,
        rating_count=count,
    )
    session.add(profile)
    session.flush()
    return profile


def _rate(
    session: Session,
    profile: Profile,
    images: list[int],
    where: dict[int, Array],
    weights: Array,
    rng: np.random.Generator,
) -> None:
    met: set[tuple[int, int]] = set()
    while len(met) < profile.rating_count:
        left, right = (int(image) for image in rng.choice(images, size=2, replace=False))
        if (min(left, right), max(left, right)) in met:
            continue
        met.add((min(left, right), max(left, right)))
        pair = Pair(
            id=uuid4(),
            profile_id=profile.id or 0,
            left_id=left,
            right_id=right,
            selection="chosen",
            answered=True,
        )
        chance = expit((where[left] - where[right]) @ weights)
        answer = "left" if rng.random() < chance else "right"
        session.add_all([pair, Rating(profile_id=profile.id or 0, pair_id=pair.id, answer=answer)])
    session.flush()
