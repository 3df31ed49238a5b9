"""How a picture looks, as numbers: codes of its medium, palette and light, and the colours of its places."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from torch.nn import functional as F

from starter.attributes import LIGHTS, MEDIA, Attributes
from starter.palettes import RAMPS, ramp
from starter.pixels import to_tensor

CODES = {"medium": 6, "palette": 6, "light": 2}  # numbers that tell each
CODE = sum(CODES.values())
COLOURS = 8
PART = 8  # pixels along a side of the parts that a colour is the mean of
SEED = 19


def code(attributes: Attributes) -> np.ndarray:
    """(CODE,) float32: of medium, palette and light in turn."""
    return np.concatenate([medium(attributes.medium), palette(attributes.palette), light(attributes.light)])


def medium(name: str) -> np.ndarray:
    """(6,) float32, each of mean 0 and deviation 1 over the media."""
    return np.asarray(media()[MEDIA.index(name)])


def palette(name: str) -> np.ndarray:
    """(6,) float32, each of mean 0 and deviation 1 over the palettes; of like colours, like numbers."""
    return np.asarray(palettes()[list(RAMPS).index(name)])


def light(name: str) -> np.ndarray:
    """(2,) float32, each of mean 0 and deviation 1 over the lights."""
    return np.asarray(lights()[LIGHTS.index(name)])


@lru_cache
def media() -> np.ndarray:
    """(len(MEDIA), 6) float32."""
    return apart(np.random.default_rng(SEED).normal(size=(len(MEDIA), CODES["medium"])))


@lru_cache
def palettes() -> np.ndarray:
    """(len(RAMPS), 6) float32, kept apart from where their principal components put them."""
    ramps = np.stack([ramp(name).ravel() for name in RAMPS])
    left, _, right = np.linalg.svd(ramps - ramps.mean(0), full_matrices=False)
    # Which way a component points is left open by mathematics.
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(1)])
    return apart((left * signs)[:, : CODES["palette"]])


@lru_cache
def lights() -> np.ndarray:
    """(len(LIGHTS), 2) float32."""
    return apart(np.random.default_rng(SEED).normal(size=(len(LIGHTS), CODES["light"])))


def apart(points: np.ndarray) -> np.ndarray:
    """Points (n, d) float32, moved away from each other on a sphere and brought to mean 0, deviation 1."""
    for _ in range(500):
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
        away = points[:, None] - points[None]
        distance = (away**2).sum(-1, keepdims=True) + np.eye(len(points))[..., None]
        points = points + 0.02 * (away / distance**2).sum(1)
    points = points - points.mean(0)
    return np.asarray(points / points.std(0), np.float32)


def colours(images: np.ndarray) -> np.ndarray:
    """(n, 12, h / 16, w / 16) float32: mean colours of the quarters of each place of (n, h, w, 3) uint8."""
    means = F.avg_pool2d(to_tensor(images), PART)
    return np.asarray(F.pixel_unshuffle(means, 2).numpy())
