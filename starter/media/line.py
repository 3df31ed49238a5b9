"""Media of lines: neon tubes, pen and ink, line art."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import skia

from starter.media import maps
from starter.media.canvas import Canvas, paint
from starter.palettes import Colours
from starter.scene import Picture

WALL = {"day": (0.42, 0.55), "dusk": (0.12, 0.36), "night": (0.0, 0.05)}
WALL_GAIN = {"day": 0.58, "dusk": 0.46, "night": 0.5}


def neon(picture: Picture, colours: Colours, rng: np.random.Generator) -> np.ndarray:
    """Glowing tubes on a brick wall; the light decides how dark the wall is."""
    tubes, cores = Canvas(picture.height, picture.width), Canvas(picture.height, picture.width)
    for shape in picture.shapes:
        colour = tube(colours, shape.role)
        if not shape.width:
            for canvas in (tubes, cores):
                brush = paint(colour * 0.09 if canvas is tubes and not shape.detail else np.zeros(3))
                canvas.draw.drawPath(shape.path, brush)
        size = 3.0 if shape.detail else 5.0
        maps.stroke(tubes.draw, shape, colour, size)
        maps.stroke(cores.draw, shape, np.ones(3), size * 0.4)
    light, core = tubes.rgb(), cores.rgb()[..., :1] / np.float32(255)
    near, far = maps.blurred(light, 3.0), maps.blurred(light, 12.0)
    lit = 0.8 * (light / np.float32(255)) + 0.5 * near + 0.45 * far
    # White tubes would drown a crowded picture in light.
    lit *= np.clip(1.25 - 0.6 * lit.mean(), 0.6, 1.1)
    return maps.finished(wall(picture, colours) * (1 + far) + lit + 0.6 * core)


def tube(colours: Colours, role: str) -> np.ndarray:
    """The full-strength colour of a role's tubes."""
    if role in ("accent", "orb"):
        colour = colours.ramp[6]
    else:
        colour = colours.ramp[
            {"main": 3, "bright": 5, "cloud": 4, "second": 4, "far": 2, "near": 2}.get(role, 3)
        ]
    vivid = np.clip(colour / max(float(colour.max()), 1e-3), 0, 1)
    return np.asarray(np.clip(1 - (1 - vivid) * 1.15, 0, 1))


def wall(picture: Picture, colours: Colours) -> np.ndarray:
    """Bricks of 16 x 8 pixels, every other course moved by half a brick."""
    x, y = maps.grid(picture)
    low, high = (colours.tone(position) for position in WALL[colours.light])
    down = np.broadcast_to(y / picture.height, (picture.height, picture.width))
    ground = maps.blend(low, high, down) * WALL_GAIN[colours.light] + 0.02
    course = y // 8 % 2
    joint = np.minimum(maps.nearest(y, 8), maps.nearest(x + 8 * course, 16))
    return np.asarray(ground * (0.66 + 0.44 * np.clip(joint - 0.4, 0, 1))[..., None])


def ink(picture: Picture, colours: Colours, rng: np.random.Generator) -> np.ndarray:
    """Pen outlines over diagonal hatching on tinted paper; at night light ink on a dark ground."""
    night = colours.light == "night"
    paper = colours.tone({"day": 0.97, "dusk": 0.78, "night": 0.06}[colours.light])
    pen = colours.tone(0.96 if night else 0.02)
    second = colours.tone({"day": 0.38, "dusk": 0.3, "night": 0.55}[colours.light])
    tone = maps.tones(picture, colours)
    weight = tone if night else 1 - tone
    solid = 2.5 * np.clip(weight - 0.82, 0, 0.2)  # the deepest tones nearly close
    x, y = maps.grid(picture)
    # (x + y) changes by the root of two a pixel, hence the factor on distances across a line.
    first = np.clip((0.5 + 0.9 * weight + solid) - maps.nearest(x + y - 1, 8) * 0.707 + 0.5, 0, 1)
    cross = np.clip((0.4 + 0.9 * weight + solid) - maps.nearest(x - y, 8) * 0.707 + 0.5, 0, 1)
    clear = 1 - maps.cover(picture, {"bright", "orb", "accent"})
    hatched = maps.blend(np.broadcast_to(paper, (*tone.shape, 3)), second, first * clear)
    dark = np.clip((weight - (0.5 if night else 0.72)) * 10, 0, 1) * clear
    hatched = maps.blend(hatched, pen, np.maximum(first, cross) * dark)
    filled = maps.blend(hatched, colours.ramp[6], maps.cover(picture, {"accent"}))
    if night:
        filled = maps.blend(filled, pen, maps.cover(picture, {"bright", "orb"}))
    canvas = Canvas(picture.height, picture.width)
    canvas.lay(maps.finished(filled))
    return outlined(canvas, picture, pen)


def outlined(canvas: Canvas, picture: Picture, pen: np.ndarray) -> np.ndarray:
    """The canvas under every shape's visible outline."""
    lines = Canvas(picture.height, picture.width)
    erase = paint(np.zeros(3))
    erase.setBlendMode(skia.BlendMode.kClear)
    for shape in picture.shapes:
        if not shape.width:
            lines.draw.drawPath(shape.path, erase)
        maps.stroke(lines.draw, shape, pen, 2.0 if shape.detail else 4.0)
    canvas.draw.drawImage(lines.surface.makeImageSnapshot(), 0, 0)
    return canvas.rgb()


def line(picture: Picture, colours: Colours, rng: np.random.Generator) -> np.ndarray:
    """Even outlines in several colours on clean paper, and nothing filled but the accent."""
    night = colours.light == "night"
    paper = colours.tone({"day": 1.0, "dusk": 0.74, "night": 0.04}[colours.light])
    canvas = Canvas(picture.height, picture.width)
    canvas.fill(paper, paper)
    for shape in picture.shapes:
        colour = pencil(colours, shape.role, night)
        if not shape.width:
            filled = shape.role == "accent" or (shape.detail and shape.role == "bright")
            canvas.draw.drawPath(shape.path, paint(colours.ramp[6] if filled else paper))
        maps.stroke(canvas.draw, shape, colour, 2.0 if shape.detail else 4.0)
    return canvas.rgb()


def pencil(colours: Colours, role: str, night: bool) -> np.ndarray:
    """The colour of a role's outline, always far from the paper."""
    if night:
        position = {"far": 0.45, "mid": 0.55, "near": 0.45, "cloud": 0.6, "main": 0.9, "second": 0.7}.get(
            role, 1.0
        )
    else:
        position = {"far": 0.5, "mid": 0.4, "near": 0.3, "cloud": 0.5, "orb": 0.45, "second": 0.25}.get(
            role, 0.05
        )
        position *= 0.7 if colours.light == "dusk" else 1.0
    return colours.tone(position)


PAINT: dict[str, Callable[[Picture, Colours, np.random.Generator], np.ndarray]] = {
    "neon": neon, "ink": ink, "line": line,
}  # fmt: skip
