"""What the media share: a canvas of pixels, brushes, smooth noise."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import skia

from starter.palettes import Colours
from starter.scene import Picture, Shape

Image = np.ndarray


class Canvas:
    """A skia surface over its own (height, width, 4) array."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.pixels = np.zeros((height, width, 4), np.uint8)
        info = skia.ImageInfo.Make(width, height, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
        self.surface = skia.Surface.MakeRasterDirect(info, self.pixels)
        self.draw = self.surface.getCanvas()

    def rgb(self) -> Image:
        """(height, width, 3) uint8, a copy."""
        self.surface.flushAndSubmit()
        return np.array(self.pixels[..., :3])

    def fill(self, top: np.ndarray, low: np.ndarray) -> None:
        """A vertical gradient over the whole canvas."""
        stops = [skia.Color4f(*map(float, np.clip(c, 0, 1)), 1.0).toColor() for c in (top, low)]
        shader = skia.GradientShader.MakeLinear([skia.Point(0, 0), skia.Point(0, self.height)], stops)
        self.draw.drawPaint(skia.Paint(Shader=shader))

    def lay(self, image: Image) -> None:
        """Cover the canvas with an image (height, width, 3) uint8."""
        alpha = np.full(image.shape[:2], 255, np.uint8)
        self.draw.drawImage(skia.Image.fromarray(np.dstack([image, alpha])), 0, 0)


def paint(colour: np.ndarray, *, alpha: float = 1.0, width: float = 0.0, smooth: bool = True) -> Any:
    """A skia paint: filling, or stroking with round joins where `width` is given."""
    r, g, b = np.clip(colour, 0, 1)
    made = skia.Paint(AntiAlias=smooth, Color4f=skia.Color4f(float(r), float(g), float(b), alpha))
    if width:
        made.setStyle(skia.Paint.kStroke_Style)
        made.setStrokeWidth(width)
        made.setStrokeCap(skia.Paint.kRound_Cap)
        made.setStrokeJoin(skia.Paint.kRound_Join)
    return made


def put(
    canvas: Canvas,
    shape: Shape,
    colour: np.ndarray,
    *,
    alpha: float = 1.0,
    smooth: bool = True,
    effect: Any = None,
) -> None:
    """Draw a shape in one colour, filled or stroked as it asks."""
    brush = paint(colour, alpha=alpha, width=shape.width, smooth=smooth)
    if effect is not None:
        brush.setPathEffect(effect)
    canvas.draw.drawPath(shape.path, brush)


def plain(picture: Picture, colours: Colours, *, smooth: bool = True) -> Canvas:
    """A canvas with the picture in flat colours, which many media start from."""
    canvas = Canvas(picture.height, picture.width)
    canvas.fill(colours.role("sky_top"), colours.role("sky_low"))
    for shape in picture.shapes:
        put(canvas, shape, colours.role(shape.role), smooth=smooth)
    return canvas


def noise(rng: np.random.Generator, cells: tuple[int, int], height: int, width: int) -> np.ndarray:
    """(height, width) float32 smooth noise in [-1, 1] from a grid of `cells` (rows, columns)."""
    grid = rng.uniform(-1.25, 1.25, (cells[0] + 1, cells[1] + 1)).astype(np.float32)
    return np.asarray(np.clip(weights(cells[0], height) @ grid @ weights(cells[1], width).T, -1, 1))


@lru_cache(maxsize=64)
def weights(cells: int, length: int) -> np.ndarray:
    """(length, cells + 1): how much every pixel takes of each grid point, in bells that hide the grid."""
    away = np.linspace(0, cells, length)[:, None] - np.arange(cells + 1)
    made = np.exp(-2 * away**2)
    return np.asarray(made / made.sum(1, keepdims=True), np.float32)


def shaded(image: Image, gain: np.ndarray) -> Image:
    """`image` with every pixel multiplied by `gain` (height, width)."""
    return np.asarray(np.clip(image * gain[..., None].astype(np.float32), 0, 255), np.uint8)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """A float32 image (height, width, ...) softened by a bell of `sigma` pixels."""
    made = np.tensordot(bell(image.shape[0], sigma), image.astype(np.float32), (1, 0))
    return np.swapaxes(np.tensordot(bell(image.shape[1], sigma), made, (1, 1)), 0, 1)


@lru_cache(maxsize=32)
def bell(length: int, sigma: float) -> np.ndarray:
    """(length, length) rows that average each pixel's neighbours."""
    x = np.arange(length, dtype=np.float32)
    made = np.exp(-((x[:, None] - x) ** 2) / (2 * sigma**2))
    return np.asarray(made / made.sum(1, keepdims=True), np.float32)


def step(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, eased between."""
    part = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(part * part * (3 - 2 * part))
