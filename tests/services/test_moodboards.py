"""Moodboards: collected images become tastes, and what is taken out is as if it had never been in."""

import io

import numpy as np
import pytest
from PIL import Image as Picture
from sqlmodel import Session, col, select

from app import queue
from app.errors import Conflict, InvalidInput, NotFound, Unavailable
from app.models import Embedding, Image, MoodboardImage, Person, Profile
from app.services import accounts, gallery, moodboards, profiles
from app.services.tastes import encoder_in_use
from app.storage import get_storage
from tests.gallery import DIMENSION, make_gallery, make_image


@pytest.fixture
def images(session: Session) -> list[int]:
    """A gallery's images."""
    return make_gallery(session)


@pytest.fixture
def person(images: list[int], session: Session) -> Person:
    """Somebody who has rated nothing."""
    return accounts.create_guest(session)


@pytest.fixture
def board(session: Session, person: Person) -> str:
    """The id of an empty moodboard."""
    return moodboards.create(session, person=person, name="Quiet winters").public_id


def code_of(session: Session, person: Person, board: str) -> str:
    ((code, _),) = profiles.resolve_tastes(session, person=person, refs=[(board, 1.0)])
    return code.code


def file(colour: tuple[int, int, int], side: int = 400) -> bytes:
    data = io.BytesIO()
    Picture.new("RGB", (side, side), colour).save(data, "PNG")
    return data.getvalue()


def embed(session: Session, image: int, seed: int = 3) -> None:
    vector = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
    session.add(Embedding(image_id=image, encoder=encoder_in_use(), image_vector=vector))
    session.flush()


def test_without_a_rating_its_id_is_a_taste(
    session: Session, person: Person, board: str, images: list[int]
) -> None:
    moodboards.add(session, person=person, public_id=board, image_ids=images[:3])
    profile = profiles.get_profile(session, person=person, public_id=board)
    code = profiles.freeze(session, profile=profile)
    taste = profiles.frozen(code)
    assert (code.rating_count, code.image_count, taste.n_ratings) == (0, 3, 3)
    assert sorted(code.liked_ids) == images[:3]
    assert code.disliked_ids == []
    ((found, weight),) = profiles.resolve_tastes(session, person=person, refs=[(board, -2.0)])
    assert (found.code, weight) == (code.code, -2.0)


def test_adding_then_removing_gives_back_the_earlier_code(
    session: Session, person: Person, board: str, images: list[int]
) -> None:
    moodboards.add(session, person=person, public_id=board, image_ids=images[:3])
    first = code_of(session, person, board)
    moodboards.add(session, person=person, public_id=board, image_ids=images[2:5])
    second = code_of(session, person, board)
    assert second != first
    for image in images[3:5]:
        moodboards.remove(session, person=person, public_id=board, image_id=image)
    assert code_of(session, person, board) == first
    moodboards.remove(session, person=person, public_id=board, image_id=images[0])
    moodboards.add(session, person=person, public_id=board, image_ids=[images[0]])
    assert code_of(session, person, board) == first


def test_an_upload_is_private_read_by_a_worker_and_goes_with_its_last_moodboard(
    session: Session, person: Person, board: str
) -> None:
    held = moodboards.upload(session, person=person, public_id=board, data=file((200, 30, 30)))
    again = moodboards.upload(session, person=person, public_id=board, data=file((200, 30, 30)))
    (image,) = held.images
    assert [item.id for item in again.images] == [image.id]
    assert (image.source, image.visibility, image.owner_id) == ("upload", "private", person.id)
    assert image.thumbnail_key != image.key
    assert image.id is not None
    session.commit()
    assert queue.waiting(queue.embed_queue(encoder_in_use()))
    assert [row.id for row in gallery.unembedded(session, encoder=encoder_in_use())] == [image.id]
    with pytest.raises(Unavailable, match="not yet looked at 1 of the 1"):
        code_of(session, person, board)
    assert image.id is not None
    embed(session, image.id)
    assert code_of(session, person, board)
    other = moodboards.create(session, person=person, name="Other").public_id
    moodboards.add(session, person=person, public_id=other, image_ids=[image.id])
    moodboards.remove(session, person=person, public_id=board, image_id=image.id)
    session.commit()
    assert get_storage().get(image.key)
    moodboards.remove_board(session, person=person, public_id=other)
    session.commit()
    for key in (image.key, image.thumbnail_key):
        with pytest.raises(NotFound):
            get_storage().get(key)
    assert session.exec(select(Image.id).where(Image.source == "upload")).all() == []


def test_links_to_images_are_read_and_others_named(
    session: Session, person: Person, board: str, images: list[int]
) -> None:
    text = f"/images/{images[0]} http://localhost:8000/images/{images[1]}/file?x=1, {images[2]}"
    held = moodboards.add_links(session, person=person, public_id=board, text=text)
    assert {image.id for image in held.images} == set(images[:3])
    for wrong in ("https://example.org/cat.png", "/jobs/7", ""):
        with pytest.raises(InvalidInput):
            moodboards.add_links(session, person=person, public_id=board, text=wrong)


def test_other_peoples_images_and_moodboards_are_not_there(
    session: Session, person: Person, board: str, images: list[int]
) -> None:
    friend = accounts.create_guest(session)
    theirs = make_image(session, "theirs", visibility="private", owner=friend.id)
    with pytest.raises(NotFound):
        moodboards.add(session, person=person, public_id=board, image_ids=[images[0], theirs])
    with pytest.raises(NotFound):
        moodboards.get_board(session, person=friend, public_id=board)
    with pytest.raises(NotFound):
        moodboards.remove(session, person=person, public_id=board, image_id=images[0])
    own = profiles.global_profile(session, person=person).public_id
    with pytest.raises(NotFound):
        moodboards.get_board(session, person=person, public_id=own)
    assert moodboards.list_boards(session, person=friend) == []


def test_what_its_owner_takes_back_leaves_the_moodboards_of_others(
    session: Session, person: Person, board: str, images: list[int]
) -> None:
    moodboards.add(session, person=person, public_id=board, image_ids=images[:2])
    without = moodboards.create(session, person=person, name="Without").public_id
    moodboards.add(session, person=person, public_id=without, image_ids=images[:1])
    taken = session.get_one(Image, images[1])
    taken.visibility = "private"
    session.flush()
    assert [image.id for image in moodboards.get_board(session, person=person, public_id=board).images] == [
        images[0]
    ]
    tastes = [
        profiles.frozen(profiles.usable_code(session, code=code_of(session, person, one), person=person))
        for one in (board, without)
    ]
    assert np.array_equal(tastes[0].posterior.mean, tastes[1].posterior.mean)


def test_names_rooms_and_empty_moodboards(
    session: Session, person: Person, board: str, images: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInput, match="is empty"):
        code_of(session, person, board)
    with pytest.raises(Conflict, match="already"):
        moodboards.create(session, person=person, name=" Quiet  winters ")
    with pytest.raises(InvalidInput, match="name"):
        moodboards.create(session, person=person, name="  ")
    monkeypatch.setattr(moodboards, "MAX_IMAGES", 2)
    with pytest.raises(Conflict, match="up to 2"):
        moodboards.add(session, person=person, public_id=board, image_ids=images[:3])
    with pytest.raises(InvalidInput, match="This file is not an image"):
        moodboards.upload(session, person=person, public_id=board, data=b"no image")


def test_offers_leave_out_what_is_held(
    session: Session, person: Person, board: str, images: list[int]
) -> None:
    moodboards.add(session, person=person, public_id=board, image_ids=images[:5])
    own = make_image(session, "mine", visibility="private", owner=person.id)
    offered = moodboards.offers(session, person=person, public_id=board, own=False, limit=100, start=0.5)
    assert {image.id for image in offered} == set(images[5:])
    mine = moodboards.offers(session, person=person, public_id=board, own=True, limit=100)
    assert [image.id for image in mine] == [own]


def test_a_guests_moodboards_move_into_the_account(
    session: Session, person: Person, board: str, images: list[int]
) -> None:
    moodboards.add(session, person=person, public_id=board, image_ids=images[:2])
    code = code_of(session, person, board)
    account = accounts.create_guest(session)
    accounts.claim(session, person=account, email="a@example.org", password="a long password")
    moodboards.create(session, person=account, name="Quiet winters")
    accounts.sign_in(session, email="a@example.org", password="a long password", guest=person)
    session.flush()
    names = {item.profile.name for item in moodboards.list_boards(session, person=account)}
    assert names == {"Quiet winters", "Quiet winters 2"}
    assert code_of(session, account, board) == code
    assert session.exec(select(Profile).where(col(Profile.is_moodboard))).all()
    assert len(session.exec(select(MoodboardImage)).all()) == 2
