"""Tastes in the tiny model's space, for tests that paint with one."""

import hashlib

import numpy as np
from sqlmodel import Session

from app.models import Code, EncoderSpace, Person, Profile
from app.taste import codes
from app.taste.codes import FrozenTaste, freeze
from app.taste.comparisons import Answer, compare
from app.taste.posterior import prior, refit
from app.taste.space import Space, dump_space, fit_space, project
from tests.worker import tiny

COUNT = 64


def make_space(encoder: str = tiny.ENCODER) -> Space:
    """A space of the tiny encoders' dimension."""
    vectors = np.random.default_rng(3).standard_normal((COUNT, tiny.WIDTH))
    return fit_space(vectors, 8, encoder=encoder, version=1)


def make_taste(space: Space, *, seed: int = 4) -> FrozenTaste:
    """A taste for images far along one random direction, learned from 60 comparisons."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((COUNT, tiny.WIDTH))
    places = project(space, vectors)
    liking = places @ rng.standard_normal(places.shape[1])
    left, right = rng.integers(0, COUNT, (2, 60))
    won = liking[left] >= liking[right]
    answers = [Answer.LEFT if one else Answer.RIGHT for one in won]
    posterior = refit(prior(space), compare(answers, places[left], places[right]))
    return freeze(posterior, space, vectors, rng.standard_normal((COUNT, tiny.WIDTH)))


def store_code(
    session: Session,
    person: Person,
    code: str = "tiny01",
    *,
    seed: int = 4,
    encoder: str = tiny.ENCODER,
    visibility: str = "private",
) -> str:
    """Store the space, a profile and one of its codes; returns the code."""
    assert person.id is not None
    space = make_space(encoder)
    if session.get(EncoderSpace, (space.encoder, space.version)) is None:
        session.add(EncoderSpace(encoder=space.encoder, version=space.version, data=dump_space(space)))
    profile = Profile(
        public_id=f"p-{code}", person_id=person.id, name=code, is_global=False, is_default=False
    )
    session.add(profile)
    session.flush()
    assert profile.id is not None
    data = codes.to_bytes(make_taste(space, seed=seed))
    session.add(
        Code(
            code=code,
            profile_id=profile.id,
            person_id=person.id,
            rating_count=60,
            encoder=space.encoder,
            space_version=space.version,
            checksum=hashlib.sha256(data).digest(),
            taste=data,
            liked_ids=[],
            disliked_ids=[],
            visibility=visibility,
        )
    )
    session.commit()
    return code
