"""One thread that renews the leases of the jobs a worker holds, and hears of cancellations."""

import logging
import threading
import time

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.config import get_settings
from app.db import session_scope
from app.services import joblife
from app.services.joblife import Claim

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
BEATS_A_LEASE = 4


class Stopped(Exception):
    """Rendering has to end here. `why` is cancelled, lost or stopping."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Held:
    """A claimed job, from its claim until its last row is written."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.blocked = 0  # images that the installation's safety policy does not keep
        self.lost = False
        self.cancel = False
        self.next_beat = time.monotonic() + get_settings().lease_seconds / BEATS_A_LEASE

    def check(self) -> None:
        """Raise Stopped when the job was lost or cancelled."""
        if self.lost:
            raise Stopped("lost")
        if self.cancel:
            raise Stopped("cancelled")


class Keeper:
    """Keeps leases in the background, while the main thread computes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held: dict[int, Held] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def hold(self, claim: Claim) -> Held:
        """Keep the lease of `claim` until `release`."""
        held = Held(claim)
        self._held[id(held)] = held
        return held

    def release(self, held: Held) -> None:
        """The job has ended, or is somebody else's."""
        self._held.pop(id(held), None)

    def _run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            for held in list(self._held.values()):
                try:
                    self._look_after(held)
                except SQLAlchemyError as error:
                    # The lease may run out meanwhile. Whoever writes next finds out by its token.
                    log.warning("job %s: no heartbeat, the database is away: %s", held.claim.job_id, error)
                except Exception:
                    log.exception("job %s: no heartbeat", held.claim.job_id)

    def _look_after(self, held: Held) -> None:
        with session_scope(self._engine) as session:
            if time.monotonic() >= held.next_beat:
                beat = joblife.heartbeat(session, claim=held.claim)
                held.next_beat = time.monotonic() + get_settings().lease_seconds / BEATS_A_LEASE
            else:
                beat = joblife.look(session, claim=held.claim)
        held.cancel = held.cancel or beat.cancel
        held.lost = held.lost or beat.lost
