"""What has to wait until the transaction is safe: messages to workers, removal of files."""

import logging
from collections.abc import Callable

from sqlalchemy import event
from sqlmodel import Session

log = logging.getLogger(__name__)

_WAITING = "penchant.after_commit"


def after_commit(session: Session, fn: Callable[[], object]) -> None:
    """Run `fn` once the outermost transaction of `session` has committed; drop it when that rolls back.

    `fn` must not use the session. Its failure is logged and undoes nothing: what it does has to be something
    that a sweep can do again.
    """
    if _WAITING not in session.info:
        session.info[_WAITING] = []
        event.listen(session, "after_commit", _run)
        event.listen(session, "after_rollback", _drop)
    session.info[_WAITING].append(fn)


def _run(session: Session) -> None:
    if session.in_nested_transaction():
        return
    waiting, session.info[_WAITING] = session.info[_WAITING], []
    for fn in waiting:
        try:
            fn()
        except Exception:
            log.exception("after the commit: %r failed", fn)


def _drop(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info[_WAITING] = []
