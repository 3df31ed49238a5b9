"""Alembic's environment: the address comes from app.db, the metadata from app.models."""

from alembic import context
from sqlalchemy import create_engine, pool

import app.models  # noqa: F401  registers every table
from app.config import get_settings
from app.db import alembic_config
from app.models.base import metadata


def run() -> None:
    url = context.config.attributes.get("database_url")
    if url is None:
        url = alembic_config(get_settings().database).attributes["database_url"]
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, compare_server_default=False)
        with context.begin_transaction():
            context.run_migrations()


run()
