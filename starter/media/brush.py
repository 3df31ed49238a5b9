"""Media of visible marks: watercolour, oil, charcoal and dots of paint."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import skia

from starter.media.canvas import Canvas, Image, blurred, noise, paint, plain, put, step
from starter.palettes import Colours
from starter.scene import Picture

PAPER = np.array([0.985, 0.975, 0.95], np.float32)
CELL = 8  # pixels from dot to dot
STROKE = (13.0, 5.0)  # half the length and half the breadth of a stroke of oil


def finished(image: np.ndarray) -> Image:
    """Bytes from floats in [0, 1]."""
    return np.asarray(np.clip(image * 255, 0, 255), np.uint8)


def edged(picture: Picture, colours: Colours, width: float) -> Image:
    """The picture in flat colours with dim edges, which keep shapes readable below broad marks."""
    canvas = Canvas(picture.height, picture.width)
    canvas.fill(colours.role("sky_top"), colours.role("sky_low"))
    for shape in picture.shapes:
        colour = colours.role(shape.role)
        put(canvas, shape, colour)
        if not shape.detail and not shape.width:
            canvas.draw.drawPath(shape.path, paint(colour * 0.5, alpha=0.6, width=width))
    return canvas.rgb()


def watercolour(picture: Picture, colours: Colours, rng: np.random.Generator) -> Image:
    """Thin washes with darker rims on white paper that shows between them, and blooms."""
    height, width = picture.height, picture.width
    canvas = Canvas(height, width)
    canvas.fill(colours.role("sky_top"), colours.role("sky_low"))
    for shape in picture.shapes:
        if not shape.detail:
            gap = paint(PAPER, alpha=0.9, width=shape.width + 7.0)
            canvas.draw.drawPath(shape.path, gap)
        colour = colours.role(shape.role)
        put(canvas, shape, colour)
        if not shape.detail and not shape.width:
            canvas.draw.drawPath(shape.path, paint(colour * 0.7, alpha=0.45, width=2.2))
    shake = [2.6 * noise(rng, (height // 14, width // 14), height, width) for _ in "xy"]
    wash = blurred(moved(canvas.rgb(), *shake), 0.8)
    soft = blurred(wash, 4.0)
    rim = np.clip(np.abs(wash - soft).max(-1) * 2.2 - 0.1, 0, 0.6)
    wet = 0.7 * step(0.15, 0.5, noise(rng, (5, 5), height, width))
    wash += (soft - wash) * wet[..., None]
    pool = noise(rng, (5, 5), height, width) + 0.3 * noise(rng, (height // 12, width // 12), height, width)
    bloom = step(0.1, 0.45, pool)
    tide = np.exp(-(((pool - 0.08) / 0.06) ** 2))  # pigment that a bloom pushes outwards
    density = 0.78 + 0.16 * noise(rng, (height // 16, width // 16), height, width)
    density = density + rim + 0.22 * tide - 0.42 * bloom
    pigment = np.clip(wash, 0.06, 1) * np.clip(1.06 - 0.12 * density, 0.8, 1)[..., None]
    return finished(framed(PAPER * pigment ** density[..., None], rng))


def moved(image: Image, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """`image` as float32 in [0, 1], each pixel taken from (dx, dy) away."""
    height, width = image.shape[:2]
    x = np.clip(np.arange(width) + np.rint(dx).astype(int), 0, width - 1)
    y = np.clip(np.arange(height)[:, None] + np.rint(dy).astype(int), 0, height - 1)
    return np.asarray(image[y, x].astype(np.float32) / 255)


def framed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """`image` on bare paper, with a border of uneven breadth and a darker rim along it."""
    height, width = image.shape[:2]
    x, y = np.arange(width), np.arange(height)[:, None]
    away = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    away = away + 3.0 * noise(rng, (height // 9, width // 9), height, width)
    inside = step(11.0, 13.5, away)[..., None]
    rim = 1 - 0.2 * (1 - step(13.0, 18.0, away))[..., None]
    return np.asarray(image * rim * inside + PAPER * (1 - inside))


def oil(picture: Picture, colours: Colours, rng: np.random.Generator) -> Image:
    """Thick strokes that follow a turning field, each with a lit and a shaded edge."""
    height, width = picture.height, picture.width
    base = edged(picture, colours, 3.5)
    y, x, angle = strokes(rng, height, width)
    which = topmost(x, y, angle, height, width)
    cos, sin = np.cos(angle), np.sin(angle)
    dx = x[which] - np.arange(width, dtype=np.float32)
    dy = y[which] - np.arange(height, dtype=np.float32)[:, None]
    across = (dx * sin[which] - dy * cos[which]) / STROKE[1]
    along = -(dx * cos[which] + dy * sin[which]) / STROKE[0]
    # Partly the colour of the stroke's middle, but more what lies below, so that shapes stay readable.
    colour = moved(base, dx * 0.35, dy * 0.35)
    tint = rng.uniform(0.88, 1.12, (len(x), 1)) + rng.uniform(-0.05, 0.05, (len(x), 3))
    lift = rng.uniform(0.0, 0.05, (len(x), 1))
    facing = np.where(sin * 0.6 - cos * 0.8 > 0, 1.0, -1.0)[which]
    side = across * facing + 0.25 * along
    ridges = 0.05 * np.sin(across * 7.0)
    lit, shade = step(0.35, 0.95, side), step(0.3, 1.0, -side)
    gain = (1 + ridges - 0.42 * shade)[..., None]
    glint = lit[..., None]
    image = (colour * tint.astype(np.float32)[which] + lift.astype(np.float32)[which]) * gain
    return finished(blurred(image + glint * (0.11 + 0.22 * image), 0.6))


def strokes(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middles (y, x) and angles of strokes that cover the canvas, in painting order."""
    rows, columns = height // 9 + 3, width // 11 + 3
    y, x = np.meshgrid((np.arange(rows) - 0.5) * 9.0, (np.arange(columns) - 0.5) * 11.0, indexing="ij")
    y, x = (a.ravel() + rng.uniform(-3, 3, a.size) for a in (y, x))
    field = noise(rng, (2, 2), height, width) * 1.1 + rng.uniform(-0.6, 0.6)
    inside = np.clip(y, 0, height - 1).astype(int), np.clip(x, 0, width - 1).astype(int)
    angle = field[inside] + rng.uniform(-0.15, 0.15, y.size)
    order = rng.permutation(y.size)
    y, x, angle = (a[order].astype(np.float32) for a in (y, x, angle))
    return y, x, angle


def topmost(x: np.ndarray, y: np.ndarray, angle: np.ndarray, height: int, width: int) -> np.ndarray:
    """(height, width) number of the stroke that lies on top of each pixel."""
    length, breadth = (int(2 * half) for half in STROKE)
    brush = Canvas(breadth, length)
    oval = skia.Rect(0, 0, length, breadth)
    brush.draw.drawRoundRect(oval, breadth / 2, breadth / 2, paint(np.ones(3), smooth=False))
    cos, sin = np.cos(angle), np.sin(angle)
    left = x - cos * length / 2 + sin * breadth / 2
    top = y - sin * length / 2 - cos * breadth / 2
    places = [skia.RSXform(*map(float, four)) for four in zip(cos, sin, left, top, strict=True)]
    codes = [0xFF000000 + number for number in range(1, len(x) + 1)]
    canvas = Canvas(height, width)
    canvas.draw.drawAtlas(
        skia.Image.fromarray(np.array(brush.pixels)), places, [oval] * len(x), codes, skia.BlendMode.kModulate
    )
    found = canvas.rgb().astype(np.int32)
    return np.asarray(np.clip(found[..., 2] + 256 * found[..., 1] - 1, 0, len(x) - 1))


def charcoal(picture: Picture, colours: Colours, rng: np.random.Generator) -> Image:
    """Wide grainy diagonal strokes, smudged underneath, on paper; colour only in the accents."""
    height, width = picture.height, picture.width
    base = plain(picture, colours)
    hue = base.rgb().astype(np.float32) / 255
    line = Canvas(height, width)
    for shape in picture.shapes:
        if not shape.detail:
            line.draw.drawPath(shape.path, paint(np.zeros(3), width=shape.width))
            line.draw.drawPath(shape.path, paint(np.ones(3), width=4.0))
    chalk = Canvas(height, width)
    for shape in picture.shapes:
        put(chalk, shape, np.ones(3) if shape.role in ("accent", "orb") else np.zeros(3))
    paper = (colours.tone(0.97) * 0.75 + 0.25 * PAPER).astype(np.float32)
    coal = (colours.tone(0.02) * 0.7 + colours.ramp[1] * 0.15).astype(np.float32)
    dark = 1 - hue @ np.array([0.3, 0.55, 0.15], np.float32)
    marks = hatching(rng, height, width)
    cover = 0.95 * step(0.0, 1.0, 0.14 + 0.7 * dark - 0.3 * marks)
    tooth = noise(rng, (height // 5, width // 5), height, width)
    outline = step(0.1, 0.9, blurred(line.rgb()[..., 0] / 255, 0.8) - 0.12 + 0.3 * tooth)
    tint = 0.62 * blurred(hue, 2.5) + 0.38 * coal  # the smudge below the strokes keeps some of the colour
    rubbed = paper + (tint - paper) * np.clip(0.12 + 0.75 * dark, 0, 0.8)[..., None]
    image = rubbed + (coal - rubbed) * np.maximum(0.9 * cover, 0.85 * outline)[..., None]
    tinted = (0.2 + 0.75 * step(-0.5, 0.3, -marks))[..., None] * (chalk.rgb()[..., :1] / 255.0)
    return finished(image + (hue - image) * tinted * (1 - 0.8 * outline[..., None]))


def hatching(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """(height, width) in about [-1, 1]: diagonal strokes about 6 pixels wide, broken and grainy."""
    x, y = np.arange(width), np.arange(height)[:, None]
    lines = np.sin(2 * np.pi * (x + y) / 16)
    half = (height + width) // 2
    streaks = noise(rng, (half // 4, half // 24), half, half)[(x + y) // 2, (x - y + height - 1) // 2]
    return np.asarray(
        0.45 * lines + 0.9 * streaks + 0.3 * noise(rng, (height // 4, width // 4), height, width)
    )


def pointillism(picture: Picture, colours: Colours, rng: np.random.Generator) -> Image:
    """Round dots of pure, varied colour in even rows, with the ground showing between them."""
    height, width = picture.height, picture.width
    base = edged(picture, colours, 6.0)
    y, x = np.arange(height)[:, None], np.arange(width)
    row = y // CELL
    column = (x + CELL // 2 * (row % 2)) // CELL
    shape = (height // CELL + 1, width // CELL + 2)
    middle_y = row * CELL + (CELL - 1) / 2
    middle_x = column * CELL + (CELL - 1) / 2 - CELL // 2 * (row % 2)
    size = rng.uniform(3.2, 3.7, shape)[row, column]
    dots = np.clip(size + 0.5 - np.hypot(x - middle_x, y - middle_y), 0, 1)[..., None]
    colour = moved(base, middle_x - x - 0.25, middle_y - y - 0.25)
    other = colours.ramp[rng.integers(1, 7, shape)][
        row, column
    ]  # every dot leans to another colour of the ramp
    lean = rng.uniform(0, 0.3, (*shape, 1))[row, column]
    gain = rng.uniform(0.9, 1.12, (*shape, 1))[row, column]
    colour = (colour + (other - colour) * lean) * gain
    ground = colours.tone({"day": 0.66, "dusk": 0.5, "night": 0.3}[colours.light])
    below = 0.7 * ground + 0.3 * base / 255.0
    return finished(below + (colour - below) * dots)


PAINT: dict[str, Callable[[Picture, Colours, np.random.Generator], Image]] = {
    "watercolour": watercolour,
    "oil": oil,
    "charcoal": charcoal,
    "pointillism": pointillism,
}
