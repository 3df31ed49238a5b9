"""A pen that draws a subject in its own coordinates, and the paths subjects are made of."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from typing import Any

import skia

from starter.scene import Point, Scene

Joint = tuple[float, float, float]  # a point of a limb and the limb's radius there


class Pen:
    """Places shapes drawn around (0, 0), facing right, at (x, y): scaled by `k`, turned, facing `way`."""

    def __init__(
        self, s: Scene, x: float, y: float, k: float, *, way: int = 1, turn: float = 0.0, light: str = "day"
    ) -> None:
        self.s, self.k, self.light = s, k, light
        self.deep = "mid" if light == "night" else "dark"  # the dark parts, seen against a night sky too
        self.matrix = skia.Matrix.Translate(x, y)
        self.matrix.preRotate(turn)
        self.matrix.preScale(way * k, k)

    def shifted(self, x: float, y: float) -> Pen:
        """The same pen with its (0, 0) at (x, y)."""
        other = Pen(self.s, 0, 0, self.k, light=self.light)
        other.matrix = skia.Matrix.Concat(self.matrix, skia.Matrix.Translate(x, y))
        return other

    def put(self, role: str, *paths: Any, detail: bool = False) -> None:
        """The union of paths as one shape, so that media that draw outlines show none inside it."""
        whole = paths[0]
        for path in paths[1:]:
            whole = skia.Op(whole, path, skia.PathOp.kUnion_PathOp)
        self.s.add(self.moved(whole), role, detail=detail)

    def line(self, points: Sequence[Point], role: str, width: float, *, detail: bool = False) -> None:
        self.s.add(self.moved(curve(points, closed=False)), role, width=width * self.k, detail=detail)

    def moved(self, path: Any) -> Any:
        path = skia.Path(path)
        path.transform(self.matrix)
        return path


def side(s: Scene) -> int:
    """Left or right."""
    return 1 if s.chance(0.5) else -1


def curve(points: Sequence[Point], *, closed: bool = True) -> Any:
    """A smooth path through all `points`; a point given twice is a corner."""
    count = len(points)
    builder = skia.PathBuilder()
    builder.moveTo(*points[0])
    for i in range(count if closed else count - 1):
        a, b = points[i], points[(i + 1) % count]
        if a == b:
            continue
        before = points[i - 1] if closed or i else a
        after = points[(i + 2) % count] if closed or i + 2 < count else b
        builder.cubicTo(
            a[0] + (b[0] - before[0]) / 6, a[1] + (b[1] - before[1]) / 6,
            b[0] - (after[0] - a[0]) / 6, b[1] - (after[1] - a[1]) / 6, *b,
        )  # fmt: skip
    if closed:
        builder.close()
    return builder.detach()


def tube(*joints: Joint) -> Any:
    """A limb along joints, as thick at each as its radius says, with round ends."""
    left: list[Point] = []
    right: list[Point] = []
    last = len(joints) - 1
    ends = []
    for i, (x, y, r) in enumerate(joints):
        (ax, ay, _), (bx, by, _) = joints[max(i - 1, 0)], joints[min(i + 1, last)]
        length = hypot(bx - ax, by - ay) or 1.0
        dx, dy = (bx - ax) / length * r, (by - ay) / length * r
        left.append((x + dy, y - dx))
        right.append((x - dy, y + dx))
        ends.append(((x - dx, y - dy), (x + dx, y + dy)))
    return curve([ends[0][0], *left, ends[last][1], *right[::-1]])


def oval(x: float, y: float, rx: float, ry: float | None = None) -> Any:
    """A circle, or an ellipse where `ry` differs."""
    ry = rx if ry is None else ry
    return skia.Path.Oval(skia.Rect(x - rx, y - ry, x + rx, y + ry))


def box(x: float, y: float, w: float, h: float) -> Any:
    """A rectangle from its top left corner."""
    return skia.Path.Rect(skia.Rect(x, y, x + w, y + h))


def cut(path: Any, by: Any) -> Any:
    """What of `path` lies inside `by`."""
    return skia.Op(path, by, skia.PathOp.kIntersect_PathOp)


def less(path: Any, hole: Any) -> Any:
    """What of `path` lies outside `hole`."""
    return skia.Op(path, hole, skia.PathOp.kDifference_PathOp)
