"""The exact labels of a drawn picture: one subject, and four attributes of how it looks."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass

import numpy as np

SUBJECTS = (
    "mountains", "sailboat", "city", "flower", "lighthouse", "cat",
    "rocket", "bridge", "tree", "fish", "house", "balloon",
)  # fmt: skip
MEDIA = (
    "flat", "papercut", "watercolour", "oil", "neon",
    "ink", "woodblock", "pixel", "pointillism", "glass",
)  # fmt: skip
PALETTES = (
    "sunset", "ocean", "forest", "pastel", "sepia",
    "mono", "candy", "crimson", "royal", "tropical",
)  # fmt: skip
LIGHTS = ("day", "dusk", "night")
DENSITIES = ("sparse", "balanced", "busy")

NAMES: dict[str, tuple[str, ...]] = {
    "subject": SUBJECTS,
    "medium": MEDIA,
    "palette": PALETTES,
    "light": LIGHTS,
    "density": DENSITIES,
}
HOW = ("medium", "palette", "light", "density")


@dataclass(frozen=True)
class Attributes:
    subject: str
    medium: str
    palette: str
    light: str
    density: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)

    def codes(self) -> list[int]:
        """Class indices in the order of NAMES."""
        values = self.as_dict()
        return [names.index(values[name]) for name, names in NAMES.items()]


def from_codes(codes: np.ndarray) -> Attributes:
    """Attributes from five class indices in the order of NAMES."""
    return Attributes(*(names[int(code)] for names, code in zip(NAMES.values(), codes, strict=True)))


def balanced(count: int, seed: int) -> np.ndarray:
    """(count, 5) uint8 class indices: every combination once before any comes again, shuffled."""
    rng = np.random.default_rng(seed)
    combinations = np.array(list(itertools.product(*(range(len(names)) for names in NAMES.values()))))
    rounds = [rng.permutation(combinations) for _ in range(-(-count // len(combinations)))]
    return np.concatenate(rounds)[:count].astype(np.uint8)
