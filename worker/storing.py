"""One thread that stores what was painted, while the next shot is being painted.

All writes of a job after its claim go through here, in order: its images, then its end.
"""

import hashlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import Session

from app import images
from app import queue as broker
from app.config import get_settings
from app.db import session_scope
from app.errors import PenchantError
from app.safety import Verdict, is_blocked
from app.services import joblife
from app.services.events import Events
from app.services.joblife import Claim, LeaseLost, SlotImage
from app.storage import Storage
from worker.encoders import Vectors
from worker.endings import discard
from worker.keeper import Held, Keeper
from worker.memory import is_broken, once_more
from worker.pipelines import Model
from worker.safety import Classifier

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.2
INTERNAL = "Painting failed unexpectedly; the worker's log says why. Retry the job."
OUT_OF_MEMORY = "The device has too little memory for this size. Choose a smaller one, or retry later."
ALL_BLOCKED = (
    "The safety classifier took every image for unsafe, and this installation keeps none such. Change the "
    "prompt, or try another seed."
)
SOME_BLOCKED = (
    "{blocked} of {n} images are missing: the safety classifier took them for unsafe, and this installation "
    "keeps none such."
)
Write = Callable[[Session], None]


@dataclass(frozen=True)
class Painted:
    """One image as it comes from the model."""

    slot: int
    seed: int
    image: Image.Image
    details: dict[str, Any]
    vector: Vectors | None = None  # (d,), where the image was embedded already


@dataclass(frozen=True)
class Batch:
    """Images of one job to store."""

    painted: Sequence[Painted]
    text_vector: Vectors


@dataclass(frozen=True)
class End:
    """How a job ends: done, failed, cancelled, lost, or handed back as queued."""

    state: str
    code: str | None = None
    message: str | None = None


class Storing:
    """The thread and its short queue: two batches may wait, then painting does. `broken` says that the device
    answers no more, until the process is started anew."""

    def __init__(
        self,
        engine: Engine,
        storage: Storage,
        events: Events,
        model: Model,
        keeper: Keeper,
        classifier: Classifier,
    ) -> None:
        self._engine = engine
        self._storage = storage
        self._events = events
        self._model = model
        self._keeper = keeper
        self._classifier = classifier
        self.broken = False
        room = 2 * model.preset.max_batch  # a batch may hold that many jobs
        self._work: queue.Queue[tuple[Held, list[Batch], End | None] | None] = queue.Queue(maxsize=room)
        self._thread = threading.Thread(target=self._run, name="storing", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when everything handed over is written."""
        self._work.put(None)
        self._thread.join()

    def put(self, held: Held, batches: list[Batch], end: End | None = None) -> None:
        """Hand over images, or a job's end, or both to be written in one transaction."""
        self._work.put((held, batches, end))

    def _run(self) -> None:
        torch.set_num_threads(1)  # of this thread only: embedding must not crowd out painting
        while (item := self._work.get()) is not None:
            try:
                self._write(*item)
            except Exception:  # this thread must outlive whatever happens to one job
                log.exception("job %s: left to the sweep", item[0].claim.job_id)
                self._keeper.release(item[0])

    def _write(self, held: Held, batches: list[Batch], end: End | None) -> None:
        try:
            if held.lost:
                raise LeaseLost
            stored = [image for batch in batches for image in self._store_files(held, batch)]
            self._commit(held, stored, _with_blocked(held, end))
        except LeaseLost:
            self._abandon(held)
        except PenchantError as error:
            log.error("job %s: %s", held.claim.job_id, error)
            self._give_up(held, End("failed", error.code, error.message))
        except (OperationalError, InterfaceError) as error:
            log.error("job %s: given up, the database is away: %s", held.claim.job_id, error)
            held.lost = True
            self._keeper.release(held)
        except torch.OutOfMemoryError as error:
            log.error("job %s: out of memory while it was stored: %s", held.claim.job_id, error)
            self._give_up(held, End("failed", "out_of_memory", OUT_OF_MEMORY))
        except Exception as error:
            log.exception("job %s: could not be stored", held.claim.job_id)
            if is_broken(error):
                self.broken = True
                self._abandon(held)
            else:
                self._give_up(held, End("failed", "internal_error", INTERNAL))

    def _store_files(self, held: Held, batch: Batch) -> list[SlotImage]:
        kept = once_more(self._model.device, lambda: self._look(batch))
        held.blocked += len(batch.painted) - len(kept)
        stored = []
        for painted, verdict, vector in kept:
            key, thumbnail_key = joblife.storage_keys(held.claim.job_id, painted.slot)
            data, small = images.webp(painted.image), images.thumbnail(painted.image)
            self._storage.put(key, data, content_type="image/webp")
            if small is not None:
                self._storage.put(thumbnail_key, small, content_type="image/webp")
            stored.append(
                SlotImage(
                    slot=painted.slot,
                    seed=painted.seed,
                    key=key,
                    thumbnail_key=thumbnail_key if small is not None else key,
                    sha256=hashlib.sha256(data).digest(),
                    width=painted.image.width,
                    height=painted.image.height,
                    encoder=self._model.preset.encoder,
                    image_vector=vector,
                    text_vector=batch.text_vector,
                    verdict=verdict,
                    details=painted.details,
                )
            )
        return stored

    def _look(self, batch: Batch) -> list[tuple[Painted, Verdict, Vectors]]:
        """The images that the installation keeps, each with its verdict and its embedding."""
        verdicts = self._classifier.look([item.image for item in batch.painted])
        kept = [pair for pair in zip(batch.painted, verdicts, strict=True) if not is_blocked(pair[1])]
        vectors = self._vectors([painted for painted, _ in kept])
        return [(*pair, vector) for pair, vector in zip(kept, vectors, strict=True)]

    def _vectors(self, painted: Sequence[Painted]) -> list[Vectors]:
        known = [item.vector for item in painted if item.vector is not None]
        if len(known) == len(painted):
            return known
        return list(self._model.encoder.images([item.image for item in painted]))

    def _commit(self, held: Held, stored: list[SlotImage], end: End | None) -> None:
        def write(session: Session) -> None:
            if stored:
                joblife.store(session, claim=held.claim, images=stored)
            if end is not None:
                _write_end(session, held, end)

        self._retrying(write)
        if end is not None:
            self._ended(held, end)

    def _give_up(self, held: Held, end: End) -> None:
        held.lost = True
        try:
            self._commit(held, [], end)
        except LeaseLost:
            self._abandon(held)
        except (OperationalError, InterfaceError) as error:
            log.error("job %s: left to the sweep: %s", held.claim.job_id, error)
            self._keeper.release(held)

    def _ended(self, held: Held, end: End) -> None:
        self._keeper.release(held)
        claim = held.claim
        if end.state not in ("done", "queued"):
            self._discard(claim)
        if end.state == "queued":
            broker.send(broker.RENDER_TASK, str(claim.job_id), queue=broker.render_queue(claim.preset))
        event = {"state": end.state, "error": end.message} if end.message else {"state": end.state}
        self._events.publish(claim.job_id, event)

    def _abandon(self, held: Held) -> None:
        """Somebody else holds or will hold the job, or it is gone. Files under keys without a row are
        removed, unless the new holder still works on it: equal keys hold equal images."""
        log.warning("job %s: the lease was lost, or is given up: nothing more is written", held.claim.job_id)
        held.lost = True
        self._keeper.release(held)
        self._discard(held.claim)

    def _discard(self, claim: Claim) -> None:
        discard(self._engine, self._storage, claim.job_id, int(claim.spec["n"]))

    def _retrying(self, write: Write) -> None:
        """Run one transaction, again while the database is away, for as long as a lease lasts."""
        until = time.monotonic() + get_settings().lease_seconds
        while True:
            try:
                with session_scope(self._engine) as session:
                    write(session)
                return
            except (OperationalError, InterfaceError):
                if time.monotonic() + RETRY_SECONDS > until:
                    raise
                time.sleep(RETRY_SECONDS)


def _with_blocked(held: Held, end: End | None) -> End | None:
    """A job that comes to its end without some images says so; one without any has failed."""
    if end is None or end.state != "done" or not held.blocked:
        return end
    n = int(held.claim.spec["n"])
    if held.blocked == n:
        return End("failed", "blocked", ALL_BLOCKED)
    return End("done", "blocked", SOME_BLOCKED.format(blocked=held.blocked, n=n))


def _write_end(session: Session, held: Held, end: End) -> None:
    match end.state:
        case "done":
            joblife.finish(session, claim=held.claim, code=end.code, message=end.message)
        case "failed":
            joblife.fail(
                session, claim=held.claim, code=end.code or "internal_error", message=end.message or INTERNAL
            )
        case "cancelled":
            joblife.cancelled(session, claim=held.claim)
        case "queued":
            joblife.hand_back(session, claim=held.claim)
        case "lost":
            raise LeaseLost
