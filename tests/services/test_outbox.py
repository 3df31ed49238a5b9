"""What waits for the commit."""

import logging

import pytest
from sqlmodel import Session

from app.models import Person
from app.services.outbox import after_commit


def test_runs_once_after_the_commit_and_in_order(session: Session) -> None:
    done: list[str] = []
    session.add(Person())
    after_commit(session, lambda: done.append("first"))
    after_commit(session, lambda: done.append("second"))
    with session.begin_nested():
        session.add(Person())
    assert done == []  # a savepoint is no commit
    session.commit()
    assert done == ["first", "second"]
    session.add(Person())
    session.commit()
    assert done == ["first", "second"]


def test_a_rollback_forgets_it(session: Session) -> None:
    done: list[str] = []
    session.add(Person())
    session.flush()
    after_commit(session, lambda: done.append("never"))
    session.rollback()
    session.add(Person())
    session.commit()
    assert done == []


def test_a_failure_is_logged_and_stops_nothing(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    session.add(Person())
    after_commit(session, lambda: 1 / 0)
    after_commit(session, lambda: done.append("after"))
    with caplog.at_level(logging.ERROR):
        session.commit()
    assert done == ["after"]
    assert "after the commit" in caplog.text
