"""What every page route has at hand: who asks, the session, and the way to show a page."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response
from sqlmodel import Session

from app.models import Person
from app.web import cards, csrf
from app.web.contexts import Page, Shell
from app.web.deps import MaybePerson, SessionDep
from app.web.templating import render


@dataclass(frozen=True)
class Frame:
    """One request for a page."""

    request: Request
    session: Session
    person: Person | None

    @property
    def csrf(self) -> str:
        """What this browser's forms have to carry."""
        return csrf.csrf_token(self.request)

    @property
    def is_htmx(self) -> bool:
        """Whether htmx asks for a fragment."""
        return self.request.headers.get("hx-request") == "true"

    def shell(self, section: str = "", *, person: Person | None = None) -> Shell:
        """The frame of the page; `person` where the request made a guest of the visitor."""
        return cards.shell(self.session, person=person or self.person, csrf=self.csrf, section=section)

    def show(self, page: Page, *, block: str | None = None, status: int = 200) -> Response:
        """The page, or one block of it."""
        return render(self.request, page, block=block, status=status)


async def _frame(request: Request, session: SessionDep, person: MaybePerson) -> Frame:
    return Frame(request, session, person)


FrameDep = Annotated[Frame, Depends(_frame)]
