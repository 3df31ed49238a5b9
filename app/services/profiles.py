"""Profiles, the codes frozen from them, and which tastes a prompt means."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from app.config import get_settings
from app.errors import CorruptFile, InvalidInput, Locked, NotFound
from app.models import Code, Image, Job, Pair, Person, PersonSettings, Profile, Rating
from app.models.jobs import OPEN_STATES
from app.services.rating import lock
from app.services.tastes import load_space, load_taste, needed_space, raw_vectors, refit_taste, text_vectors
from app.taste import codes as taste_codes
from app.taste.accuracy import Accuracy, accuracy
from app.taste.codes import Exemplars, FrozenTaste
from app.taste.comparisons import Answer
from app.taste.errors import CorruptTaste

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

VISIBILITIES = ("private", "unlisted", "public")
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread
CODE_LENGTH = 12  # 59 bits: not to be guessed
MAX_RUNNING = 50


@dataclass(frozen=True)
class Info:
    """What /info says of a person. `needed` ratings unlock --p; `accuracy` is None before it was measured."""

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


@dataclass(frozen=True)
class ShareView:
    """What /p/CODE shows; the owner stays unnamed, and only images that are public are seen."""

    code: Code
    rating_count: int
    created_at: datetime
    checksum: str
    liked: list[Image]
    disliked: list[Image]
    samples: list[Image]


def global_profile(session: Session, *, person: Person) -> Profile:
    """The person's global profile, made at the first call."""
    query = select(Profile).where(Profile.person_id == person.id, col(Profile.is_global))
    found = session.exec(query).first()
    if found is not None:
        return found
    session.execute(
        insert(Profile)
        .values(
            public_id=_new_code(),
            person_id=person.id,
            name="Global",
            is_global=True,
            is_default=True,
            rating_count=0,
        )
        .on_conflict_do_nothing()
    )
    return session.exec(query).one()


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
        codes=list_codes(session, person=person),
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


def freeze(session: Session, *, profile: Profile) -> Code:
    """The code of the profile's present state: the one it has, or a new one.

    The taste is refitted from the log, so that equal ratings give equal codes whatever was undone between.
    Raises Locked before enough ratings.
    """
    profile = lock(session, profile)
    check_unlocked(profile)
    space = needed_space(session)
    taste = refit_taste(session, profile=profile, space=space)
    images, raw, texts = _rated_images(session, profile=profile, encoder=space.encoder)
    state = taste_codes.freeze(taste, space, raw, texts)
    checksum = bytes.fromhex(taste_codes.checksum(state))
    same = select(Code).where(
        Code.profile_id == profile.id, Code.checksum == checksum, col(Code.revoked_at).is_(None)
    )
    code = session.exec(same).first()
    if code is None:
        by_vector = {row.astype(np.float32).tobytes(): image for image, row in zip(images, raw, strict=True)}
        code = Code(
            code=_new_code(),
            profile_id=profile.id or 0,
            person_id=profile.person_id,
            parent=_newest_code(session, profile=profile),
            rating_count=profile.rating_count,
            encoder=space.encoder,
            space_version=space.version,
            checksum=checksum,
            taste=taste_codes.to_bytes(state),
            liked_ids=_exemplar_ids(state.liked, by_vector),
            disliked_ids=_exemplar_ids(state.disliked, by_vector),
        )
        session.add(code)
        session.flush()
    return code


def check_unlocked(profile: Profile) -> None:
    """Raise Locked, saying how many ratings are missing, unless the profile may be used."""
    rated, needed = profile.rating_count, get_settings().unlock_ratings
    if rated < needed:
        missing = f"{rated} of {needed} ratings. Rate {needed - rated} more on /explore."
        raise Locked(f"Personalization is locked: {missing}", rating_count=rated, needed=needed)


def list_codes(
    session: Session, *, person: Person, before: str | None = None, limit: int | None = None
) -> list[Code]:
    """The person's codes, newest first, revoked ones too, from below the code `before`. Raises NotFound.

    Their tastes are not loaded: that is megabytes which lists never show.
    """
    query = select(Code).where(Code.person_id == person.id).options(defer(col(Code.taste)))  # type: ignore[arg-type]
    if before is not None:
        mark = own_code(session, person=person, code=before)
        query = query.where(tuple_(col(Code.created_at), col(Code.code)) < (mark.created_at, mark.code))
    return list(session.exec(query.order_by(col(Code.created_at).desc(), col(Code.code).desc()).limit(limit)))


def own_code(session: Session, *, person: Person, code: str) -> Code:
    """One of the person's codes in whatever state. Raises NotFound, also for other people's."""
    found = session.get(Code, code)
    if found is None or found.person_id != person.id:
        raise _no_such_taste(code)
    return found


def set_code_visibility(session: Session, *, person: Person, code: str, visibility: str) -> Code:
    """Say who may use the code. Raises NotFound, InvalidInput."""
    if visibility not in VISIBILITIES:
        raise InvalidInput(f"A code is {', '.join(VISIBILITIES[:-1])} or public.", field="visibility")
    found = own_code(session, person=person, code=code)
    found.visibility = visibility
    session.flush()
    return found


def set_expiry(session: Session, *, person: Person, code: str, expires_at: datetime | None) -> Code:
    """Say when others can use the code no more; None: never. Raises NotFound."""
    found = own_code(session, person=person, code=code)
    found.expires_at = expires_at
    session.flush()
    return found


def revoke_code(session: Session, *, person: Person, code: str) -> Code:
    """End the code for everybody, for good. The same state, frozen again, gets a new one."""
    found = own_code(session, person=person, code=code)
    if found.revoked_at is None:
        found.revoked_at = datetime.now(UTC)
        session.flush()
    return found


def usable_code(session: Session, *, code: str, person: Person | None) -> Code:
    """The code, if this person may paint with it: an own one, or one that its owner shares.

    Raises one and the same NotFound for what is unknown, private, expired or revoked.
    """
    found = session.get(Code, code)
    if found is None or found.revoked_at is not None:
        raise _no_such_taste(code)
    if person is not None and found.person_id == person.id:
        return found
    expired = found.expires_at is not None and found.expires_at <= datetime.now(UTC)
    if expired or found.visibility == "private":
        raise _no_such_taste(code)
    return found


def resolve_tastes(
    session: Session, *, person: Person, refs: Sequence[tuple[str, float]] | None
) -> list[tuple[Code, float]]:
    """The frozen codes, with their weights, that --p means for this person.

    Each ref is a code, or the public id of an own profile, which is frozen now. None is a bare --p: the code
    chosen by "use this taste", or else the person's default profiles. Raises NotFound, Locked.
    """
    if refs is not None:
        return [(_resolve(session, person=person, ref=ref), weight) for ref, weight in refs]
    settings = session.get(PersonSettings, person.id)
    if settings is not None and settings.default_code is not None:
        return [(usable_code(session, code=settings.default_code, person=person), 1.0)]
    return [(freeze(session, profile=profile), 1.0) for profile in _default_profiles(session, person=person)]


def use_code(session: Session, *, person: Person, code: str) -> Code:
    """The button "use this taste": from now on a bare --p means this code. Raises NotFound."""
    found = usable_code(session, code=code, person=person)
    _set_default_code(session, person=person, code=found.code)
    return found


def stop_using_code(session: Session, *, person: Person) -> None:
    """A bare --p means the person's own default profiles again."""
    _set_default_code(session, person=person, code=None)


def frozen(code: Code) -> FrozenTaste:
    """What the code froze. Raises CorruptFile when the stored bytes are not what was frozen."""
    try:
        return taste_codes.from_bytes(code.taste, checksum=code.checksum.hex())
    except CorruptTaste as error:
        raise CorruptFile(f"The stored taste of {code.code} is damaged. Freeze the profile again.") from error


def share_view(session: Session, *, code: Code) -> ShareView:
    """The page of a code that `usable_code` let through."""
    images = session.exec(
        select(Image).where(
            col(Image.id).in_([*code.liked_ids, *code.disliked_ids]), Image.visibility == "public"
        )
    )
    known = {image.id: image for image in images}
    return ShareView(
        code=code,
        rating_count=code.rating_count,
        created_at=code.created_at or datetime.now(UTC),
        checksum=code.checksum.hex(),
        liked=[known[image] for image in code.liked_ids if image in known],
        disliked=[known[image] for image in code.disliked_ids if image in known],
        samples=[],
    )


def _no_such_taste(code: str) -> NotFound:
    return NotFound(
        f"There is no taste {code} that you may use. Check the code, or ask its owner to share it."
    )


def _resolve(session: Session, *, person: Person, ref: str) -> Code:
    own = select(Profile).where(Profile.person_id == person.id, Profile.public_id == ref)
    profile = session.exec(own).first()
    if profile is not None:
        return freeze(session, profile=profile)
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


def _rated_images(
    session: Session, *, profile: Profile, encoder: str
) -> tuple[list[int], np.ndarray, np.ndarray]:
    rows = session.exec(
        select(Pair.left_id, Pair.right_id)
        .join(Rating, col(Rating.pair_id) == col(Pair.id))
        .where(Rating.profile_id == profile.id, Rating.answer != Answer.SKIP)
    )
    wanted = {image for row in rows for image in row}
    raw = raw_vectors(session, encoder=encoder, image_ids=wanted)
    texts = text_vectors(session, encoder=encoder, image_ids=wanted)
    images = sorted(raw)
    size = max((len(vector) for vector in texts.values()), default=0)
    unknown = np.zeros(size)
    return (
        images,
        np.stack([raw[image] for image in images]),
        np.stack([texts.get(image, unknown) for image in images]),
    )


def _exemplar_ids(side: Exemplars, by_vector: dict[bytes, int]) -> list[int]:
    return [by_vector[row.tobytes()] for row in side.embedding]


def _newest_code(session: Session, *, profile: Profile) -> str | None:
    query = select(Code.code).where(Code.profile_id == profile.id).order_by(col(Code.created_at).desc())
    return session.exec(query.limit(1)).first()


def _new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
