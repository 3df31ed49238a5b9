"""The engine and the transaction that surrounds one request or one task."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine
from sqlmodel import Session

from app.config import REPOSITORY, get_settings

POOL_TIMEOUT_SECONDS = 5.0


def make_engine(database_url: str, *, pool_size: int = 20) -> Engine:
    """An engine for `database_url`; asking for a connection waits at most POOL_TIMEOUT_SECONDS."""
    return create_engine(
        _psycopg(database_url),
        pool_size=pool_size,
        max_overflow=10,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5},
    )


def _psycopg(url: str) -> str:
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


@lru_cache
def get_engine() -> Engine:
    """The process's engine, made at first use."""
    return make_engine(get_settings().database)


@contextmanager
def session_scope(engine: Engine | None = None) -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back when it raises."""
    with Session(engine or get_engine(), expire_on_commit=False) as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


def alembic_config(database_url: str) -> Config:
    """Alembic's configuration for `database_url`."""
    config = Config()
    config.set_main_option("script_location", str(REPOSITORY / "app" / "migrations"))
    config.attributes["database_url"] = _psycopg(database_url)
    return config


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the schema at `database_url` to `revision`."""
    command.upgrade(alembic_config(database_url), revision)
