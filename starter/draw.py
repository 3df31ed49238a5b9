"""A picture from its attributes and a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import skia

from starter import atmosphere, media, subjects
from starter.attributes import FORMS, Attributes
from starter.backdrop import LEVEL
from starter.palettes import Colours
from starter.scene import BLEED, SIZE, Picture, Scene, Shape

PIXELS = 256
ZOOM = {"close": 1.26, "medium": 1.0, "wide": 0.76}


def draw(attributes: Attributes, seed: int, *, width: int = PIXELS, height: int = PIXELS) -> np.ndarray:
    """(height, width, 3) uint8; the same arguments give the same pixels."""
    return np.asarray(media.PAINT[attributes.medium](*composed(attributes, seed, width, height)))


def composed(
    attributes: Attributes, seed: int, width: int, height: int
) -> tuple[Picture, Colours, np.random.Generator]:
    """What a medium paints, in which colours, and the generator that it goes on with."""
    rng = np.random.default_rng(seed)
    scene = Scene(rng)
    level = LEVEL[attributes.density]
    paint = subjects.DRAW[attributes.subject]
    paint(scene, attributes.light, level, attributes.form or FORMS[attributes.subject][0])
    if attributes.symmetry == "symmetrical":
        scene.shapes = mirrored(scene.shapes)
    atmosphere.season(scene, attributes.season, level)
    atmosphere.weather(scene, attributes.weather, level)
    colours = Colours(attributes.palette, attributes.light, float(rng.uniform(-0.04, 0.04)))
    zoom = ZOOM[attributes.framing] * float(rng.uniform(0.97, 1.03))
    return view(scene.shapes, width, height, zoom), colours, rng


def view(shapes: list[Shape], width: int, height: int, zoom: float) -> Picture:
    """The scene on a canvas of these pixels, its square in the middle and filling the shorter side."""
    unit = min(width, height) / SIZE * zoom
    matrix = skia.Matrix.Translate(width / 2, height / 2)
    matrix.preScale(unit, unit)
    matrix.preTranslate(-SIZE / 2, -SIZE / 2)
    frame = skia.Rect(0, 0, width, height)
    seen = (moved(shape, matrix, unit) for shape in shapes)
    return Picture(width, height, unit, [shape for shape in seen if within(shape, frame)])


def within(shape: Shape, frame: Any) -> bool:
    """Whether any of the shape may show; the margin leaves room for shadows and glow."""
    margin = shape.width / 2 + 16
    return bool(shape.path.getBounds().makeOutset(margin, margin).intersects(frame))


def moved(shape: Shape, matrix: Any, scale: float) -> Shape:
    path = skia.Path(shape.path)
    path.transform(matrix)
    return Shape(path, shape.role, shape.width * scale, shape.detail, shape.own)


def mirrored(shapes: list[Shape]) -> list[Shape]:
    """The left half of the scenery, and its reflection in the right half; the subject stays whole."""
    flip = skia.Matrix()
    flip.setScale(-1, 1, SIZE / 2, 0)
    low, high = BLEED
    left = skia.Path.Rect(skia.Rect(low - 40, low - 40, SIZE / 2, high + 40))
    made = []
    for shape in shapes:
        bounds = shape.path.getBounds()
        # One sun is enough, and things that lie across the middle are their own reflection.
        if shape.own or shape.role == "orb" or (shape.width and bounds.left() < SIZE / 2 < bounds.right()):
            made.append(shape)
            continue
        if (bounds.left() + bounds.right()) / 2 > SIZE / 2 and bounds.left() >= SIZE / 2:
            continue
        half = shape.path if shape.width else skia.Op(shape.path, left, skia.PathOp.kIntersect_PathOp)
        other = skia.Path(half)
        other.transform(flip)
        if shape.width:
            made += [shape, Shape(other, shape.role, shape.width, shape.detail)]
        else:
            both = skia.Op(half, other, skia.PathOp.kUnion_PathOp)
            made.append(Shape(both, shape.role, 0.0, shape.detail))
    return made


def sheet(images: list[np.ndarray], columns: int, gap: int = 2) -> np.ndarray:
    """Equal images in rows of `columns` on white."""
    rows = -(-len(images) // columns)
    h, w = images[0].shape[:2]
    page = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, 3), 255, np.uint8)
    for number, image in enumerate(images):
        y, x = divmod(number, columns)
        page[y * (h + gap) : y * (h + gap) + h, x * (w + gap) : x * (w + gap) + w] = image
    return page
