"""Failures on their way out: problem+json (RFC 9457) under /api, a page everywhere else."""

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from psycopg import OperationalError as DriverError
from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from app.errors import PenchantError
from app.web.headers import HEADERS
from app.web.routes.errors import error_page, wants_json

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}
_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take this kind of request.",
    413: "This is too large. Send less at once.",
}
_BROKEN = "Something broke on our side. Try again; the operator finds the reason in the log."
_AWAY = "The database is away or busy. Try again in a few seconds."


def install(app: FastAPI) -> None:
    """Have `app` answer every failure with a sentence and the right status."""
    app.add_exception_handler(PenchantError, _penchant_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    for away in (OperationalError, InterfaceError, PoolTimeout, DriverError, RedisError):
        app.add_exception_handler(away, _part_away)
    app.add_exception_handler(Exception, _unexpected)


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    headers: dict[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:
    """The failure as this caller reads it."""
    title = HTTPStatus(status).phrase
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"Retry-After": str(RETRY_SECONDS), **(headers or {})}
    if not request.url.path.startswith("/api") and not wants_json(request):
        page = error_page(request, status=status, message=detail, code=code)
        page.headers.update(headers or {})
        return page
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    body = {**(more or {}), **body}
    return Response(json.dumps(body, default=str), status, headers, media_type=MEDIA_TYPE)


def _penchant_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PenchantError)
    if error.status >= 500:
        log.error("%s %s: %s", request.method, request.url.path, error.message)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return problem(request, error.status, error.code, error.message, headers=headers, more=error.details)


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [_field_error(one) for one in error.errors()]
    if any(one["type"] == "json_invalid" for one in error.errors()):
        return problem(request, 400, "bad_request", "The body is not JSON.", more={"errors": problems})
    return problem(request, 422, "invalid_input", _sentence(problems), more={"errors": problems})


def _field_error(error: dict[str, Any]) -> dict[str, str]:
    where = [str(part) for part in error["loc"]]
    return {"in": where[0] if where else "", "field": ".".join(where[1:]), "message": str(error["msg"])}


def _sentence(problems: Sequence[dict[str, str]]) -> str:
    return " ".join(f"{one['field'] or one['in']}: {one['message'].rstrip('.')}." for one in problems[:5])


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = _SENTENCES.get(error.status_code, str(error.detail))
    code = _CODES.get(error.status_code, "bad_request")
    return problem(request, error.status_code, code, detail, headers=dict(error.headers or {}))


def _part_away(request: Request, error: Exception) -> Response:
    log.warning("%s %s: %s", request.method, request.url.path, error)
    return problem(request, 503, "unavailable", _AWAY)


def _unexpected(request: Request, error: Exception) -> Response:
    headers = {name.decode(): value.decode() for name, value in HEADERS}  # it leaves outside the middleware
    return problem(request, 500, "internal_error", _BROKEN, headers=headers)
