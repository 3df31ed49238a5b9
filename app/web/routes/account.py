"""Signing in, signing out, and making a guest's account permanent."""

from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from app.errors import PenchantError
from app.services import accounts
from app.web.contexts import SignInPage
from app.web.deps import PersonOrGuest, sign_in_browser, sign_out_browser
from app.web.frame import FrameDep

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=1000)]


@router.get("/signin")
def sign_in_form(frame: FrameDep) -> Response:
    """The form for those who have an account."""
    return frame.show(SignInPage(shell=frame.shell(), new=False, email="", error=""))


@router.post("/signin")
def sign_in(frame: FrameDep, email: Text = "", password: Text = "") -> Response:
    """Sign in; what was rated in this browser as a guest moves into the account."""
    try:
        person = accounts.sign_in(frame.session, email=email, password=password, guest=frame.person)
    except PenchantError as error:
        page = SignInPage(shell=frame.shell(), new=False, email=email, error=error.message)
        return frame.show(page, status=error.status)
    sign_in_browser(frame.request, frame.session, person)
    return RedirectResponse("/explore", status_code=303)


@router.get("/signup")
def sign_up_form(frame: FrameDep) -> Response:
    """The form for a new account."""
    return frame.show(SignInPage(shell=frame.shell(), new=True, email="", error=""))


@router.post("/signup")
def sign_up(frame: FrameDep, person: PersonOrGuest, email: Text = "", password: Text = "") -> Response:
    """Give the guest of this browser an email and a password; nothing rated is lost."""
    try:
        with frame.session.begin_nested():
            accounts.claim(frame.session, person=person, email=email, password=password)
    except PenchantError as error:
        page = SignInPage(shell=frame.shell(person=person), new=True, email=email, error=error.message)
        return frame.show(page, status=error.status)
    sign_in_browser(frame.request, frame.session, person)
    return RedirectResponse("/settings?done=saved", status_code=303)


@router.post("/signout")
def sign_out(frame: FrameDep) -> Response:
    """End this browser's session."""
    sign_out_browser(frame.request, frame.session)
    return RedirectResponse("/", status_code=303)
