"""The forms of a house: cottage, flat-roofed clay house, felt tent of the steppe, wooden house on stilts."""

from __future__ import annotations

from collections.abc import Callable

import skia

from starter import backdrop
from starter.scene import Point, Scene, ridge


def cottage(s: Scene, light: str, level: int) -> None:
    ground = s.uniform(102, 107)
    backdrop.hills(s, level, ground)
    backdrop.meadow(s, level, ground + 6)
    x, k = s.uniform(56, 72), s.uniform(0.98, 1.08)
    y = ground + 8
    for side in (-1, 1):
        for step in range((0, 1, 3)[level]):
            px = x + side * (s.uniform(50, 56) + 26 * step)
            h = s.uniform(38, 50)
            s.polygon([(px, y - h), (px + 11, y + 2), (px - 11, y + 2)], "mid" if light == "day" else "far")
    w, h, roof = 33 * k, 38 * k, 36 * k
    chimney = 1 if s.chance(0.5) else -1
    with s.subject():
        s.rect(x + chimney * 19 * k - 4.5, y - h - 32 * k, 9, 26 * k, "dark")
        s.rect(x - w, y - h, 2 * w, h, "second" if light == "day" else "main")
        s.polygon([(x, y - h - roof), (x + w + 9, y - h + 2), (x - w - 9, y - h + 2)], "accent")
        s.rect(x - 7.5, y - 23 * k, 15, 23 * k, "dark")
        for side in (-1, 1):
            px, py = x + side * 21 * k - 6.5, y - h + 10
            s.rect(px, py, 13, 13, "bright")
            s.rect(px + 5.7, py, 1.6, 13, "dark", detail=True)
            s.rect(px, py + 5.7, 13, 1.6, "dark", detail=True)
        s.circle(x, y - h - 11 * k, 5.5, "bright")


def adobe(s: Scene, light: str, level: int) -> None:
    ground = s.uniform(102, 107)
    if level:
        s.polygon(ridge(s.rng, ground - 4, 20), "far")
    backdrop.hills(s, 0, ground)
    x, y, k, way = s.uniform(58, 70), ground + 9, s.uniform(0.98, 1.06), 1 if s.chance(0.5) else -1
    if level:
        for _ in range(2 * level):
            pot(s, x - way * s.uniform(46, 60), y + s.uniform(2, 10), s.uniform(4, 6))
    for px, py in backdrop.spots(s, (0, 8, 34)[level], ground + 8, 190):
        s.ellipse(px, py, s.uniform(3, 6), 1.4, "mid", detail=True)
    wall, upper = ("second", "main") if light == "day" else ("main", "second")

    def block(left: float, top: float, right: float, foot: float, role: str) -> None:
        a, b = sorted((x + way * left * k, x + way * right * k))
        box = skia.Rect(a, y + top * k, b, y + foot * k)
        s.add(skia.Path.RRect(skia.RRect.MakeRectXY(box, 7 * k, 7 * k)), role)

    with s.subject():
        block(-10, -76, 34, -30, upper)
        block(-44, -48, 20, 4, wall)
        block(8, -40, 48, 4, wall)
        s.rect(x - 50 * k, y, 100 * k, 6, "near")
        for top, first, count in ((-68, -3, 4), (-39, -36, 5), (-32, 26, 2)):
            for step in range(count):
                s.circle(x + way * (first + 11 * step) * k, y + top * k, 2.3 * k, "dark", detail=True)
        door = skia.RRect.MakeRectXY(skia.Rect(x + (-9 - 16 * way) * k, y - 26 * k, x + (9 - 16 * way) * k,
                                               y + 5), 9 * k, 9 * k)  # fmt: skip
        s.add(skia.Path.RRect(door), "accent")
        s.rect(x - 50 * k, y, 100 * k, 9, "near")
        for left, top in ((10, -58), (24, -22), (-38, -26), (-2, -26), (38, -22)):
            s.rect(x + way * left * k - 3.5 * k, y + top * k, 7 * k, 8 * k, "dark")
        ladder(s, x + way * 15 * k, y, 58 * k, way)


def ladder(s: Scene, x: float, y: float, h: float, way: int) -> None:
    for side in (-3.5, 3.5):
        s.line([(x + side, y), (x + side + way * 7, y - h)], "bright", 1.8, detail=True)
    for step in range(1, 8):
        at = step / 8
        s.line([(x - 3.5 + way * 7 * at, y - h * at), (x + 3.5 + way * 7 * at, y - h * at)], "bright", 1.5,
               detail=True)  # fmt: skip


def pot(s: Scene, x: float, y: float, r: float) -> None:
    s.rect(x - r * 0.5, y - r * 2.1, r, r, "accent", detail=True)
    s.ellipse(x, y - r * 0.8, r, r * 0.95, "accent", detail=True)


def yurt(s: Scene, light: str, level: int) -> None:
    ground = s.uniform(100, 105)
    if level:
        s.polygon(ridge(s.rng, ground - 2, 34), "far")
    backdrop.hills(s, level // 2, ground)
    backdrop.meadow(s, level, ground + 6)
    if level == 2:
        for x in (s.uniform(6, 14), s.uniform(114, 122), s.uniform(-44, -30), s.uniform(160, 176)):
            tent(s, x, ground + 1, 0.3, "main")
    with s.subject():
        tent(s, s.uniform(58, 70), ground + 10, s.uniform(0.98, 1.08), "main")


def tent(s: Scene, x: float, y: float, k: float, role: str) -> None:
    def at(points: list[Point]) -> list[Point]:
        return [(x + dx * k, y + dy * k) for dx, dy in points]

    s.rect(x - 4 * k, y - 84 * k, 5 * k, 22 * k, "dark")
    roof: list[Point] = [
        (-51, -37),
        (-40, -46),
        (-22, -61),
        (-11, -69),
        (11, -69),
        (22, -61),
        (40, -46),
        (51, -37),
    ]
    s.polygon(at([(-45, -38), (45, -38), (48, 0), (-48, 0)]), "bright")
    s.polygon(at(roof), role)
    for dx in (-28, -10, 10, 28):
        s.line(at([(dx * 0.4, -68), (dx * 1.35, -38)]), "second", 2 * k, detail=True)
    s.polygon(at([(-12, -68), (-9, -74), (9, -74), (12, -68)]), "dark")
    s.rect(x - 47 * k, y - 36 * k, 94 * k, 9 * k, "accent")
    for step in range(11):
        left = -45.9 + 8.5 * step
        s.polygon(
            at([(left, -31.5), (left + 3.4, -35), (left + 6.8, -31.5), (left + 3.4, -28)]),
            "bright",
            detail=True,
        )
    s.line(at([(-47, -13), (0, -12), (47, -13)]), "second", 2 * k, detail=True)
    s.rect(x - 13 * k, y - 38 * k, 26 * k, 38 * k, "dark")
    for side in (-1, 1):
        s.rect(x + (5.5 * side - 4.5) * k, y - 34 * k, 9 * k, 34 * k, "accent")
        s.rect(x + (5.5 * side - 2) * k, y - 29 * k, 4 * k, 9 * k, "bright", detail=True)


def stilt_house(s: Scene, light: str, level: int) -> None:
    water = s.uniform(92, 97)
    if level:
        s.polygon(ridge(s.rng, water + 2, 16 + 6 * level), "far")
    backdrop.waves(s, level, water)
    x, y, k = s.uniform(58, 70), 79.0, s.uniform(0.98, 1.06)
    if level == 2:
        for px in (s.uniform(2, 10), s.uniform(118, 126), s.uniform(-56, -30), s.uniform(160, 186)):
            palm(s, px, 108, s.uniform(50, 62))

    def at(points: list[Point]) -> list[Point]:
        return [(x + dx * k, y + dy * k) for dx, dy in points]

    wood = "mid" if light == "night" else "dark"
    with s.subject():
        for dx in (-40, -20, 0, 20, 40):
            s.rect(x + (dx - 2) * k, y, 4 * k, 34, wood)
        s.line(at([(-40, 8), (-20, 24)]), wood, 1.6)
        s.line(at([(40, 8), (20, 24)]), wood, 1.6)
        s.rect(x - 34 * k, y - 30 * k, 68 * k, 30 * k, "second" if light == "day" else "main")
        for step in range(1, 7):
            s.rect(x + (-34 + 9.7 * step) * k, y - 30 * k, 1.1 * k, 30 * k, "dark", detail=True)
        for dx in (-22, 22):
            s.rect(x + (dx - 6) * k, y - 23 * k, 12 * k, 13 * k, "bright")
        s.rect(x - 7 * k, y - 24 * k, 14 * k, 24 * k, "dark")
        s.rect(x - 50 * k, y - 2, 100 * k, 5, wood)
        for dx in range(-48, 49, 12):
            if abs(dx) > 6:
                s.rect(x + dx * k - 1, y - 10 * k, 2, 10 * k, wood, detail=True)
        for side in (-1, 1):
            s.rect(x + (29 * side - 20) * k, y - 11 * k, 40 * k, 2, wood, detail=True)
        gable = [(-54, -24), (-36, -36), (-24, -58), (-34, -66), (0, -60)]
        s.polygon(at([*[(float(a), float(b)) for a, b in gable],
                      *[(float(-a), float(b)) for a, b in gable[-2::-1]]]), "accent")  # fmt: skip
        s.polygon(at([(-54, -24), (-36, -36), (36, -36), (54, -24)]), "main" if light == "day" else "second")
        ladder(s, x, y + 30, 28, 0)
    for dx in (-40, -20, 0, 20, 40):
        s.line([(x + dx * k - 6, y + 34), (x + dx * k + 6, y + 34)], "bright", 1.5, detail=True)


def palm(s: Scene, x: float, y: float, h: float) -> None:
    s.line([(x, y), (x + 3, y - h * 0.5), (x + 8, y - h)], "dark", 3)
    for dx, dy in ((-18, 6), (-13, -7), (0, -12), (13, -7), (18, 6)):
        tip = (x + 8 + dx, y - h + dy)
        s.polygon([(x + 8, y - h + 2), (x + 8 + dx * 0.5, y - h + dy * 0.9 - 6), tip,
                   (x + 8 + dx * 0.5, y - h + dy * 0.7 - 1)], "dark")  # fmt: skip


DRAW: dict[str, Callable[[Scene, str, int], None]] = {
    "cottage": cottage, "adobe": adobe, "yurt": yurt, "stilt house": stilt_house,
}  # fmt: skip
