"""Which model a worker should hold: one that jobs wait for, without loading back and forth."""

import time
from collections.abc import Mapping, Sequence, Set

from sqlalchemy import Engine

from app.config import get_settings
from app.db import session_scope
from app.services import joblife
from app.services.events import Events
from app.services.workers import Worker


class Switching:
    """Looks, for a worker that has just loaded its model, whether jobs wait for one of `others`."""

    def __init__(self, engine: Engine, events: Events, worker: Worker, others: Sequence[str]) -> None:
        self._engine = engine
        self._events = events
        self._worker = worker
        self._others = others
        self._since = time.monotonic()

    def wanted(self) -> str | None:
        """The preset to load instead, if any."""
        if not self._others:
            return None
        with session_scope(self._engine) as session:
            waiting = joblife.waiting(session, presets=[self._worker.preset, *self._others])
        return choose(
            self._worker.preset,
            for_seconds=time.monotonic() - self._since,
            waiting=waiting,
            elsewhere={one.preset for one in self._events.workers() if one.name != self._worker.name},
            patience=get_settings().switch_seconds,
        )


def choose(
    held: str, *, for_seconds: float, waiting: Mapping[str, float], elsewhere: Set[str], patience: float
) -> str | None:
    """The preset to load instead of `held`, which was loaded `for_seconds` ago, or None.

    `waiting` has the seconds that the first job of each preset waits, `elsewhere` the presets that other
    workers hold. A worker leaves a model that nothing waits for, and after `patience` seconds also one whose
    first job came later. It leaves to others what they hold, for `patience` seconds.
    """
    own = waiting.get(held)
    for preset, seconds in sorted(waiting.items(), key=lambda item: -item[1]):
        free = own is None or (for_seconds >= patience and seconds > own)
        needed = preset not in elsewhere or seconds >= patience
        if preset != held and free and needed:
            return preset
    return None
