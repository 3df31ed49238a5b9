"""The web application."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles

from app.config import REPOSITORY, get_settings
from app.db import get_engine
from app.web import api, csrf, health, problems, routes
from app.web.api.document import document
from app.web.headers import BodyLimits, SecurityHeaders

STATIC = REPOSITORY / "static"


def create_app() -> FastAPI:
    """The application, configured by `get_settings()`. Nothing is connected before the first request."""
    settings = get_settings()
    logging.basicConfig(level=settings.log_level)
    app = FastAPI(
        title="Penchant",
        version="1",
        summary="Learns one person's taste from choices and paints with it.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    problems.install(app)
    app.add_middleware(BodyLimits, max_upload_bytes=settings.max_upload_bytes)
    app.add_middleware(csrf.CookieMiddleware)
    app.add_middleware(SecurityHeaders)
    app.include_router(health.router)
    app.include_router(api.router, prefix="/api/v1", dependencies=[Depends(csrf.protect_cookie)])
    app.include_router(routes.router, include_in_schema=False, dependencies=[Depends(csrf.protect)])
    if STATIC.is_dir():
        app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    get_engine().dispose()
