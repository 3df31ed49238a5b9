"""What stands around a subject: sun or moon, clouds, stars, birds, ground. Density decides how much.

Everything but the sun and moon is spread evenly over the whole bleed, so that any view has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import skia

from starter.scene import BLEED, SIZE, Point, Scene, ridge, smooth

LEVEL = {"sparse": 0, "balanced": 1, "busy": 2}
LOW, HIGH = BLEED


def spots(scene: Scene, density: float, top: float, bottom: float) -> Iterator[Point]:
    """Points all across the bleed between two heights, `density` to a square of SIZE, evenly."""
    if density <= 0 or bottom <= top:
        return
    cell = SIZE / sqrt(density)
    rows = max(1, round((bottom - top) / cell))
    columns = max(1, round(density * (HIGH - LOW) * (bottom - top) / SIZE**2 / rows))
    high, wide = (bottom - top) / rows, (HIGH - LOW) / columns
    for row in range(rows):
        for column in range(columns):
            yield (
                LOW + wide * (column + 0.5 + scene.uniform(-0.6, 0.6)),
                top + high * (row + 0.5 + scene.uniform(-0.5, 0.5)),
            )


def orb(scene: Scene, light: str, level: int, *, x: tuple[float, float] = (18, 110)) -> None:
    """A high sun by day, a huge low one at dusk, a crescent moon by night; sparse days have none."""
    if level == 0 and light == "day":
        return
    at = scene.uniform(*x)
    if light == "dusk":
        scene.circle(at, scene.uniform(62, 76), scene.uniform(20, 27), "orb")
        return
    y, r = scene.uniform(16, 30), scene.uniform(9, 13)
    disc = skia.Path.Circle(at, y, r)
    if light == "night":
        side = 1 if scene.chance(0.5) else -1
        bite = skia.Path.Circle(at + side * r * 0.62, y - r * 0.2, r * 0.86)
        disc = skia.Op(disc, bite, skia.PathOp.kDifference_PathOp)
    scene.add(disc, "orb")


def cloud(scene: Scene, x: float, y: float, size: float) -> None:
    wide, high = 1.7 * size, 0.75 * size
    lump = scene.uniform(-0.3, 0.3)
    top = [
        (-1, 0.2),
        (-0.95, -0.5),
        (-0.5, -0.5),
        (lump - 0.25, -1.3),
        (lump + 0.35, -1.2),
        (0.6, -0.6),
        (1.0, -0.5),
        (1.05, 0.3),
    ]
    scene.add(
        smooth([(x + wide * dx, y + high * dy) for dx, dy in [*top, (0.6, 0.45), (-0.6, 0.45)]]), "cloud"
    )


def sky(scene: Scene, light: str, level: int, *, low: float = 46) -> None:
    """Stars by night, else clouds and, in busy pictures, birds, above the height `low`."""
    if light == "night":
        for x, y in spots(scene, (7, 26, 80)[level], LOW, low + 18):
            scene.circle(x, y, scene.uniform(0.8, 2.1), "bright", detail=True)
        return
    for x, y in spots(scene, (0, 5, 11)[level], LOW, low):
        cloud(scene, x, y, scene.uniform(6, 11))
    for x, y in spots(scene, (0, 0, 14)[level], LOW, low):
        bird(scene, x, y, scene.uniform(3, 5.5))


def bird(scene: Scene, x: float, y: float, r: float) -> None:
    wings = [(-r, -r * 0.5), (-r * 0.4, -r * 0.7), (0.0, 0.0), (r * 0.4, -r * 0.7), (r, -r * 0.5)]
    scene.line([(x + dx, y + dy) for dx, dy in wings], "dark", 1.4, detail=True)


def hills(scene: Scene, level: int, base: float) -> None:
    """Rolling ground from `base` down; busier pictures have more ridges behind it."""
    for step in range(level):
        scene.polygon(ridge(scene.rng, base + 4 - 7 * (level - 1 - step), 24), ("far", "mid")[step])
    edge = [(x, base + scene.uniform(-3, 3)) for x in range(int(LOW) - 32, int(HIGH) + 60, 44)]
    scene.add(smooth([*edge, (HIGH + 60, HIGH + 90), (LOW - 60, HIGH + 90)]), "near")


def meadow(scene: Scene, level: int, base: float) -> None:
    """Tufts and blossoms on the ground below `base`."""
    for x, y in spots(scene, (0, 26, 130)[level], base + 5, HIGH):
        if scene.chance(0.5):
            scene.circle(x, y, scene.uniform(1.4, 2.6), "bright", detail=True)
        else:
            h = scene.uniform(4, 8)
            scene.line([(x - 2, y - h), (x, y), (x + 2, y - h)], "mid", 1.5, detail=True)


def waves(scene: Scene, level: int, top: float) -> None:
    """The sea from `top` down, in bands with scalloped edges, and glints on it."""
    bands = (2, 4, 6)[level]
    deep = (SIZE - top) / bands
    count = bands + 2 * level
    y = top
    for band in range(count):
        near = min(band, bands - 1)
        step = scene.uniform(9, 15) * (1 + near / bands)
        height = 0.0 if band == 0 else 1.6 + near * 0.7
        role = ("far", "mid", "near")[min(2, band * 3 // bands)]
        if band >= bands:  # below the square the bands go on, in turns of two tones so that they show
            role = ("mid", "near")[(band - bands) % 2]
        points: list[Point] = []
        x = LOW - step * 2 + scene.uniform(0, step)
        while x < HIGH + 3 * step:
            points += [(x, y + height), (x + step / 2, y - height)]
            x += step
        scene.add(smooth([*points, (HIGH + 60, HIGH + 60), (LOW - 60, HIGH + 60)]), role)
        y += deep if band < bands else 2.2 * deep
    for x, y in spots(scene, (0, 9, 36)[level], top + 8, HIGH):
        scene.line([(x, y), (x + scene.uniform(5, 14), y)], "bright", 1.3, detail=True)
