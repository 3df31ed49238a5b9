"""Which model a worker should hold: one that jobs wait for, without loading back and forth."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session

from app.config import get_settings
from app.db import session_scope
from app.errors import PenchantError
from app.presets import load_presets, usable_preset
from app.services import joblife, spaces
from app.services.events import Events
from app.services.workers import Worker
from app.weights.check import verify
from worker.presence import Presence, own_name
from worker.reach import LEFT_ALONE_SECONDS, Reach

log = logging.getLogger(__name__)

LOADING = -1.0
Ended = tuple[UUID, int, str]  # a job, its number of images, and why


@dataclass(frozen=True)
class Look:
    """What a look found: the preset to load instead, if any, and jobs that no worker can paint and that
    were ended."""

    wanted: str | None = None
    ended: list[Ended] = field(default_factory=list)


class Switching:
    """Looks, for a worker that has just loaded `held`, whether jobs wait for another model that it can
    load."""

    def __init__(self, engine: Engine, events: Events, held: str, presence: Presence, reach: Reach) -> None:
        self._engine = engine
        self._events = events
        self._held = held
        self._presence = presence
        self._reach = reach
        self._since = time.monotonic()

    def look(self, *, idle: float = 0.0) -> Look:
        """What to load instead; it is announced by then, so that no other worker leaves for it too.

        Workers choose one after the other. One that does not know the others keeps its model. One that has
        had nothing to do for `idle` seconds, when these are many, leaves for a model whose encoder has not
        read the gallery yet: until then no taste can be used with it.
        """
        names = [name for name in self._reach.names() if name != self._held]
        if not names:
            return Look()
        patience = get_settings().switch_seconds
        with session_scope(self._engine) as session:
            waiting = joblife.waiting(session, presets=[self._held, *names])
            unread = self._unread(session, names) if not waiting and idle >= patience else []
            if not (unread or waiting.keys() - {self._held}) or not joblife.take_turn(session):
                return Look()
            there = others(self._events)
            if there is None:
                return Look()
            refused = self._reach.refused(names)
            ended = end_hopeless(session, refused, there)
            wanted = choose(
                self._held,
                for_seconds=time.monotonic() - self._since,
                waiting={name: seconds for name, seconds in waiting.items() if name not in refused},
                elsewhere=elsewhere(there, now=time.time()),
                patience=patience,
            )
            if not waiting:
                wanted = self._to_read([name for name in unread if name not in refused], there)
            if wanted is not None:
                self._presence.loading(wanted)
        return Look(self._usable(wanted), ended)

    def _unread(self, session: Session, names: Sequence[str]) -> list[str]:
        """The presets whose encoders have not read the gallery, those that take the least memory first. None
        while this worker's own encoder has not."""
        presets = load_presets()
        own = presets[self._held].encoder
        encoders = {presets[name].encoder for name in names} | {own}
        unread = spaces.unread(session, encoders=encoders)
        found = [name for name in names if presets[name].encoder in unread and own not in unread]
        return sorted(found, key=lambda name: presets[name].memory_gb or 0.0)

    def _to_read(self, unread: Sequence[str], there: Iterable[Worker]) -> str | None:
        """The first of them whose encoder no other worker has, and for which none was sent of late: where
        reading comes to nothing, it is not begun again and again."""
        presets = load_presets()
        had = {presets[worker.preset].encoder for worker in there if worker.preset in presets}
        for name in unread:
            encoder = presets[name].encoder
            if encoder not in had and self._events.take_reading(encoder, seconds=LEFT_ALONE_SECONDS):
                return name
        return None

    def _usable(self, wanted: str | None) -> str | None:
        """`wanted`, unless its files show that it will not load: for that no model is given up."""
        if wanted is None:
            return None
        try:
            with self._reach.trying(wanted):
                verify(usable_preset(wanted))
        except (PenchantError, OSError) as error:
            log.warning("%s is kept, %s cannot be loaded: %s", self._held, wanted, error)
            self._presence.ready(self._held)
            return None
        return wanted


def others(events: Events) -> list[Worker] | None:
    """The other workers. One that does not find itself among the workers does not know the others either:
    None."""
    everybody = events.workers()
    found = [worker for worker in everybody if worker.name != own_name()]
    return found if len(found) < len(everybody) else None


def end_own(engine: Engine, events: Events, preset: str, reach: Reach) -> list[Ended]:
    """Where the preset that a worker is started with did not load, its jobs end as those of any preset that
    the worker refuses."""
    there = others(events)
    if there is None:
        return []
    with session_scope(engine) as session:
        return end_hopeless(session, reach.refused([preset]), there)


def end_hopeless(session: Session, refused: Mapping[str, str], there: Iterable[Worker]) -> list[Ended]:
    """Fail the jobs of the presets that a worker refuses and none of the others serves. They wait a while
    first: one that does serve may be starting anew."""
    patience = get_settings().switch_seconds
    return [
        (job_id, n, why)
        for preset, why in refused.items()
        if not any(worker.serves(preset) for worker in there)
        for job_id, n in joblife.give_up(session, preset=preset, seconds=patience, why=why)
    ]


def elsewhere(workers: Iterable[Worker], *, now: float) -> dict[str, float]:
    """For how many seconds each preset has been held by the worker that holds it for the shortest time;
    LOADING where one still loads it."""
    held: dict[str, float] = {}
    for worker in workers:
        seconds = LOADING if worker.state == "loading" else max(0.0, now - worker.since)
        held[worker.preset] = min(seconds, held.get(worker.preset, seconds))
    return held


def choose(
    held: str,
    *,
    for_seconds: float,
    waiting: Mapping[str, float],
    elsewhere: Mapping[str, float],
    patience: float,
) -> str | None:
    """The preset to load instead of `held`, which was loaded `for_seconds` ago, or None.

    `waiting` has the seconds that the first job of each preset waits, `elsewhere` what `elsewhere` says of
    the other workers. A worker leaves a model that nothing waits for, and after `patience` seconds also one
    whose first job came later. It leaves to others what they load, and for `patience` seconds what they
    hold.
    """
    own = waiting.get(held)
    for preset, seconds in sorted(waiting.items(), key=lambda item: -item[1]):
        free = own is None or (for_seconds >= patience and seconds > own)
        needed = preset not in elsewhere or min(seconds, elsewhere[preset]) >= patience
        if preset != held and free and needed:
            return preset
    return None
