"""A cactus and a mushroom."""

from __future__ import annotations

from starter import backdrop
from starter.scene import BLEED, Point, Scene, around, ridge
from starter.subjects.pose import Pose, stand


def cactus(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=32)
    ground = s.uniform(104, 110)
    if level:
        s.polygon(mesa(s, ground), "far")
    if level == 2:
        s.polygon(ridge(s.rng, ground - 3, 10), "mid")
    s.polygon(ridge(s.rng, ground + 3, 5), "mid" if level < 2 else "near")
    if level == 2:
        for x in (s.uniform(2, 14), s.uniform(112, 126), s.uniform(-50, -20), s.uniform(150, 180)):
            saguaro(Pose(s, x, ground + s.uniform(2, 8), s.uniform(0.36, 0.5), 1), "second", "main")
    p = stand(s, ground + 8, 0.98, 1.1)
    with s.subject():
        if s.chance(0.7):
            saguaro(p, "main", "second")
        else:
            pear(p)
    for _ in s.times((0, 4, 16)[level]):
        x, y, r = s.uniform(BLEED[0], BLEED[1]), s.uniform(ground + 9, 140), s.uniform(2, 5)
        s.blob([(x - r, y), (x - r * 0.6, y - r), (x + r * 0.6, y - r), (x + r, y)], "dark", detail=True)


def mesa(s: Scene, ground: float) -> list[Point]:
    """Flat-topped rocks on the horizon."""
    points: list[Point] = [(BLEED[0], ground - 4)]
    x = BLEED[0] + s.uniform(0, 40)
    while x < BLEED[1]:
        w, h = s.uniform(26, 44), s.uniform(16, 30)
        points += [(x, ground - 4), (x + 6, ground - h), (x + w - 6, ground - h), (x + w, ground - 4)]
        x += w + s.uniform(8, 40)
    return [*points, (BLEED[1] + 90, BLEED[1]), (BLEED[0], BLEED[1])]


def saguaro(p: Pose, role: str, rib: str) -> None:
    """A column with arms that bend upwards."""
    s = p.s
    high, w = s.uniform(80, 90), s.uniform(19, 23)
    post(p, 0, 0, -high, w, role, rib)
    arms = [(-1, s.uniform(0.34, 0.48), s.uniform(28, 40)), (1, s.uniform(0.45, 0.6), s.uniform(22, 34))]
    if s.chance(0.25):
        arms.append((1, 0.24, 20.0))
    for side, at, length in arms:
        y, out = -high * at, side * s.uniform(27, 31) * (1 if at > 0.3 else 0.9)
        a = w * 0.33
        p.blob([(side * 3, y - a), (out - side * a * 2, y - a), (out - side * a, y - a * 2.2),
            (out - side * a, y - length),
                (out, y - length - a), (out + side * a, y - length), (out + side * a, y - a * 0.5),
                (out - side * 1, y + a * 1.1), (side * 3, y + a)], role)  # fmt: skip
        p.line([(out, y - length + 5), (out, y - 4)], rib, 1.6, detail=True)
        p.circle(out, y - length - 0.5, 4.2, "accent")
    if s.chance(0.7):
        p.circle(0, -high + 2, 5.4, "accent")


def post(p: Pose, x: float, foot: float, top: float, w: float, role: str, rib: str) -> None:
    r = w / 2
    p.blob([(x - r, foot + 3), (x - r * 1.08, foot - 8), (x - r * 1.08, top + r), (x - r, top), (x, top - 3),
            (x + r, top), (x + r * 1.08, top + r), (x + r * 1.08, foot - 8),
                (x + r, foot + 3)], role)  # fmt: skip
    for dx in (-0.5, 0.0, 0.5):
        p.line([(x + dx * w * 0.9, top + 9 + 6 * abs(dx)), (x + dx * w * 0.9, foot - 4)], rib, 1.8)


def pear(p: Pose) -> None:
    """Flat oval pads that grow out of each other, with fruit along their rims."""
    s = p.s
    pads = [(0.0, -24.0, 0.0, 26.0), (-20.0, -56.0, -0.08, 19.0), (19.0, -58.0, 0.07, 20.0),
            (-27.0, -82.0, -0.03, 13.0), (4.0, -84.0, -0.04, 13.0), (33.0, -84.0, 0.07, 12.0)]  # fmt: skip
    for i, (x, y, lean, r) in enumerate(pads):
        tilt = lean + s.uniform(-0.02, 0.02)
        rim = []
        for j in range(12):
            dx, dy = around(0, 0, r, j / 12)
            dx *= 0.78 * (1 - 0.18 * dy / r)
            rim.append((x + dx - dy * tilt * 4, y + dy))
        p.blob(rim, ("main", "second")[i % 2])
        for dx, dy in ((-0.3, -0.3), (0.3, -0.3), (0, 0.15), (-0.25, 0.5), (0.25, 0.5)):
            p.circle(x + dx * r, y + dy * r, 1.2, "bright", detail=True)
        for angle in (0.68, 0.76, 0.84)[: 3 if i > 2 else 0]:
            fx, fy = around(x, y, r * 0.96, angle)
            p.circle(fx, fy, 3.6, "accent")


def mushroom(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=30)
    ground = s.uniform(104, 110)
    backdrop.hills(s, level, ground)
    if level == 2:
        for x in (
            s.uniform(8, 20),
            s.uniform(106, 120),
            s.uniform(-40, -14),
            s.uniform(142, 170),
            s.uniform(28, 36),
        ):
            toadstool(Pose(s, x, ground + s.uniform(4, 10), s.uniform(0.3, 0.46), 1), s.uniform(0.8, 1.2))
    p = stand(s, ground + 7, 0.98, 1.1)
    shape = s.uniform(0.72, 1.25)
    with s.subject():
        if s.chance(0.5):
            side = -1 if s.chance(0.5) else 1
            toadstool(Pose(s, p.x + side * 29, p.y, s.uniform(0.4, 0.52), 1), shape)
        toadstool(p, shape)
    for _ in s.times((2, 8, 24)[level]):
        x, y, h = s.uniform(BLEED[0], BLEED[1]), s.uniform(ground + 8, 146), s.uniform(5, 10)
        s.line([(x - 3, y - h), (x, y), (x + 3, y - h)], "second", 1.8, detail=True)
    backdrop.meadow(s, level, ground + 6)


def toadstool(p: Pose, shape: float) -> None:
    """A stem and a spotted cap; a higher `shape` makes the cap a bell, a lower one a plate."""
    s = p.s
    r, high = 42 - 6 * (shape - 0.7), 40 * shape
    y = -42.0 - 8 * (1.25 - shape)
    lean = s.uniform(-4, 4)
    stem = [(-14, 5), (-15, -6), (-11, y * 0.45), (lean - 10, y - 4)]
    p.blob([*stem, *[(2 * lean - x if i == 3 else -x, z) for i, (x, z) in reversed(list(enumerate(stem)))]],
           "second")  # fmt: skip
    p.polygon([(lean - 9, y * 0.86), (lean + 9, y * 0.86), (lean + 13, y * 0.6), (lean + 5, y * 0.66),
        (lean, y * 0.58),
               (lean - 5, y * 0.66), (lean - 13, y * 0.6)], "far")  # fmt: skip
    p.ellipse(lean, y, r * 0.95, 7.5, "dark")
    p.blob([(lean - r * 1.04, y + 5), (lean - r * 1.04, y - high * 0.3), (lean - r * 0.8, y - high * 0.85),
            (lean, y - high * 1.22), (lean + r * 0.8, y - high * 0.85), (lean + r * 1.04, y - high * 0.3),
            (lean + r * 1.04, y + 5), (lean + r * 0.5, y - 2),
                (lean - r * 0.5, y - 2)], "accent")  # fmt: skip
    size = s.uniform(0.85, 1.15)
    for dx, dy, d in ((0.0, 0.62, 0.17), (-0.5, 0.42, 0.13), (0.5, 0.45, 0.12), (-0.2, 0.2, 0.09),
        (0.25, 0.16, 0.1),
                      (-0.78, 0.14, 0.09), (0.77, 0.14, 0.08)):  # fmt: skip
        p.ellipse(lean + dx * r, y - dy * high - 2, d * r * size, d * r * size * 0.86, "bright")


DRAW = {"cactus": cactus, "mushroom": mushroom}
