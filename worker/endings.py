"""Jobs that ended without a worker that holds them: what they left is dropped, and people are told."""

import logging
from uuid import UUID

from sqlalchemy import Engine

from app.db import session_scope
from app.services import joblife
from app.services.events import Events
from app.storage import Storage

log = logging.getLogger(__name__)


def tell(
    engine: Engine, storage: Storage, events: Events, job_id: UUID, n: int, *, state: str, why: str | None
) -> None:
    """A job of `n` images ended like that: drop what it left, and tell."""
    log.warning("job %s: %s without its worker. %s", job_id, state, why or "")
    discard(engine, storage, job_id, n)
    events.publish(job_id, {"state": state, **({"error": why} if why is not None else {})})


def discard(engine: Engine, storage: Storage, job_id: UUID, n: int) -> None:
    """Remove files that an ended or deleted job left without a row. A failure only leaves files behind."""
    try:
        with session_scope(engine) as session:
            keys = joblife.unused_keys(session, job_id=job_id, n=n)
        storage.delete(*keys)
    except Exception:
        log.exception("job %s: its unused files could not be removed", job_id)
