"""Guests, accounts, sessions, tokens, settings, and the end of a person."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, update
from sqlmodel import Session, col, select

from app.config import Settings
from app.db import session_scope
from app.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.models import ApiToken, Code, Image, Pair, Person, Profile, Rating, WebSession
from app.services import accounts, profiles, rating
from app.services.tastes import load_taste
from app.storage import get_storage
from tests.gallery import make_gallery, make_image

EMAIL, PASSWORD = "ada@example.com", "correct horse battery"


def account(session: Session, email: str = EMAIL) -> Person:
    person = accounts.create_guest(session)
    accounts.claim(session, person=person, email=email, password=PASSWORD)
    return person


def rate(session: Session, person: Person, count: int, answer: str = "left") -> Profile:
    profile = profiles.global_profile(session, person=person)
    for _ in range(count):
        (pair,) = rating.next_pairs(session, profile=profile, count=1)
        rating.record(session, profile=profile, pair_id=pair.id, answer=answer)
    return profile


def test_claiming_keeps_everything_and_lower_cases_the_email(session: Session) -> None:
    make_gallery(session)
    guest = accounts.create_guest(session)
    rate(session, guest, 2)
    accounts.claim(session, person=guest, email=" Ada@Example.com ", password=PASSWORD)
    assert guest.email == EMAIL
    assert guest.password_hash is not None
    assert guest.password_hash.startswith("$argon2id$")
    assert profiles.info(session, person=guest).rating_count == 2


@pytest.mark.parametrize(
    ("email", "password"),
    [("no address", PASSWORD), (EMAIL, "short"), (EMAIL, "x" * 300), ("a\x00@example.com", PASSWORD)],
)
def test_unusable_credentials_are_refused(session: Session, email: str, password: str) -> None:
    with pytest.raises(InvalidInput):
        accounts.claim(session, person=accounts.create_guest(session), email=email, password=password)


def test_an_email_has_one_account(session: Session) -> None:
    person = account(session)
    with pytest.raises(Conflict, match="has an account already"):
        account(session, EMAIL.upper())
    with pytest.raises(Conflict, match="You already have an account"):
        accounts.claim(session, person=person, email="b@example.com", password=PASSWORD)


def test_claiming_an_email_at_once_succeeds_once(engine: Engine) -> None:
    def claim(_: int) -> bool:
        try:
            with session_scope(engine) as own:
                account(own)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(claim, range(3))) == 1


def test_signing_in_needs_email_and_password(session: Session) -> None:
    person = account(session)
    assert accounts.sign_in(session, email=" ADA@example.com", password=PASSWORD, guest=None).id == person.id
    messages = set()
    for email, password in (
        (EMAIL, "wrong password"),
        ("nobody@example.com", PASSWORD),
        ("\ud800", "\ud800"),
    ):
        with pytest.raises(Forbidden) as refused:
            accounts.sign_in(session, email=email, password=password, guest=None)
        messages.add(refused.value.message)
    assert messages == {accounts.WRONG_CREDENTIALS}


def pairs_of(session: Session, profile: Profile) -> Sequence[Pair]:
    return session.exec(select(Pair).where(Pair.profile_id == profile.id)).all()


def test_signing_in_brings_along_what_the_guest_did(session: Session) -> None:
    make_gallery(session)
    person, guest = account(session), accounts.create_guest(session)
    target, source = rate(session, person, 3), rate(session, guest, 4, "right")
    image = make_image(session, "mine", visibility="private", owner=guest.id)
    own = {(pair.left_id, pair.right_id) for pair in pairs_of(session, target)}
    shared = next(
        pair
        for pair in pairs_of(session, source)
        if not {(pair.left_id, pair.right_id), (pair.right_id, pair.left_id)} & own
    )
    mirrored = Pair(
        id=shared.id.__class__(int=shared.id.int ^ 1),
        profile_id=target.id or 0,
        left_id=shared.right_id,
        right_id=shared.left_id,
        selection="chosen",
    )
    session.add(mirrored)
    session.flush()
    rating.record(session, profile=target, pair_id=mirrored.id, answer="tie")
    expected = len({*rated_images(session, target), *rated_images(session, source)})
    accounts.sign_in(session, email=EMAIL, password=PASSWORD, guest=guest)
    merged = profiles.global_profile(session, person=person)
    assert merged.id == target.id
    assert merged.rating_count == expected  # the account's own answer to the pair both knew stands
    answer = session.exec(select(Rating.answer).where(Rating.pair_id == mirrored.id)).one()
    assert answer == "tie"
    assert load_taste(session, profile=merged).count == merged.rating_count
    assert session.get_one(Image, image).owner_id == person.id
    assert session.exec(select(func.count()).select_from(Person)).one() == 1
    assert session.exec(select(func.count()).select_from(Rating)).one() == merged.rating_count


def rated_images(session: Session, profile: Profile) -> list[frozenset[int | None]]:
    log = rating.list_ratings(session, profile=profile)
    return [frozenset((row.left.id, row.right.id)) for row in log]


def test_sessions_end_by_signing_out_and_by_time(session: Session) -> None:
    person = accounts.create_guest(session)
    token = accounts.open_session(session, person=person)
    other = accounts.open_session(session, person=person)
    assert token != other
    found = accounts.person_of_session(session, token=token)
    assert found is not None
    assert found.id == person.id
    stored = session.exec(select(WebSession.token_hash)).all()
    assert token.encode() not in stored
    accounts.close_session(session, token=token)
    assert accounts.person_of_session(session, token=token) is None
    past = datetime.now(UTC) - timedelta(seconds=1)
    session.execute(update(WebSession).values(expires_at=past))
    assert accounts.person_of_session(session, token=other) is None


def test_a_visitors_first_requests_at_once_make_one_guest(engine: Engine) -> None:
    def arrive(_: int) -> int | None:
        with session_scope(engine) as own:
            return accounts.guest_of_visitor(own, token="one-cookie").id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(arrive, range(12)))) == 1
    with session_scope(engine) as own:
        assert own.exec(select(func.count()).select_from(Person)).one() == 1


def test_tokens_are_stored_hashed_scoped_and_revocable(session: Session) -> None:
    person, other = accounts.create_guest(session), accounts.create_guest(session)
    token, secret = accounts.create_token(session, person=person, name=" ci ", scopes=["rate", "read"])
    assert secret.startswith("pnc_")
    assert (token.name, token.scopes) == ("ci", ["read", "rate"])
    found = accounts.person_of_token(session, secret=secret)
    assert found is not None
    assert (found[0].id, set(found[1])) == (person.id, {"read", "rate"})
    session.refresh(token)
    assert token.last_used_at is not None
    with pytest.raises(NotFound):
        accounts.revoke_token(session, person=other, token_id=token.id or 0)
    accounts.revoke_token(session, person=person, token_id=token.id or 0)
    assert accounts.person_of_token(session, secret=secret) is None
    assert accounts.list_tokens(session, person=person) == []


@pytest.mark.parametrize(
    ("name", "scopes"), [("ci", []), ("ci", ["everything"]), ("  ", ["read"]), ("x" * 101, ["read"])]
)
def test_unusable_tokens_are_refused(session: Session, name: str, scopes: list[str]) -> None:
    with pytest.raises(InvalidInput):
        accounts.create_token(session, person=accounts.create_guest(session), name=name, scopes=scopes)


def test_settings_keep_what_is_not_given(session: Session) -> None:
    person = accounts.create_guest(session)
    assert accounts.get_settings_of(session, person=person).stylize == 100
    accounts.update_settings(session, person=person, stylize=250)
    changed = accounts.update_settings(session, person=person, personalize=True)
    assert (changed.stylize, changed.personalize) == (250, True)
    with pytest.raises(InvalidInput, match="0 to 1000"):
        accounts.update_settings(session, person=person, stylize=1001)


def test_a_deleted_person_leaves_nothing(
    session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_gallery(session)
    person = account(session)
    monkeypatch.setattr(settings, "unlock_ratings", 2)
    profiles.freeze(session, profile=rate(session, person, 2))
    image = make_image(session, "mine", owner=person.id)
    get_storage().put("mine.webp", b"bytes", content_type="image/webp")
    accounts.open_session(session, person=person)
    accounts.create_token(session, person=person, name="ci", scopes=["read"])
    session.commit()
    accounts.delete_person(session, person=person)
    assert get_storage().get("mine.webp") == b"bytes"  # nothing is gone before the commit
    session.commit()
    with pytest.raises(NotFound):
        get_storage().get("mine.webp")
    for table in (Person, Profile, Rating, Pair, Code, ApiToken, WebSession):
        assert session.exec(select(func.count()).select_from(table)).one() == 0
    assert session.exec(select(Image).where(col(Image.id) == image)).first() is None
