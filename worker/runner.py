"""One worker: claims a job, paints it, hands the pictures over to be stored; embeds images; sweeps."""

import logging
import os
import socket
import threading
from collections import deque
from dataclasses import replace

import torch
from PIL.Image import Image as Picture
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app import images, queue
from app.config import get_settings
from app.db import session_scope
from app.errors import PenchantError
from app.models import Image
from app.services import gallery, joblife, spaces
from app.services.events import Events
from app.spec import Spec
from app.storage import Storage
from worker import candidates, conditioning
from worker.candidates import Field, Judge
from worker.keeper import Held, Keeper, Stopped
from worker.pipelines import Model, Shot, UnusableImage
from worker.progress import Progress
from worker.safety import get_classifier
from worker.storing import INTERNAL, Batch, End, Painted, Storing

log = logging.getLogger(__name__)

NOT_A_NUMBER = "The model came to no picture (not a number). Try another seed, or more steps."
OUT_OF_MEMORY = "The device has too little memory for this size. Choose a smaller one, or retry later."


class Runner:
    """Everything one process does with its one model. `stopping` ends the current job at its next step."""

    def __init__(self, engine: Engine, storage: Storage, events: Events, model: Model) -> None:
        self._engine = engine
        self._storage = storage
        self._events = events
        self._model = model
        self._preset = model.preset
        self._batch = model.preset.max_batch
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._keeper = Keeper(engine)
        self._classifier = get_classifier()
        self._storing = Storing(engine, storage, events, model, self._keeper, self._classifier)
        self._sweeper = threading.Thread(target=self._sweep_now_and_then, name="sweep", daemon=True)
        self.stopping = threading.Event()

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
        """Paint the longest waiting job of this preset, if there is one."""
        if self.stopping.is_set():
            return
        with session_scope(self._engine) as session:
            claim = joblife.claim(session, preset=self._preset.name, worker=self._name)
        if claim is None:
            return
        log.info("job %s: attempt %d", claim.job_id, claim.attempt)
        held = self._keeper.hold(claim)
        self._storing.put(held, *self._paint(held))

    def _paint(self, held: Held) -> tuple[list[Batch], End]:
        try:
            return self._paint_all(held), End("done")
        except Stopped as stopped:
            states = {"cancelled": "cancelled", "lost": "lost", "stopping": "queued"}
            return [], End(states[stopped.why])
        except UnusableImage:
            return [], End("failed", "unusable_image", NOT_A_NUMBER)
        except torch.OutOfMemoryError:
            log.exception("job %s: out of memory", held.claim.job_id)
            return [], End("failed", "out_of_memory", OUT_OF_MEMORY)
        except PenchantError as error:
            return [], End("failed", error.code, error.message)
        except SQLAlchemyError as error:
            log.error("job %s: left to the sweep: %s", held.claim.job_id, error)
            return [], End("lost")
        except Exception:
            log.exception("job %s: painting failed", held.claim.job_id)
            return [], End("failed", "internal_error", INTERNAL)

    def _paint_all(self, held: Held) -> list[Batch]:
        """Paint every slot not stored yet. All batches but the last are handed over on the way; the last
        comes back, to be stored together with the job's end."""
        claim = held.claim
        spec = Spec.model_validate(claim.spec)
        with session_scope(self._engine) as session:
            taste = conditioning.load_taste(session, spec=spec)
        text_vector = self._model.encoder.texts([spec.text])[0]
        plans = conditioning.plan(spec, self._preset, taste, text_vector, self._model.words)
        shots = conditioning.shots(
            spec, [item for item in plans if item.slot not in claim.stored], batch=self._batch
        )
        judges = candidates.judges(spec, self._model, plans)
        steps = sum(
            shot.steps * (judges[slots[0]].count if slots[0] in judges else 1) for slots, shot in shots
        )
        progress = Progress(held, self._events, self._model, self._classifier, steps=steps)
        last: list[Batch] = []
        pending = deque(shots)
        while pending:
            slots, shot = pending.popleft()
            judge = judges.get(slots[0])
            try:
                painted = self._paint_shot(held, progress, slots, shot, judge)
            except torch.OutOfMemoryError:
                if len(slots) == 1:
                    raise
                self._batch = len(slots) // 2
                log.warning("out of memory: from now on at most %d images at once", self._batch)
                pending.extendleft(reversed(conditioning.split(slots, shot, self._batch)))
                continue
            if last:
                self._storing.put(held, last)
            last = [Batch(painted, text_vector)]
        return last

    def _paint_shot(
        self, held: Held, progress: Progress, slots: tuple[int, ...], shot: Shot, judge: Judge | None
    ) -> list[Painted]:
        """Paint a shot; with a judge, paint it once for each candidate and keep the best of each slot."""

        def on_step(step: int, latents: torch.Tensor) -> None:
            if self.stopping.is_set():
                raise Stopped("stopping")
            progress.step(step, latents)

        def paint(shot: Shot, *, first: bool = True) -> list[Picture]:
            held.check()
            progress.begin(slots, previews=first)
            pictures = self._model.render(shot, on_step)
            progress.end(shot.steps)
            return pictures

        details = _details(shot, held.claim.attempt)
        if judge is None:
            pictures = paint(shot)
            return [
                Painted(slot, seed, picture, details)
                for slot, seed, picture in zip(slots, shot.seeds, pictures, strict=True)
            ]
        fields = [Field(judge) for _ in slots]
        for number in range(judge.count):
            seeds = tuple(candidates.seed(seed, number) for seed in shot.seeds)
            candidates.enter(fields, self._model, seeds, paint(replace(shot, seeds=seeds), first=number == 0))
            progress.show([field.kept.picture for field in fields])
        return [
            Painted(slot, seed, field.kept.picture, details | field.details(), field.kept.vector)
            for slot, seed, field in zip(slots, shot.seeds, fields, strict=True)
        ]

    def embed(self, after: int = 0) -> None:
        """Embed one batch of the gallery's images that lack it, and ask to be called again for the rest;
        after the last, open the encoder's space if there is none yet.

        A picture that cannot be read is left out: it is never offered for rating. A worker that is told to
        stop leaves the rest to its next start, which begins with what is missing then.
        """
        if self.stopping.is_set():
            return
        encoder = self._preset.encoder
        with session_scope(self._engine) as session:
            rows = gallery.unembedded(session, encoder=encoder, after=after)
        readable = [(row, picture) for row in rows if (picture := self._read(row)) is not None]
        if readable:
            texts = [
                self._model.encoder.texts([row.prompt])[0] if row.prompt else None for row, _ in readable
            ]
            with session_scope(self._engine) as session:
                gallery.store_embeddings(
                    session,
                    encoder=encoder,
                    image_ids=[row.id for row, _ in readable if row.id is not None],
                    image_vectors=self._model.encoder.images([picture for _, picture in readable]),
                    text_vectors=texts,
                )
        if rows and rows[-1].id is not None:
            gallery.wake_encoder(encoder, after=rows[-1].id)
        elif not rows:
            self._open_space()

    def _open_space(self) -> None:
        with session_scope(self._engine) as session:
            opened = spaces.open_space(session, encoder=self._preset.encoder)
        if opened:
            log.info("the space of %s is open: every profile can be used in it", self._preset.encoder)

    def _read(self, row: Image) -> Picture | None:
        try:
            return images.decode(self._storage.get(row.key))
        except PenchantError as error:
            log.error("image %s cannot be embedded: %s", row.id, error)
            return None

    def _sweep_now_and_then(self) -> None:
        while True:
            try:
                self.sweep()
            except SQLAlchemyError as error:
                log.warning("no sweep, the database is away: %s", error)
            except Exception:
                log.exception("sweeping failed")
            if self.stopping.wait(get_settings().sweep_seconds):
                return

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
            log.warning("job %s: %s by the sweep", job_id, state)
            self._storing.discard(job_id, n)
            error = {"error": joblife.GAVE_UP} if state == "failed" else {}
            self._events.publish(job_id, {"state": state, **error})


def _details(shot: Shot, attempt: int) -> dict[str, object]:
    """What the renderer adds to the spec: how it was really painted."""
    details: dict[str, object] = {
        "steps": shot.steps,
        "guidance": shot.guidance,
        "attempt": attempt,
        "scale": 0.0,
    }
    if shot.words:
        details["words"] = list(shot.words)
    if shot.conditioning is not None:
        details["scale"] = shot.conditioning.scale
        details["adapter_norm"] = float((shot.conditioning.positive**2).sum() ** 0.5)
    return details
