"""What routes depend on, as aliases: the session, the person, a token's scopes.

What asks the database is `def` and runs in a thread; the rest is `async def`, because going to a thread and
back costs more than it does.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from anyio import CancelScope
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session

from app.db import get_engine
from app.errors import Forbidden, NotSignedIn
from app.models import Person
from app.services import accounts
from app.web import csrf

_bearer = HTTPBearer(auto_error=False, description="A token from /settings, POST /tokens or POST /guests")


async def get_session() -> AsyncIterator[Session]:
    """One transaction a request, committed before the reply leaves."""
    session = Session(get_engine(), expire_on_commit=False)
    try:
        yield session
        await run_in_threadpool(session.commit)
    except BaseException:
        with CancelScope(shield=True):
            await run_in_threadpool(session.rollback)
        raise
    finally:
        session.close()  # the connection went back with the commit or the rollback


SessionDep = Annotated[Session, Depends(get_session, scope="function")]


@dataclass(frozen=True)
class Caller:
    """Who asks, and what they may do: a browser everything, a token its scopes."""

    person: Person
    scopes: frozenset[str]


def _caller(
    request: Request,
    session: SessionDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller | None:
    if credentials is not None:
        found = accounts.person_of_token(session, secret=credentials.credentials)
        if found is None:
            raise NotSignedIn("This token is unknown or was revoked. Make one in /settings.")
        return Caller(*found)
    if csrf.is_bearer(request):
        raise NotSignedIn("The Authorization header holds no token.")
    cookie = request.cookies.get(csrf.COOKIE)
    person = accounts.person_of_session(session, token=cookie) if cookie else None
    return None if person is None else Caller(person, frozenset(accounts.SCOPES))


MaybeCaller = Annotated[Caller | None, Depends(_caller)]


async def _maybe_person(caller: MaybeCaller) -> Person | None:
    return None if caller is None else caller.person


async def _current_person(caller: MaybeCaller) -> Person:
    if caller is None:
        raise NotSignedIn("Sign in, or rate an image on /explore to begin as a guest.")
    return caller.person


async def _person_or_guest(request: Request, session: SessionDep, caller: MaybeCaller) -> Person:
    if caller is not None:
        return caller.person
    return await run_in_threadpool(_guest, request, session)


def _guest(request: Request, session: Session) -> Person:
    cookie = csrf.cookie_of(request)
    if not csrf.is_visitor(cookie):  # signed out or expired: it must not come to life again
        csrf.forget_cookie(request)
        cookie = csrf.cookie_of(request)
    return accounts.guest_of_visitor(session, token=cookie)


MaybePerson = Annotated[Person | None, Depends(_maybe_person)]
"""The person who asks, or None for a visitor."""

CurrentPerson = Annotated[Person, Depends(_current_person)]
"""The person who asks; a visitor gets 401."""

PersonOrGuest = Annotated[Person, Depends(_person_or_guest)]
"""The person who asks; a visitor becomes a guest: for the first rating and the first job."""


def require_scope(scope: str) -> Callable[[Caller | None], Awaitable[Person]]:
    """A dependency that gives the person, if the token used has `scope`. Browser sessions have all."""
    if scope not in accounts.SCOPES:
        raise ValueError(f"there is no scope {scope}")

    async def person_with_scope(caller: MaybeCaller) -> Person:
        person = await _current_person(caller)
        if caller is not None and scope not in caller.scopes:
            raise Forbidden(f"This token lacks the scope {scope}. Make one that has it.", scope=scope)
        return person

    return person_with_scope


def sign_in_browser(request: Request, session: Session, person: Person) -> None:
    """Open a fresh session for `person` in this browser and end the one it had."""
    sign_out_browser(request, session)
    csrf.set_cookie(request, accounts.open_session(session, person=person))


def sign_out_browser(request: Request, session: Session) -> None:
    """End this browser's session; it goes on as a visitor."""
    cookie = request.cookies.get(csrf.COOKIE)
    if cookie:
        accounts.close_session(session, token=cookie)
    csrf.forget_cookie(request)
