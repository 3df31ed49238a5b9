"""Where images are painted and looked at: the worker's own way from a taste to pixels, and the judge."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from app.config import REPOSITORY
from app.presets import get_preset
from app.spec import Spec
from app.taste.blend import blend
from app.taste.codes import FrozenTaste
from app.taste.space import Space, load_space
from starter.judge import Judge, features, load_judge, probabilities
from worker import conditioning
from worker.batching import Part, batches
from worker.pipelines import Model, load

Images = NDArray[np.uint8]

PRESET = "starter"
SPACE = REPOSITORY / "starter" / "taste_space.npz"


@dataclass(frozen=True)
class Look:
    """What the judge sees: probabilities (n, classes) of each attribute's values, and features (n, f)."""

    seen: dict[str, NDArray[np.float32]]
    features: NDArray[np.float32]


class Studio:
    """A loaded model with its taste space, and the judge who shares nothing with it."""

    def __init__(self, model: Model, space: Space, judge: Judge) -> None:
        self.model = model
        self.space = space
        self.judge = judge

    def paint(
        self, prompt: str, *, seed: int, count: int, stylize: int = 0, taste: FrozenTaste | None = None
    ) -> Images:
        """The first `count` images (count, h, w, 3) of a prompt's grid, as a worker paints its job."""
        preset = self.model.preset
        spec = Spec(text=prompt, n=count).resolve(
            seed=seed, stylize=stylize, model=preset.name, steps=preset.steps, size=preset.sizes[0], tastes=()
        )
        used = None if taste is None else conditioning.Taste(blend([(taste, 1.0)]), self.space)
        plans = conditioning.plan(spec, preset, used, self.model.encoder.texts([prompt])[0])
        parts = [Part(0, slots, shot) for slots, shot in conditioning.shots(spec, plans)]
        images = []
        for batch in batches(parts, lambda part: preset.max_batch):
            images += self.model.render_together([part.shot for part in batch])
        return np.stack([np.asarray(image, dtype=np.uint8) for image in images])

    def look(self, images: Images) -> Look:
        """What the judge sees in images (n, h, w, 3)."""
        seen = {name: p.astype(np.float32) for name, p in probabilities(images, self.judge).items()}
        return Look(seen, features(images, self.judge).astype(np.float32))


def open_studio(threads: int) -> Studio:
    """The starter, with the space and the judge that come with it."""
    torch.set_num_threads(threads)
    return Studio(load(get_preset(PRESET), device="cpu"), load_space(SPACE), load_judge())
