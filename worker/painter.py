"""Paints claimed jobs together: in as few calls of the model as their conditions and the device allow."""

import logging
import threading
from collections import deque
from collections.abc import Sequence

import torch
from sqlalchemy import Engine

from app.services.events import Events
from app.spec import Size
from worker.batching import Part, batches, by_job, images
from worker.keeper import Held, Stopped
from worker.memory import Memory, called_by_name, is_broken, once_more
from worker.painting import Painting
from worker.pipelines import Model, UnusableImage
from worker.safety import Classifier
from worker.storing import Storing
from worker.together import Together

log = logging.getLogger(__name__)


class Painter:
    """Paints jobs to their ends. `stopping` ends all of them at the next step: they go back into the
    queue. `broken` says that the device answers no more, until the process is started anew."""

    def __init__(
        self,
        engine: Engine,
        events: Events,
        model: Model,
        classifier: Classifier,
        storing: Storing,
        memory: Memory,
        stopping: threading.Event,
    ) -> None:
        self._engine = engine
        self._events = events
        self._model = model
        self._classifier = classifier
        self._storing = storing
        self._memory = memory
        self._stopping = stopping
        self.broken = False
        self._limits: dict[Size, int] = {}  # of images at once, for sizes that were too much at some time

    def limit(self, size: Size) -> int:
        """How many images of that size are painted at once."""
        return self._limits.get(size, self._model.preset.max_batch)

    def paint(self, held: Sequence[Held]) -> None:
        """Paint jobs to their ends, those that allow it together."""
        jobs = [Painting(one, self._model, self._classifier, self._events, self._storing) for one in held]
        try:
            self._paint(jobs)
        except Exception as error:  # whatever it was, no job may stay claimed for ever
            self.broken = is_broken(error)
            for job in jobs:
                job.fail(error)

    def _paint(self, jobs: Sequence[Painting]) -> None:
        parts = [part for place, job in enumerate(jobs) for part in self._parts(place, job)]
        pending = deque(self._batches(parts))
        for batch in pending:
            for mine in by_job(batch):
                jobs[mine[0].job].progress.steps += mine[0].shot.steps * mine[0].passes
        while pending:
            wanted = [part for part in pending.popleft() if not jobs[part.job].ended]
            # Memory may have set a lower limit since the batch was made.
            batch, *rest = self._batches(wanted) or [[]]
            again = self._try(jobs, batch) if batch else []
            pending.extendleft(reversed([*again, *rest]))

    def _parts(self, place: int, job: Painting) -> list[Part]:
        """A job's parts. Nothing of the others is in use yet: a job whose text alone is too much for the
        device ends alone."""
        try:
            return once_more(self._model.device, lambda: job.parts(place, self._engine))
        except torch.OutOfMemoryError as error:
            job.fail(error)
        self._memory.free()
        return []

    def _batches(self, parts: Sequence[Part]) -> list[list[Part]]:
        if self._model.together:
            return batches(parts, lambda part: self.limit(part.size))
        return [batch for part in parts for batch in batches([part], lambda one: self.limit(one.size))]

    def _try(self, jobs: Sequence[Painting], batch: list[Part]) -> list[list[Part]]:
        """Paint a batch. Where that fails, the smaller batches to try instead: half as many images where the
        memory does not suffice, else each job alone, so that only the one at fault ends with the error. What
        cannot be halved is tried once more with the memory freed."""

        def paint() -> None:
            with called_by_name():
                Together(self._model, jobs, batch, self._stopping).paint()

        try:
            paint() if images(batch) > 1 else once_more(self._model.device, paint)
            return []
        except torch.OutOfMemoryError as error:
            if images(batch) == 1:
                jobs[batch[0].job].fail(error)
        except Exception as error:
            if is_broken(error):
                raise
            alone = by_job(batch)
            if len(alone) > 1 and not isinstance(error, (Stopped, UnusableImage)):
                log.exception("%d jobs could not be painted together, each is painted alone", len(alone))
                return alone
            for part in batch:
                jobs[part.job].fail(error)
            return []
        # Only here is the error gone, and with it what it held of the device.
        self._memory.free()
        if images(batch) == 1:
            return []
        half = self._limits[batch[0].size] = images(batch) // 2
        log.warning("out of memory: from now on at most %d images of %d x %d at once", half, *batch[0].size)
        return self._batches(batch)
