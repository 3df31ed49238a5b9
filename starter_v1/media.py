"""Ten media: each paints the same scene as (128, 128, 3) uint8 in its own way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import skia

from starter_v1.palettes import Colours
from starter_v1.scene import SIZE, Scene, Shape

Image = np.ndarray


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


class Canvas:
    """A skia surface over its own (size, size, 4) array."""

    def __init__(self, size: int = SIZE) -> None:
        self.pixels = np.zeros((size, size, 4), np.uint8)
        self.surface = skia.Surface.MakeRasterDirect(
            skia.ImageInfo.Make(size, size, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType), self.pixels
        )
        self.draw = self.surface.getCanvas()
        self.draw.scale(size / SIZE, size / SIZE)

    def rgb(self) -> Image:
        self.surface.flushAndSubmit()
        return np.array(self.pixels[..., :3])

    def fill(self, top: np.ndarray, low: np.ndarray) -> None:
        """A vertical gradient over the whole canvas."""
        stops = [skia.Color4f(*map(float, np.clip(c, 0, 1)), 1.0).toColor() for c in (top, low)]
        shader = skia.GradientShader.MakeLinear([skia.Point(0, 0), skia.Point(0, SIZE)], stops)
        self.draw.drawPaint(skia.Paint(Shader=shader))


def put(
    canvas: Any,
    shape: Shape,
    colour: np.ndarray,
    *,
    alpha: float = 1.0,
    smooth: bool = True,
    effect: Any = None,
) -> None:
    brush = paint(colour, alpha=alpha, width=shape.width, smooth=smooth)
    if effect is not None:
        brush.setPathEffect(effect)
    canvas.drawPath(shape.path, brush)


def noise(rng: np.random.Generator, cells: tuple[int, int]) -> np.ndarray:
    """(128, 128) smooth noise in [-1, 1] from a grid of `cells` (rows, columns)."""
    grid = rng.uniform(-1, 1, (cells[0] + 1, cells[1] + 1))
    rows, cols = (np.linspace(0, n - 1e-6, SIZE) for n in cells)
    i, j = rows.astype(int), cols.astype(int)
    u, v = (rows - i)[:, None], (cols - j)[None]
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    a, b = grid[i][:, j], grid[i][:, j + 1]
    c, d = grid[i + 1][:, j], grid[i + 1][:, j + 1]
    return np.asarray((a * (1 - v) + b * v) * (1 - u) + (c * (1 - v) + d * v) * u)


def shaded(image: Image, gain: np.ndarray) -> Image:
    """`image` with every pixel multiplied by `gain` (128, 128)."""
    return np.asarray(np.clip(image * gain[..., None], 0, 255), np.uint8)


def flat(
    scene: Scene, colours: Colours, rng: np.random.Generator, *, size: int = SIZE, smooth: bool = True
) -> Image:
    canvas = Canvas(size)
    canvas.fill(colours.role("sky_top"), colours.role("sky_low"))
    for shape in scene.shapes:
        put(canvas.draw, shape, colours.role(shape.role), smooth=smooth)
    return canvas.rgb()


def papercut(scene: Scene, colours: Colours, rng: np.random.Generator) -> Image:
    """Layers of cut paper: every sheet throws a soft shadow and has a light cut edge."""
    canvas = Canvas()
    canvas.fill(colours.role("sky_top"), colours.role("sky_low"))
    seed = int(rng.integers(1 << 20))
    for number, shape in enumerate(scene.shapes):
        effect = None if shape.detail else skia.DiscretePathEffect.Make(6.0, 0.9, seed + number)
        drop = 1.2 if shape.detail else 3.4
        shadow = paint(np.zeros(3), alpha=0.62, width=shape.width)
        shadow.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, drop * 0.75))
        if effect is not None:
            shadow.setPathEffect(effect)
        canvas.draw.save()
        canvas.draw.translate(drop * 0.7, drop)
        canvas.draw.drawPath(shape.path, shadow)
        canvas.draw.restore()
        colour = colours.role(shape.role)
        put(canvas.draw, shape, colour, effect=effect)
        if not shape.detail and not shape.width:
            edge = paint(colour * 0.4 + 0.6, width=1.0)
            edge.setPathEffect(effect)
            canvas.draw.drawPath(shape.path, edge)
    return shaded(canvas.rgb(), 1 + 0.035 * noise(rng, (42, 42)))


def watercolour(scene: Scene, colours: Colours, rng: np.random.Generator) -> Image:
    """Thin washes with uneven edges on white paper, pigment gathered in blooms and at the edges."""
    canvas = Canvas()
    paper = np.array([0.985, 0.975, 0.95])
    canvas.fill(paper, paper)
    wash = skia.Path.Rect(skia.Rect(7, 7, 121, 121))
    seed = int(rng.integers(1 << 20))
    sky = Shape(wash, "sky_top")
    layers = [(sky, colours.role("sky_top") * 0.5 + colours.role("sky_low") * 0.5)]
    layers += [(shape, colours.role(shape.role)) for shape in scene.shapes]
    clip = skia.Paint(AntiAlias=True)
    canvas.draw.saveLayer(None, clip)
    for number, (shape, colour) in enumerate(layers):
        thin = colour * 0.82 + 0.18
        for layer, (deviation, alpha) in enumerate(((1.2, 0.55), (3.2, 0.4), (5.0, 0.25))):
            if shape.detail and layer:
                break
            effect = skia.DiscretePathEffect.Make(
                7.0, deviation if not shape.detail else 0.5, seed + 7 * number + layer
            )
            brush = paint(thin, alpha=0.85 if shape.detail else alpha, width=shape.width)
            brush.setPathEffect(skia.PathEffect.MakeCompose(skia.CornerPathEffect.Make(6), effect))
            brush.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 0.8))
            canvas.draw.drawPath(shape.path, brush)
        if not shape.detail:
            rim = paint(colour * 0.8, alpha=0.32, width=max(1.0, shape.width * 0.3))
            rim.setPathEffect(skia.DiscretePathEffect.Make(7.0, 1.2, seed + 7 * number))
            canvas.draw.drawPath(shape.path, rim)
    canvas.draw.restore()
    image = canvas.rgb() / 255.0
    frame = np.minimum.outer(edge_distance(), edge_distance()) + 3.0 * noise(rng, (14, 14))
    inside = np.clip((frame - 6) / 3.0, 0, 1)[..., None]
    bloom = np.clip(0.12 + 0.22 * noise(rng, (6, 6)) + 0.12 * noise(rng, (18, 18)), 0, 0.6)[..., None]
    image = image * (1 - bloom) + paper * bloom
    return np.asarray(np.clip((image * inside + paper * (1 - inside)) * 255, 0, 255), np.uint8)


def edge_distance() -> np.ndarray:
    """(128,) distance of each pixel from the nearer border."""
    x = np.arange(SIZE)
    return np.minimum(x, SIZE - 1 - x).astype(float)


def oil(scene: Scene, colours: Colours, rng: np.random.Generator) -> Image:
    """Short thick strokes that follow a flowing field, each with a lit and a shaded edge."""
    base = flat(scene, colours, rng)
    canvas = Canvas()
    canvas.draw.drawImage(skia.Image.fromarray(np.dstack([base, np.full((SIZE, SIZE), 255, np.uint8)])), 0, 0)
    field = noise(rng, (3, 3)) * 1.2 + rng.uniform(0, np.pi)
    for count, length, width in ((130, 11.0, 6.0), (520, 7.0, 3.2)):
        for x, y in rng.uniform(0, SIZE, (count, 2)):
            i, j = int(y), int(x)
            colour = base[i, j] / 255.0 * rng.uniform(0.86, 1.14) + rng.uniform(-0.03, 0.03, 3)
            dx, dy = float(np.cos(field[i, j])) / 2, float(np.sin(field[i, j])) / 2
            ox, oy = -dy * width, dx * width
            dx, dy = dx * length, dy * length
            canvas.draw.drawLine(x - dx, y - dy, x + dx, y + dy, paint(colour, width=width))
            lit = paint(colour * 0.6 + 0.4, alpha=0.6, width=1.1)
            canvas.draw.drawLine(x - dx - ox, y - dy - oy, x + dx - ox, y + dy - oy, lit)
            dark = paint(colour * 0.6, alpha=0.6, width=1.1)
            canvas.draw.drawLine(x - dx + ox, y - dy + oy, x + dx + ox, y + dy + oy, dark)
    strokes = canvas.rgb()
    return (0.58 * strokes + 0.42 * base).astype(np.uint8)  # the underpainting keeps silhouettes readable


def neon(scene: Scene, colours: Colours, rng: np.random.Generator) -> Image:
    """Glowing tubes on a dark wall; the light decides how dark."""
    canvas = Canvas()
    low, high = {"day": (0.22, 0.34), "dusk": (0.04, 0.26), "night": (0.0, 0.0)}[colours.light]
    gain = {"day": 0.85, "dusk": 0.75, "night": 0.45}[colours.light]
    canvas.fill(colours.tone(low) * gain, colours.tone(high) * gain)
    wall = paint(colours.tone(0.1) * gain * 0.7)
    for shape in scene.shapes:
        if not shape.width:
            wall.setAlphaf(0.0 if shape.detail else 0.75)
            canvas.draw.drawPath(shape.path, wall)
        bright = colours.ramp[6] if shape.role in ("accent", "orb", "main") else colours.tone(
            0.62 + 0.3 * (shape.role in ("bright", "cloud", "second")))  # fmt: skip
        bright = np.clip(bright / max(bright.max(), 1e-3), 0, 1)
        for width, alpha, blur in ((5.0, 0.42, 3.0), (2.4, 0.8, 0.9)):
            glow = paint(bright, alpha=alpha, width=width if not shape.detail else width * 0.5)
            glow.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
            glow.setBlendMode(skia.BlendMode.kPlus)
            canvas.draw.drawPath(shape.path, glow)
        canvas.draw.drawPath(shape.path, paint(bright * 0.35 + 0.65, width=1.0))
    return canvas.rgb()


def ink(scene: Scene, colours: Colours, rng: np.random.Generator) -> Image:
    """Pen lines and hatching on paper; at night light ink on a dark ground."""
    canvas = Canvas()
    night = colours.light == "night"
    paper = {"day": colours.tone(1.0), "dusk": colours.tone(0.74), "night": colours.tone(0.05)}[colours.light]
    pen = colours.tone(0.93 if night else 0.06)
    canvas.fill(paper, paper)
    seed = int(rng.integers(1 << 20))
    for number, shape in enumerate(scene.shapes):
        effect = skia.DiscretePathEffect.Make(9.0, 0.5, seed + number)
        if shape.width:
            put(canvas.draw, Shape(shape.path, "", min(shape.width, 2.4)), pen, effect=effect)
            continue
        canvas.draw.drawPath(shape.path, paint(paper))
        tone = colours.position(shape.role)
        weight = tone if night else 1 - tone
        if shape.role == "accent":
            canvas.draw.drawPath(shape.path, paint(colours.ramp[3 if not night else 2]))
        if weight > 0.2 and not shape.detail:
            canvas.draw.save()
            canvas.draw.clipPath(shape.path, doAntiAlias=True)
            hatch(canvas.draw, pen, 11.0 - 8.0 * weight, 0.12 + 0.11 * (number % 4), rng)
            if weight > 0.75:
                hatch(canvas.draw, pen, 5.0, 0.62, rng)
            canvas.draw.restore()
        line = paint(pen, width=1.0 if shape.detail else 1.7)
        line.setPathEffect(effect)
        canvas.draw.drawPath(shape.path, line)
    return canvas.rgb()


def hatch(canvas: Any, colour: np.ndarray, gap: float, angle: float, rng: np.random.Generator) -> None:
    """Parallel lines over the whole canvas, `gap` pixels apart, at `angle` half turns."""
    dx, dy = np.cos(np.pi * angle), np.sin(np.pi * angle)
    brush = paint(colour, width=1.15)
    for offset in np.arange(-95, 95, max(gap, 3.0)):
        offset += rng.uniform(-0.4, 0.4)
        x, y = 64 - dy * offset, 64 + dx * offset
        canvas.drawLine(x - 100 * dx, y - 100 * dy, x + 100 * dx, y + 100 * dy, brush)


def woodblock(scene: Scene, colours: Colours, rng: np.random.Generator) -> Image:
    """A print from blocks: a graded band at the top, flat inks, a heavy key line and wood grain."""
    canvas = Canvas()
    top, low = colours.role("sky_top"), colours.role("sky_low")
    canvas.fill(low, low)
    deep = colours.tone(max(colours.position("sky_top") - 0.35, 0.0))
    stops = [skia.Color4f(*map(float, deep), a).toColor() for a in (1.0, 0.0)]
    shader = skia.GradientShader.MakeLinear([skia.Point(0, 0), skia.Point(0, 44)], stops)
    canvas.draw.drawPaint(skia.Paint(Color4f=skia.Color4f(*map(float, top), 0.5)))
    canvas.draw.drawPaint(skia.Paint(Shader=shader))
    key = colours.tone(0.0) * 0.6
    for shape in scene.shapes:
        if shape.width and not shape.detail:
            canvas.draw.drawPath(shape.path, paint(key, width=shape.width + 2.4))
        put(canvas.draw, shape, colours.role(shape.role))
        if not shape.width:
            canvas.draw.drawPath(shape.path, paint(key, width=1.0 if shape.detail else 2.5))
    grain = noise(rng, (64, 3)) * 0.6 + noise(rng, (42, 5)) * 0.5
    return shaded(canvas.rgb(), 1 + 0.13 * grain)


def pixel(scene: Scene, colours: Colours, rng: np.random.Generator) -> Image:
    """32 by 32 hard squares."""
    small = flat(scene, colours, rng, size=32, smooth=False)
    return small.repeat(4, axis=0).repeat(4, axis=1)


def pointillism(scene: Scene, colours: Colours, rng: np.random.Generator) -> Image:
    """Round dots of pure, varied colour with the ground showing between them."""
    base = flat(scene, colours, rng)
    canvas = Canvas()
    ground = colours.tone(0.94 if colours.light == "day" else 0.6 if colours.light == "dusk" else 0.12)
    canvas.fill(ground, ground)
    step = 4.2
    for y in np.arange(1, SIZE + 3, step):
        for x in np.arange(1 + step / 2 * (round(y / step) % 2), SIZE + 3, step):
            px, py = x + rng.uniform(-0.9, 0.9), y + rng.uniform(-0.9, 0.9)
            i, j = min(max(int(py), 0), 127), min(max(int(px), 0), 127)
            colour = base[i, j] / 255.0 * rng.uniform(0.8, 1.2) + rng.uniform(-0.09, 0.09, 3)
            canvas.draw.drawCircle(px, py, rng.uniform(1.7, 2.4), paint(colour))
    return canvas.rgb()


def glass(scene: Scene, colours: Colours, rng: np.random.Generator) -> Image:
    """Panes of unequal brightness between lead: thick around shapes, thin across the ground."""
    base = flat(scene, colours, rng).astype(float)
    sites = rng.uniform(0, SIZE, (34, 2))
    yy, xx = np.mgrid[0:SIZE, 0:SIZE]
    distance = (xx[..., None] - sites[:, 0]) ** 2 + (yy[..., None] - sites[:, 1]) ** 2
    cell = distance.argmin(-1)
    nearest = np.sqrt(np.partition(distance, 1, axis=-1)[..., :2])
    gain = rng.uniform(0.78, 1.3, len(sites))[cell]
    grey = base.mean(-1, keepdims=True)
    panes = np.clip(grey + (base - grey) * 1.25, 0, 255) * gain[..., None]
    glow = 1.08 - 0.35 * ((xx - 64) ** 2 + (yy - 64) ** 2) / 64**2
    image = panes * glow[..., None]
    image[(nearest[..., 1] - nearest[..., 0]) < 1.7] = (18, 16, 20)
    rgba = np.dstack([np.clip(image, 0, 255).astype(np.uint8), np.full((SIZE, SIZE), 255, np.uint8)])
    canvas = Canvas()
    canvas.draw.drawImage(skia.Image.fromarray(np.ascontiguousarray(rgba)), 0, 0)
    lead = np.array([0.07, 0.06, 0.08])
    for shape in scene.shapes:
        if shape.width:
            if not shape.detail:
                canvas.draw.drawPath(shape.path, paint(lead, width=shape.width + 3.0))
            put(canvas.draw, shape, colours.role(shape.role))
        else:
            if shape.detail:
                put(canvas.draw, shape, colours.role(shape.role))
            else:
                canvas.draw.drawPath(shape.path, paint(lead, width=2.8))
    canvas.draw.drawRect(skia.Rect(0, 0, SIZE, SIZE), paint(lead, width=5.0))
    return canvas.rgb()


PAINT: dict[str, Callable[[Scene, Colours, np.random.Generator], Image]] = {
    "flat": flat, "papercut": papercut, "watercolour": watercolour, "oil": oil, "neon": neon,
    "ink": ink, "woodblock": woodblock, "pixel": pixel, "pointillism": pointillism, "glass": glass,
}  # fmt: skip
