"""One profile, any encoder: a second model's space, profiles in it, and codes converted for it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func
from sqlmodel import Session, col, select

from app.config import Settings
from app.errors import Conflict, InvalidInput, InvalidPrompt, NotFound, Unavailable
from app.models import Code, Embedding, EncoderSpace, Person, Profile, ProfileTaste
from app.presets import load_presets
from app.services import accounts, gallery, generation, moodboards, profiles, rating, spaces
from app.services.conversion import convert
from app.services.tastes import load_space
from app.taste.space import project
from tests import second
from tests.gallery import DIMENSION, ENCODER, make_gallery

SECOND, OTHER = second.SPACE, second.NAME
IMAGES = 80


@pytest.fixture(autouse=True)
def second_model(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A second model, with an encoder of its own, and --p after four ratings."""
    path = tmp_path / "presets.toml"
    path.write_text(second.preset(tmp_path))
    monkeypatch.setattr(settings, "presets", path)
    monkeypatch.setattr(settings, "unlock_ratings", 4)
    load_presets.cache_clear()
    yield
    load_presets.cache_clear()


@pytest.fixture
def person(session: Session) -> Person:
    """Somebody with a gallery to rate."""
    make_gallery(session, count=IMAGES)
    return accounts.create_guest(session)


def open_second(session: Session) -> None:
    second.read_gallery(session)
    assert spaces.open_space(session, encoder=SECOND)


def rate(session: Session, person: Person, *answers: str) -> Profile:
    profile = profiles.global_profile(session, person=person)
    for answer in answers:
        (pair,) = rating.next_pairs(session, profile=profile, count=1)
        rating.record(session, profile=profile, pair_id=pair.id, answer=answer)
    return profile


def test_how_far_the_gallery_was_read_is_told(session: Session, person: Person) -> None:
    new, first = spaces.list_spaces(session)
    assert (first.encoder, first.models, first.is_open) == (ENCODER, ("starter",), True)
    assert (new.encoder, new.embedded, new.images) == (SECOND, 0, IMAGES)
    second.read_gallery(session, limit=20)
    state = spaces.list_spaces(session)[0]
    assert (state.embedded, state.images, state.is_open) == (20, IMAGES, False)
    assert not spaces.open_space(session, encoder=SECOND)  # too few to fit it to
    open_second(session)
    assert all(state.is_open for state in spaces.list_spaces(session))
    assert not spaces.open_space(session, encoder=SECOND)


def test_the_new_space_knows_what_people_have_in_common(session: Session, person: Person) -> None:
    old = load_space(session, encoder=ENCODER)
    open_second(session)
    new = load_space(session, encoder=SECOND)
    assert (new.version, len(new.scales)) == (1, IMAGES // spaces.IMAGES_A_COMPONENT)
    rows = session.exec(select(Embedding).order_by(col(Embedding.image_id))).all()
    there, here = (
        project(space, np.stack([r.image_vector for r in rows if r.encoder == space.encoder]))
        for space in (old, new)
    )
    before, after = (
        float(np.einsum("ij,jk,ik->", places, space.prior_cov, places))
        for places, space in ((there, old), (here, new))
    )
    assert 0.7 < after / before < 1.3


def test_a_prompt_for_a_model_without_a_space_says_what_to_wait_for(session: Session, person: Person) -> None:
    rate(session, person, *["left"] * 4)
    with pytest.raises(Unavailable, match="/tasks"):
        generation.submit(session, person=person, prompt=f"a cat --p --model {OTHER}")
    assert generation.submit(session, person=person, prompt=f"a cat --model {OTHER}")


def test_a_profile_follows_to_a_second_model(session: Session, person: Person) -> None:
    profile = rate(session, person, "left", "right", "left", "tie", "left", "both_bad")
    open_second(session)
    (job,) = generation.submit(session, person=person, prompt=f"a cat --p --model {OTHER}")
    (used,) = job.spec["personalize"]["tastes"]
    code = session.get_one(Code, used["code"])
    taste = profiles.frozen(code)
    assert (code.encoder, code.space_version, code.rating_count, code.parent) == (SECOND, 1, 6, None)
    assert (taste.encoder, taste.n_ratings) == (SECOND, 6)
    assert taste.liked.embedding.shape[1] == DIMENSION
    assert code.liked_ids
    again = profiles.freeze(session, profile=profile, encoder=SECOND)
    assert again.code == code.code
    rated_here = profiles.frozen(profiles.freeze(session, profile=profile))
    assert rated_here.encoder == ENCODER
    kept = session.exec(select(ProfileTaste.encoder).where(ProfileTaste.profile_id == profile.id)).all()
    assert kept == [ENCODER]


def test_the_taste_in_use_is_the_only_one_kept(
    session: Session, person: Person, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another default model, and back: what was rated meanwhile is not forgotten."""
    profile = rate(session, person, *["left"] * 4)
    open_second(session)
    monkeypatch.setattr(settings, "model", OTHER)
    rate(session, person, "right", "right")
    assert profiles.load_taste(session, profile=profile).count == 6
    monkeypatch.setattr(settings, "model", "starter")
    assert profiles.load_taste(session, profile=profile).count == 6


def test_a_code_of_another_space_is_refused_with_the_way_out(session: Session, person: Person) -> None:
    code = profiles.freeze(session, profile=rate(session, person, *["left"] * 4)).code
    open_second(session)
    prompt = f"a cat --p {code} --model {OTHER}"
    with pytest.raises(InvalidPrompt, match=f"space of {ENCODER}, and {OTHER} needs.*Convert it on /info"):
        generation.submit(session, person=person, prompt=prompt)
    profiles.set_code_visibility(session, person=person, code=code, visibility="public")
    with pytest.raises(InvalidPrompt, match="Ask its owner to convert it"):
        generation.submit(session, person=accounts.create_guest(session), prompt=prompt)
    made = convert(session, person=person, code=code, encoder=SECOND)
    assert generation.submit(session, person=person, prompt=f"a cat --p {made.code} --model {OTHER}")


def test_a_converted_code_is_the_same_state_with_the_same_parent(session: Session, person: Person) -> None:
    first = profiles.freeze(session, profile=rate(session, person, *["left"] * 4))
    session.commit()
    later = profiles.freeze(session, profile=rate(session, person, "right", "skip"))
    open_second(session)
    then = profiles.freeze(session, profile=profiles.global_profile(session, person=person), encoder=SECOND)
    rate(session, person, "left", "left")
    made = convert(session, person=person, code=later.code, encoder=SECOND)
    assert (made.code, made.checksum) == (then.code, then.checksum)
    older = convert(session, person=person, code=first.code, encoder=SECOND)
    assert (older.rating_count, older.encoder, older.parent, older.visibility) == (4, SECOND, None, "private")
    assert profiles.frozen(older).n_ratings == 4
    back = convert(session, person=person, code=older.code, encoder=ENCODER)
    assert back.code == first.code
    assert convert(session, person=person, code=first.code, encoder=SECOND).code == older.code


def test_conversion_is_refused_where_the_answers_are_gone(session: Session, person: Person) -> None:
    profile = rate(session, person, "left", "right", "left", "left", "right")
    code = profiles.freeze(session, profile=profile)
    with pytest.raises(Unavailable):
        convert(session, person=person, code=code.code, encoder=SECOND)
    open_second(session)
    oldest = rating.list_ratings(session, profile=profile)[-1].rating
    rating.change_rating(session, profile=profile, rating_id=oldest.id or 0, answer="right")
    with pytest.raises(Conflict, match="changed or deleted"):
        convert(session, person=person, code=code.code, encoder=SECOND)
    rating.change_rating(session, profile=profile, rating_id=oldest.id or 0, answer="left")
    assert convert(session, person=person, code=code.code, encoder=SECOND).rating_count == 5


def test_who_can_convert_what(session: Session, person: Person) -> None:
    code = profiles.freeze(session, profile=rate(session, person, *["left"] * 4)).code
    open_second(session)
    profiles.set_code_visibility(session, person=person, code=code, visibility="public")
    with pytest.raises(NotFound):
        convert(session, person=accounts.create_guest(session), code=code, encoder=SECOND)
    with pytest.raises(InvalidInput, match="already"):
        convert(session, person=person, code=code, encoder=ENCODER)
    profiles.revoke_code(session, person=person, code=code)
    with pytest.raises(Conflict, match="revoked"):
        convert(session, person=person, code=code, encoder=SECOND)
    assert session.exec(select(func.count()).select_from(EncoderSpace)).one() == 2


def test_a_moodboard_converts_while_it_holds_the_same_images(session: Session, person: Person) -> None:
    board = moodboards.create(session, person=person, name="blue")
    ids = [image.id or 0 for image in gallery.unembedded(session, encoder="none", limit=5)]
    moodboards.add(session, person=person, public_id=board.public_id, image_ids=ids[:4])
    code = profiles.freeze(session, profile=board)
    open_second(session)
    made = convert(session, person=person, code=code.code, encoder=SECOND)
    assert (made.image_count, made.encoder) == (4, SECOND)
    moodboards.add(session, person=person, public_id=board.public_id, image_ids=ids[4:])
    with pytest.raises(Conflict):
        convert(session, person=person, code=code.code, encoder=SECOND)
