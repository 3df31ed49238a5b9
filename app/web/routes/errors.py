"""Failures as pages: a sentence that says what to do next, and a way on."""

from fastapi import Request, Response

from app.web import csrf
from app.web.contexts import ErrorPage, Shell
from app.web.templating import render

TITLES = {
    400: "That could not be read",
    401: "Sign in first",
    403: "That is not allowed",
    404: "Nothing is here",
    405: "That is not possible here",
    409: "That does not fit",
    413: "That is too large",
    422: "Something is not right yet",
    429: "A little too much at once",
    503: "Something is away at the moment",
}
WAYS_ON = {"personalization_locked": ("/explore", "Rate now"), "not_signed_in": ("/signin", "Sign in")}


def wants_json(request: Request) -> bool:
    """Whether a script asks that reads JSON, rather than a person's browser."""
    return "application/json" in request.headers.get("accept", "")


def error_page(request: Request, *, status: int, message: str, code: str = "") -> Response:
    """The page for a failure. It asks no database: that may be what failed."""
    shell = Shell(section="", email=None, ratings=0, needed=0, csrf=csrf.csrf_token(request), blurred=None)
    title = TITLES.get(status, "Something broke")
    action = WAYS_ON.get(code, ("/explore", "Explore"))
    page = ErrorPage(shell=shell, status=status, title=title, message=message, action=action)
    fragment = request.headers.get("hx-request") == "true"
    return render(request, page, block="message" if fragment else None, status=status)
