"""The OpenAPI document."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.web.api.schemas import Problem

DESCRIPTION = """
Everything a page does, for scripts. `POST /api/v1/guests` makes a new person with a token, /settings makes
tokens for an existing one; send it as `Authorization: Bearer pnc_...`.

Failures are problem+json (RFC 9457) with a stable `code` and a sentence in `detail`. Lists are newest first:
pass `next` as `before` for the following page.
"""


def document(app: FastAPI) -> dict[str, Any]:
    """The document of `app`'s API, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=DESCRIPTION,
            routes=app.routes,
        )
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schema["components"]["schemas"][Problem.__name__] = problem
        app.openapi_schema = schema
    return app.openapi_schema
