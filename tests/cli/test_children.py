"""How `penchant up` starts a child again that keeps ending, and what it says of that."""

import logging
from pathlib import Path

import pytest

from app.cli.children import LAST_BACKOFF_SECONDS, LAST_BROKEN_SECONDS, Child
from app.cli.supervisor import tell_end
from app.services.workers import EXIT_BROKEN

log = logging.getLogger("penchant")


def child_of(folder: Path, script: str) -> Child:
    return Child("worker-1", ["/bin/sh", "-c", script], {}, folder / "worker-1.log")


def end(child: Child) -> int:
    """Start the child and wait for its end."""
    child.start()
    assert child.process is not None
    child.process.wait(10)
    status = child.watch()
    assert status is not None
    return status


@pytest.mark.parametrize(
    ("status", "first", "last"), [(1, 0.4, LAST_BACKOFF_SECONDS), (EXIT_BROKEN, 2.0, LAST_BROKEN_SECONDS)]
)
def test_pauses_grow_to_a_limit(tmp_path: Path, status: int, first: float, last: float) -> None:
    child = child_of(tmp_path, f"exit {status}")
    pauses = []
    for _ in range(7):
        assert end(child) == status
        pauses.append(child._backoff)
        assert child.watch() is None
        assert child.process is None  # not before the pause is over
    assert pauses[0] == first
    assert pauses[1:] == [min(2 * pause, last) for pause in pauses[:-1]]
    assert pauses[-1] == last


def test_a_model_that_takes_long_to_fail_is_not_tried_without_a_pause(tmp_path: Path) -> None:
    child = child_of(tmp_path, f"exit {EXIT_BROKEN}")
    end(child)
    child.start()
    child._started -= 3600
    assert child.process is not None
    child.process.wait(10)
    assert child.watch() == EXIT_BROKEN
    assert child._backoff == 4.0


def test_what_is_broken_is_said_once_until_it_is_another_thing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    why = tmp_path / "why"
    child = child_of(tmp_path, f"echo loading; cat '{why}'; exit {EXIT_BROKEN}")
    for text in ("The weights are cut short.", "The weights are cut short.", "The encoder is another."):
        why.write_text(f"{text}\n")
        tell_end(child, end(child), log)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("worker-1 cannot work: The weights are cut short.\n")
    assert str(child.log) in said[0]
    assert "The encoder is another." in said[1]


def test_a_child_that_died_of_something_else_is_told_of_each_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    child = child_of(tmp_path, "echo alas; exit 1")
    for _ in range(2):
        tell_end(child, end(child), log)
    assert [record.getMessage() for record in caplog.records] == [
        "worker-1 ended with status 1 and is started again:\nalas",
        "worker-1 ended with status 1 and is started again:\nalas\nalas",
    ]
