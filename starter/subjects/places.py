"""Landscapes: sand, woods, falling water, an island and a great wave."""

from __future__ import annotations

from math import pi, sin

import skia

from starter import backdrop
from starter.scene import BLEED, Point, Scene, around, polygon, ridge
from starter.subjects.pose import Pose

LEFT, RIGHT = BLEED[0] - 30, BLEED[1] + 30


def desert(s: Scene, light: str, level: int, form: str) -> None:
    if level == 0 and light == "day":
        s.circle(s.uniform(24, 104), s.uniform(24, 36), s.uniform(12, 16), "orb")
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=34)
    way = 1 if s.chance(0.5) else -1
    if level:
        for role, base in (("far", 84.0), ("mid", 92.0))[2 - level :]:
            for x in (s.uniform(-40, 10), s.uniform(110, 160)):
                dune(s, x, base - s.uniform(18, 30), base, way, role, None)
    x, top = s.uniform(44, 84), s.uniform(54, 62)
    dune(s, x, top, 100, way, "mid", "main" if light != "night" else "near")
    front = s.uniform(104, 110)
    if level:
        dune(s, 64 - way * s.uniform(50, 70), front - 14, front + 6, -way, "far", "near")
    camels = (1, 2, 3)[level]
    size = (2.2, 1.6, 1.3)[level] * s.uniform(0.94, 1.06)
    role = "main" if light == "night" else "dark"
    with s.subject():
        for i in range(camels):
            cx = 64 + (i - (camels - 1) / 2) * 31 * size - way * 4
            camel(Pose(s, cx, front + 6 + 2 * sin(i * 2.0), size, way), role)
    for _ in s.times((0, 3, 12)[level]):
        rx, ry, r = s.uniform(LEFT, RIGHT), s.uniform(112, 150), s.uniform(6, 15)
        s.line([(rx - r, ry), (rx, ry - 3), (rx + r, ry)], "near", 1.6, detail=True)


def dune(s: Scene, x: float, top: float, base: float, way: int, lit: str, shade: str | None) -> None:
    """A sharp crest with a long windward slope, and a steep lee side in shadow."""

    high, steps = base - top, [i / 14 for i in range(15)]
    wind = [(x - way * 130 * (1 - t), base - high * t * t * (2.4 - 1.4 * t)) for t in steps]
    lee = [(x + way * 85 * t, base - high * (1 - t) ** 2.2) for t in steps]
    s.polygon([(x - way * 320, base), *wind, *lee, (x + way * 320, base), (x + way * 320, RIGHT),
               (x - way * 320, RIGHT)], lit)  # fmt: skip
    if shade:
        deep = 128 - top
        bend = s.uniform(14, 22)
        crest = [
            (x + way * (bend * sin(2 * pi * i / 12) + 10 * i / 12), top + deep * i / 12) for i in range(13)
        ]
        s.polygon(
            [*crest, (x + way * 40, 150), (x + way * 200, 150), (x + way * 200, base), *lee[::-1]], shade
        )


def camel(p: Pose, role: str) -> None:
    s = p.s
    for x in (-7.5, -4.5, 4.5, 7.5):
        p.polygon([(x - 1.4, -11), (x + 1.4, -11), (x + 0.9, 0), (x - 0.9, 0)], role)
    two = s.chance(0.4)
    humps: list[Point] = [(-6, -15), (-4, -21), (-1, -16), (2, -16), (4, -21), (6.5, -15)]
    if not two:
        humps = [(-6, -15), (-3, -18), (0, -23), (3, -18), (6, -15)]
    p.polygon([(-10, -11), (-9, -14), *humps, (9, -13.5), (11.5, -17), (11.5, -22), (13, -24.5), (17.5, -23),
               (17.5, -20.8), (14.2, -20.6), (14.2, -15), (11.5, -10), (8, -8.5),
                   (-8, -8.5)], role)  # fmt: skip
    p.polygon([(-4, -16), (4, -16), (5, -9.5), (-5, -9.5)], "accent", detail=True)


def forest(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=30)
    kind = ("fir", "fir", "mixed", "round")[int(s.rng.integers(4))]
    rows = (("far", 88.0, 42.0), ("mid", 98.0, 52.0), ("near", 108.0, 58.0))[3 - (0, 1, 3)[level] :]
    if level:
        for role, base, high in rows:
            x = LEFT - 4
            while x < RIGHT + 10:
                h = high * s.uniform(0.8, 1.25)
                grown(s, x, base, h, kind, role, role)
                x += h * s.uniform(0.26, 0.4)
            s.polygon(ridge(s.rng, base, 3), role)
    else:
        s.polygon(ridge(s.rng, 112, 4), "near")
    spots = (
        [(30, 66), (98, 70), (64, 92)]
        if level == 0
        else [(22, 82), (106, 86), (62, 96), (40, 66), (84, 62)][: 3 + level]
    )
    if level == 2:
        spots = [(-10, 92), (138, 90), (-50, 90), (178, 94), *spots]
    with s.subject():
        for i, (x, h) in enumerate(spots):
            role = "main" if light == "night" or i % 2 == 0 else "dark"
            role = "second" if light == "dusk" and i % 2 else role
            grown(s, x + s.uniform(-5, 5), s.uniform(112, 117), h * s.uniform(0.92, 1.04), kind, role, "dark")
    s.polygon(ridge(s.rng, 118, 4), "dark" if light != "night" else "near")
    backdrop.meadow(s, level, 112)


def grown(s: Scene, x: float, y: float, h: float, kind: str, role: str, trunk: str) -> None:
    """One tree of a wood: a fir in tiers, or a crown on a tall trunk."""
    w = h * 0.2
    if kind == "fir" or (kind == "mixed" and s.chance(0.5)):
        s.rect(x - h * 0.03, y - h * 0.2, h * 0.06, h * 0.22, trunk)
        half: list[Point] = [(0, -h)]
        for i in range(1, 5):
            half += [
                (-w * (0.3 + 0.7 * i / 4), -h * (1 - 0.215 * i)),
                (-w * 0.14 * i, -h * (1.02 - 0.215 * i)),
            ]
        half[-1] = (0, half[-2][1])
        s.polygon([(x + px, y + py) for px, py in [*half[:-1], *[(-px, py) for px,
            py in reversed(half[1:-1])]]],
                  role)  # fmt: skip
        return
    s.polygon([(x - h * 0.035, y + 1), (x - h * 0.02, y - h * 0.6), (x + h * 0.02, y - h * 0.6),
               (x + h * 0.035, y + 1)], trunk)  # fmt: skip
    s.blob([(x, y - h * 1.03), (x + w * 0.95, y - h * 0.95), (x + w * 1.1, y - h * 0.6),
        (x + w * 0.6, y - h * 0.36),
            (x - w * 0.6, y - h * 0.36), (x - w * 1.1, y - h * 0.6),
                (x - w * 0.95, y - h * 0.95)], role)  # fmt: skip


def waterfall(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=18)
    x, w = s.uniform(54, 74), s.uniform(13, 20)
    top, pool = s.uniform(26, 36), s.uniform(96, 102)
    rock = "main" if light != "night" else "near"
    if level:
        s.polygon(ridge(s.rng, top + 6, 26), "far")
    if level == 2:
        for i in range(26):
            tx = LEFT + i * 11.5 + s.uniform(-3, 3)
            if abs(tx - x) > w + 6:
                grown(s, tx, top + 6, s.uniform(18, 30), "fir", "second", "dark")
    cliffs(s, x, w, top, pool, level, rock)
    s.rect(LEFT, pool - 2, RIGHT - LEFT, RIGHT - pool, "mid")
    with s.subject():
        fall(s, x, w, top, pool, level)
    for _ in s.times((2, 6, 16)[level]):
        rx, ry, r = s.uniform(LEFT + 40, RIGHT - 40), s.uniform(pool + 8, 150), s.uniform(7, 17)
        s.line([(rx - r, ry), (rx + r, ry)], "bright", 1.6, detail=True)
    for side in (-1, 1)[: 2 if level else 0]:
        for _ in s.times((0, 2, 5)[level]):
            rx, r = 64 + side * s.uniform(36, 110), s.uniform(8, 15)
            ry = s.uniform(112, 130)
            s.blob([(rx - r, ry), (rx - r * 0.7, ry - r), (rx + r * 0.5, ry - r), (rx + r, ry)], "dark")


def cliffs(s: Scene, x: float, w: float, top: float, pool: float, level: int, rock: str) -> None:
    """Two walls of rock with a step on each side of the fall."""
    s.polygon([(x - w - 8, top + 5), (x + w + 8, top + 5), (x + w + 8, pool), (x - w - 8, pool)], "dark")
    for side in (-1, 1):
        edge = [
            (w - 1, top + s.uniform(-2, 2)),
            (w + 3, top + 18),
            (w - 2, top + 34),
            (w + 5, pool - 16),
            (w + 1, pool),
        ]
        rim = [(side * 400 + x, pool), (x + side * 400, top - s.uniform(0, 16)),
            (x + side * 60, top - s.uniform(2, 10)),
               (x + side * 34, top - s.uniform(-3, 8))]  # fmt: skip
        s.polygon([*rim, *[(x + side * dx, y) for dx, y in edge]], rock)
        for i in range((2, 5, 9)[level]):
            cx, cy = x + side * (w + 10 + i * s.uniform(9, 13)), s.uniform(top + 10, pool - 30)
            s.polygon([(cx, cy), (cx + side * 6, cy + 4), (cx + side * 4, cy + s.uniform(16, 30))], "second",
                      detail=True)  # fmt: skip
        ledge = s.uniform(16, 28)
        s.polygon([(x + side * (w + 4), pool), (x + side * (w + 6), pool - ledge),
            (x + side * (w + 24), pool - ledge - 5),
                   (x + side * (w + 42), pool)], "second")  # fmt: skip


def fall(s: Scene, x: float, w: float, top: float, pool: float, level: int) -> None:
    """White water over the lip, spreading as it falls into foam."""
    s.polygon([(x - w, top), (x - w * 0.5, top - 3), (x + w * 0.5, top - 3), (x + w, top),
        (x + w * 1.05, top + 40),
               (x + w * 1.3, pool + 3), (x - w * 1.3, pool + 3),
                   (x - w * 1.05, top + 40)], "bright")  # fmt: skip
    streaks = (3, 4, 6)[level]
    for i in range(streaks):
        t = (i + 0.5) / streaks * 2 - 1
        y0 = top + s.uniform(2, 22)
        y1 = pool - s.uniform(6, 24)
        s.line([(x + t * w * 0.85, y0), (x + t * w * 0.92, (y0 + y1) / 2), (x + t * w * 1.1, y1)], "mid", 2.2)
    puffs = (5, 7, 9)[level]
    for i in range(puffs):
        t = i / (puffs - 1) * 2 - 1
        s.circle(x + t * w * 1.5, pool + 3 + s.uniform(-2, 3), s.uniform(5, 8), "bright")


def island(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=34)
    top = s.uniform(78, 84)
    if level == 2:
        for x in (s.uniform(-40, 14), s.uniform(112, 160)):
            s.blob(
                [(x - 26, top + 6), (x - 14, top - 8), (x, top - 15), (x + 12, top - 9), (x + 26, top + 6)],
                "far",
            )
    backdrop.waves(s, level, top)
    x, y = s.uniform(56, 72), top + s.uniform(18, 23)
    w = s.uniform(44, 50)
    palms = 1 + len(s.times(0, 1)) if level < 2 else 3
    way = 1 if s.chance(0.5) else -1
    with s.subject():
        s.blob([(x - w * 1.15, y + 4), (x - w * 0.9, y - 3), (x - w * 0.4, y - 14), (x + w * 0.4, y - 14),
                (x + w * 0.9, y - 3), (x + w * 1.15, y + 4), (x + w * 0.7, y + 9), (x - w * 0.7, y + 9)],
               "bright")  # fmt: skip
        s.blob(
            [(x - w * 0.7, y - 1), (x - w * 0.3, y - 19), (x + w * 0.2, y - 20), (x + w * 0.62, y - 1)],
            "second",
        )
        places = [(-2.0, 66.0), (14.0, 48.0), (-22.0, 44.0)][:palms]
        for dx, h in places:
            lean = way * s.uniform(8, 16) * (1 if dx <= 0 else -0.4)
            palm(s, x + way * dx, y - 7, h * s.uniform(0.94, 1.06), lean if dx > -20 else -lean)
        if level == 2:
            hut = Pose(s, x - way * 4, y - 2, 1.0, way)
            hut.rect(14, -11, 14, 11, "main")
            hut.polygon([(10, -10), (21, -20), (32, -10)], "accent")
            hut.rect(18, -8, 6, 8, "dark")


def palm(s: Scene, x: float, y: float, h: float, lean: float) -> None:
    tx, ty = x + lean, y - h
    s.polygon([(x - 3.6, y), (x + lean * 0.25 - 2.4, y - h * 0.5), (tx - 1.6, ty), (tx + 1.6, ty),
               (x + lean * 0.25 + 2.4, y - h * 0.5), (x + 3.6, y)], "dark")  # fmt: skip
    r = h * s.uniform(0.44, 0.5)
    turn = s.uniform(-0.02, 0.02)
    for i, angle in enumerate((0.53, 0.62, 0.7, 0.81, 0.9, 0.98, 0.42, 0.08)):
        leaf(s, tx, ty, r * s.uniform(0.92, 1.08), angle + turn, ("main", "accent")[i in (1, 4)])
    for side in (-1, 1):
        s.circle(tx + side * 2.4, ty + 2.6, 2.4, "second", detail=True)


def leaf(s: Scene, x: float, y: float, r: float, angle: float, role: str) -> None:
    """A palm leaf that rises from the crown and droops at its tip."""
    mx, my = around(x, y, r * 0.62, angle)
    ex, ey = around(x, y, r, angle)
    ey += r * 0.34
    s.blob([(x, y + 1), (x, y - 2), (mx, my - r * 0.17), (ex, ey), (ex, ey), (mx, my + r * 0.12)], role)


def wave(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=24)
    if level == 0:
        s.rect(LEFT, 112, RIGHT - LEFT, RIGHT - 112, "far")
    else:
        backdrop.waves(s, level - 1, s.uniform(84, 92))
    way = 1 if s.chance(0.5) else -1
    tall, reach = s.uniform(0.93, 1.05), s.uniform(0.94, 1.04)
    p = Pose(s, 64 + way * s.uniform(-11, -5), 118, tall, way)
    outer: list[Point] = [(-150, 2), (-100, -4), (-62, -16), (-40, -38), (-24, -66), (-4, -90), (20, -100),
             (42, -93), (54, -76), (52, -60)]  # fmt: skip
    inner: list[Point] = [
        (150, 6),
        (90, 2),
        (50, -4),
        (32, -14),
        (22, -30),
        (20, -48),
        (24, -62),
        (32, -70),
        (41, -67),
        (50, -58),
    ]
    outer, inner = ([(x * reach, y) for x, y in line] for line in (outer, inner))
    with s.subject():
        p.blob([*outer, *inner[::-1], (150, 90), (-150, 90)], "main")
        bands = (2, 3, 5)[level]
        for i in range(1, bands + 1):
            t = i / (bands + 1)
            line = [(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) for a, b in
                    zip(outer[2:9], curved(inner), strict=True)]  # fmt: skip
            p.line(line, ("second", "far")[i % 2], 4.6 - 0.5 * bands)
        foam(p, outer, reach, level)
    low = s.uniform(112, 116)
    s.blob([(LEFT - 20, low + 6), (-20, low - 2), (20, low + 6), (64, low - 5), (104, low + 6),
        (150, low - 2),
            (RIGHT + 20, low + 4), (RIGHT + 20, RIGHT), (LEFT - 20, RIGHT)], "near")  # fmt: skip
    for _ in s.times((0, 6, 18)[level]):
        x, y, r = s.uniform(LEFT + 30, RIGHT - 30), s.uniform(118, 134), s.uniform(5, 11)
        s.line([(x - r, y), (x, y - 3), (x + r, y)], "bright", 1.8, detail=True)


def curved(inner: list[Point]) -> list[Point]:
    """Seven points of the hollow, from the foot below the crest to the lip."""
    return [(34, 6), (22, -10), (14, -28), (15, -49), (22, -64), (31, -72), inner[8]]


def foam(p: Pose, outer: list[Point], reach: float, level: int) -> None:
    """A white frill along the crest that ends in claws, rimmed so that it shows against a pale sky."""
    s = p.s
    crest = [(-13, -78), (-8, -84), (-2, -88), (5, -92), (12, -94), (20, -95), (28, -95), (36, -92),
             (43, -88), (49, -81), (54, -71), (20, -86), (31, -84), (41, -78)]  # fmt: skip
    lumps = [
        (x * reach, y + 3, s.uniform(6, 8) * min(1.25, 0.62 + 0.07 * i)) for i, (x, y) in enumerate(crest)
    ]
    claws = [(x * reach, y, s.uniform(12, 17)) for x, y in ((28, -80), (39, -75), (50, -68))]
    for grow, role in ((1.8, "second"), (0.0, "bright")):
        merged = skia.OpBuilder()
        for x, y, r in lumps:
            ((cx, cy),) = p.at([(x, y)])
            merged.add(skia.Path.Circle(cx, cy, (r + grow) * p.k), skia.PathOp.kUnion_PathOp)
        for x, y, h in claws:
            claw = [(x - 5 - grow, y - 5), (x + 6 + grow, y - 5), (x + 4 + grow, y + h * 0.6),
                (x - 2, y + h + grow),
                    (x - 1 - grow, y + h * 0.4)]  # fmt: skip
            merged.add(polygon(p.at(claw)), skia.PathOp.kUnion_PathOp)
        s.add(merged.resolve(), role)
    for _ in s.times((2, 6, 14)[level]):
        p.circle(s.uniform(30, 66), s.uniform(-112, -40), s.uniform(1.4, 2.8), "accent", detail=True)


DRAW = {"desert": desert, "forest": forest, "waterfall": waterfall, "island": island, "wave": wave}
