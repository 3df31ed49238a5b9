"""Media pressed from blocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import skia

from starter.media.canvas import Canvas, Image, noise, paint, put, step
from starter.palettes import Colours
from starter.scene import Picture

KEY = 4.5  # pixels of the dark line around every shape


def woodblock(picture: Picture, colours: Colours, rng: np.random.Generator) -> Image:
    """A print from blocks: a graded band at the top, flat inks, a heavy key line and wood grain."""
    canvas = Canvas(picture.height, picture.width)
    band(canvas, colours)
    key = colours.tone(0.0) * 0.6
    for shape in picture.shapes:
        if shape.width and not shape.detail:
            canvas.draw.drawPath(shape.path, paint(key, width=shape.width + KEY))
        put(canvas, shape, colours.role(shape.role))
        if not shape.width:
            canvas.draw.drawPath(shape.path, paint(key, width=2.0 if shape.detail else KEY))
    image = canvas.rgb().astype(np.float32)
    streaks = grain(rng, picture.height, picture.width)[..., None]
    # The block lets paler ink through along the grain, which shows in dark inks as well as in light ones.
    pale = colours.tone(1.0).astype(np.float32) * 255
    image = image * (1 - 0.13 * np.maximum(-streaks, 0)) + (pale - image) * 0.17 * np.maximum(streaks, 0)
    return np.asarray(np.clip(image, 0, 255), np.uint8)


def band(canvas: Canvas, colours: Colours) -> None:
    """The sky: one ink, and a darker one wiped away downwards from the top."""
    top, low = colours.role("sky_top"), colours.role("sky_low")
    ground = top * 0.4 + low * 0.6
    canvas.fill(ground, ground)
    place = colours.position("sky_top")
    deep = colours.tone(place - 0.4) if place > 0.2 else colours.tone(place + 0.28)
    stops = [skia.Color4f(*map(float, np.clip(deep, 0, 1)), a).toColor() for a in (1.0, 0.85, 0.0)]
    ends = [skia.Point(0, 0), skia.Point(0, canvas.height * 0.36)]
    canvas.draw.drawPaint(skia.Paint(Shader=skia.GradientShader.MakeLinear(ends, stops, [0.0, 0.25, 1.0])))


def grain(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """(height, width) in [-1, 1]: lines of even breadth that bend round a few knots."""
    y = np.arange(height, dtype=np.float32)[:, None]
    bend = y + 15.0 * noise(rng, (3, 3), height, width) + 2.0 * noise(rng, (10, 4), height, width)
    lines = np.sin(bend * (2 * np.pi / 9.0))
    return np.asarray((2 * step(-0.6, 0.8, lines) - 1) * (0.75 + 0.25 * noise(rng, (8, 3), height, width)))


PAINT: dict[str, Callable[[Picture, Colours, np.random.Generator], Image]] = {"woodblock": woodblock}
