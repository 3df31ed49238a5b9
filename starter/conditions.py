"""What the denoiser is told of a picture in training: a caption, the embedding of a picture that looks alike,
or nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from starter import vision
from starter.attributes import from_codes
from starter.captions import Speaker


class Alike:
    """Embeddings of pictures that share some of the look of a given one, itself never among them."""

    def __init__(self, embeddings: np.ndarray, codes: np.ndarray) -> None:
        self.embeddings = embeddings
        self.codes = codes
        self.groups: dict[tuple[tuple[int, int], ...], np.ndarray] = {}

    def group(self, row: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
        """Indices of the pictures whose codes equal `row` in these columns; of fewer if there are too few."""
        key = tuple((c, int(row[c])) for c in columns)
        if key not in self.groups:
            same = (self.codes[:, list(columns)] == row[list(columns)]).all(1)
            self.groups[key] = np.flatnonzero(same)
        found = self.groups[key]
        return found if len(found) > 1 or len(columns) == 1 else self.group(row, columns[:-1])

    def mean(
        self, row: np.ndarray, columns: tuple[int, ...], count: int, rng: np.random.Generator
    ) -> np.ndarray:
        found = self.group(row, columns)
        others = found[(self.codes[found] != row).any(1)]
        return np.asarray(self.embeddings[rng.choice(others if len(others) else found, count)].mean(0))

    def draw(self, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One embedding for a picture of these codes: of a twin in looks, or a mean over many.

        Tastes reach the adapter as such means, at the usual length.
        """
        kind, count = rng.random(), int(rng.integers(2, 6))
        if kind < 0.5:
            made = self.mean(row, (1, 2, 3, 4), 1, rng)
        elif kind < 0.85:
            shared = (1, *(c for c in (2, 3, 4) if rng.random() < 0.6))
            made = self.mean(row, shared, count, rng)
        else:
            made = self.mean(row, (2, *(c for c in (3, 4) if rng.random() < 0.5)), count, rng)
        made = made * vision.NORM / max(float(np.linalg.norm(made)), 1e-6)
        return made + rng.normal(0, 0.06, made.shape)


@dataclass(frozen=True)
class Conditions:
    """What a batch of n pictures is painted from; empty and zero stand for "nothing said"."""

    captions: list[str]
    embeddings: np.ndarray  # (n, vision.WIDTH) float32


def conditions(rows: np.ndarray, alike: Alike, adapted: bool, rng: np.random.Generator) -> Conditions:
    """Captions and image embeddings for codes (n, 10).

    Text and image are left out apart and together, so that each can be guided by itself.
    """
    speaker = Speaker(rng)
    made = Conditions([], np.zeros((len(rows), vision.WIDTH), np.float32))
    for number, row in enumerate(rows):
        plain = rng.random() < (0.5 if adapted else 0.12)
        caption, _ = (speaker.plain if plain else speaker.free)(from_codes(row))
        drop = rng.random()
        made.captions.append("" if drop < 0.12 else caption)
        if adapted and 0.06 < drop < 0.94:
            made.embeddings[number] = alike.draw(row, rng)
    return made
