"""Media of plain areas: flat colour, and sheets of cut paper."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import skia

from starter.media.canvas import Canvas, Image, noise, paint, plain, put, shaded
from starter.palettes import Colours
from starter.scene import Picture, Shape

SHEETS = 4  # of which the sky of a papercut is made


def flat(picture: Picture, colours: Colours, rng: np.random.Generator) -> Image:
    """Even colours with clean edges, and nothing else."""
    return plain(picture, colours).rgb()


def papercut(picture: Picture, colours: Colours, rng: np.random.Generator) -> Image:
    """Layers of cut paper: every sheet throws a soft shadow and has a light cut edge."""
    canvas = Canvas(picture.height, picture.width)
    canvas.fill(colours.role("sky_low"), colours.role("sky_low"))
    seed = int(rng.integers(1 << 20))
    turn = float(rng.uniform(0, 2 * np.pi))
    for number in range(SHEETS - 1, 0, -1):
        part = (number - 1) / (SHEETS - 1)
        colour = colours.role("sky_top") * (1 - part) + colours.role("sky_low") * part
        sheet(canvas, Shape(cut_sky(picture, number, turn), "sky_low"), colour, None, depth=0.38)
    for number, shape in enumerate(picture.shapes):
        effect = None if shape.detail else skia.DiscretePathEffect.Make(8.0, 0.7, seed + number)
        sheet(canvas, shape, colours.role(shape.role), effect)
    fibre = 0.03 * noise(rng, (picture.height // 10, picture.width // 10), picture.height, picture.width)
    return shaded(canvas.rgb(), 1 + fibre)


def cut_sky(picture: Picture, number: int, turn: float) -> skia.Path:
    """A sheet that hangs from the top to a wavy edge, the lower the higher its number."""
    right = picture.width + 20.0
    xs = np.linspace(-20, right, 48)
    waves = np.sin(turn + 1.1 * number + 2 * np.pi * (1.2 + 0.15 * number) * xs / picture.width)
    ys = picture.height * (0.13 * number - 0.01 + 0.025 * waves)
    points = [skia.Point(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
    return skia.Path.Polygon([*points, skia.Point(right, -20.0), skia.Point(-20.0, -20.0)], True)


def sheet(
    canvas: Canvas,
    shape: Shape,
    colour: np.ndarray,
    effect: skia.PathEffect | None,
    *,
    depth: float = 0.62,
) -> None:
    """One piece of paper on what lies below it."""
    drop = 3.0 if shape.detail else 6.0
    shadow = paint(np.zeros(3), alpha=depth, width=shape.width + drop * 0.7)
    if not shape.width:
        shadow.setStyle(skia.Paint.kStrokeAndFill_Style)
    shadow.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, drop * 0.55))
    if effect is not None:
        shadow.setPathEffect(effect)
    canvas.draw.save()
    canvas.draw.translate(drop * 0.6, drop)
    canvas.draw.drawPath(shape.path, shadow)
    canvas.draw.restore()
    put(canvas, shape, colour, effect=effect)
    if not shape.detail and not shape.width:
        edge = paint(colour * 0.45 + 0.55, width=2.0)
        if effect is not None:
            edge.setPathEffect(effect)
        canvas.draw.drawPath(shape.path, edge)


PAINT: dict[str, Callable[[Picture, Colours, np.random.Generator], Image]] = {
    "flat": flat,
    "papercut": papercut,
}
