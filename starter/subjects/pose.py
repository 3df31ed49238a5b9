"""Draws in a subject's own coordinates: its foot in the middle is (0, 0), upwards is negative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starter.scene import Point, Scene


@dataclass
class Pose:
    """Where a subject stands, how large, and whether it faces right (1) or left (-1)."""

    s: Scene
    x: float
    y: float
    k: float = 1.0
    way: int = 1

    def at(self, points: Sequence[Point]) -> list[Point]:
        """The points in the scene's units."""
        return [(self.x + self.way * self.k * x, self.y + self.k * y) for x, y in points]

    def polygon(self, points: Sequence[Point], role: str, *, detail: bool = False) -> None:
        self.s.polygon(self.at(points), role, detail=detail)

    def blob(self, points: Sequence[Point], role: str, *, detail: bool = False) -> None:
        self.s.blob(self.at(points), role, detail=detail)

    def rect(self, x: float, y: float, w: float, h: float, role: str, *, detail: bool = False) -> None:
        self.polygon([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], role, detail=detail)

    def circle(self, x: float, y: float, r: float, role: str, *, detail: bool = False) -> None:
        self.ellipse(x, y, r, r, role, detail=detail)

    def ellipse(self, x: float, y: float, rx: float, ry: float, role: str, *, detail: bool = False) -> None:
        ((cx, cy),) = self.at([(x, y)])
        self.s.ellipse(cx, cy, rx * self.k, ry * self.k, role, detail=detail)

    def line(self, points: Sequence[Point], role: str, width: float, *, detail: bool = False) -> None:
        self.s.line(self.at(points), role, width * self.k, detail=detail)

    def arch(self, x: float, y: float, w: float, h: float, role: str, *, detail: bool = False) -> None:
        """A pointed opening of width w and height h whose foot's middle is (x, y)."""
        r = w / 2
        side = [(-r, 0.0), (-r, -h * 0.6), (-r * 0.75, -h * 0.82), (0.0, -h)]
        points = [*side, *[(-px, py) for px, py in reversed(side[:-1])]]
        self.polygon([(x + px, y + py) for px, py in points], role, detail=detail)

    def mirror(self, half: Sequence[Point], role: str) -> None:
        """A polygon from its left half, top to bottom, and the reflection of it."""
        self.polygon([*half, *[(-x, y) for x, y in reversed(half)]], role)


def stand(s: Scene, ground: float, low: float, high: float, *, drift: float = 8) -> Pose:
    """A pose near the middle, on `ground`, of a size between `low` and `high`, facing either side."""
    x = s.uniform(64 - drift, 64 + drift)
    return Pose(s, x, ground, s.uniform(low, high), 1 if s.chance(0.5) else -1)
