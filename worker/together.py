"""One batch: the images of several jobs in one call of the model, each job told only of its own."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import torch
from PIL.Image import Image as Picture

from worker import candidates
from worker.batching import Part, by_job
from worker.candidates import Field
from worker.keeper import Stopped
from worker.painting import Painting
from worker.pipelines import Model, Shot, UnusableImage
from worker.rows import finite_rows
from worker.storing import Painted

Name = tuple[int, int]  # an image's job, by its place, and its slot


class Together:
    """Paints one batch of `jobs`."""

    def __init__(
        self, model: Model, jobs: Sequence[Painting], batch: Sequence[Part], stopping: threading.Event
    ) -> None:
        self._model = model
        self._jobs = jobs
        self._batch = batch
        self._stopping = stopping
        self._shares = [(jobs[mine[0].job], mine) for mine in by_job(batch)]
        self._rows: list[Name] = [(part.job, slot) for part in batch for slot in part.slots]
        self._fields = {
            (part.job, slot): Field(part.judge)
            for part in batch
            for slot in part.slots
            if part.judge is not None
        }

    def paint(self) -> None:
        """Paint the batch, once for each candidate, and hand over what each job comes to. Raises Stopped when
        nobody wants it any more, and what the model raises."""
        pictures: dict[Name, Picture] = {}
        for number in range(self._batch[0].passes):
            shots = [_candidate(part.shot, number) for part in self._batch]
            pictures = self._call(shots, previews=number == 0)
            if self._fields:
                self._weigh([seed for shot in shots for seed in shot.seeds], pictures)
        for job, mine in self._shares:
            if not job.ended:
                job.take([painted for part in mine for painted in self._results(part, pictures)])

    def _call(self, shots: Sequence[Shot], *, previews: bool) -> dict[Name, Picture]:
        """The pictures there are. A job that lacks one has ended."""
        for job, mine in self._shares:
            with job.ending_alone():
                job.held.check()
                slots = tuple(slot for part in mine for slot in part.slots)
                job.progress.begin(slots, previews=previews, beside=len(self._shares))
        self._go_on()
        found = zip(self._rows, self._model.render_together(shots, self._on_step), strict=True)
        pictures: dict[Name, Picture] = {}
        for name, picture in found:
            if picture is not None:
                pictures[name] = picture
            else:
                self._jobs[name[0]].fail(UnusableImage())
        for job, _ in self._shares:
            job.progress.end(shots[0].steps)
        return pictures

    def _on_step(self, step: int, latents: torch.Tensor) -> None:
        """Tell each job of its own rows. The rows of a job that has ended are painted on, for nobody: without
        them the others' images would come out different in their last bits."""
        for job, mine in self._shares:
            if job.ended:
                continue
            with job.ending_alone():
                own = latents[[row for row, name in enumerate(self._rows) if name[0] == mine[0].job]]
                if not finite_rows(own).all():
                    raise UnusableImage
                job.progress.step(step, own)
        self._go_on()

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise Stopped("stopping")
        if all(job.ended for job, _ in self._shares):
            raise Stopped("lost")

    def _weigh(self, seeds: Sequence[int], pictures: dict[Name, Picture]) -> None:
        """Let one candidate enter for each slot, and show what the slots would keep now."""
        seed_of = dict(zip(self._rows, seeds, strict=True))
        names = [name for name in self._rows if not self._jobs[name[0]].ended]
        if names:
            candidates.enter(
                [self._fields[name] for name in names],
                self._model,
                [seed_of[name] for name in names],
                [pictures[name] for name in names],
            )
        for job, mine in self._shares:
            if not job.ended:
                fields = [self._fields[part.job, slot] for part in mine for slot in part.slots]
                job.progress.show([field.kept.picture for field in fields])

    def _results(self, part: Part, pictures: dict[Name, Picture]) -> list[Painted]:
        details = _details(part.shot, self._jobs[part.job].held.claim.attempt)
        results = []
        for slot, seed in zip(part.slots, part.shot.seeds, strict=True):
            field = self._fields.get((part.job, slot))
            if field is None:
                results.append(Painted(slot, seed, pictures[part.job, slot], details))
            else:
                more = details | field.details()
                results.append(Painted(slot, seed, field.kept.picture, more, field.kept.vector))
        return results


def _candidate(shot: Shot, number: int) -> Shot:
    return replace(shot, seeds=tuple(candidates.seed(seed, number) for seed in shot.seeds))


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
