"""Best of several: candidates for a slot, painted with seeds of its own, and the one that the taste keeps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from app.spec import Spec
from app.taste.best_of import choose, values
from worker.conditioning import Plan, Taste
from worker.encoders import Vectors
from worker.pipelines import Model


@dataclass(frozen=True)
class Judge:
    """What candidates of a slot are measured by: a taste, and the prompt's unit vector (j,) where the model
    has a space that images and prompts share."""

    taste: Taste
    prompt: Vectors | None
    count: int
    floor: float


@dataclass(frozen=True)
class Kept:
    """A candidate and its embedding (d,)."""

    seed: int
    picture: Image.Image
    vector: Vectors


def judges(spec: Spec, model: Model, plans: Sequence[Plan]) -> dict[int, Judge]:
    """A judge for each slot that has candidates: where the preset says so, a taste acts, and not under
    --raw."""
    best_of = model.preset.best_of
    if best_of is None or spec.raw or all(item.taste is None for item in plans):
        return {}
    texts = model.encoder.aligned_texts([spec.text])
    prompt = texts[0] if texts is not None else None
    return {
        item.slot: Judge(item.taste, prompt, best_of.candidates, best_of.floor)
        for item in plans
        if item.taste is not None
    }


def seed(slot_seed: int, number: int) -> int:
    """The seed of a slot's candidate, counted from 0. The first has the slot's own: it is the image that is
    painted without candidates. The others' are far from those of the grid's next slots."""
    if number == 0:
        return slot_seed
    return int(np.random.SeedSequence((slot_seed, number)).generate_state(1)[0])


class Field:
    """The candidates of one slot. Only the picture that is kept so far is held."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self._values: list[float] = []
        self._alignments: list[float] = []
        self._kept: Kept | None = None

    @property
    def kept(self) -> Kept:
        """The best candidate so far. Raises ValueError before the first."""
        if self._kept is None:
            raise ValueError("no candidate has entered")
        return self._kept

    def enter(self, candidate: Kept, alignment: float | None) -> None:
        """Weigh one more candidate; `alignment` is its cosine with the prompt."""
        taste = self.judge.taste
        self._values += values(taste.blend, taste.space, candidate.vector[None].astype(np.float64)).tolist()
        self._alignments += [alignment] if alignment is not None else []
        if self._chosen() == len(self._values) - 1:
            self._kept = candidate

    def details(self) -> dict[str, object]:
        """What the choice came to, for the image's record."""
        return {
            "candidates": len(self._values),
            "kept": self._chosen(),
            "kept_seed": self.kept.seed,
            "values": [round(value, 4) for value in self._values],
            "alignments": [round(value, 4) for value in self._alignments],
        }

    def _chosen(self) -> int:
        alignment = np.array(self._alignments) if self._alignments else None
        return choose(np.array(self._values), alignment, floor=self.judge.floor)


def enter(fields: Sequence[Field], model: Model, seeds: Sequence[int], pictures: list[Image.Image]) -> None:
    """Let one candidate enter for each slot, all embedded at once."""
    seen = model.encoder.look(pictures)
    for place, (field, number, picture) in enumerate(zip(fields, seeds, pictures, strict=True)):
        prompt = field.judge.prompt
        alignment = None
        if seen.aligned is not None and prompt is not None:
            alignment = float(seen.aligned[place] @ prompt)
        field.enter(Kept(number, picture, seen.raw[place]), alignment)
