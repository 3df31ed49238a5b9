"""Codes: frozen states of a profile, shared, borrowed and revoked."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import ColumnElement, or_, tuple_
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from app.config import get_settings
from app.errors import CorruptFile, InvalidInput, Locked, NotFound, Unavailable
from app.models import Code, Image, MoodboardImage, Person, Profile
from app.services.rating import lock
from app.services.tastes import (
    encoder_in_use,
    exact_taste,
    load_space,
    rated_pairs,
    raw_vectors,
    refit_taste,
    text_vectors,
)
from app.taste import codes as taste_codes
from app.taste.codes import Exemplars, FrozenTaste
from app.taste.errors import CorruptTaste
from app.taste.moodboard import collect
from app.taste.posterior import Posterior
from app.taste.space import Space

VISIBILITIES = ("private", "unlisted", "public")
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread
CODE_LENGTH = 12  # 59 bits: not to be guessed


@dataclass(frozen=True)
class ShareView:
    """What /p/CODE shows; the owner stays unnamed, and only images that are public are seen."""

    code: Code
    rating_count: int
    created_at: datetime
    checksum: str
    liked: list[Image]
    disliked: list[Image]


@dataclass(frozen=True)
class State:
    """What a code of a profile would hold in one space: the taste, the images it was made of by their raw
    embeddings in single precision, and how many these are, for two may look the same."""

    taste: FrozenTaste
    images: dict[bytes, int]
    image_count: int


def freeze(session: Session, *, profile: Profile, encoder: str | None = None) -> Code:
    """The code of the profile's present state: the one it has, or a new one.

    It lives in the space of `encoder`, or of the default model. The taste is refitted from the log, so that
    equal ratings give equal codes whatever was undone between; so do equal images in a moodboard. Raises
    Locked before enough ratings, Unavailable where there is no such space or a worker has not looked at the
    images yet, InvalidInput for an empty moodboard.
    """
    profile = lock(session, profile)
    check_unlocked(profile)
    in_use = encoder_in_use()
    space = load_space(session, encoder=encoder or in_use)
    if profile.is_moodboard or space.encoder != in_use:
        state = state_of(session, profile=profile, space=space)
    else:
        taste = refit_taste(session, profile=profile, space=space)
        state = _of_ratings(session, profile=profile, space=space, taste=taste)
    parent = _newest_code(session, profile=profile, encoder=space.encoder)
    return keep(session, profile=profile, state=state, rating_count=profile.rating_count, parent=parent)


def state_of(session: Session, *, profile: Profile, space: Space, first: int | None = None) -> State:
    """What a code would hold in any space, after the `first` ratings where told. Nothing is stored. Raises
    as `freeze`."""
    if profile.is_moodboard:
        return _of_images(session, profile=profile, space=space)
    taste = exact_taste(session, profile=profile, space=space, first=first)
    return _of_ratings(session, profile=profile, space=space, taste=taste, first=first)


def _of_ratings(
    session: Session, *, profile: Profile, space: Space, taste: Posterior, first: int | None = None
) -> State:
    pairs = rated_pairs(session, profile=profile, first=first)
    wanted = {image for left, right, _ in pairs for image in (left, right)}
    images, raw, texts = _vectors(session, wanted=wanted, encoder=space.encoder)
    return State(taste_codes.freeze(taste, space, raw, texts), images, len(raw))


def _of_images(session: Session, *, profile: Profile, space: Space) -> State:
    images, raw, texts = _collected_images(session, profile=profile, encoder=space.encoder)
    return State(collect(space, raw, texts), images, len(raw))


def keep(session: Session, *, profile: Profile, state: State, rating_count: int, parent: str | None) -> Code:
    """The code of this state: the one the profile has, unless it was revoked, or a new one."""
    checksum = bytes.fromhex(taste_codes.checksum(state.taste))
    same = select(Code).where(
        Code.profile_id == profile.id, Code.checksum == checksum, col(Code.revoked_at).is_(None)
    )
    code = session.exec(same).first()
    if code is None:
        code = Code(
            code=new_code(),
            profile_id=profile.id or 0,
            person_id=profile.person_id,
            parent=parent,
            rating_count=rating_count,
            image_count=state.image_count if profile.is_moodboard else 0,
            encoder=state.taste.encoder,
            space_version=state.taste.space_version,
            checksum=checksum,
            taste=taste_codes.to_bytes(state.taste),
            liked_ids=_exemplar_ids(state.taste.liked, state.images),
            disliked_ids=_exemplar_ids(state.taste.disliked, state.images),
        )
        session.add(code)
        session.flush()
    return code


def check_unlocked(profile: Profile) -> None:
    """Raise Locked, saying how many ratings are missing, unless the profile may be used. A moodboard needs
    none."""
    if profile.is_moodboard:
        return
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
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise InvalidInput(
            "That is over already. Choose a later time, or revoke the code.", field="expires_at"
        )
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
    )


def _no_such_taste(code: str) -> NotFound:
    return NotFound(
        f"There is no taste {code} that you may use. Check the code, or ask its owner to share it."
    )


def collected(profile: Profile) -> tuple[ColumnElement[bool], ...]:
    """Which rows of moodboard_images and images belong to a moodboard: a gallery image that its owner takes
    back leaves the moodboards of others."""
    return (
        col(MoodboardImage.profile_id) == profile.id,
        or_(col(Image.visibility) == "public", col(Image.owner_id) == profile.person_id),
    )


def _collected_images(
    session: Session, *, profile: Profile, encoder: str
) -> tuple[dict[bytes, int], np.ndarray, np.ndarray]:
    wanted = set(session.exec(select(MoodboardImage.image_id).join(Image).where(*collected(profile))))
    if not wanted:
        raise InvalidInput(f"The moodboard {profile.name} is empty. Add an image first.")
    missing = len(wanted) - len(raw_vectors(session, encoder=encoder, image_ids=wanted))
    if missing:
        raise Unavailable(
            f"A worker has not yet looked at {missing} of the {len(wanted)} images of the moodboard "
            f"{profile.name}. Try again in a moment."
        )
    return _vectors(session, wanted=wanted, encoder=encoder)


def _vectors(
    session: Session, *, wanted: set[int], encoder: str
) -> tuple[dict[bytes, int], np.ndarray, np.ndarray]:
    """Images by raw embedding in single precision, raw embeddings (n, d), and texts (n, t)."""
    raw = raw_vectors(session, encoder=encoder, image_ids=wanted)
    if not raw:
        raise Unavailable(
            f"A worker with {encoder} has not looked at the rated images yet. Try again in a moment."
        )
    texts = text_vectors(session, encoder=encoder, image_ids=wanted)
    images = sorted(raw)
    size = max((len(vector) for vector in texts.values()), default=0)
    unknown = np.zeros(size)
    return (
        {raw[image].astype(np.float32).tobytes(): image for image in images},
        np.stack([raw[image] for image in images]),
        np.stack([texts.get(image, unknown) for image in images]),
    )


def _exemplar_ids(side: Exemplars, by_vector: dict[bytes, int]) -> list[int]:
    return [by_vector[row.tobytes()] for row in side.embedding]


def _newest_code(session: Session, *, profile: Profile, encoder: str) -> str | None:
    query = select(Code.code).where(Code.profile_id == profile.id, Code.encoder == encoder)
    return session.exec(query.order_by(col(Code.created_at).desc()).limit(1)).first()


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
