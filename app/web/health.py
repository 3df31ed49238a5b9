"""Is it alive, and are the parts that it needs there?"""

from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text

from app.config import get_settings
from app.web.deps import SessionDep

BROKER_TIMEOUT_SECONDS = 0.5

router = APIRouter(include_in_schema=False)


class Health(BaseModel):
    """`ok` needs the database; without the broker, pages and ratings work and jobs wait."""

    status: Literal["ok"]
    database: Literal["ok"]
    broker: Literal["ok", "away"]


@router.get("/ping", response_class=PlainTextResponse)
def ping() -> str:
    """Answers without asking anything of anybody: what the server itself costs."""
    return "pong"


@router.get("/healthz")
def healthz(session: SessionDep, response: Response) -> Health:
    """200 while the database answers, else 503."""
    session.execute(text("select 1"))
    response.headers["Cache-Control"] = "no-store"
    return Health(status="ok", database="ok", broker="ok" if _broker_answers() else "away")


def _broker_answers() -> bool:
    try:
        with Redis.from_url(
            get_settings().redis,
            socket_connect_timeout=BROKER_TIMEOUT_SECONDS,
            socket_timeout=BROKER_TIMEOUT_SECONDS,
        ) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False
