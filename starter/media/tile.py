"""Media of repeated marks on a fixed lattice: pixel art, mosaic, halftone print, stained glass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import skia

from starter.media import maps
from starter.media.canvas import Canvas, paint, put
from starter.palettes import Colours
from starter.scene import Picture, Shape

BLOCK = 8
# Thresholds of ordered dithering; 2 x 2 blocks repeat every 16 pixels.
DITHER = np.array([[0.125, 0.625], [0.875, 0.375]], np.float32)
LEAD = np.array([0.055, 0.05, 0.065])


def pixel(picture: Picture, colours: Colours, rng: np.random.Generator) -> np.ndarray:
    """Hard squares of 8 pixels: dithered sky and ground, a dark outline round the subject."""
    rows, columns = picture.height // BLOCK, picture.width // BLOCK
    light, deep, share = (Canvas(rows, columns) for _ in range(3))
    top, low = colours.position("sky_top"), colours.position("sky_low")
    for canvas, step in ((light, 0.0), (deep, 0.13)):
        canvas.fill(*[colours.tone(low - step if low > 0.5 else low + step)] * 2)
    light.fill(*[colours.tone(low)] * 2)
    deep.fill(*[colours.tone(top - 0.12 if abs(top - low) < 0.2 and low > 0.5 else top)] * 2)
    share.fill(np.full(3, 0.95), np.full(3, 0.05))
    outline = {id(shape) for shape in maps.leading(picture)}
    for canvas in (light, deep, share):
        canvas.draw.scale(1 / BLOCK, 1 / BLOCK)
    for shape in picture.shapes:
        block(shape, colours, (light, deep, share), id(shape) in outline)
    threshold = np.tile(DITHER, (rows // 2, columns // 2))
    chosen = np.where((share.rgb()[..., 0] / 255 > threshold)[..., None], deep.rgb(), light.rgb())
    return chosen.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)


def block(shape: Shape, colours: Colours, canvases: tuple[Canvas, Canvas, Canvas], outlined: bool) -> None:
    """A shape in its colour, in a deeper one, and how much of the deeper shows from its top to its foot."""
    shown = replace(shape, width=max(shape.width, BLOCK * 1.01)) if shape.width else shape
    colour = colours.role(shape.role)
    deeper = colour * 0.74 if shape.role == "accent" else colours.tone(deepened(colours.position(shape.role)))
    for canvas, fill in zip(canvases, (colour, deeper, np.zeros(3)), strict=True):
        if outlined and not shape.width:
            edge = paint(np.zeros(3) if canvas is canvases[2] else colours.tone(0.0) * 0.6, width=BLOCK * 2.0)
            edge.setAntiAlias(False)
            canvas.draw.drawPath(shape.path, edge)
        brush = paint(fill, width=shown.width, smooth=False)
        if canvas is canvases[2] and not shape.detail and not shape.width:
            bounds = shape.path.getBounds()
            ends = [skia.Point(0, bounds.top()), skia.Point(0, min(bounds.bottom(), bounds.top() + 160))]
            brush.setShader(
                skia.GradientShader.MakeLinear(ends, [skia.Color(0, 0, 0), skia.Color(170, 0, 0)])
            )
        canvas.draw.drawPath(shape.path, brush)


def deepened(position: float) -> float:
    return position - 0.12 if position > 0.2 else position + 0.12


def mosaic(picture: Picture, colours: Colours, rng: np.random.Generator) -> np.ndarray:
    """Stone squares set a little askew in light grout, every other row moved by half a stone."""
    base = rimmed(picture, colours)
    height, width = picture.height, picture.width
    x, y = maps.grid(picture)
    row = np.broadcast_to((y // 8).astype(int), (height, width))
    move = 4 * (row % 2)
    column = ((x + move) // 8).astype(int)
    u, v = (x + move) % 8 - 4, np.broadcast_to(y % 8 - 4, (height, width))
    shape = (height // 8, width // 8 + 1)
    middle = np.clip(np.arange(shape[1])[None] * 8 + 4 - 4 * (np.arange(shape[0])[:, None] % 2), 0, width - 1)
    stones = base[np.arange(shape[0])[:, None] * 8 + 4, middle]
    grey = stones.mean(-1, keepdims=True)
    stones = np.clip(grey + (stones - grey) * 1.25, 0, 1) * (0.84 if colours.light == "day" else 1.0)
    stones = stones * rng.uniform(0.8, 1.1, (*shape, 1)) + rng.uniform(-0.03, 0.03, (*shape, 3))
    turn = rng.normal(0, 0.1, shape)[row, column]
    a, b = u + turn * v, v - turn * u
    inside = np.clip(3.45 - np.maximum(np.abs(a), np.abs(b)), 0, 1)
    bevel = 1 - 0.05 * (a + b) / 2
    grout = colours.tone({"day": 1.0, "dusk": 0.66, "night": 0.3}[colours.light])
    return maps.finished(maps.blend(grout, stones[row, column] * bevel[..., None], inside))


def rimmed(picture: Picture, colours: Colours) -> np.ndarray:
    """(height, width, 3) floats: the plain picture, with the subject's parts in a deeper rim."""
    canvas = Canvas(picture.height, picture.width)
    canvas.fill(colours.role("sky_top"), colours.role("sky_low"))
    # At night the subject is the lightest thing, and a rim would only eat into it.
    front = set() if colours.light == "night" else {id(shape) for shape in maps.leading(picture)}
    for shape in picture.shapes:
        if id(shape) in front and not shape.width:
            rim = colours.tone(colours.position(shape.role) - 0.4) * 0.8
            canvas.draw.drawPath(shape.path, paint(rim, width=11.0))
        put(
            canvas,
            replace(shape, width=max(shape.width, 6.0)) if shape.width else shape,
            colours.role(shape.role),
        )
    return canvas.rgb() / np.float32(255)


def halftone(picture: Picture, colours: Colours, rng: np.random.Generator) -> np.ndarray:
    """Dots of two inks on light paper, the darker the larger, under a printed outline of the subject."""
    tone = maps.tones(picture, colours)
    paper = colours.tone(1.0) * 0.5 + 0.5 * np.array([0.98, 0.96, 0.9])
    x, y = maps.grid(picture)
    first = dots(x, y, np.clip((1.0 - tone) * 1.25 + 0.12, 0, 1))
    dark = dots(x + 8, y, np.clip((0.6 - tone) * 1.5, 0, 0.7))
    accent = maps.cover(picture, {"accent"})
    sheet = maps.blend(np.broadcast_to(paper, (*tone.shape, 3)), colours.ramp[3], first * (1 - accent))
    sheet = maps.blend(sheet, colours.tone(0.04), dark * (1 - accent))
    solid = maps.blend(
        colours.ramp[6] * 0.35 + paper * 0.65, colours.ramp[6], dots(x, y, np.full_like(tone, 0.6))
    )
    sheet = sheet * (1 - accent[..., None]) + solid * accent[..., None]
    canvas = Canvas(picture.height, picture.width)
    canvas.lay(maps.finished(sheet))
    keyed(canvas, picture, colours.tone(0.04))
    return canvas.rgb()


def keyed(canvas: Canvas, picture: Picture, colour: np.ndarray) -> None:
    """Outline the visible parts of the subject."""
    lines = Canvas(picture.height, picture.width)
    erase = paint(np.zeros(3))
    erase.setBlendMode(skia.BlendMode.kClear)
    front = {id(shape) for shape in maps.leading(picture)}
    for shape in picture.shapes:
        if not shape.width:
            lines.draw.drawPath(shape.path, erase)
            if id(shape) in front:
                lines.draw.drawPath(shape.path, paint(colour, width=3.5))
    canvas.draw.drawImage(lines.surface.makeImageSnapshot(), 0, 0)


def dots(x: np.ndarray, y: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Ink of round dots around the multiples of 8 whose sum is a multiple of 16."""
    u, v = maps.nearest(x + y, 16) * 0.7071, maps.nearest(x - y, 16) * 0.7071
    distance = np.sqrt(u * u + v * v)
    return np.asarray(np.clip(np.sqrt(cover) * 8.4 - distance + 0.1, 0, 1))


def glass(picture: Picture, colours: Colours, rng: np.random.Generator) -> np.ndarray:
    """Luminous panes between lead: diamonds over sky and ground, whole panes in the subject."""
    canvas = Canvas(picture.height, picture.width)
    canvas.fill(colours.role("sky_top"), colours.role("sky_low"))
    diamonds = lattice(picture)
    canvas.draw.drawPath(diamonds, paint(LEAD, width=4.5))
    front = {id(shape) for shape in maps.leading(picture)}
    for shape in picture.shapes:
        if shape.width:
            if not shape.detail:
                canvas.draw.drawPath(shape.path, paint(LEAD, width=shape.width + 6))
            put(canvas, shape, colours.role(shape.role))
            continue
        put(canvas, shape, colours.role(shape.role))
        if shape.detail:
            continue
        if id(shape) not in front:
            canvas.draw.save()
            canvas.draw.clipPath(shape.path, doAntiAlias=True)
            canvas.draw.drawPath(diamonds, paint(LEAD, width=4.5))
            canvas.draw.restore()
        canvas.draw.drawPath(shape.path, paint(LEAD, width=5.5))
    return glowing(canvas.rgb(), picture, colours, rng)


def lattice(picture: Picture) -> skia.Path:
    """Both diagonals through every multiple of 64 pixels."""
    builder = skia.PathBuilder()
    width, height = picture.width, picture.height
    for start in range(-height // 64 * 64, width + height + 64, 64):
        for way in (1, -1):
            builder.moveTo(start, 0)
            builder.lineTo(start + way * height, height)
    return builder.detach()


def covered(picture: Picture) -> np.ndarray:
    """(height, width) whether each pixel shows the subject."""
    canvas = Canvas(picture.height, picture.width)
    front = {id(shape) for shape in maps.leading(picture)}
    for shape in picture.shapes:
        put(canvas, shape, np.full(3, float(id(shape) in front or shape.own)))
    return np.asarray(canvas.rgb()[..., 0] > 127)


def glowing(image: np.ndarray, picture: Picture, colours: Colours, rng: np.random.Generator) -> np.ndarray:
    """Panes brighter in their middles than near the lead, each diamond a little unlike its neighbours."""
    lead = np.all(np.abs(image / 255 - LEAD) < 0.03, axis=-1)
    subject = covered(picture)
    shade = maps.blurred(np.repeat(lead[..., None] * np.uint8(255), 3, axis=2), 4.0)[..., :1]
    x, y = maps.grid(picture)
    a, b = ((x + y) // 64).astype(int), ((x - y) // 64).astype(int)
    b -= b.min()
    count = (int(a.max()) + 1, int(b.max()) + 1)
    gain = rng.uniform(0.74, 1.24, (*count, 1)).astype(np.float32)[a, b]
    tint = colours.ramp[rng.integers(2, 7, count)].astype(np.float32)[a, b]
    panes = image / np.float32(255)
    # A pane leans to another colour of the palette, but stays as light or dark as the scene asks.
    lean = tint * (panes.mean(-1, keepdims=True) + 0.06) / tint.mean(-1, keepdims=True)
    panes = np.where(subject[..., None], panes, panes * 0.74 + lean * 0.26) * np.where(
        subject[..., None], 1, gain
    )
    grey = panes.mean(-1, keepdims=True)
    panes = np.clip(grey + (panes - grey) * 1.35, 0, 1)
    lit = panes * (1.12 - 0.72 * shade) + 0.05 * (1 - shade)
    return maps.finished(np.where(lead[..., None], LEAD, lit))


PAINT: dict[str, Callable[[Picture, Colours, np.random.Generator], np.ndarray]] = {
    "pixel": pixel, "mosaic": mosaic, "halftone": halftone, "glass": glass,
}  # fmt: skip
