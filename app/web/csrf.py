"""Who a browser is, and that a form was sent from our own page.

A browser's cookie is its session: a random value, of which the database keeps a hash. A visitor's cookie is
one that we signed but stored nowhere; it becomes the guest's session at the first rating. The CSRF token is
an HMAC of the cookie, so that it needs no storage and stays valid when a visitor becomes a guest.
"""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import get_settings
from app.errors import Forbidden
from app.services.accounts import SESSION_LIFETIME

COOKIE = "penchant_session"
HEADER = "X-CSRF-Token"
FIELD = "csrf_token"
EXPIRED = "This page has expired. Reload it and try again."
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


def cookie_of(request: Request) -> str:
    """The browser's cookie; a visitor without one is given one with the reply."""
    known: str | None = getattr(request.state, "cookie", None) or request.cookies.get(COOKIE)
    if known is None:
        known = _new_visitor()
        set_cookie(request, known)
    return known


def set_cookie(request: Request, token: str) -> None:
    """Send `token` as the browser's cookie with the reply, whatever kind of reply it is."""
    request.state.cookie = token


def forget_cookie(request: Request) -> None:
    """Sign the browser out: the reply gives it a visitor's cookie."""
    set_cookie(request, _new_visitor())


def is_visitor(token: str) -> bool:
    """Whether we signed this cookie for a visitor. Only such a one may become a session."""
    value, _, signature = token.partition(".")
    return bool(signature) and hmac.compare_digest(signature.encode(), _sign("visitor", value).encode())


def csrf_token(request: Request) -> str:
    """What forms of this browser have to carry."""
    return _sign("csrf", cookie_of(request))


async def protect(request: Request) -> None:
    """Refuse a change that does not come from our own page. Bearer tokens need no such protection."""
    if request.method in _SAFE or is_bearer(request):
        return
    _check_origin(request)
    cookie = request.cookies.get(COOKIE)
    sent = request.headers.get(HEADER)
    if sent is None and request.headers.get("content-type", "").startswith(_FORMS):
        field = (await request.form()).get(FIELD)
        sent = field if isinstance(field, str) else None
    if (
        cookie is None
        or sent is None
        or not hmac.compare_digest(sent.encode(), _sign("csrf", cookie).encode())
    ):
        raise Forbidden(EXPIRED)


async def protect_cookie(request: Request) -> None:
    """As `protect`, for the API: a request without our cookie has nothing that could be abused."""
    if COOKIE in request.cookies:
        await protect(request)


def is_bearer(request: Request) -> bool:
    """Whether the request names a token: then its cookie counts for nothing."""
    return request.headers.get("authorization", "").lower().startswith("bearer ")


def _check_origin(request: Request) -> None:
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    public = get_settings().public_url
    hosts = {request.headers.get("host"), urlsplit(public).netloc if public else None}
    if site not in (None, "same-origin", "none") or (origin and urlsplit(origin).netloc not in hosts):
        raise Forbidden("This request came from another site.")


def _new_visitor() -> str:
    value = secrets.token_urlsafe(32)
    return f"{value}.{_sign('visitor', value)}"


def _sign(purpose: str, value: str) -> str:
    key = get_settings().secret_key.encode()
    return hmac.new(key, f"{purpose}:{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


class CookieMiddleware:
    """Adds the cookie that a route or dependency set to the reply, also when that reply is an error."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_cookie(message: Message) -> None:
            token = scope.get("state", {}).get("cookie")
            if message["type"] == "http.response.start" and token is not None:
                secure = "; Secure" if get_settings().environment == "production" else ""
                age = int(SESSION_LIFETIME.total_seconds())
                value = f"{COOKIE}={token}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"
                message = {**message, "headers": [*message["headers"], (b"set-cookie", value.encode())]}
            await send(message)

        if scope["type"] == "http":
            scope.setdefault("state", {})
        await self.app(scope, receive, with_cookie if scope["type"] == "http" else send)
