"""A picture from its attributes and a seed."""

from __future__ import annotations

import numpy as np

from starter_v1 import media, subjects
from starter_v1.attributes import Attributes
from starter_v1.backdrop import LEVEL
from starter_v1.palettes import Colours
from starter_v1.scene import Scene


def draw(attributes: Attributes, seed: int) -> np.ndarray:
    """(128, 128, 3) uint8; the same attributes and seed give the same pixels."""
    rng = np.random.default_rng(seed)
    scene = Scene(rng)
    subjects.DRAW[attributes.subject](scene, attributes.light, LEVEL[attributes.density])
    colours = Colours(attributes.palette, attributes.light, float(rng.uniform(-0.05, 0.05)))
    return media.PAINT[attributes.medium](scene, colours, rng)


def sheet(images: list[np.ndarray], columns: int, gap: int = 2) -> np.ndarray:
    """Equal images in rows of `columns` on white."""
    rows = -(-len(images) // columns)
    h, w = images[0].shape[:2]
    page = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, 3), 255, np.uint8)
    for number, image in enumerate(images):
        y, x = divmod(number, columns)
        page[y * (h + gap) : y * (h + gap) + h, x * (w + gap) : x * (w + gap) + w] = image
    return page
