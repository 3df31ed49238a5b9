"""One job while it is painted: what it asks for, what comes of it, and how it ends, whoever is painted beside
it."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.db import session_scope
from app.errors import PenchantError
from app.services.events import Events
from app.spec import Spec
from worker import candidates, conditioning
from worker.batching import Part
from worker.encoders import Vectors
from worker.keeper import Held, Stopped
from worker.memory import called_by_name, is_broken
from worker.pipelines import Model, UnusableImage
from worker.progress import Progress
from worker.safety import Classifier
from worker.storing import INTERNAL, OUT_OF_MEMORY, Batch, End, Painted, Storing

log = logging.getLogger(__name__)

NOT_A_NUMBER = "The model came to no picture (not a number). Try another seed, or more steps."
STATES = {"cancelled": "cancelled", "lost": "lost", "stopping": "queued"}


class Painting:
    """One claimed job. After its end nothing more of it is painted or stored."""

    def __init__(
        self, held: Held, model: Model, classifier: Classifier, events: Events, storing: Storing
    ) -> None:
        self.held = held
        self.progress = Progress(held, events, model, classifier)
        self.ended = False
        self._model = model
        self._storing = storing
        self._missing = 0
        self._text_vector: Vectors

    def parts(self, place: int, engine: Engine) -> list[Part]:
        """What is still to paint, for the job at `place` among those painted together."""
        parts: list[Part] = []
        with self.ending_alone():
            parts = self._parts(place, engine)
            self._missing = sum(len(part.slots) for part in parts)
            if not parts:
                self.end(End("done"))
        return parts

    def _parts(self, place: int, engine: Engine) -> list[Part]:
        claim = self.held.claim
        spec = Spec.model_validate(claim.spec)
        with session_scope(engine) as session:
            taste = conditioning.load_taste(session, spec=spec)
        self._text_vector = self._model.encoder.texts([spec.text])[0]
        plans = conditioning.plan(spec, self._model.preset, taste, self._text_vector, self._model.words)
        judges = candidates.judges(spec, self._model, plans)
        shots = conditioning.shots(spec, [item for item in plans if item.slot not in claim.stored])
        return [Part(place, slots, shot, judges.get(slots[0])) for slots, shot in shots]

    def take(self, painted: Sequence[Painted]) -> None:
        """Hand over images to be stored, the last ones together with the job's end."""
        self._missing -= len(painted)
        self.ended = self._missing == 0
        end = End("done") if self.ended else None
        self._storing.put(self.held, [Batch(painted, self._text_vector)], end)

    def end(self, end: End) -> None:
        """Write how the job ended, unless it has ended already."""
        if not self.ended:
            self.ended = True
            self._storing.put(self.held, [], end)

    @contextmanager
    def ending_alone(self) -> Iterator[None]:
        """What goes wrong inside the block ends this job and no other, but for the device and its memory,
        which are everybody's."""
        try:
            with called_by_name():
                yield
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            if is_broken(error):
                raise
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """End the job for an error's reason."""
        job_id = self.held.claim.job_id
        match error:
            case Stopped():
                self.end(End(STATES[error.why]))
            case UnusableImage():
                self.end(End("failed", "unusable_image", NOT_A_NUMBER))
            case torch.OutOfMemoryError():
                log.error("job %s: out of memory", job_id)
                self.end(End("failed", "out_of_memory", OUT_OF_MEMORY))
            case PenchantError():
                self.end(End("failed", error.code, error.message))
            case _ if is_broken(error):
                # As if the worker had died: who is at fault shows when it happens again.
                log.error("job %s: left to the sweep, the device is broken: %s", job_id, error)
                self.end(End("lost"))
            case SQLAlchemyError():
                log.error("job %s: left to the sweep: %s", job_id, error)
                self.end(End("lost"))
            case _:
                log.error("job %s: painting failed", job_id, exc_info=error)
                self.end(End("failed", "internal_error", INTERNAL))
