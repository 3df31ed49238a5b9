"""What is where in a drawn picture, whatever its palette and, but for the sky of a papercut, its medium.

Six maps at a quarter of the size: the tone of each place by day, at dusk and by night (together they tell its
role), the accent, the figure, and the outlines of shapes. A medium and colours make the picture of them
(`look.py`), which is what the compressor's decoder learns (`vae.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import skia

from starter.attributes import LIGHTS, Attributes
from starter.draw import PIXELS, composed
from starter.media.flat import SHEETS, cut_sky
from starter.palettes import TONES
from starter.scene import Picture

MAPS = 6  # tones by day, at dusk and by night, the accent, the figure, outlines
CELL = 4  # pixels a place
ACCENT = (0.8, 0.8, 0.8)  # its tones
# Bring the maps to about the same mean and size; the figure counts for more, outlines for less.
MEAN = np.array([0.65, 0.4, 0.2, 0.05, 0.25, 0.15], np.float32)
DEVIATION = np.array([0.27, 0.27, 0.24, 0.3, 0.35, 0.5], np.float32)

Tones = tuple[float, float, float]


def tones(role: str) -> Tones:
    if role == "accent":
        return ACCENT
    day, dusk, night = (TONES[light][role] for light in LIGHTS)
    return day, dusk, night


def layout(attributes: Attributes, seed: int, *, width: int = PIXELS, height: int = PIXELS) -> np.ndarray:
    """(MAPS, height / CELL, width / CELL) float16 of the picture that `draw` makes of the same arguments."""
    picture, _, rng = composed(attributes, seed, width, height)
    sheets = []
    if attributes.medium == "papercut":
        rng.integers(1 << 20)  # as the medium does before
        turn = float(rng.uniform(0, 2 * np.pi))
        sheets = [(cut_sky(picture, n, turn), (n - 1) / (SHEETS - 1)) for n in range(SHEETS - 1, 0, -1)]
    return maps(picture, sheets)


def maps(picture: Picture, sheets: list[tuple[Any, float]]) -> np.ndarray:
    """Of a picture whose sky is one gradient or these sheets, each with its share of the sky's lower tone."""
    width, height = picture.width // CELL, picture.height // CELL
    shown, own, lines = (Surface(width, height) for _ in range(3))
    top, low = np.array(tones("sky_top")), np.array(tones("sky_low"))
    shown.ground(low if sheets else top, low)
    for path, part in sheets:
        shown.fill(path, top * (1 - part) + low * part)
        lines.stroke(path, 1.0, 4.0)
    accent = Surface(width, height)
    for shape in picture.shapes:
        for surface, value in (
            (shown, np.array(tones(shape.role))),
            (own, float(shape.own)),
            (accent, float(shape.role == "accent")),
        ):
            if shape.width:
                surface.stroke(shape.path, value, shape.width)
            else:
                surface.fill(shape.path, value)
        if not shape.width:
            lines.fill(shape.path, 0.0)
        lines.stroke(shape.path, 1.0, 2.0 if shape.detail else 4.0)
    made = np.concatenate([shown.seen(), *(s.seen()[:1] for s in (accent, own, lines))])
    return np.asarray((made - MEAN[:, None, None]) / DEVIATION[:, None, None], np.float16)


class Surface:
    """Three channels of values in [0, 1], painted in pixels of the picture."""

    def __init__(self, width: int, height: int) -> None:
        self.height = height
        self.surface = skia.Surface(width, height)
        self.canvas = self.surface.getCanvas()
        self.canvas.clear(skia.Color(0, 0, 0))
        self.canvas.scale(1 / CELL, 1 / CELL)

    def ground(self, top: np.ndarray, low: np.ndarray) -> None:
        ends = [skia.Point(0, 0), skia.Point(0, self.height * CELL)]
        shader = skia.GradientShader.MakeLinear(ends, [colour(top), colour(low)])
        self.canvas.drawPaint(skia.Paint(Shader=shader))

    def fill(self, path: Any, value: np.ndarray | float) -> None:
        self.canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=colour(value)))

    def stroke(self, path: Any, value: np.ndarray | float, width: float) -> None:
        paint = skia.Paint(AntiAlias=True, Color=colour(value))
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        self.canvas.drawPath(path, paint)

    def seen(self) -> np.ndarray:
        """(3, h, w) float32."""
        pixels = self.surface.toarray(colorType=skia.ColorType.kRGBA_8888_ColorType)[..., :3]
        return np.asarray(pixels, np.float32).transpose(2, 0, 1) / 255


def colour(value: np.ndarray | float) -> int:
    return int(skia.Color(*(round(255 * float(v)) for v in np.broadcast_to(value, 3))))
