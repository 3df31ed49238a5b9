"""A code said in another encoder's space: the same answers, so that nobody rates again."""

import numpy as np
from sqlmodel import Session

from app.errors import Conflict, InvalidInput
from app.models import Code, Person, Profile
from app.services.codes import State, frozen, keep, own_code, state_of
from app.services.rating import lock
from app.services.tastes import load_space
from app.taste.codes import FrozenTaste


def convert(session: Session, *, person: Person, code: str, encoder: str) -> Code:
    """An own code in the space of `encoder`: the same state of its profile, with the same parent.

    The answers that were given when it was frozen are the first of the log. That they still are is checked:
    they have to give the frozen taste again. Raises NotFound, Unavailable where there is no such space,
    InvalidInput for a code that lives there already, and Conflict for a revoked one or where the answers, or
    a moodboard's images, were changed since.
    """
    found = own_code(session, person=person, code=code)
    if found.revoked_at is not None:
        raise Conflict(f"The code {code} was revoked. Freeze the profile again.")
    if found.encoder == encoder:
        raise InvalidInput(f"The code {code} lives in the space of {encoder} already.", field="model")
    space = load_space(session, encoder=encoder)
    profile = lock(session, session.get_one(Profile, found.profile_id))
    before = load_space(session, encoder=found.encoder, version=found.space_version)
    count = found.rating_count
    if not _same(state_of(session, profile=profile, space=before, first=count), frozen(found)):
        raise Conflict(
            f"What the code {code} was made of was changed or deleted since. Paint with the profile instead, "
            "as it is now."
        )
    state = state_of(session, profile=profile, space=space, first=count)
    return keep(session, profile=profile, state=state, rating_count=count, parent=found.parent)


def _same(state: State, taste: FrozenTaste) -> bool:
    """Whether a taste comes out again. Not to the last bit: another machine may have frozen it."""
    one, other = state.taste.posterior, taste.posterior
    return one.count == other.count and np.allclose(one.mean, other.mean, rtol=1e-4, atol=1e-6)
