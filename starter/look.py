"""How a picture looks, as numbers: a code of its medium, and the colours of its places."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from torch.nn import functional as F

from starter.attributes import MEDIA
from starter.pixels import to_tensor

CODE = 6
COLOURS = 8
PART = 8  # pixels along a side of the parts that a colour is the mean of
SEED = 19


def medium(name: str) -> np.ndarray:
    """(CODE,) float32, each of mean 0 and deviation 1 over the media."""
    return np.asarray(codes()[MEDIA.index(name)], np.float32)


@lru_cache
def codes() -> np.ndarray:
    """(len(MEDIA), CODE) points that keep away from each other."""
    points = np.random.default_rng(SEED).normal(size=(len(MEDIA), CODE))
    for _ in range(500):
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        away = points[:, None] - points[None]
        distance = (away**2).sum(-1, keepdims=True) + np.eye(len(MEDIA))[..., None]
        points += 0.02 * (away / distance**2).sum(1)
    points -= points.mean(0)
    return np.asarray(points / points.std(0))


def colours(images: np.ndarray) -> np.ndarray:
    """(n, 12, h / 16, w / 16) float32: mean colours of the quarters of each place of (n, h, w, 3) uint8."""
    means = F.avg_pool2d(to_tensor(images), PART)
    return np.asarray(F.pixel_unshuffle(means, 2).numpy())
