"""Twelve subjects with silhouettes that differ, drawn large; each varies in form, place and size."""

from __future__ import annotations

from collections.abc import Callable

import skia

from starter_v1 import backdrop
from starter_v1.scene import SIZE, Scene, around, polygon, ridge, smooth


def mountains(s: Scene, light: str, level: int) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=30)
    if level:
        s.polygon(ridge(s.rng, 72, 26), "far")
    peaks = [(s.uniform(34, 94), s.uniform(24, 36))]
    side = s.uniform(20, 34) * (1 if peaks[0][0] < 64 else -1)
    peaks = [(peaks[0][0] + side * 1.6, s.uniform(44, 56)), *peaks] if level else peaks
    for (x, y), role in zip(peaks, ("mid", "main")[-len(peaks) :], strict=True):
        slope_l, slope_r = s.uniform(0.55, 0.75), s.uniform(0.55, 0.75)
        base = 112 - y
        s.polygon([(x, y), (x + base * slope_r, 112), (x - base * slope_l, 112)], role)
        cap = s.uniform(14, 20)
        teeth = [
            (x + slope_r * cap, y + cap),
            (x + 4, y + cap * 0.7),
            (x - 1, y + cap * 1.2),
            (x - 5, y + cap * 0.75),
        ]
        s.polygon([(x, y), *teeth, (x - slope_l * cap, y + cap)], "bright")
    s.polygon(ridge(s.rng, s.uniform(102, 108), 12), "near")
    for _ in (0, 5, 13)[level] * [0]:
        x, y, h = s.uniform(4, 124), s.uniform(108, 122), s.uniform(9, 17)
        s.polygon(
            [(x, y - h), (x + h * 0.32, y), (x - h * 0.32, y)], "second" if light == "night" else "dark"
        )


def sailboat(s: Scene, light: str, level: int) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level)
    top = s.uniform(76, 86)
    backdrop.waves(s, level, top)
    x, y, k = s.uniform(52, 76), top + s.uniform(12, 17), s.uniform(0.95, 1.2)
    way = 1 if s.uniform(0, 1) < 0.5 else -1
    s.line([(x, y - 2), (x, y - 72 * k)], "dark", 2.2)
    s.add(smooth([(x + way * 3, y - 68 * k), (x + way * 14 * k, y - 40 * k), (x + way * 36 * k, y - 12 * k),
                  (x + way * 3, y - 9 * k)]), "accent")  # fmt: skip
    s.polygon(
        [(x + way * 2, y - 70 * k), (x + way * 33 * k, y - 11 * k), (x + way * 2, y - 11 * k)], "accent"
    )
    s.polygon(
        [(x - way * 2, y - 60 * k), (x - way * 24 * k, y - 11 * k), (x - way * 2, y - 11 * k)], "bright"
    )
    s.polygon([(x - 34 * k, y - 7), (x + 36 * k, y - 7), (x + 25 * k, y + 8), (x - 24 * k, y + 8)], "main")
    if level == 2:
        for dx in (-1, 1):
            px, py = x + dx * s.uniform(44, 54), top + 1
            s.polygon([(px, py - 15), (px + 8, py - 2), (px, py - 2)], "bright")
            s.polygon([(px - 6, py - 1), (px + 9, py - 1), (px + 5, py + 3), (px - 3, py + 3)], "dark")


def city(s: Scene, light: str, level: int) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=30)
    for row, role in enumerate(("far", "mid", "main")[2 - level :]):
        front = row == level
        x = -s.uniform(2, 12)
        while x < SIZE:
            w = s.uniform(17, 26) if front else s.uniform(11, 18)
            h = s.uniform(34, 84) if front else s.uniform(62, 98)
            if s.uniform(0, 1) < 0.25:
                s.polygon(
                    [(x + w * 0.2, SIZE - h), (x + w / 2, SIZE - h - 13), (x + w * 0.8, SIZE - h)], role
                )
            s.rect(x, SIZE - h, w, h + 4, role)
            if front:
                windows(s, x, SIZE - h, w, h, light, level)
            x += w + (s.uniform(1, 5) if front else 0)


def windows(s: Scene, x: float, y: float, w: float, h: float, light: str, level: int) -> None:
    columns = 2 if w < 21 else 3
    gap = w / (columns + 0.6)
    lit = (0.45, 0.7, 0.95)[level]
    for row in range(int((h - 6) / 9)):
        for column in range(columns):
            if s.uniform(0, 1) < lit:
                role = "accent" if light != "day" and s.uniform(0, 1) < 0.3 else "bright"
                s.rect(x + gap * (column + 0.42), y + 6 + row * 9, gap * 0.5, 4.6, role, detail=True)


def flower(s: Scene, light: str, level: int) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=36)
    if level:
        backdrop.hills(s, level - 1, s.uniform(104, 112))
    heads = [(s.uniform(54, 74), s.uniform(42, 50), s.uniform(25, 30))]
    if level == 2:
        heads = [
            (s.uniform(16, 30), s.uniform(66, 80), 15.0),
            (s.uniform(98, 112), s.uniform(62, 78), 15.0),
            *heads,
        ]
    petals = int(s.rng.integers(5, 10))
    for x, y, r in heads:
        foot = x + s.uniform(-10, 10)
        s.line([(x, y), (x + s.uniform(-8, 8), (y + 128) / 2), (foot, 132)], "near", 4.2)
        for side in (-1, 1):
            ly = (y + r + 128) / 2 + s.uniform(-6, 6)
            s.add(smooth([(x, ly), (x + side * r * 0.5, ly - r * 0.55), (x + side * r, ly - r * 0.5),
                          (x + side * r * 0.6, ly)]), "second")  # fmt: skip
        turn = s.uniform(0, 1)
        for petal in range(petals):
            angle = turn + petal / petals
            wide = 0.42 / petals + 0.035
            tip, mid = around(x, y, r, angle), r * 0.85
            s.add(smooth([(x, y), around(x, y, mid, angle - wide), tip, around(x, y, mid, angle + wide)]),
                  "accent" if petal % 2 else "main")  # fmt: skip
        s.circle(x, y, r * 0.3, "bright")
    if level:
        backdrop.meadow(s, level - 1, 108)


def lighthouse(s: Scene, light: str, level: int) -> None:
    backdrop.orb(s, light, level, x=(12, 40))
    backdrop.sky(s, light, level)
    backdrop.waves(s, level, s.uniform(92, 99))
    x, k = s.uniform(62, 84), s.uniform(0.96, 1.06)
    lamp = 30 - (k - 1) * 60
    if light != "day":
        for side in (-1, 1):
            s.polygon([(x, lamp), (x + side * 100, lamp - 16), (x + side * 100, lamp + 14)], "orb")
    s.add(
        smooth([(x - 46, 132), (x - 34, 106), (x - 8, 99), (x + 20, 100), (x + 40, 112), (x + 50, 134)]),
        "near",
    )
    top, foot = 9.5 * k, 17.0 * k
    bands = int(s.rng.integers(4, 6))
    for band in range(bands):
        y0, y1 = 40 + 62 * band / bands, 40 + 62 * (band + 1) / bands
        w0, w1 = (top + (foot - top) * (y - 40) / 62 for y in (y0, y1))
        s.polygon([(x - w0, y0), (x + w0, y0), (x + w1, y1), (x - w1, y1)], ("accent", "bright")[band % 2])
    s.rect(x - top - 4, 36, 2 * top + 8, 5, "main")
    s.rect(x - 6, lamp - 6, 12, 42 - lamp, "bright")
    s.polygon([(x, lamp - 18), (x + 11, lamp - 5), (x - 11, lamp - 5)], "main")


def cat(s: Scene, light: str, level: int) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=34)
    ground = s.uniform(106, 114)
    backdrop.hills(s, level, ground)
    x, k, way = s.uniform(54, 74), s.uniform(0.95, 1.08), 1 if s.uniform(0, 1) < 0.5 else -1
    y = ground + 6
    tail = [
        (x + way * 18, y - 4),
        (x + way * 44 * k, y - 2),
        (x + way * 46 * k, y - 34 * k),
        (x + way * 34 * k, y - 46 * k),
    ]
    s.line(tail, "main", 7 * k)
    body = [
        (x - 22, y + 4),
        (x - 25, y - 18),
        (x - 15, y - 50),
        (x, y - 58),
        (x + 15, y - 50),
        (x + 25, y - 18),
        (x + 22, y + 4),
    ]
    s.add(smooth([(x + (px - x) * k, py) for px, py in body]), "main")
    hx, hy, r = x - way * 2, y - 68 * k, 21 * k
    for side in (-1, 1):
        s.polygon([(hx + side * r * 0.25, hy - r * 0.7), (hx + side * r * 0.95, hy - r * 1.5),
                   (hx + side * r * 0.98, hy - r * 0.1)], "main")  # fmt: skip
    s.ellipse(hx, hy, r * 1.06, r * 0.9, "main")
    eye = "bright" if light != "night" else "dark"
    for side in (-1, 1):
        s.ellipse(hx + side * r * 0.42, hy - r * 0.08, r * 0.2, r * 0.25, eye)
        s.ellipse(hx + side * r * 0.42, hy - r * 0.08, r * 0.07, r * 0.2, "accent", detail=True)
    s.polygon([(hx - 3, hy + r * 0.32), (hx + 3, hy + r * 0.32), (hx, hy + r * 0.5)], "accent")
    s.add(smooth([(x - 8, y - 40), (x + 8, y - 40), (x + 7, y - 14), (x - 7, y - 14)]), "second")
    backdrop.meadow(s, level, ground)


def rocket(s: Scene, light: str, level: int) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=70)
    x, y, k = s.uniform(56, 72), s.uniform(54, 62), s.uniform(0.98, 1.12)
    tilt = s.uniform(-24, 24)
    turn = skia.Matrix.RotateDeg(tilt, skia.Point(x, y))
    start = len(s.shapes)
    s.add(smooth([(x - 13 * k, y + 34 * k), (x - 9 * k, y + 52 * k), (x, y + 78 * k), (x + 9 * k, y + 52 * k),
                  (x + 13 * k, y + 34 * k)]), "orb")  # fmt: skip
    s.add(smooth([(x - 7 * k, y + 34 * k), (x, y + 60 * k), (x + 7 * k, y + 34 * k)]), "accent")
    for side in (-1, 1):
        s.polygon([(x + side * 10 * k, y + 8 * k), (x + side * 31 * k, y + 38 * k), (x + side * 26 * k,
                   y + 46 * k),
                   (x + side * 9 * k, y + 34 * k)], "accent")  # fmt: skip
    body = [(x, y - 62 * k), (x + 17 * k, y - 28 * k), (x + 19 * k, y + 6 * k), (x + 11 * k, y + 38 * k),
            (x - 11 * k, y + 38 * k), (x - 19 * k, y + 6 * k), (x - 17 * k, y - 28 * k)]  # fmt: skip
    s.add(smooth(body), "main")
    s.add(
        smooth([(x, y - 60 * k), (x + 12 * k, y - 34 * k), (x, y - 27 * k), (x - 12 * k, y - 34 * k)]),
        "second",
    )
    s.circle(x, y - 10 * k, 8.5 * k, "dark" if light == "night" else "bright")
    s.circle(x, y - 10 * k, 5 * k, "far")
    for shape in s.shapes[start:]:
        shape.path.transform(turn)
    if level:
        for _ in (0, 4, 8)[level] * [0]:
            s.circle(s.uniform(4, 124), s.uniform(112, 130), s.uniform(9, 17), "cloud")


def bridge(s: Scene, light: str, level: int) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=36)
    if level:
        s.polygon(ridge(s.rng, 84, 18 + 10 * level), "far")
    water, deck = s.uniform(98, 104), s.uniform(76, 82)
    backdrop.waves(s, level, water)
    left, right, top = s.uniform(26, 34), s.uniform(94, 102), s.uniform(24, 34)
    dip, mid = deck - 8, (left + right) / 2
    cables = 4 + 4 * level
    for i in range(1, cables):
        t = i / cables
        y = top + (dip - top) * 4 * t * (1 - t)
        s.line([(left + (right - left) * t, y), (left + (right - left) * t, deck)], "main", 1.4, detail=True)
    s.line([(left, top), (left + (mid - left) * 0.5, dip - 3), (mid, dip + 4),
            (right - (right - mid) * 0.5, dip - 3),
            (right, top)], "main", 2.6)  # fmt: skip
    for x, side in ((left, -1), (right, 1)):
        s.line([(x, top), (x + side * 18, deck - 14), (x + side * 44, deck)], "main", 2.6)
        s.rect(x - 4.5, top - 5, 9, water + 8 - top, "accent")
        s.rect(x - 7, water + 1, 14, 6, "main")
    s.rect(-4, deck, SIZE + 8, 7, "main")


def tree(s: Scene, light: str, level: int) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=30)
    ground = s.uniform(104, 112)
    backdrop.hills(s, level, ground)
    x, k = s.uniform(54, 74), s.uniform(0.95, 1.1)
    y = ground + 5
    s.add(
        polygon(
            [
                (x - 9, y),
                (x - 4.5, y - 34),
                (x - 3.5, y - 62),
                (x + 3.5, y - 62),
                (x + 4.5, y - 34),
                (x + 9, y),
            ]
        ),
        "dark",
    )
    for side in (-1, 1):
        s.line([(x, y - 36), (x + side * 10, y - 48), (x + side * 20 * k, y - 60)], "dark", 3.4)
    centre = y - 70 * k
    blobs = 6 + 2 * level
    for i in range(blobs):
        bx, by = around(x, centre, 19 * k, i / blobs + s.uniform(-0.03, 0.03))
        s.circle(bx * 1.0, by, s.uniform(12, 16) * k, ("main", "second")[i % 2])
    s.circle(x, centre, 19 * k, "second")
    for _ in (0, 7, 16)[level] * [0]:
        fx, fy = around(x, centre, s.uniform(3, 29) * k, s.uniform(0, 1))
        s.circle(fx, fy, s.uniform(2.2, 3.4), "accent", detail=True)
    backdrop.meadow(s, level, ground)


def fish(s: Scene, light: str, level: int) -> None:
    for _ in (1, 2, 3)[level] * [0]:
        y = s.uniform(8, 118)
        s.line(
            [(-8, y), (30, y + s.uniform(-8, 8)), (98, y + s.uniform(-8, 8)), (136, y)],
            "cloud",
            s.uniform(2, 4),
        )
    for _ in (0, 3, 7)[level] * [0]:
        x, h = s.uniform(2, 126), s.uniform(24, 46)
        s.line([(x, 132), (x + 6, 128 - h * 0.4), (x - 6, 128 - h * 0.7), (x + 2, 128 - h)], "near", 4.5)
    x, y, k, way = (
        s.uniform(56, 72),
        s.uniform(56, 70),
        s.uniform(0.95, 1.15),
        1 if s.uniform(0, 1) < 0.5 else -1,
    )
    s.add(
        smooth(
            [
                (x - way * 26 * k, y),
                (x - way * 50 * k, y - 27 * k),
                (x - way * 42 * k, y),
                (x - way * 50 * k, y + 27 * k),
            ]
        ),
        "accent",
    )
    s.add(
        smooth(
            [
                (x - way * 14, y - 16 * k),
                (x, y - 40 * k),
                (x + way * 16, y - 30 * k),
                (x + way * 18, y - 14 * k),
            ]
        ),
        "accent",
    )
    s.add(
        smooth([(x - way * 10, y + 16 * k), (x - way * 8, y + 34 * k), (x + way * 10, y + 20 * k)]), "accent"
    )
    s.add(smooth([(x - way * 36 * k, y), (x - way * 10 * k, y - 26 * k), (x + way * 24 * k, y - 24 * k),
                  (x + way * 52 * k, y),
                  (x + way * 24 * k, y + 24 * k), (x - way * 10 * k, y + 26 * k)]), "main")  # fmt: skip
    for i in range(int(s.rng.integers(2, 4))):
        bx = x - way * (16 - 15 * i) * k
        s.line([(bx, y - 19 * k), (bx + way * 5, y), (bx, y + 19 * k)], "second", 5)
    s.circle(x + way * 30 * k, y - 5 * k, 5.5 * k, "bright")
    s.circle(x + way * 31 * k, y - 5 * k, 2.6 * k, "dark")
    for _ in (2, 6, 16)[level] * [0]:
        s.circle(s.uniform(4, 124), s.uniform(4, 120), s.uniform(1.6, 4.2), "bright", detail=True)


def house(s: Scene, light: str, level: int) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=34)
    ground = s.uniform(102, 108)
    backdrop.hills(s, level, ground)
    x, k = s.uniform(54, 74), s.uniform(0.95, 1.1)
    w, h, roof = 31 * k, 36 * k, 32 * k
    y = ground + 8
    chimney = 1 if s.uniform(0, 1) < 0.5 else -1
    s.rect(x + chimney * 17 * k - 4, y - h - 30 * k, 8, 24 * k, "dark")
    s.rect(x - w, y - h, 2 * w, h, "second" if light == "day" else "main")
    s.polygon([(x, y - h - roof), (x + w + 8, y - h + 2), (x - w - 8, y - h + 2)], "accent")
    s.rect(x - 7, y - 21 * k, 14, 21 * k, "dark")
    for side in (-1, 1):
        s.rect(x + side * 20 * k - 6, y - h + 9, 12, 12, "bright")
    s.circle(x, y - h - 9 * k, 5, "bright")
    if level:
        for side in (-1, 1)[: level + 1]:
            tx = x + side * s.uniform(48, 54)
            s.polygon(
                [(tx, y - s.uniform(38, 50)), (tx + 11, y + 2), (tx - 11, y + 2)],
                "near" if light == "day" else "far",
            )
    backdrop.meadow(s, level, ground + 6)


def balloon(s: Scene, light: str, level: int) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=90)
    if level:
        s.polygon(ridge(s.rng, s.uniform(112, 120), 16), "far")
        s.polygon(ridge(s.rng, 122, 8), "near")
    if level == 2:
        for side in (-1, 1):
            bx, by = 64 + side * s.uniform(44, 50), s.uniform(62, 84)
            s.circle(bx, by, 8, "second")
            s.rect(bx - 2, by + 10, 4, 4, "dark")
    x, y, r = s.uniform(54, 74), s.uniform(44, 50), s.uniform(33, 38)
    for side in (-1, 1):
        s.line([(x + side * r * 0.35, y + r), (x + side * 5, y + r * 1.62)], "dark", 1.5, detail=True)
    shell = [(x, y - r * 1.06), (x + r * 0.98, y - r * 0.86), (x + r * 1.12, y + r * 0.2), (x + r * 0.3,
             y + r * 1.26),
             (x - r * 0.3, y + r * 1.26), (x - r * 1.12, y + r * 0.2), (x - r * 0.98,
                 y - r * 0.86)]  # fmt: skip
    s.add(smooth(shell), "main")
    for wide, role in ((0.68, "accent"), (0.3, "bright")):
        s.add(smooth([(x + (px - x) * wide, py) for px, py in shell]), role)
    s.rect(x - 7, y + r * 1.55, 14, 11, "dark")


DRAW: dict[str, Callable[[Scene, str, int], None]] = {
    "mountains": mountains, "sailboat": sailboat, "city": city, "flower": flower,
    "lighthouse": lighthouse, "cat": cat, "rocket": rocket, "bridge": bridge,
    "tree": tree, "fish": fish, "house": house, "balloon": balloon,
}  # fmt: skip
