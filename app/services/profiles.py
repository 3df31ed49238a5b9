"""Profiles, the codes frozen from them, and which tastes a prompt means."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from app.config import get_settings
from app.errors import InvalidPrompt, NotFound
from app.models import Code, Job, Pair, Person, PersonSettings, Profile, Rating
from app.models.jobs import OPEN_STATES
from app.services.codes import (
    ShareView,
    check_unlocked,
    freeze,
    frozen,
    list_codes,
    new_code,
    own_code,
    revoke_code,
    set_code_visibility,
    set_expiry,
    share_view,
    usable_code,
)
from app.services.tastes import load_space, load_taste
from app.taste.accuracy import Accuracy, accuracy
from app.taste.comparisons import Answer

__all__ = [
    "Info",
    "ShareView",
    "check_unlocked",
    "freeze",
    "frozen",
    "get_profile",
    "global_profile",
    "info",
    "list_codes",
    "list_profiles",
    "load_space",
    "load_taste",
    "own_code",
    "profile_accuracy",
    "resolve_tastes",
    "revoke_code",
    "set_code_visibility",
    "set_expiry",
    "share_view",
    "stop_using_code",
    "usable_code",
    "use_code",
]

MAX_RUNNING, MAX_CODES = 50, 100

_GLOBAL = select(Profile).where(col(Profile.person_id) == bindparam("person"), col(Profile.is_global))


@dataclass(frozen=True)
class Info:
    """What /info says of a person, with the newest codes and jobs only.

    `needed` ratings unlock --p; `accuracy` is None before it was measured.
    """

    person: Person
    profile: Profile
    rating_count: int
    needed: int
    unlocked: bool
    accuracy: Accuracy | None
    codes: list[Code]
    running: list[Job]
    default_profiles: list[Profile]
    default_code: str | None
    settings: PersonSettings


def global_profile(session: Session, *, person: Person) -> Profile:
    """The person's global profile, made at the first call."""
    found = session.exec(_GLOBAL, params={"person": person.id}).first()
    if found is not None:
        return found
    session.execute(
        insert(Profile)
        .values(
            public_id=new_code(),
            person_id=person.id,
            name="Global",
            is_global=True,
            is_default=True,
            rating_count=0,
        )
        .on_conflict_do_nothing()
    )
    return session.exec(_GLOBAL, params={"person": person.id}).one()


def list_profiles(session: Session, *, person: Person) -> list[Profile]:
    """The person's profiles, the global one first."""
    global_profile(session, person=person)
    query = select(Profile).where(Profile.person_id == person.id)
    return list(session.exec(query.order_by(col(Profile.is_global).desc(), col(Profile.id))))


def get_profile(session: Session, *, person: Person, public_id: str) -> Profile:
    """One of the person's profiles. Raises NotFound, also for other people's."""
    query = select(Profile).where(Profile.person_id == person.id, Profile.public_id == public_id)
    profile = session.exec(query).first()
    if profile is None:
        raise NotFound("You have no such profile. /info lists yours.")
    return profile


def info(session: Session, *, person: Person) -> Info:
    """The person's count, unlock state, accuracy, codes, running jobs and defaults."""
    profile = global_profile(session, person=person)
    settings = session.get(PersonSettings, person.id) or PersonSettings(person_id=profile.person_id)
    running = select(Job).where(Job.person_id == person.id, col(Job.state).in_(OPEN_STATES))
    needed = get_settings().unlock_ratings
    return Info(
        person=person,
        profile=profile,
        rating_count=profile.rating_count,
        needed=needed,
        unlocked=profile.rating_count >= needed,
        accuracy=profile_accuracy(session, profile=profile),
        codes=list_codes(session, person=person, limit=MAX_CODES),
        running=list(session.exec(running.order_by(col(Job.created_at).desc()).limit(MAX_RUNNING))),
        default_profiles=_default_profiles(session, person=person),
        default_code=settings.default_code,
        settings=settings,
    )


def profile_accuracy(session: Session, *, profile: Profile) -> Accuracy | None:
    """How well the taste predicted randomly drawn choices before they were made; None before the first."""
    rows = session.exec(
        select(Pair.predicted, Rating.answer)
        .join(Rating, col(Rating.pair_id) == col(Pair.id))
        .where(
            Rating.profile_id == profile.id,
            Pair.selection == "random",
            col(Pair.predicted).is_not(None),
            col(Rating.answer).in_((Answer.LEFT, Answer.RIGHT)),
        )
    ).all()
    if not rows:
        return None
    predicted = np.array([row[0] for row in rows], dtype=np.float64)
    outcome = np.array([row[1] == Answer.LEFT for row in rows], dtype=np.float64)
    return accuracy(predicted, outcome)


def resolve_tastes(
    session: Session,
    *,
    person: Person,
    refs: Sequence[tuple[str, float]] | None,
    encoder: str | None = None,
) -> list[tuple[Code, float]]:
    """The frozen codes, with their weights, that --p means for this person.

    Each ref is a code, or the public id of an own profile, which is frozen now, in the space of `encoder` or
    of the default model. None is a bare --p: the code chosen by "use this taste", or else the person's
    default profiles. Raises NotFound, Locked, InvalidPrompt where the chosen code is shared no more, and
    Unavailable where there is no such space yet.
    """
    if refs is not None:
        return [(_resolve(session, person=person, ref=ref, encoder=encoder), weight) for ref, weight in refs]
    settings = session.get(PersonSettings, person.id)
    if settings is not None and settings.default_code is not None:
        try:
            return [(usable_code(session, code=settings.default_code, person=person), 1.0)]
        except NotFound as error:
            raise InvalidPrompt(
                f"Your prompts use the taste {settings.default_code}, and its owner shares it no more. Use "
                "your own taste again in /settings, or write --p off.",
                parameter="--p",
            ) from error
    defaults = _default_profiles(session, person=person)
    return [(freeze(session, profile=profile, encoder=encoder), 1.0) for profile in defaults]


def use_code(session: Session, *, person: Person, code: str) -> Code:
    """The button "use this taste": from now on a bare --p means this code. Raises NotFound."""
    found = usable_code(session, code=code, person=person)
    _set_default_code(session, person=person, code=found.code)
    return found


def stop_using_code(session: Session, *, person: Person) -> None:
    """A bare --p means the person's own default profiles again."""
    _set_default_code(session, person=person, code=None)


def _resolve(session: Session, *, person: Person, ref: str, encoder: str | None) -> Code:
    own = select(Profile).where(Profile.person_id == person.id, Profile.public_id == ref)
    profile = session.exec(own).first()
    if profile is not None:
        return freeze(session, profile=profile, encoder=encoder)
    return usable_code(session, code=ref, person=person)


def _default_profiles(session: Session, *, person: Person) -> list[Profile]:
    defaults = [profile for profile in list_profiles(session, person=person) if profile.is_default]
    return defaults or [global_profile(session, person=person)]


def _set_default_code(session: Session, *, person: Person, code: str | None) -> None:
    session.execute(
        insert(PersonSettings)
        .values(person_id=person.id, default_code=code)
        .on_conflict_do_update(index_elements=["person_id"], set_={"default_code": code})
    )
    settings = session.get(PersonSettings, person.id)
    if settings is not None:
        session.refresh(settings)
