"""How a page's context becomes HTML."""

import hashlib
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments.fastapi import Jinja2Blocks

from app.config import REPOSITORY
from app.web.contexts import Page

STATIC = REPOSITORY / "static"
AGES = ((86400 * 2, 86400, "days"), (7200, 3600, "hours"), (120, 60, "minutes"))


@lru_cache
def get_templates() -> Jinja2Blocks:
    """The process's templates. A name that a context does not have is an error, never an empty string."""
    environment = Environment(
        loader=FileSystemLoader(REPOSITORY / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"ago": ago, "day": day}
    environment.globals["static"] = static_url
    return Jinja2Blocks(env=environment)


def render(
    request: Request,
    page: Page,
    *,
    block: str | None = None,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """The page, or one block of its template alone."""
    context: dict[str, Any] = {field.name: getattr(page, field.name) for field in fields(page)}
    response = get_templates().TemplateResponse(
        request, page.template, context, status_code=status, headers=headers, block_name=block
    )
    response.status_code = status  # a block's response takes none
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.headers.setdefault("Vary", "HX-Request")
    return response


@lru_cache(maxsize=64)
def static_url(name: str) -> str:
    """The address of a static file; it changes when the file does, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def ago(moment: datetime) -> str:
    """A time in the past as one would say it: `3 minutes ago`."""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for threshold, unit, name in AGES:
        if seconds >= threshold:
            return f"{int(seconds // unit)} {name} ago"
    return "a minute ago" if seconds >= 60 else "just now"


def day(moment: datetime) -> str:
    """A date in words, the same in every locale."""
    return f"{moment.day} {moment:%B %Y}"
