"""One worker: claims a job, paints it, hands the pictures over to be stored; embeds images; sweeps."""

import logging
import os
import signal
import threading
import time
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app import queue
from app.config import get_settings
from app.db import session_scope
from app.services import joblife
from app.services.events import Events
from app.services.joblife import Claim
from app.storage import Storage
from worker import endings
from worker.keeper import Held, Keeper
from worker.memory import Memory, is_broken
from worker.painter import Painter
from worker.pipelines import Model
from worker.presence import own_name
from worker.reading import Reading
from worker.safety import get_classifier
from worker.storing import Storing
from worker.switching import Switching

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.005  # between looks for jobs to be painted along


class Runner:
    """Everything one process does with its one model. `stopping` ends the current job at its next step.

    Where `switching` says that jobs wait for another model, `wanted` names it and the process is told to
    stop, to be started anew with it.
    """

    def __init__(
        self,
        engine: Engine,
        storage: Storage,
        events: Events,
        model: Model,
        *,
        switching: Switching | None = None,
    ) -> None:
        self._engine = engine
        self._storage = storage
        self._events = events
        self._model = model
        self._preset = model.preset
        self._name = own_name()
        self._keeper = Keeper(engine)
        self._classifier = get_classifier()
        self._storing = Storing(engine, storage, events, model, self._keeper, self._classifier)
        self._reading = Reading(engine, storage, model)
        self._sweeper = threading.Thread(target=self._sweep_now_and_then, name="sweep", daemon=True)
        self.stopping = threading.Event()
        self.wanted: str | None = None
        self._switching = switching
        self._painting = threading.Lock()
        self._reads = False
        self._worked = time.monotonic()
        self._memory = Memory(model.device, growth=get_settings().memory_growth_bytes)
        self._painter = Painter(
            engine, events, model, self._classifier, self._storing, self._memory, self.stopping
        )

    def start(self) -> None:
        """Begin to sweep, and be ready for `render`."""
        self._keeper.start()
        self._storing.start()
        self._sweeper.start()

    def stop(self) -> None:
        """Write what is painted, and end the threads."""
        self.stopping.set()
        self._storing.stop()
        self._keeper.stop()
        self._sweeper.join()

    def render(self) -> None:
        """Paint the longest waiting job of this preset, if there is one, and with it what fits into its
        batch."""
        with self._painting:
            if self.stopping.is_set():
                return
            claim = self._claim()
            if claim is None:
                return
            held = [self._hold(claim)]
            try:
                self._gather(held)
            except Exception:  # what is held already must be painted all the same
                log.exception("no more jobs are looked for")
            self._painter.paint(held)
            self._worked = time.monotonic()
        if self._painter.broken or self._storing.broken:
            self._end("the device answers no more")
        elif self._memory.stays_high():
            self._end(f"{self._memory.held()} bytes are held and stay")
        try:
            self._leave_where_wanted()
        except SQLAlchemyError as error:
            log.warning("the model is kept, the database is away: %s", error)

    def _end(self, why: str) -> None:
        log.warning("%s: this worker ends, to be started anew", why)
        self.stopping.set()
        os.kill(os.getpid(), signal.SIGTERM)

    def _leave_where_wanted(self, *, idle: float = 0.0) -> None:
        """Tell the process to stop, to be started with another model, where jobs wait for that or, after
        seconds without work, the gallery has to be read for it."""
        if self._switching is None or self.stopping.is_set():
            return
        look = self._switching.look(idle=idle)
        for job_id, n, why in look.ended:
            self._say_ended(job_id, n, "failed", why)
        if look.wanted is not None and not self.stopping.is_set():
            log.info("%s is left for %s, which there is work for", self._preset.name, look.wanted)
            self.wanted = look.wanted
            self.stopping.set()
            os.kill(os.getpid(), signal.SIGTERM)

    def _claim(self, *, beside: Claim | None = None, room: int = 0) -> Claim | None:
        with session_scope(self._engine) as session:
            return joblife.claim(
                session, preset=self._preset.name, worker=self._name, beside=beside, room=room
            )

    def _hold(self, claim: Claim) -> Held:
        log.info("job %s: attempt %d", claim.job_id, claim.attempt)
        return self._keeper.hold(claim)

    def _gather(self, held: list[Held]) -> None:
        """Add jobs to be painted with the one that is held, as far as there is room for them beside its
        images. Where there is room left, more are waited for as long as the settings say.

        A job that is tried again is painted alone: it may be what its worker died of.
        """
        first = held[0].claim
        width, height = first.spec["size"]
        together = self._model.together
        room = -first.spec["n"] % self._painter.limit((width, height)) if together else 0
        until = time.monotonic() + get_settings().batch_window_seconds
        while room and first.attempt == 1 and not self.stopping.is_set():
            claim = self._claim(beside=first, room=room)
            if claim is not None:
                held.append(self._hold(claim))
                room -= claim.spec["n"]
            elif time.monotonic() < until:
                time.sleep(GATHER_SECONDS)
            else:
                break

    def embed(self, after: int = 0) -> None:
        """Embed one batch of the gallery's images that lack it. A worker that is told to stop leaves the rest
        to its next start, which begins with what is missing then."""
        if self.stopping.is_set():
            return
        self._reads = True
        try:
            self._reading.read(after)
        except RuntimeError as error:
            if not is_broken(error):
                raise
            log.exception("the gallery is read no further")
            self._end("the device answers no more")
        finally:
            self._worked = time.monotonic()
            self._reads = False

    def _sweep_now_and_then(self) -> None:
        while True:
            try:
                self.sweep()
                if self._storing.broken and not self.stopping.is_set():
                    self._end("the device answers no more")
                self._leave_where_idle()
            except SQLAlchemyError as error:
                log.warning("no sweep, the database is away: %s", error)
            except Exception:
                log.exception("sweeping failed")
            if self.stopping.wait(get_settings().sweep_seconds):
                return

    def _leave_where_idle(self) -> None:
        if self._painting.acquire(blocking=False):
            try:
                idle = 0.0 if self._reads else time.monotonic() - self._worked
                self._leave_where_wanted(idle=idle)
            finally:
                self._painting.release()

    def sweep(self) -> None:
        """Send again what was lost, and end what has failed too often."""
        with session_scope(self._engine) as session:
            swept = joblife.sweep(session, waiting=lambda preset: queue.waiting(queue.render_queue(preset)))
        if swept is None:
            return
        for job_id, preset in swept.send:
            log.info("job %s: sent again", job_id)
            if not queue.send(queue.RENDER_TASK, str(job_id), queue=queue.render_queue(preset)):
                break
        for job_id, n, state in swept.ended:
            self._say_ended(job_id, n, state, joblife.GAVE_UP if state == "failed" else None)

    def _say_ended(self, job_id: UUID, n: int, state: str, why: str | None) -> None:
        endings.tell(self._engine, self._storage, self._events, job_id, n, state=state, why=why)
