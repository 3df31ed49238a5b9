"""Single figures drawn large: flower, cat, tree, fish, rocket, balloon; each varies in shape and place."""

from __future__ import annotations

from collections.abc import Callable

import skia

from starter import backdrop
from starter.scene import BLEED, Point, Scene, around, polygon, ridge, smooth

LOW, HIGH = BLEED


def flower(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=36)
    ground = s.uniform(106, 112)
    backdrop.hills(s, level, ground)
    backdrop.meadow(s, level, ground)
    petals, stem = int(s.rng.integers(5, 11)), "second" if light == "night" else "dark"
    if level == 2:
        for x in (s.uniform(10, 24), s.uniform(104, 118), s.uniform(-40, -20), s.uniform(146, 170)):
            blossom(s, x, s.uniform(68, 82), 15.0, petals, ground + 6, stem)
    with s.subject():
        blossom(s, s.uniform(56, 72), s.uniform(42, 47), s.uniform(29, 33), petals, ground + 8, stem)


def blossom(s: Scene, x: float, y: float, r: float, petals: int, foot: float, stem: str) -> None:
    """A flower head of two rings of petals on a leafy stem that stands at the height `foot`."""
    lean = s.uniform(-7, 7)
    s.line([(x, y), (x + lean, (y + foot) / 2), (x + lean * 0.4, foot)], stem, max(2.4, r * 0.15))
    for side in (-1, 1):
        ly = foot - r * (0.5 + 0.25 * side)
        edge = [(0.0, 0.1), (0.35, -0.55), (1.15, -0.85), (0.9, -0.1)]
        s.blob([(x + lean * 0.5 + side * r * dx, ly + r * dy) for dx, dy in edge], "second")
    turn = s.uniform(0, 1)
    for far, role, extra in ((1.0, "accent", 0.0), (0.66, "main", 0.5)):
        for petal in range(petals):
            angle, wide = turn + (petal + extra) / petals, 0.44 / petals
            edge = [(x, y), around(x, y, r * far * 0.75, angle - wide * 1.2),
                    around(x, y, r * far * 1.22, angle - wide * 0.7),
                    around(x, y, r * far * 1.22, angle + wide * 0.7),
                    around(x, y, r * far * 0.75, angle + wide * 1.2)]  # fmt: skip
            s.blob(edge, role)
    s.circle(x, y, r * 0.27, "bright")
    s.circle(x, y, r * 0.13, "dark", detail=True)


def cat(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=34)
    ground = s.uniform(106, 112)
    backdrop.hills(s, level, ground)
    backdrop.meadow(s, level, ground)
    x, k, way = s.uniform(56, 72), s.uniform(0.98, 1.08), 1 if s.chance(0.5) else -1
    y = ground + 6
    with s.subject():
        tail = [(18, -4), (46, 0), (48, -34), (32, -44), (34, -54)]
        s.line([(x + way * dx * k, y + dy * k) for dx, dy in tail], "main", 7.5 * k)
        body = [(-24, 6), (-29, -16), (-17, -50), (0, -60), (17, -50), (29, -16), (24, 6)]
        s.blob([(x + dx * k, y + dy * k) for dx, dy in body], "main")
        s.blob([(x + dx * k, y + dy * k) for dx, dy in ((-9, -46), (9, -46), (8, -12), (-8, -12))], "second")
        for side in (-1, 1):
            s.ellipse(x + side * 10 * k, y + 1, 8.5 * k, 4.5 * k, "second")
        cat_head(s, x - way * 2, y - 66 * k, 22 * k)


def cat_head(s: Scene, x: float, y: float, r: float) -> None:
    for side in (-1, 1):
        ear = [(0.2, -0.7), (0.95, -1.5), (1.0, -0.1)]
        s.polygon([(x + side * r * dx, y + r * dy) for dx, dy in ear], "main")
        inner = [(0.45, -0.78), (0.84, -1.18), (0.86, -0.5)]
        s.polygon([(x + side * r * dx, y + r * dy) for dx, dy in inner], "second", detail=True)
    s.ellipse(x, y, r * 1.08, r * 0.9, "main")
    for side in (-1, 1):
        s.ellipse(x + side * r * 0.45, y - r * 0.1, r * 0.24, r * 0.27, "bright")
        s.ellipse(x + side * r * 0.45, y - r * 0.1, r * 0.09, r * 0.22, "dark", detail=True)
        for dy in (0.3, 0.48):
            ends = [(x + side * r * 0.5, y + r * dy), (x + side * r * 1.4, y + r * (dy * 1.6 - 0.26))]
            s.line(ends, "bright", 1.1, detail=True)
    s.polygon([(x - r * 0.16, y + r * 0.26), (x + r * 0.16, y + r * 0.26), (x, y + r * 0.46)], "accent")


def tree(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=30)
    ground = s.uniform(104, 110)
    backdrop.hills(s, level, ground)
    backdrop.meadow(s, level, ground)
    x, y, k = s.uniform(56, 72), ground + 6, s.uniform(0.98, 1.1)
    with s.subject():
        wood = "second" if light == "night" else "dark"
        trunk = [(-13, 0), (-6, -8), (-5, -34), (-4, -62), (4, -62), (5, -34), (6, -8), (13, 0)]
        s.polygon([(x + dx * k, y + dy * k) for dx, dy in trunk], wood)
        for side in (-1, 1):
            fork = [(0, -32), (9, -42), (19, -54)]
            s.line([(x + side * dx * k, y + dy * k) for dx, dy in fork], wood, 3.6)
        centre = y - 70 * k
        crown(s, x, centre, k)
        for _ in s.times(*((0, 2), (7, 10), (16, 20))[level]):
            fx, fy = around(x, centre + 2, s.uniform(5, 30) * k, s.uniform(0, 1))
            s.circle(fx, fy, s.uniform(2.3, 3.3), "accent", detail=True)


def crown(s: Scene, x: float, y: float, k: float) -> None:
    """Leaves as one mass of round lobes, with lighter or darker lobes within it."""
    mass = skia.Path.Circle(x, y, 24 * k)
    lobes = int(s.rng.integers(7, 10))
    for lobe in range(lobes):
        bx, by = around(x, y, 22 * k, lobe / lobes + s.uniform(-0.03, 0.03))
        mass = skia.Op(mass, skia.Path.Circle(bx, by, s.uniform(11, 15) * k), skia.PathOp.kUnion_PathOp)
    s.add(mass, "main")
    for angle, far, r in ((0.62, 15, 11.5), (0.75, 19, 9.5), (0.9, 17, 9), (0.55, 3, 7.5), (0.1, 15, 7.5)):
        bx, by = around(x, y, far * k, angle + s.uniform(-0.03, 0.03))
        s.circle(bx, by, r * k * s.uniform(0.9, 1.1), "second", detail=True)


def fish(s: Scene, light: str, level: int, form: str) -> None:
    """A fish below the surface, which is drawn as if cut open, so that the sky shows the light."""
    backdrop.orb(s, light, level, lift=44 if light == "dusk" else 12)
    surface = s.uniform(32, 37)
    backdrop.sky(s, light, level, low=surface - 12)
    crests: list[Point] = []
    for number, crest in enumerate(range(int(LOW) - 20, int(HIGH) + 40, 8)):
        crests.append((float(crest), surface + (1.8, -1.8)[number % 2]))
    s.add(smooth([*crests, (HIGH + 40, HIGH + 40), (LOW - 40, HIGH + 40)]), "far")
    for x, y in backdrop.spots(s, (0, 5, 9)[level], surface + 10, 110):
        s.line([(x, y), (x + 8, y - 2), (x + 18, y + 2), (x + 26, y)], "mid", 2.0, detail=True)
    for x, y in backdrop.spots(s, (0, 24, 60)[level], 126, 150):
        h = s.uniform(20, 44)
        s.line([(x, y), (x + 6, y - h * 0.4), (x - 6, y - h * 0.7), (x + 2, y - h)], "mid", 4.0)
    s.polygon(ridge(s.rng, s.uniform(120, 124), 7), "near")
    with s.subject():
        fish_body(s, s.uniform(60, 68), s.uniform(77, 82), s.uniform(0.86, 0.96), 1 if s.chance(0.5) else -1)
    for x, y in backdrop.spots(s, (4, 18, 50)[level], surface + 6, 118):
        s.circle(x, y, s.uniform(1.6, 3.8), "bright", detail=True)


def fish_body(s: Scene, x: float, y: float, k: float, way: int) -> None:
    def at(points: list[Point]) -> list[Point]:
        return [(x + way * dx * k, y + dy * k) for dx, dy in points]

    s.blob(at([(-24, 0), (-42, -16), (-62, -34), (-46, 0), (-62, 34), (-42, 16)]), "accent")
    s.blob(at([(-22, -16), (-12, -44), (12, -42), (22, -14)]), "accent")
    s.blob(at([(-12, 16), (-16, 42), (4, 38), (10, 18)]), "accent")
    s.blob(at([(-40, 0), (-12, -31), (26, -28), (56, 0), (26, 28), (-12, 31)]), "main")
    for i in s.times(2, 3):
        bx = -14 + 14 * i
        s.line(at([(bx - 3, -17), (bx + 4, 0), (bx - 3, 17)]), "second", 5.5 * k)
    s.circle(*at([(32, -6)])[0], 6 * k, "bright")
    s.circle(*at([(33, -6)])[0], 2.9 * k, "dark", detail=True)


def rocket(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=70)
    if level:
        for x, y in backdrop.spots(s, (0, 20, 34)[level], 118, 150):
            s.circle(x, y + 4, s.uniform(12, 19), "cloud")
        s.rect(LOW, 138, HIGH - LOW, HIGH - 138, "cloud")
    x, y, k = s.uniform(58, 70), s.uniform(54, 58), s.uniform(0.84, 0.92)
    turn = skia.Matrix.RotateDeg(s.uniform(-24, 24), skia.Point(x, y))
    start = len(s.shapes)
    with s.subject():
        rocket_body(s, x, y, k)
    for shape in s.shapes[start:]:
        shape.path.transform(turn)


def rocket_body(s: Scene, x: float, y: float, k: float) -> None:
    def at(points: list[Point]) -> list[Point]:
        return [(x + dx * k, y + dy * k) for dx, dy in points]

    s.blob(at([(-14, 34), (-13, 52), (0, 84), (13, 52), (14, 34)]), "orb")
    s.blob(at([(-8, 34), (-6, 48), (0, 64), (6, 48), (8, 34)]), "accent")
    for side in (-1, 1):
        s.polygon(at([(side * 10, 4), (side * 33, 34), (side * 30, 50), (side * 9, 36)]), "accent")
    s.blob(at([(0, -68), (18, -30), (21, 6), (12, 42), (-12, 42), (-21, 6), (-18, -30)]), "main")
    nose = [(0, -49), (5, -43), (10.4, -33), (12.5, -28), (-12.5, -28), (-10.4, -33), (-5, -43)]
    s.polygon(at([(float(a), float(b)) for a, b in nose]), "accent")
    s.circle(x, y - 10 * k, 9.5 * k, "bright")
    s.circle(x, y - 10 * k, 6 * k, "second")
    s.rect(x - 14.5 * k, y + 14 * k, 29 * k, 5 * k, "second", detail=True)
    s.polygon(at([(-2.5, 20), (2.5, 20), (2.5, 44), (-2.5, 44)]), "accent", detail=True)


def balloon(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=90)
    if level:
        s.polygon(ridge(s.rng, s.uniform(112, 118), 18), "far")
    s.polygon(ridge(s.rng, 124, 8), "near")
    if level == 2:
        for x in (s.uniform(10, 18), s.uniform(110, 118), s.uniform(-50, -30), s.uniform(160, 180)):
            envelope(s, x, s.uniform(58, 80), 8.5)
    with s.subject():
        envelope(s, s.uniform(56, 72), s.uniform(45, 49), s.uniform(32, 35))


def envelope(s: Scene, x: float, y: float, r: float) -> None:
    """A hot-air balloon around (x, y): striped envelope, ropes and basket."""
    for side in (-1, 1):
        s.line(
            [(x + side * r * 0.4, y + r), (x + side * r * 0.17, y + r * 1.6)], "dark", r * 0.045, detail=True
        )
    half = [(0.98, -0.86), (1.14, 0.2), (0.3, 1.26)]
    shell = [(0.0, -1.06), *half, *[(-dx, dy) for dx, dy in half[::-1]]]
    for wide, role in ((1.0, "main"), (0.68, "accent"), (0.3, "bright")):
        s.blob([(x + r * dx * wide, y + r * dy) for dx, dy in shell], role)
    s.add(polygon([(x - r * 0.22, y + r * 1.5), (x + r * 0.22, y + r * 1.5), (x + r * 0.17, y + r * 1.84),
                   (x - r * 0.17, y + r * 1.84)]), "dark")  # fmt: skip


DRAW: dict[str, Callable[[Scene, str, int, str], None]] = {
    "flower": flower, "cat": cat, "tree": tree, "fish": fish, "rocket": rocket, "balloon": balloon,
}  # fmt: skip
