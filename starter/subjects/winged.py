"""Birds on a bough or in the air, an owl, and a butterfly over flowers."""

from __future__ import annotations

from collections.abc import Callable

from starter import backdrop
from starter.scene import BLEED, Scene, around, polygon
from starter.subjects.pen import Pen, curve, oval, side, tube


def branch(s: Scene, level: int, y: float) -> None:
    """A bough across the picture; busy pictures give it many leaves."""
    lift = s.uniform(-8, 8)
    s.add(
        tube((-100, y - lift, 7), (0, y + 1, 5.5), (64, y, 5), (128, y + 1, 4.5), (220, y + lift, 3)), "near"
    )
    for _ in range((0, 6, 26)[level]):
        x = s.uniform(-78, 206)
        if 40 < x < 88 and level < 2:
            x += 50
        up, lean, r = side(s), s.uniform(-8, 8), s.uniform(9, 15)
        s.blob([(x, y), (x + lean - 6, y + up * r * 0.7), (x + lean, y + up * r * 1.5),
            (x + lean + 6, y + up * r * 0.7)],
               "mid" if s.chance(0.6) else "second")  # fmt: skip


def bird(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=50)
    flying = s.chance(0.4)
    if level == 2 or (flying and level):
        backdrop.hills(s, level, s.uniform(108, 114))
    way = side(s)
    if flying:
        with s.subject():
            flying_bird(s, Pen(s, s.uniform(58, 68), s.uniform(60, 68), s.uniform(0.86, 0.97), way=way,
                               turn=-way * s.uniform(0, 16)))  # fmt: skip
        return
    y = s.uniform(96, 102)
    branch(s, level, y)
    with s.subject():
        perched_bird(s, Pen(s, s.uniform(58, 68), y - 4, s.uniform(0.86, 0.98), way=way))


def flying_bird(s: Scene, pen: Pen) -> None:
    beat = s.uniform(-6, 8)
    tail = polygon([(-18, -5), (-56, -10), (-48, -1), (-57, 9), (-16, 7)])
    pen.put(
        "main",
        curve([(10, -4), (10, -4), (22, -28), (16, -50 + beat), (16, -50 + beat), (4, -38), (-6, -20)]),
    )
    body = tube((-26, 1, 4), (-8, 2, 11), (12, 0, 12), (27, -8, 9.5), (32, -9, 7))
    pen.put("main", body, tail)
    pen.put("bright", curve([(-8, 11), (6, 6), (20, 4), (30, -3), (22, 8), (8, 13)]))
    wing = [(12, -4), (12, -4), (2, -30), (-14, -52 + beat), (-34, -62 + beat), (-34, -62 + beat),
        (-34, -46 + beat),
            (-28, -24), (-14, -2), (0, 3)]  # fmt: skip
    pen.put("second", curve(wing))
    pen.put("accent", polygon([(36, -14), (49, -7), (36, -3)]))
    pen.put("bright", oval(29, -11, 2.6))


def perched_bird(s: Scene, pen: Pen) -> None:
    plump, long = s.uniform(0.92, 1.15), s.uniform(0, 14)
    for x in (-3.0, 6.0):
        pen.line([(x, -14), (x + 1, 3)], "accent", 2.6)
    tail = polygon([(-20, -34), (-48 - long * 0.6, -10 + long), (-41 - long * 0.6, -4 + long), (-12, -20)])
    outline = [(-24, -26), (-22, -42), (-8, -56), (4, -66), (14, -80), (27, -84), (37, -77), (39, -66),
        (34, -52),
               (28, -32), (14, -14), (-4, -9), (-18, -14)]  # fmt: skip
    parts = [curve([(x, -12 + (y + 12) * plump) for x, y in outline]), tail]
    head = -12 - 60 * plump
    if s.chance(0.4):
        parts.append(polygon([(18, head - 8), (8, head - 26), (28, head - 11)]))
    pen.put("main", *parts)
    pen.put("bright", curve([(32, head + 12), (33, head + 22), (25, head + 42), (12, -13), (0, -13), (8, -26),
                             (18, -44), (24, head + 14)]))  # fmt: skip
    pen.put(
        "second",
        curve([(8, -52), (14, -40), (4, -24), (-16, -18), (-34, -12), (-34, -12), (-22, -32), (-8, -50)]),
    )
    pen.put("accent", polygon([(37, head - 6), (52, head + 1), (37, head + 6)]))
    pen.put("bright", oval(29, head - 2, 3))
    pen.put("dark", oval(29.6, head - 2, 1.5))


def owl(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=46)
    if level == 2:
        backdrop.hills(s, 2, s.uniform(112, 118))
    y = s.uniform(100, 106)
    branch(s, level, y)
    w, tall = s.uniform(0.95, 1.15), s.uniform(0.86, 0.97)
    pen = Pen(s, s.uniform(58, 70), y, tall)
    with s.subject():
        pen.put("second", polygon([(-12, -12), (12, -12), (8, 16), (-8, 16)]))
        tuft = s.uniform(0, 12) if s.chance(0.75) else -2.0
        half = [
            (0, -74),
            (16, -79),
            (28, -86 - tuft),
            (28, -86 - tuft),
            (33, -66),
            (33, -48),
            (31, -24),
            (20, -6),
        ]
        outline = [*((x * w, z) for x, z in half), (0, -1), *((-x * w, z) for x, z in half[:0:-1])]
        pen.put("main", curve(outline))
        pen.put("bright", curve([(0, -50), (18 * w, -44), (20 * w, -22), (10 * w, -6), (-10 * w, -6),
            (-20 * w, -22),
                                 (-18 * w, -44)]))  # fmt: skip
        for row in range(3):
            for column in range(3 - row % 2):
                x, z = (column - 1 + 0.5 * (row % 2)) * 11 * w, -34 + 10 * row
                pen.put(
                    "main", curve([(x - 4, z - 3), (x, z - 1.5), (x + 4, z - 3), (x, z + 4)]), detail=True
                )
        for flank in (-1, 1):
            f = flank * w
            pen.put(
                "second",
                curve(
                    [(f * 33, -52), (f * 35, -30), (f * 24, -3), (f * 24, -3), (f * 18, -24), (f * 22, -46)]
                ),
            )
            pen.put("bright", oval(f * 14, -62, 13.5 * min(w, 1.05)))
            pen.put("accent", oval(f * 13, -62, 8))
            pen.put("dark", oval(f * 13, -62, 4.4))
            pen.put("accent", *(oval(flank * 10 + d, -0.5, 2.6, 4.6) for d in (-4.0, 0.0, 4.0)), detail=True)
        pen.put("dark", polygon([(-5, -58), (5, -58), (0, -46)]))


def butterfly(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=40)
    if level:
        backdrop.hills(s, level, s.uniform(112, 118))
    for _ in range((0, 4, 14)[level]):
        blossom(s, s.uniform(*BLEED), s.uniform(98, 120), s.uniform(5, 9))
    turn = s.uniform(-24, 24)
    pen = Pen(s, s.uniform(58, 70), s.uniform(58, 66), s.uniform(0.8, 0.92), turn=turn)
    rise, reach, drop = s.uniform(-6, 8), s.uniform(0.9, 1.06), s.uniform(-2, 12)
    spots = int(s.rng.integers(3))
    body = "bright" if light == "night" else "dark"
    with s.subject():
        for role, k in (("main", 1.0), ("accent", 0.66)):
            paths = []
            for flank in (-1, 1):
                f = flank * reach
                upper = [
                    (3, -8),
                    (12, -24),
                    (30, -42 - rise),
                    (48, -44 - rise),
                    (53, -34),
                    (46, -14),
                    (30, -1),
                    (12, 1),
                ]
                lower = [
                    (3, 0),
                    (20, 0),
                    (38, 8),
                    (40, 24),
                    (30, 36 + drop),
                    (20, 40 + drop),
                    (14, 26),
                    (5, 12),
                ]
                for wing, (cx, cy) in ((upper, (33.0, -23.0)), (lower, (24.0, 18.0))):
                    paths.append(curve([(f * (cx + (x - cx) * k), cy + (y - cy) * k) for x, y in wing]))
            if k == 1.0:
                pen.put(role, *paths)
            else:
                for path in paths:
                    pen.put(role, path)
        for flank in (-1, 1):
            f = flank * reach
            if spots:
                pen.put("bright", oval(f * 40, -31 - rise / 2, 4.6))
                pen.put("bright", oval(f * 26, 23, 4.2))
            if spots == 2:
                pen.put("bright", oval(f * 29, -19, 3.6))
            pen.line([(flank, -18), (flank * 5, -32), (flank * 13, -42)], body, 2)
            pen.put(body, oval(flank * 13, -42, 2.4))
        pen.put(body, tube((0, -18, 4), (0, -8, 4.4), (0, 8, 3.6), (0, 26, 1.8)))


def blossom(s: Scene, x: float, y: float, r: float) -> None:
    s.line([(x, y), (x + s.uniform(-4, 4), y + 20), (x, 230)], "mid", 2.4)
    for petal in range(5):
        s.circle(*around(x, y, r * 0.62, petal / 5), r * 0.5, "second", detail=True)
    s.circle(x, y, r * 0.42, "bright", detail=True)


DRAW: dict[str, Callable[[Scene, str, int, str], None]] = {"bird": bird, "owl": owl, "butterfly": butterfly}
