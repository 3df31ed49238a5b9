"""What a person sees while a job is painted: steps, sketches, then previews, at a bounded cost."""

import time
from collections.abc import Sequence

import torch
from PIL import Image

from app import images
from app.services.events import Events
from worker.keeper import Held, Stopped
from worker.pipelines import Model
from worker.safety import Classifier

EVENT_SECONDS = 0.1
ASK_SECONDS = 0.05
PREVIEW_SHARE = 0.05
SKETCH_SECONDS = 0.3  # between sketches
PREVIEW_AFTER_SECONDS = 0.3  # a shorter job is over before a preview is looked at
PREVIEW_SIDE = 128
PREVIEW_QUALITY = 60


class Progress:
    """Follows one job. Called after each step; raises Stopped when the job is to end. `steps` is how many
    there will be."""

    def __init__(self, held: Held, events: Events, model: Model, classifier: Classifier) -> None:
        self._held = held
        self._events = events
        self._model = model
        self._classifier = classifier
        self.steps = 0
        self._before = 0
        self._share = PREVIEW_SHARE
        self._slots: tuple[int, ...] = ()
        self._previewed = True
        self._started = time.perf_counter()
        self._spent = 0.0
        self._sketched = self._started
        self._sharp = False
        self._published = 0.0
        self._asked = 0.0
        self._shown: dict[int, int] = {}

    def begin(self, slots: tuple[int, ...], *, previews: bool = True, beside: int = 1) -> None:
        """A shot of these slots begins, in a batch of `beside` jobs, which share what previews may cost.
        Without previews, the slots go on showing what they show."""
        self._share = PREVIEW_SHARE / beside
        self._slots = slots
        self._sharp = False
        self._previewed = previews
        self._publish(0, {})

    def end(self, steps: int) -> None:
        """A shot is painted."""
        self._before += steps

    def show(self, pictures: Sequence[Image.Image]) -> None:
        """Show the pictures that the shot's slots would keep if it ended now."""
        if time.perf_counter() - self._started >= PREVIEW_AFTER_SECONDS:
            shown = self._classifier.previews(pictures)
            previews = {slot: _small(picture) for slot, picture in zip(self._slots, shown, strict=True)}
            self._shown |= dict.fromkeys(previews, self._before)
            self._publish(0, previews)

    def step(self, step: int, latents: torch.Tensor) -> None:
        """`step` steps of the shot are done; `latents` are the finished ones as far as the model knows."""
        now = time.perf_counter()
        if now - self._asked >= ASK_SECONDS:
            self._asked = now
            if self._events.cancel_asked(self._held.claim.job_id):
                raise Stopped("cancelled")
        self._held.check()
        previews = self._previews(step, latents)
        if previews or now - self._published >= EVENT_SECONDS:
            self._publish(step, previews)

    def _previews(self, step: int, latents: torch.Tensor) -> dict[int, bytes]:
        start = time.perf_counter()
        cost = (self._model.decode_seconds + self._classifier.seconds) * len(latents)
        elapsed = start - self._started
        if not self._previewed:
            return {}
        if self._spent + cost <= self._share * elapsed:
            pictures = self._classifier.previews(self._model.decode(latents))
            self._sharp = True
        elif not self._sharp and start - self._sketched >= SKETCH_SECONDS:
            pictures = self._model.sketch(latents)
            self._sketched = start
        else:
            return {}
        previews = {slot: _small(picture) for slot, picture in zip(self._slots, pictures, strict=True)}
        self._shown |= dict.fromkeys(previews, self._before + step)
        self._spent += time.perf_counter() - start
        return previews

    def _publish(self, step: int, previews: dict[int, bytes]) -> None:
        self._published = time.perf_counter()
        event = {
            "state": "running",
            "step": min(self._before + step, self.steps),  # a shot that is begun anew counts once
            "steps": self.steps,
            "previews": [{"slot": slot, "step": at} for slot, at in sorted(self._shown.items())],
        }
        self._events.publish(self._held.claim.job_id, event, previews=previews)


def _small(picture: Image.Image) -> bytes:
    return images.webp(images.within(picture, PREVIEW_SIDE), quality=PREVIEW_QUALITY)
