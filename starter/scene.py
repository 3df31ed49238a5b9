"""A scene: shapes in painting order, in units of a 128-unit square that a view maps to pixels.

The subject stands inside the square. Scenery reaches beyond it on all sides, to the edges of BLEED, because a
wide, tall or distant view shows more than the square.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import cos, pi, sin
from typing import Any

import numpy as np
import skia

SIZE = 128
BLEED = (-112.0, 240.0)
Point = tuple[float, float]


@dataclass
class Shape:
    """One filled (or, with `width`, stroked) path and the role that gives its colour."""

    path: Any
    role: str
    width: float = 0.0
    detail: bool = False  # small things that some media leave without an outline
    own: bool = False  # part of the subject, which a symmetrical picture does not mirror


@dataclass
class Picture:
    """What a medium paints: a scene's shapes in pixels, on a canvas of `width` x `height` pixels."""

    width: int
    height: int
    unit: float  # pixels a unit of the scene
    shapes: list[Shape]


@dataclass
class Scene:
    rng: np.random.Generator
    shapes: list[Shape] = field(default_factory=list)
    own: bool = False

    @contextmanager
    def subject(self) -> Iterator[None]:
        """Shapes added inside belong to the subject; all others are scenery."""
        before, self.own = self.own, True
        yield
        self.own = before

    def add(self, path: Any, role: str, *, width: float = 0.0, detail: bool = False) -> None:
        self.shapes.append(Shape(path, role, width, detail, self.own))

    def polygon(self, points: Sequence[Point], role: str, *, detail: bool = False) -> None:
        self.add(polygon(points), role, detail=detail)

    def blob(self, points: Sequence[Point], role: str, *, detail: bool = False) -> None:
        """A closed shape rounded through the midpoints of `points`."""
        self.add(smooth(points), role, detail=detail)

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

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def times(self, low: int, high: int | None = None) -> range:
        """A range of `low` steps, or of a random number from `low` to `high`."""
        return range(low if high is None else int(self.rng.integers(low, high + 1)))


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
    """Points of a ridge line over the whole bleed by midpoint displacement, closed far below."""
    heights = rng.uniform(0, 1, 5)
    span = 0.5
    while len(heights) < 33:
        mids = (heights[:-1] + heights[1:]) / 2 + rng.uniform(-span, span, len(heights) - 1) * roughness
        merged = np.empty(len(heights) * 2 - 1)
        merged[::2], merged[1::2] = heights, mids
        heights, span = merged, span * 0.55
    xs = np.linspace(*BLEED, len(heights))
    top = [(float(x), float(base - height * h)) for x, h in zip(xs, heights, strict=True)]
    return [*top, (BLEED[1], BLEED[1]), (BLEED[0], BLEED[1])]
