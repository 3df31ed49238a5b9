"""A scene: the sky's two tones and shapes in painting order, in units of a 128-pixel square."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, pi, sin
from typing import Any

import numpy as np
import skia

SIZE = 128
Point = tuple[float, float]


@dataclass
class Shape:
    """One filled (or, with `width`, stroked) path and the role that gives its colour."""

    path: Any
    role: str
    width: float = 0.0
    detail: bool = False  # small things that some media leave without an outline


@dataclass
class Scene:
    rng: np.random.Generator
    shapes: list[Shape] = field(default_factory=list)

    def add(self, path: Any, role: str, *, width: float = 0.0, detail: bool = False) -> None:
        self.shapes.append(Shape(path, role, width, detail))

    def polygon(self, points: Sequence[Point], role: str, *, detail: bool = False) -> None:
        self.add(polygon(points), role, detail=detail)

    def circle(self, x: float, y: float, r: float, role: str, *, detail: bool = False) -> None:
        self.add(skia.Path.Circle(x, y, r), role, detail=detail)

    def ellipse(self, x: float, y: float, rx: float, ry: float, role: str, *, detail: bool = False) -> None:
        self.add(skia.Path.Oval(skia.Rect(x - rx, y - ry, x + rx, y + ry)), role, detail=detail)

    def rect(self, x: float, y: float, w: float, h: float, role: str, *, detail: bool = False) -> None:
        self.add(skia.Path.Rect(skia.Rect(x, y, x + w, y + h)), role, detail=detail)

    def line(self, points: Sequence[Point], role: str, width: float, *, detail: bool = False) -> None:
        self.add(smooth(points, closed=False), role, width=width, detail=detail)

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))


def polygon(points: Sequence[Point]) -> Any:
    return skia.Path.Polygon([skia.Point(x, y) for x, y in points], True)


def smooth(points: Sequence[Point], *, closed: bool = True) -> Any:
    """A path through the midpoints of `points`, rounded by quadratic curves."""
    builder = skia.PathBuilder()
    if closed:
        start = middle(points[-1], points[0])
        builder.moveTo(*start)
        for here, after in zip(points, [*points[1:], points[0]], strict=True):
            builder.quadTo(*here, *middle(here, after))
        builder.close()
        return builder.detach()
    builder.moveTo(*points[0])
    for here, after in itertools.pairwise(points[1:]):
        builder.quadTo(*here, *middle(here, after))
    builder.lineTo(*points[-1])
    return builder.detach()


def middle(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def around(x: float, y: float, r: float, angle: float) -> Point:
    """The point at distance r and angle (turns, 0 to the right, a quarter downwards)."""
    return x + r * cos(2 * pi * angle), y + r * sin(2 * pi * angle)


def ridge(rng: np.random.Generator, base: float, height: float, roughness: float = 0.55) -> list[Point]:
    """Points of a ridge line over the whole width by midpoint displacement, closed along the bottom edge."""
    heights = rng.uniform(0, 1, 3)
    span = 0.5
    while len(heights) < 17:
        mids = (heights[:-1] + heights[1:]) / 2 + rng.uniform(-span, span, len(heights) - 1) * roughness
        merged = np.empty(len(heights) * 2 - 1)
        merged[::2], merged[1::2] = heights, mids
        heights, span = merged, span * 0.55
    xs = np.linspace(-4, SIZE + 4, len(heights))
    top = [(float(x), float(base - height * h)) for x, h in zip(xs, heights, strict=True)]
    return [*top, (SIZE + 4.0, SIZE + 4.0), (-4.0, SIZE + 4.0)]
