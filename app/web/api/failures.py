"""The failures that a route can answer with, for its OpenAPI entry."""

from http import HTTPStatus
from typing import Any

from app.web.api.schemas import Problem
from app.web.problems import MEDIA_TYPE

_EXAMPLES: dict[int, tuple[str, str]] = {
    400: ("bad_request", "The body is not JSON."),
    401: ("not_signed_in", "This token is unknown or was revoked. Make one in /settings."),
    403: ("forbidden", "This token lacks the scope rate. Make one that has it."),
    404: ("not_found", "This pair was not shown to you. Reload /explore."),
    409: ("conflict", "This job is already done."),
    413: ("too_large", "This is too large. Send less at once."),
    422: ("invalid_input", "limit: Input should be less than or equal to 100."),
    429: ("too_many_requests", "You have 200 jobs waiting or running, and 200 is the limit."),
    503: ("unavailable", "The database is away or busy. Try again in a few seconds."),
}
_EVERYWHERE = (401, 403, 422, 503)


Responses = dict[int | str, dict[str, Any]]


def failures(*statuses: int) -> Responses:
    """OpenAPI responses for `statuses` and for those that every route has."""
    return {status: _failure(status) for status in sorted({*statuses, *_EVERYWHERE})}


def _failure(status: int) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    code, detail = _EXAMPLES[status]
    example = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {"description": detail, "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}
