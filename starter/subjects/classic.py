"""Landscapes and buildings, drawn large: mountains, sailboat, city, lighthouse, bridge, house."""

from __future__ import annotations

from collections.abc import Callable

from starter import backdrop
from starter.scene import BLEED, Point, Scene, ridge, smooth
from starter.subjects import houses

LOW, HIGH = BLEED


def mountains(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=30)
    if level:
        s.polygon(ridge(s.rng, 84, 36), "far")
    x, y = s.uniform(46, 82), s.uniform(22, 30)
    side = 1 if x < 64 else -1
    with s.subject():
        if level:
            peak(s, x + side * s.uniform(38, 46), s.uniform(46, 54), "mid", "near")
        if level == 2:
            peak(s, x - side * s.uniform(38, 46), s.uniform(60, 66), "mid", "near")
        peak(s, x, y, "main", "second")
    foot = ridge(s.rng, s.uniform(108, 112), 10)
    s.polygon(foot, "near")
    for px, py in backdrop.spots(s, (0, 22, 70)[level], 112, 190):
        pine(s, px, py + 4, s.uniform(11, 18), "second" if light == "night" else "dark")


def peak(s: Scene, x: float, y: float, lit: str, shaded: str) -> None:
    """A snowy mountain in two facets, its top at (x, y)."""
    left, right = s.uniform(0.62, 0.82), s.uniform(0.62, 0.82)
    base = 122 - y
    s.polygon([(x, y), (x + base * right, 122), (x - base * left, 122)], lit)
    crest = [(x, y), (x + 5, y + base * 0.3), (x - 3, y + base * 0.5), (x + 6, y + base * 0.75), (x, 122.0)]
    s.polygon([*crest, (x + base * right, 122)], shaded)
    cap = base * s.uniform(0.26, 0.32)
    teeth = [(0.5, 0.62), (0.22, 1.0), (-0.04, 0.68), (-0.3, 1.05), (-0.52, 0.66)]
    s.polygon([(x, y), (x + right * cap, y + cap), *[(x + cap * dx, y + cap * dy) for dx, dy in teeth],
               (x - left * cap, y + cap)], "bright")  # fmt: skip


def pine(s: Scene, x: float, y: float, h: float, role: str) -> None:
    edge = [(0.0, -1.0), (0.2, -0.62), (0.12, -0.62), (0.3, -0.3), (0.2, -0.3), (0.38, 0.0)]
    s.polygon([(x + h * dx, y + h * dy) for dx, dy in [*edge, *[(-dx, dy) for dx, dy in edge[:0:-1]]]], role)


def sailboat(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level)
    top = s.uniform(76, 84)
    backdrop.waves(s, level, top)
    if level == 2:
        for x in (s.uniform(4, 14), s.uniform(114, 122), s.uniform(-50, -30), s.uniform(160, 180)):
            yacht(s, x, top + 2, 0.26, 1)
    with s.subject():
        yacht(
            s, s.uniform(58, 70), top + s.uniform(17, 21), s.uniform(0.98, 1.12), 1 if s.chance(0.5) else -1
        )
    scallops(s, top + 25, 11, "near")


def yacht(s: Scene, x: float, y: float, k: float, way: int) -> None:
    """A boat of two sails on the water at (x, y), heading to the side `way`."""

    def at(points: list[Point]) -> list[Point]:
        return [(x + way * dx * k, y + dy * k) for dx, dy in points]

    s.line(at([(0, 0), (0, -84)]), "dark", 2.4 * k)
    s.polygon(at([(0, -84), (-15, -79), (0, -75)]), "accent", detail=True)
    belly: list[Point] = [(3, -76), (3, -77), (15, -50), (36, -18), (37, -14), (3, -14)]
    s.polygon(at([(2.5, -76), (2.5, -14), (37, -14)]), "accent")
    s.blob(at(belly), "accent")
    s.polygon(at([(-2.5, -68), (-2.5, -14), (-27, -14)]), "bright")
    for step in (1, 2):
        s.line(
            at([(3, -14 - 17.0 * step), (37 - 9.5 * step, -14 - 17.0 * step)]), "second", 1.6 * k, detail=True
        )
    s.polygon(at([(-38, -9), (42, -9), (30, 8), (-28, 8)]), "main")
    s.polygon(at([(-38, -9), (42, -9), (39.5, -5), (-35.5, -5)]), "bright", detail=True)


def scallops(s: Scene, y: float, step: float, role: str) -> None:
    """Water from `y` down, its edge in small waves."""
    points: list[Point] = []
    x = LOW - s.uniform(0, 20)
    while x < HIGH + 20:
        points += [(x, y + 1.8), (x + step / 2, y - 1.8)]
        x += step
    s.add(smooth([*points, (HIGH + 60, HIGH + 60), (LOW - 60, HIGH + 60)]), role)


def city(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=30)
    quay = s.uniform(112, 116)
    for role in ("far", "mid")[2 - level :]:
        x = LOW - s.uniform(2, 12)
        while x < HIGH:
            w, h = s.uniform(11, 18), s.uniform(36, 62) + (12 if role == "far" and level == 2 else 0)
            s.rect(x, quay - h, w, h + 4, role)
            x += w
    with s.subject():
        x, end = (14.0 + s.uniform(-4, 4), 108.0) if level == 0 else (LOW - s.uniform(0, 12), HIGH)
        while x < end:
            w = s.uniform(17, 25)
            inner = max(0.0, 1 - abs(x + w / 2 - 64) / 60)
            tower(s, x, quay, w, s.uniform(26, 46) + inner * s.uniform(36, 52), light, level)
            x += w + s.uniform(1, 4)
    s.rect(LOW - 40, quay, HIGH - LOW + 80, HIGH, "near")
    s.rect(LOW - 40, quay, HIGH - LOW + 80, 2.5, "dark")
    for x, y in backdrop.spots(s, (0, 22, 60)[level], quay + 7, HIGH):
        s.line([(x, y), (x + s.uniform(7, 15), y)], "bright" if s.chance(0.5) else "mid", 1.4, detail=True)


def tower(s: Scene, x: float, foot: float, w: float, h: float, light: str, level: int) -> None:
    """A building with one of four tops and rows of windows."""
    top, kind = foot - h, int(s.rng.integers(4))
    if kind == 1:
        s.polygon([(x, top + 0.5), (x + w * 0.5, top - 12), (x + w, top + 0.5)], "second")
    elif kind == 2:
        s.rect(x + w * 0.22, top - 7, w * 0.56, 8, "main")
        s.line([(x + w / 2, top - 7), (x + w / 2, top - 20)], "main", 1.6)
    elif kind == 3:
        s.polygon([(x, top + 0.5), (x + w, top - 9), (x + w, top + 0.5)], "main")
    s.rect(x, top, w, h, "main")
    s.rect(x + w * 0.86, top, w * 0.14, h, "second", detail=True)
    columns = 2 if w < 21 else 3
    gap = w * 0.86 / (columns + 0.3)
    for row in range(int((h - 6) / 9)):
        for column in range(columns):
            if s.chance((0.5, 0.7, 0.95)[level]):
                role = (
                    "accent"
                    if s.chance(0.25)
                    else ("dark" if light == "night" and s.chance(0.3) else "bright")
                )
                s.rect(x + gap * (column + 0.4), top + 6 + row * 9, gap * 0.55, 4.8, role, detail=True)


def lighthouse(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level, x=(12, 40))
    backdrop.sky(s, light, level)
    backdrop.waves(s, level, s.uniform(88, 94))
    x, k = s.uniform(60, 80), s.uniform(0.98, 1.06)
    lamp = 28 - (k - 1) * 60
    if light != "day":
        for side in (-1, 1):
            s.polygon([(x, lamp), (x + side * 300, lamp - 34), (x + side * 300, lamp + 30)], "orb")
    with s.subject():
        rock = [(-58, 134), (-36, 106), (-10, 98), (22, 98), (40, 112), (60, 134)]
        s.blob([(x + dx, float(y)) for dx, y in rock], "second")
        s.blob([(x - 30, 128.0), (x - 20, 112.0), (x, 108.0), (x + 2, 128.0)], "near", detail=True)
        beacon(s, x, lamp, k)
    scallops(s, 118, 12, "near")


def beacon(s: Scene, x: float, lamp: float, k: float) -> None:
    """A banded tower from the rock up to the gallery, with the lamp room and its cap above."""
    top, foot = 9.5 * k, 17.5 * k
    bands = int(s.rng.integers(4, 7))
    for band in range(bands):
        y0, y1 = 40 + 63 * band / bands, 40 + 63 * (band + 1) / bands
        w0, w1 = (top + (foot - top) * (y - 40) / 63 for y in (y0, y1))
        s.polygon([(x - w0, y0), (x + w0, y0), (x + w1, y1), (x - w1, y1)], ("accent", "bright")[band % 2])
    s.rect(x - 4.5, 90, 9, 13, "dark")
    s.rect(x - 6.5, lamp - 7, 13, 42 - lamp, "bright")
    s.rect(x - 1, lamp - 7, 2, 42 - lamp, "dark", detail=True)
    s.rect(x - top - 4.5, 36, 2 * top + 9, 5.5, "main")
    s.polygon([(x, lamp - 19), (x + 11.5, lamp - 5), (x - 11.5, lamp - 5)], "main")
    s.circle(x, lamp - 19, 2.2, "main", detail=True)


def bridge(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=36)
    if level:
        s.polygon(ridge(s.rng, 88, 14 + 10 * level), "far")
    water, deck = s.uniform(98, 103), s.uniform(77, 82)
    backdrop.waves(s, level, water)
    left, right, top = s.uniform(24, 32), s.uniform(96, 104), s.uniform(20, 28)
    with s.subject():
        for x in (LOW + 16, LOW + 58, HIGH - 58, HIGH - 16):
            s.rect(x - 3, deck, 6, water + 8 - deck, "main")
        span(s, left, right, top, deck, 6 + 3 * level)
        for x, side in ((left, -1), (right, 1)):
            s.line([(x, top + 2), (x + side * 14, deck - 26), (x + side * 52, deck)], "main", 2.8)
            for step in (1, 2, 3):
                hx = x + side * 9 * step
                s.line([(hx, deck), (hx, deck - 36 + 9 * step)], "main", 1.3, detail=True)
        s.rect(LOW - 40, deck, HIGH - LOW + 80, 7, "main")
        for x in (left, right):
            for side in (-1, 1):
                s.rect(x + side * 4.2 - 2.2, top - 5, 4.4, water + 6 - top, "accent")
            for y in (top, top + (deck - top) * 0.4, top + (deck - top) * 0.8):
                s.rect(x - 6.4, y, 12.8, 4, "accent")
            s.rect(x - 9, water, 18, 8, "main")


def span(s: Scene, left: float, right: float, top: float, deck: float, hangers: int) -> None:
    """The main cable between two towers as a parabola, and the hangers from it to the deck."""

    def height(t: float) -> float:
        return top + 2 + (deck - 6 - top) * 4 * t * (1 - t)

    for i in range(1, hangers):
        x = left + (right - left) * i / hangers
        s.line([(x, height(i / hangers)), (x, deck)], "main", 1.3, detail=True)
    s.line([(left + (right - left) * i / 16, height(i / 16)) for i in range(17)], "main", 2.8)


def house(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=34)
    houses.DRAW[form or "cottage"](s, light, level)


DRAW: dict[str, Callable[[Scene, str, int, str], None]] = {
    "mountains": mountains, "sailboat": sailboat, "city": city, "lighthouse": lighthouse,
    "bridge": bridge, "house": house,
}  # fmt: skip
