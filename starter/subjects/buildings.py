"""A castle and a windmill."""

from __future__ import annotations

from math import cos, pi, sin

from starter import backdrop
from starter.scene import BLEED, Point, Scene
from starter.subjects.places import grown
from starter.subjects.pose import Pose, stand

LEFT, RIGHT = BLEED[0] - 30, BLEED[1] + 30


def castle(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=30)
    ground = s.uniform(104, 110)
    backdrop.hills(s, level, ground)
    p = stand(s, ground + 5, 0.94, 1.06, drift=5)
    roofs = s.chance(0.5)
    out, high, keep = s.uniform(35, 39), s.uniform(50, 58), s.uniform(68, 76)
    with s.subject():
        p.rect(-15, -keep, 30, keep, "second")
        merlons(p, 0, -keep, 36, "second")
        if roofs:
            p.polygon([(-13, -keep - 5), (0, -keep - 24), (13, -keep - 5)], "accent")
        for x in (-7.0, 7.0):
            p.arch(x, -keep + 24, 5.6, 12, "bright")
        banner(p, 0, -keep - (22 if roofs else 5), p.way)
        p.rect(-out, -33, 2 * out, 33, "main")
        merlons(p, 0, -33, 2 * out, "main")
        for side in (-1, 1):
            x, h = side * out, high + s.uniform(-5, 5)
            p.rect(x - 10.5, -h, 21, h, "main")
            merlons(p, x, -h, 27, "main")
            if roofs:
                p.polygon([(x - 11, -h - 5), (x, -h - 24), (x + 11, -h - 5)], "accent")
            else:
                banner(p, x, -h - 4, p.way)
            p.arch(x, -h + 20, 5.6, 12, "bright")
            p.arch(x, -h + 40, 4.6, 10, "bright", detail=True)
        p.arch(0, 0, 21, 27, "dark")
        for x in (-5.0, 0.0, 5.0):
            p.rect(x - 0.8, -19, 1.6, 19, "second", detail=True)
    if level == 2:
        for side in (-1, 1):
            for far in (58, 74, 92, 112):
                grown(
                    s,
                    p.x + side * (far + s.uniform(-5, 5)),
                    p.y + 2,
                    s.uniform(28, 46),
                    "fir",
                    "second",
                    "dark",
                )
        s.polygon([(p.x - 10, p.y), (p.x + 10, p.y), (p.x + 24, RIGHT), (p.x - 24, RIGHT)], "far")
    backdrop.meadow(s, level, ground + 6)


def merlons(p: Pose, x: float, y: float, w: float, role: str) -> None:
    """A battlement of width w whose foot is at y."""
    teeth = max(3, round(w / 9.5))
    step = w / (2 * teeth - 1)
    points: list[Point] = [(x - w / 2, y + 6)]
    for i in range(teeth):
        left = x - w / 2 + 2 * step * i
        points += [(left, y), (left, y - 6), (left + step, y - 6), (left + step, y)]
    p.polygon([*points, (x + w / 2, y + 6)], role)


def banner(p: Pose, x: float, y: float, way: int) -> None:
    p.rect(x - 0.9, y - 17, 1.8, 18, "dark" if p.s.chance(0.5) else "main")
    p.polygon([(x + 0.9, y - 17), (x + 15, y - 12.5), (x + 0.9, y - 8)], "accent")


def windmill(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=34)
    ground = s.uniform(104, 110)
    backdrop.hills(s, level, ground)
    p = stand(s, ground + 5, 0.96, 1.06)
    foot, top, high = s.uniform(18, 22), s.uniform(9.5, 12), s.uniform(52, 58)
    with s.subject():
        p.polygon([(-foot, 0), (-top, -high), (top, -high), (foot, 0)], "second")
        if s.chance(0.6):
            t = 0.38
            w = foot + (top - foot) * t
            p.rect(-w - 7, -high * t, 2 * w + 14, 3.6, "dark")
        p.polygon([(-foot * 0.98, -2), (-foot * 0.92, -high * 0.14), (foot * 0.92, -high * 0.14),
            (foot * 0.98, -2)],
                  "main")  # fmt: skip
        p.arch(0, 0, 11, 18, "dark")
        for y in (-0.5, -0.72):
            p.rect(-3.2, high * y, 6.4, 7.6, "bright")
        cap = s.uniform(12, 17)
        p.blob([(-top - 4, -high + 3), (-top - 3, -high - cap * 0.7), (0, -high - cap * 1.3),
                (top + 3, -high - cap * 0.7), (top + 4, -high + 3)], "accent")  # fmt: skip
        sails(p, -high - 3, s.uniform(40, 46), s.uniform(0.03, 0.22))
    if level == 2:
        for x, k in ((p.x - s.uniform(56, 64), 0.4), (p.x + s.uniform(56, 64), 0.34)):
            far = Pose(s, x, ground + 1, k)
            far.polygon([(-18, 0), (-10, -56), (10, -56), (18, 0)], "second")
            sails(far, -58, 40, s.uniform(0.03, 0.22))
        rows(s, p.y + 5)
    backdrop.meadow(s, level, ground + 6)


def sails(p: Pose, y: float, r: float, turn: float) -> None:
    """Four sails of lattice and cloth around a hub."""
    for i in range(4):
        a = turn + i / 4
        ax, ay = cos(2 * pi * a), sin(2 * pi * a)

        def spot(along: float, across: float, ax: float = ax, ay: float = ay) -> Point:
            return along * ax - across * ay, y + along * ay + across * ax

        p.polygon([spot(0, -1.5), spot(r, -1.2), spot(r, 1.2), spot(0, 1.5)], "main")
        p.polygon([spot(10, 1), spot(r, 1), spot(r, 11), spot(10, 10)], "main")
        for j in range(3):
            start = 12 + (r - 13) * j / 3
            p.polygon([spot(start, 2.6), spot(start + (r - 19) / 3, 2.6), spot(start + (r - 19) / 3, 9),
                spot(start, 9)],
                      "accent", detail=True)  # fmt: skip
    p.circle(0, y, 4.6, "dark")


def rows(s: Scene, y: float) -> None:
    """Beds of tulips in front."""
    for row in range(3):
        x = LEFT + s.uniform(0, 6)
        while x < RIGHT:
            s.circle(x, y + 3 + row * 9, 2.0 + row * 0.4, ("accent", "bright", "second")[row], detail=True)
            x += 7 + row


DRAW = {"castle": castle, "windmill": windmill}
