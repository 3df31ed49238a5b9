"""Moodboards: profiles made of collected images, for --p like any other."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from PIL.Image import Image as Picture
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from app import images
from app.errors import Conflict, InvalidInput, NotFound
from app.models import Image, MoodboardImage, Person, Profile
from app.services.codes import collected, new_code
from app.services.gallery import wake_encoder
from app.services.generation import get_image
from app.services.outbox import after_commit
from app.services.rating import lock
from app.services.spaces import open_spaces
from app.services.tastes import encoder_in_use
from app.storage import get_storage

MAX_BOARDS = 100
MAX_IMAGES = 100
MAX_NAME = 100
_LINK = re.compile(r"(?:\S*/images/)?(\d{1,18})(?:/(?:file|thumb))?[?#]?\S*")


@dataclass(frozen=True)
class Moodboard:
    """A moodboard, how many images it holds, and the newest of them."""

    profile: Profile
    count: int
    images: list[Image]


def create(session: Session, *, person: Person, name: str) -> Profile:
    """A new, empty moodboard. Raises InvalidInput for an unusable name, Conflict for a taken one."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidInput(f"A moodboard's name has 1 to {MAX_NAME} characters.", field="name")
    mine = select(col(Profile.id)).where(col(Profile.person_id) == person.id, col(Profile.is_moodboard))
    if len(session.execute(mine).all()) >= MAX_BOARDS:
        raise Conflict(f"You have {MAX_BOARDS} moodboards, and that is the limit. Delete one first.")
    made: Profile | None = session.execute(
        insert(Profile)
        .values(
            public_id=new_code(),
            person_id=person.id,
            name=name,
            is_global=False,
            is_default=False,
            is_moodboard=True,
            rating_count=0,
        )
        .on_conflict_do_nothing(index_elements=["person_id", "name"])
        .returning(Profile)
    ).scalar_one_or_none()
    if made is None:
        raise Conflict(f"You have a profile called {name} already. Choose another name.")
    return made


def list_boards(session: Session, *, person: Person, shown: int = 4) -> list[Moodboard]:
    """The person's moodboards, newest first, each with its newest images."""
    mine = select(Profile).where(col(Profile.person_id) == person.id, col(Profile.is_moodboard))
    boards = session.scalars(mine.order_by(col(Profile.id).desc())).all()
    return [_board(session, profile, limit=shown) for profile in boards]


def get_board(session: Session, *, person: Person, public_id: str) -> Moodboard:
    """One of the person's moodboards with all its images. Raises NotFound, also for other people's."""
    return _board(session, _own(session, person, public_id), limit=MAX_IMAGES)


def remove_board(session: Session, *, person: Person, public_id: str) -> None:
    """Delete a moodboard with its codes, and the uploads that only it held. Raises NotFound."""
    profile = _own(session, person, public_id)
    held = [image.id for image in _board(session, profile, limit=MAX_IMAGES).images]
    session.execute(delete(Profile).where(col(Profile.id) == profile.id))
    session.expunge(profile)
    _drop_uploads(session, person=person, image_ids=held)


def add(session: Session, *, person: Person, public_id: str, image_ids: Sequence[int]) -> Moodboard:
    """Put images into a moodboard: own ones and those of the gallery; one it holds already stays.

    Raises NotFound for an image that the person may not see, Conflict where there is no room.
    """
    profile = lock(session, _own(session, person, public_id))
    wanted = [get_image(session, person=person, image_id=image_id).id for image_id in image_ids]
    _hold(session, profile, [image_id for image_id in wanted if image_id is not None])
    return _board(session, profile, limit=MAX_IMAGES)


def add_links(session: Session, *, person: Person, public_id: str, text: str) -> Moodboard:
    """Put images into a moodboard by their pages' links or numbers, in any mixture with white space between.

    Raises InvalidInput naming what is no such link, and as `add`.
    """
    ids = []
    for word in text.replace(",", " ").split():
        found = _LINK.fullmatch(word)
        if found is None:
            raise InvalidInput(f"{word[:80]} is no link to an image here. Copy the address of its page.")
        ids.append(int(found[1]))
    if not ids:
        raise InvalidInput("Paste the link of an image first.")
    return add(session, person=person, public_id=public_id, image_ids=ids)


def upload(session: Session, *, person: Person, public_id: str, data: bytes) -> Moodboard:
    """Put a picture from outside into a moodboard. It is stored as a private image of the person, once.

    Raises InvalidInput where it cannot be read, Conflict where there is no room.
    """
    profile = lock(session, _own(session, person, public_id))
    try:
        picture = images.within(images.decode(data), images.MAX_SIDE)
    except InvalidInput as error:
        raise InvalidInput(f"This file {error.message}.", field="file") from error
    pixels = images.webp(picture)
    digest = hashlib.sha256(pixels).digest()
    known = select(col(Image.id)).where(
        col(Image.owner_id) == person.id, col(Image.source) == "upload", col(Image.sha256) == digest
    )
    image_id = session.scalars(known.limit(1)).first()
    if image_id is None:
        _check_room(session, profile, 1)
        image = _store(picture, pixels, digest, owner_id=person.id)
        session.add(image)
        session.flush()
        image_id = image.id
    _hold(session, profile, [image_id] if image_id is not None else [])
    return _board(session, profile, limit=MAX_IMAGES)


def remove(session: Session, *, person: Person, public_id: str, image_id: int) -> Moodboard:
    """Take an image out of a moodboard; an upload that no other one holds is deleted. Raises NotFound."""
    profile = lock(session, _own(session, person, public_id))
    gone = session.execute(
        delete(MoodboardImage)
        .where(col(MoodboardImage.profile_id) == profile.id, col(MoodboardImage.image_id) == image_id)
        .returning(col(MoodboardImage.image_id))
    ).first()
    if gone is None:
        raise NotFound("This moodboard holds no such image.")
    _drop_uploads(session, person=person, image_ids=[image_id])
    return _board(session, profile, limit=MAX_IMAGES)


def offers(
    session: Session, *, person: Person, public_id: str, own: bool, limit: int, start: float = 0.0
) -> list[Image]:
    """Images that a moodboard could hold too: the person's own, newest first, or the gallery's in the order
    of their random keys from `start`, 0-1, on."""
    profile = _own(session, person, public_id)
    held = select(col(MoodboardImage.image_id)).where(col(MoodboardImage.profile_id) == profile.id)
    query = select(Image).where(col(Image.id).not_in(held)).limit(limit)
    if own:
        query = query.where(col(Image.owner_id) == person.id).order_by(col(Image.id).desc())
        return list(session.scalars(query))
    query = query.where(col(Image.visibility) == "public").order_by(col(Image.random_key))
    found = list(session.scalars(query.where(col(Image.random_key) >= start)))
    if len(found) < limit:
        found += session.scalars(query.where(col(Image.random_key) < start).limit(limit - len(found)))
    return found


def _own(session: Session, person: Person, public_id: str) -> Profile:
    query = select(Profile).where(
        col(Profile.person_id) == person.id, col(Profile.public_id) == public_id, col(Profile.is_moodboard)
    )
    profile = session.scalars(query).first()
    if profile is None:
        raise NotFound("You have no such moodboard. /moodboards lists yours.")
    return profile


def _board(session: Session, profile: Profile, *, limit: int) -> Moodboard:
    held = (
        select(Image)
        .join(MoodboardImage, col(MoodboardImage.image_id) == col(Image.id))
        .where(*collected(profile))
        .order_by(col(MoodboardImage.created_at).desc(), col(Image.id).desc())
        .limit(limit)
    )
    return Moodboard(profile, _count(session, profile), list(session.scalars(held)))


def _count(session: Session, profile: Profile) -> int:
    query = (
        select(func.count())
        .select_from(MoodboardImage)
        .join(Image, col(Image.id) == col(MoodboardImage.image_id))
        .where(*collected(profile))
    )
    return session.scalar(query) or 0


def _hold(session: Session, profile: Profile, image_ids: Sequence[int]) -> None:
    there = select(col(MoodboardImage.image_id)).where(col(MoodboardImage.profile_id) == profile.id)
    new = set(image_ids) - set(session.scalars(there))
    _check_room(session, profile, len(new))
    if not new:
        return
    rows = [{"profile_id": profile.id, "image_id": image_id} for image_id in sorted(new)]
    session.execute(insert(MoodboardImage).on_conflict_do_nothing(), rows)
    for encoder in sorted({encoder_in_use(), *open_spaces(session)}):
        after_commit(session, partial(wake_encoder, encoder))


def _check_room(session: Session, profile: Profile, more: int) -> None:
    if _count(session, profile) + more > MAX_IMAGES:
        raise Conflict(f"A moodboard holds up to {MAX_IMAGES} images. Take some out first.")


def _store(picture: Picture, pixels: bytes, digest: bytes, *, owner_id: int | None) -> Image:
    """The file first, then the row: a row never lacks its file."""
    name = uuid4().hex
    key, small = f"uploads/{name}.webp", images.thumbnail(picture)
    thumbnail_key = key if small is None else f"uploads/{name}.thumb.webp"
    get_storage().put(key, pixels, content_type="image/webp")
    if small is not None:
        get_storage().put(thumbnail_key, small, content_type="image/webp")
    return Image(
        owner_id=owner_id,
        source="upload",
        key=key,
        thumbnail_key=thumbnail_key,
        sha256=digest,
        width=picture.width,
        height=picture.height,
    )


def _drop_uploads(session: Session, *, person: Person, image_ids: Sequence[int | None]) -> None:
    held = select(MoodboardImage).where(col(MoodboardImage.image_id) == col(Image.id)).exists()
    rows = session.execute(
        delete(Image)
        .where(
            col(Image.id).in_(image_ids),
            col(Image.owner_id) == person.id,
            col(Image.source) == "upload",
            col(Image.visibility) == "private",
            ~held,
        )
        .returning(col(Image.key), col(Image.thumbnail_key))
    ).all()
    keys = [key for row in rows for key in row]
    if keys:
        after_commit(session, lambda: get_storage().delete(*keys))
