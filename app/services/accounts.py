"""Guests, accounts, browser sessions, tokens and settings."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import bindparam, delete, func, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.models import ApiToken, Image, Person, PersonSettings, WebSession
from app.services.merging import merge_guest
from app.services.outbox import after_commit
from app.storage import get_storage

SCOPES = ("read", "rate", "generate", "profiles", "account")
SESSION_LIFETIME = timedelta(days=365)  # a guest who loses the cookie loses the ratings
TOKEN_PREFIX = "pnc_"
MAX_TOKENS = 100
MIN_PASSWORD, MAX_PASSWORD = 8, 200
# Built once: every request asks one of these, and building a statement costs more than running it.
_OF_SESSION = (
    select(Person)
    .join(WebSession, col(WebSession.person_id) == col(Person.id))
    .where(col(WebSession.token_hash) == bindparam("hash"), col(WebSession.expires_at) > func.now())
)
_OF_TOKEN = (
    select(Person, ApiToken)
    .join(ApiToken, col(ApiToken.person_id) == col(Person.id))
    .where(col(ApiToken.token_hash) == bindparam("hash"), col(ApiToken.revoked_at).is_(None))
)
HAS_ACCOUNT = "You already have an account. Sign out to create another."
EMAIL_TAKEN = "This email has an account already. Sign in instead."
WRONG_CREDENTIALS = "The email or the password is wrong. Check both, or create an account."


def create_guest(session: Session) -> Person:
    """A person without email or password, who may claim an account later."""
    person = Person()
    session.add(person)
    session.flush()
    return person


def claim(session: Session, *, person: Person, email: str, password: str) -> None:
    """Make a guest's account permanent; everything rated stays.

    Raises InvalidInput on an unusable email or password, Conflict when the email is taken or the person has
    an account already.
    """
    email, password = _checked_email(email), _checked_password(password)
    if person.email is not None:
        raise Conflict(HAS_ACCOUNT)
    if session.exec(select(Person.id).where(Person.email == email)).first() is not None:
        raise Conflict(EMAIL_TAKEN)
    statement = (
        update(Person)
        .where(col(Person.id) == person.id, col(Person.email).is_(None))
        .values(email=email, password_hash=_hasher().hash(password))
        .returning(col(Person.id))
    )
    try:
        claimed = session.execute(statement).first()
    except IntegrityError as error:  # somebody took it since we looked
        raise Conflict(EMAIL_TAKEN) from error
    if claimed is None:
        raise Conflict(HAS_ACCOUNT)
    session.refresh(person)


def sign_in(session: Session, *, email: str, password: str, guest: Person | None) -> Person:
    """The person with these credentials; what `guest` rated and made moves into the account.

    Raises Forbidden with one message whatever was wrong, after the same work.
    """
    person = None
    if email.isprintable():  # anything else is no email, and some of it is nothing a database could look for
        person = session.exec(select(Person).where(Person.email == email.strip().lower())).first()
    stored = person.password_hash if person is not None else None
    fits = _verify(stored or _nobodys_hash(), password)
    if person is None or not fits:
        raise Forbidden(WRONG_CREDENTIALS)
    if stored is not None and _hasher().check_needs_rehash(stored):
        person.password_hash = _hasher().hash(password)
    if guest is not None and guest.email is None and guest.id != person.id:
        merge_guest(session, guest=guest, person=person)
    session.flush()
    return person


def open_session(session: Session, *, person: Person, token: str | None = None) -> str:
    """Start a browser session and return the cookie's value: a fresh one unless `token` is given."""
    token = token or secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    session.execute(
        delete(WebSession).where(col(WebSession.person_id) == person.id, col(WebSession.expires_at) < now)
    )
    session.add(WebSession(token_hash=_hash(token), person_id=_id(person), expires_at=now + SESSION_LIFETIME))
    session.flush()
    return token


def guest_of_visitor(session: Session, *, token: str) -> Person:
    """The guest whose cookie is `token`, made at the first call; two calls at once make one guest."""
    person = person_of_session(session, token=token)
    if person is not None:
        return person
    person = create_guest(session)
    opened = session.execute(
        insert(WebSession)
        .values(token_hash=_hash(token), person_id=person.id, expires_at=datetime.now(UTC) + SESSION_LIFETIME)
        .on_conflict_do_nothing()
        .returning(col(WebSession.person_id))
    ).first()
    if opened is not None:
        return person
    session.delete(person)  # another request with the same cookie was faster
    session.flush()
    found = person_of_session(session, token=token)
    if found is None:
        raise Forbidden("Your session has expired. Reload the page and sign in again.")
    return found


def person_of_session(session: Session, *, token: str) -> Person | None:
    """Who the cookie belongs to, unless it expired or was signed out."""
    return session.exec(_OF_SESSION, params={"hash": _hash(token)}).first()


def close_session(session: Session, *, token: str) -> None:
    """Sign the browser out."""
    session.execute(delete(WebSession).where(col(WebSession.token_hash) == _hash(token)))


def create_token(
    session: Session, *, person: Person, name: str, scopes: Collection[str]
) -> tuple[ApiToken, str]:
    """A token for scripts and its secret, which is shown this once and stored only as a hash."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise InvalidInput(
            f"A token needs at least one of the scopes {', '.join(SCOPES)}.", field="scopes", unknown=unknown
        )
    if not name.strip() or len(name) > 100:
        raise InvalidInput("Give the token a name of 1 to 100 characters.", field="name")
    if len(list_tokens(session, person=person)) >= MAX_TOKENS:
        raise Conflict(f"You have {MAX_TOKENS} tokens. Revoke one that you no longer use.")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        person_id=_id(person),
        name=name.strip(),
        token_hash=_hash(secret),
        scopes=[scope for scope in SCOPES if scope in scopes],
    )
    session.add(token)
    session.flush()
    session.refresh(token)
    return token, secret


def list_tokens(session: Session, *, person: Person) -> list[ApiToken]:
    """The person's tokens that still work, newest first."""
    query = (
        select(ApiToken)
        .where(ApiToken.person_id == person.id, col(ApiToken.revoked_at).is_(None))
        .order_by(col(ApiToken.id).desc())
    )
    return list(session.exec(query))


def revoke_token(session: Session, *, person: Person, token_id: int) -> None:
    """Make a token useless at once. Raises NotFound, also for other people's."""
    revoked = session.execute(
        update(ApiToken)
        .where(
            col(ApiToken.id) == token_id,
            col(ApiToken.person_id) == person.id,
            col(ApiToken.revoked_at).is_(None),
        )
        .values(revoked_at=func.now())
        .returning(col(ApiToken.id))
    ).first()
    if revoked is None:
        raise NotFound("You have no such token. GET /api/v1/tokens lists yours.")


def person_of_token(session: Session, *, secret: str) -> tuple[Person, frozenset[str]] | None:
    """Whose token this is and what it may do; None when it is unknown or revoked."""
    found = session.exec(_OF_TOKEN, params={"hash": _hash(secret)}).first()
    if found is None:
        return None
    person, token = found
    minute_ago = datetime.now(UTC) - timedelta(minutes=1)
    if token.last_used_at is None or token.last_used_at < minute_ago:
        session.execute(
            update(ApiToken)
            .where(
                col(ApiToken.id) == token.id,
                or_(col(ApiToken.last_used_at).is_(None), col(ApiToken.last_used_at) < minute_ago),
            )
            .values(last_used_at=func.now())
            .execution_options(synchronize_session=False)
        )
    return person, frozenset(token.scopes)


def get_settings_of(session: Session, *, person: Person) -> PersonSettings:
    """The person's settings, or the defaults, unsaved, of somebody who never changed any."""
    return session.get(PersonSettings, _id(person)) or PersonSettings(person_id=_id(person))


def update_settings(
    session: Session,
    *,
    person: Person,
    personalize: bool | None = None,
    stylize: int | None = None,
    model: str | None = None,
    contribute: bool | None = None,
    cautious: bool | None = None,
) -> PersonSettings:
    """Change what is given and keep the rest. Raises InvalidInput."""
    if stylize is not None and not 0 <= stylize <= 1000:
        raise InvalidInput(f"Stylize goes from 0 to 1000, not {stylize}.", field="stylize")
    given = {
        "personalize": personalize,
        "stylize": stylize,
        "model": model,
        "contribute": contribute,
        "cautious": cautious,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    session.execute(insert(PersonSettings).values(person_id=person.id).on_conflict_do_nothing())
    settings = session.get_one(PersonSettings, _id(person))
    for name, value in changes.items():
        setattr(settings, name, value)
    session.flush()
    return settings


def delete_person(session: Session, *, person: Person) -> None:
    """Delete somebody with everything rated, frozen and made; the files go once that is committed."""
    rows = session.exec(select(Image.key, Image.thumbnail_key).where(Image.owner_id == person.id)).all()
    keys = [key for row in rows for key in row]
    session.execute(delete(Person).where(col(Person.id) == person.id))
    session.expunge(person)
    if keys:
        after_commit(session, lambda: get_storage().delete(*keys))


@lru_cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@lru_cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def _checked_email(email: str) -> str:
    try:
        checked = validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise InvalidInput(f"This email cannot be used: {error}", field="email") from error
    if len(checked) > 254:
        raise InvalidInput("This email is longer than 254 characters.", field="email")
    return checked


def _checked_password(password: str) -> str:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidInput(
            f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters; a few words make a good one.",
            field="password",
        )
    return password


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _id(person: Person) -> int:
    if person.id is None:
        raise ValueError("the person has not been stored yet")
    return person.id
