"""Codes: frozen states, who may use them, and what --p means."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlmodel import Session

from app.config import Settings
from app.errors import CorruptFile, InvalidInput, InvalidPrompt, Locked, NotFound
from app.models import Code, Image, Person, Profile
from app.services import accounts, profiles, rating
from tests.gallery import make_gallery

UNLOCK = 4


@pytest.fixture(autouse=True)
def soon_unlocked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four ratings unlock --p."""
    monkeypatch.setattr(settings, "unlock_ratings", UNLOCK)


@pytest.fixture
def person(session: Session) -> Person:
    """Somebody with a gallery to rate."""
    make_gallery(session)
    return accounts.create_guest(session)


def rate(session: Session, person: Person, *answers: str) -> Profile:
    profile = profiles.global_profile(session, person=person)
    for answer in answers:
        (pair,) = rating.next_pairs(session, profile=profile, count=1)
        rating.record(session, profile=profile, pair_id=pair.id, answer=answer)
    return profile


def test_locked_until_enough_ratings_and_says_so(session: Session, person: Person) -> None:
    profile = rate(session, person, "left", "skip", "left", "left")
    with pytest.raises(Locked) as locked:
        profiles.freeze(session, profile=profile)
    assert locked.value.message == "Personalization is locked: 3 of 4 ratings. Rate 1 more on /explore."
    with pytest.raises(Locked):
        profiles.resolve_tastes(session, person=person, refs=None)
    assert not profiles.info(session, person=person).unlocked
    rate(session, person, "tie")
    assert profiles.info(session, person=person).unlocked


def test_a_code_holds_the_exact_taste_and_its_exemplars(session: Session, person: Person) -> None:
    profile = rate(session, person, "left", "right", "tie", "both_bad", "left")
    code = profiles.freeze(session, profile=profile)
    taste = profiles.frozen(code)
    assert (code.rating_count, taste.n_ratings, code.parent) == (5, 5, None)
    assert np.array_equal(taste.posterior.mean, profiles.load_taste(session, profile=profile).mean)
    assert len(code.liked_ids) == len(taste.liked)
    assert not set(code.liked_ids) & set(code.disliked_ids)


def test_equal_states_share_a_code_and_new_ones_get_their_own(session: Session, person: Person) -> None:
    profile = rate(session, person, "left", "right", "tie", "left")
    first = profiles.freeze(session, profile=profile)
    assert profiles.freeze(session, profile=profile).code == first.code
    rate(session, person, "right")
    second = profiles.freeze(session, profile=profile)
    assert second.code != first.code
    assert second.parent == first.code
    rating.undo(session, profile=profile)
    assert profiles.freeze(session, profile=profile).code == first.code


def test_a_state_answered_in_another_order_is_the_same_state(session: Session, person: Person) -> None:
    profile = rate(session, person, "left", "right", "tie", "left")
    first = profiles.freeze(session, profile=profile)
    log = rating.list_ratings(session, profile=profile)
    for row in log:
        rating.delete_rating(session, profile=profile, rating_id=row.rating.id or 0)
    for row in log:  # newest first this time
        rating.record(session, profile=profile, pair_id=row.rating.pair_id, answer=row.rating.answer)
    assert profiles.freeze(session, profile=profile).code == first.code


def test_who_may_use_a_code(session: Session, person: Person) -> None:
    code = profiles.freeze(session, profile=rate(session, person, *["left"] * UNLOCK)).code
    friend = accounts.create_guest(session)
    refused = []

    def usable(who: Person | None) -> bool:
        try:
            profiles.usable_code(session, code=code, person=who)
        except NotFound as error:
            refused.append(error.message)
            return False
        return True

    assert (usable(person), usable(friend), usable(None)) == (True, False, False)
    for visibility in ("unlisted", "public"):
        profiles.set_code_visibility(session, person=person, code=code, visibility=visibility)
        assert (usable(friend), usable(None)) == (True, True)
    past = datetime.now(UTC) - timedelta(seconds=1)
    with pytest.raises(InvalidInput, match="over already"):
        profiles.set_expiry(session, person=person, code=code, expires_at=past)
    session.get_one(Code, code).expires_at = past
    assert (usable(person), usable(friend), usable(None)) == (True, False, False)
    profiles.set_expiry(session, person=person, code=code, expires_at=None)
    profiles.revoke_code(session, person=person, code=code)
    assert (usable(person), usable(friend), usable(None)) == (False, False, False)
    with pytest.raises(NotFound) as unknown:
        profiles.usable_code(session, code="aaaaaaaaaaaa", person=friend)
    assert {message.replace(code, "X") for message in refused} == {
        unknown.value.message.replace("aaaaaaaaaaaa", "X")
    }


def test_a_revoked_state_gets_a_new_code(session: Session, person: Person) -> None:
    profile = rate(session, person, *["left"] * UNLOCK)
    first = profiles.freeze(session, profile=profile)
    profiles.revoke_code(session, person=person, code=first.code)
    second = profiles.freeze(session, profile=profile)
    assert second.code != first.code
    assert second.checksum == first.checksum


def test_codes_of_others_cannot_be_changed(session: Session, person: Person) -> None:
    code = profiles.freeze(session, profile=rate(session, person, *["left"] * UNLOCK)).code
    stranger = accounts.create_guest(session)
    with pytest.raises(NotFound):
        profiles.set_code_visibility(session, person=stranger, code=code, visibility="public")
    with pytest.raises(NotFound):
        profiles.revoke_code(session, person=stranger, code=code)
    with pytest.raises(InvalidInput):
        profiles.set_code_visibility(session, person=person, code=code, visibility="secret")


def test_what_p_means(session: Session, person: Person) -> None:
    profile = rate(session, person, *["left"] * UNLOCK)
    own = profiles.freeze(session, profile=profile)
    friend = accounts.create_guest(session)

    def resolve(who: Person, *refs: tuple[str, float]) -> list[tuple[str, float]]:
        found = profiles.resolve_tastes(session, person=who, refs=list(refs) or None)
        return [(code.code, weight) for code, weight in found]

    assert resolve(person) == [(own.code, 1.0)]
    assert resolve(person, (profile.public_id, 2.0)) == [(own.code, 2.0)]
    assert resolve(person, (own.code, -1.0)) == [(own.code, -1.0)]
    for ref in (own.code, profile.public_id, "unknowncode1"):
        with pytest.raises(NotFound):
            resolve(friend, (ref, 1.0))
    profiles.set_code_visibility(session, person=person, code=own.code, visibility="unlisted")
    assert resolve(friend, (own.code, 1.0)) == [(own.code, 1.0)]


def test_using_anothers_taste_as_ones_own_default(session: Session, person: Person) -> None:
    code = profiles.freeze(session, profile=rate(session, person, *["left"] * UNLOCK)).code
    friend = accounts.create_guest(session)
    with pytest.raises(NotFound):
        profiles.use_code(session, person=friend, code=code)
    profiles.set_code_visibility(session, person=person, code=code, visibility="unlisted")
    profiles.use_code(session, person=friend, code=code)
    assert [c.code for c, _ in profiles.resolve_tastes(session, person=friend, refs=None)] == [code]
    assert profiles.info(session, person=friend).default_code == code
    profiles.set_code_visibility(session, person=person, code=code, visibility="private")
    with pytest.raises(InvalidPrompt, match=f"{code}, and its owner shares it no more.*--p off"):
        profiles.resolve_tastes(session, person=friend, refs=None)
    profiles.set_code_visibility(session, person=person, code=code, visibility="unlisted")
    profiles.revoke_code(session, person=person, code=code)
    with pytest.raises(InvalidPrompt):
        profiles.resolve_tastes(session, person=friend, refs=None)
    profiles.stop_using_code(session, person=friend)
    with pytest.raises(Locked):
        profiles.resolve_tastes(session, person=friend, refs=None)


def test_the_share_page_shows_public_images_only(session: Session, person: Person) -> None:
    code = profiles.freeze(session, profile=rate(session, person, *["left"] * 6))
    hidden = session.get_one(Image, code.liked_ids[0])
    hidden.visibility = "private"
    session.flush()
    view = profiles.share_view(session, code=code)
    assert [image.id for image in view.liked] == code.liked_ids[1:]
    assert view.checksum == code.checksum.hex()


def test_a_damaged_taste_is_noticed(session: Session, person: Person) -> None:
    code = profiles.freeze(session, profile=rate(session, person, *["left"] * UNLOCK))
    code.taste = code.taste[:-1] + bytes([code.taste[-1] ^ 1])
    with pytest.raises(CorruptFile, match="damaged"):
        profiles.frozen(code)


def test_accuracy_is_measured_on_random_pairs_only(session: Session, person: Person) -> None:
    assert profiles.info(session, person=person).accuracy is None
    profile = profiles.global_profile(session, person=person)
    decided = 0
    for _ in range(40):
        (pair,) = rating.next_pairs(session, profile=profile, count=1)
        decided += pair.selection == "random"
        rating.record(session, profile=profile, pair_id=pair.id, answer="left")
    measured = profiles.info(session, person=person).accuracy
    assert (measured.n if measured else 0) == decided


def test_codes_are_listed_newest_first_in_pages(session: Session, person: Person) -> None:
    rate(session, person, *["left"] * (UNLOCK - 1))
    made = []
    for _ in range(3):
        made.append(profiles.freeze(session, profile=rate(session, person, "left")).code)
        session.commit()
    first = profiles.list_codes(session, person=person, limit=2)
    rest = profiles.list_codes(session, person=person, before=first[-1].code)
    assert [code.code for code in (*first, *rest)] == made[::-1]
