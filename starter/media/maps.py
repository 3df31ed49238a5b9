"""What several media start from: a picture's tones, its subject, and lattices fixed to the canvas."""

from __future__ import annotations

from typing import Any

import numpy as np
import skia

from starter.media.canvas import Canvas, paint, put
from starter.palettes import Colours
from starter.scene import Picture, Shape

FRONT = ("main", "accent", "bright")


def tones(picture: Picture, colours: Colours) -> np.ndarray:
    """(height, width) floats: the position on the ramp, from dark to light, of what each pixel shows."""
    canvas = Canvas(picture.height, picture.width)
    canvas.fill(np.full(3, colours.position("sky_top")), np.full(3, colours.position("sky_low")))
    for shape in picture.shapes:
        put(canvas, shape, np.full(3, colours.position(shape.role)))
    return np.asarray(canvas.rgb()[..., 0] / np.float32(255))


def cover(picture: Picture, shows: set[str]) -> np.ndarray:
    """(height, width) floats: how much of each pixel shows one of these roles."""
    canvas = Canvas(picture.height, picture.width)
    for shape in picture.shapes:
        put(canvas, shape, np.full(3, float(shape.role in shows)))
    return np.asarray(canvas.rgb()[..., 0] / np.float32(255))


def leading(picture: Picture) -> list[Shape]:
    """The large shapes of the subject; in a scene that marks none, those in a subject's usual roles."""
    large = [shape for shape in picture.shapes if not shape.detail]
    return [shape for shape in large if shape.own] or [shape for shape in large if shape.role in FRONT]


def grid(picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Columns (1, width) and rows (height, 1) of the pixels' middles."""
    return np.arange(picture.width)[None] + np.float32(0.5), np.arange(picture.height)[:, None] + np.float32(
        0.5
    )


def nearest(position: np.ndarray, period: float) -> np.ndarray:
    """Distance from the nearest multiple of `period`."""
    return np.abs((position + period / 2) % period - period / 2)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """A smooth copy of (height, width, 3) uint8, as floats in [0, 1]."""
    height, width = image.shape[:2]
    canvas = Canvas(height, width)
    brush = skia.Paint(ImageFilter=skia.ImageFilters.Blur(sigma, sigma, skia.TileMode.kClamp))
    canvas.draw.saveLayer(None, brush)
    canvas.lay(image)
    canvas.draw.restore()
    return canvas.rgb() / np.float32(255)


def blend(low: np.ndarray, high: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """From `low` to `high` by `amount` (height, width)."""
    share = amount[..., None]
    return np.asarray(low * (1 - share) + high * share)


def finished(image: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(image * 255 + 0.5, 0, 255), np.uint8)


def stroke(canvas: Any, shape: Shape, colour: np.ndarray, width: float) -> None:
    """The outline of a filled shape, or the whole of a stroked one at least this wide."""
    brush = paint(colour, width=max(width, min(shape.width, 2 * width)))
    canvas.drawPath(shape.path, brush)
