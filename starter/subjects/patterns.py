"""A planet, and pictures of pure shapes."""

from __future__ import annotations

from math import cos, pi, sin

import skia

from starter.scene import BLEED, Point, Scene, around
from starter.subjects.pose import Pose

LEFT, RIGHT = BLEED[0] - 30, BLEED[1] + 30
TONES = ("main", "accent", "second", "bright", "mid", "near", "far", "orb")


def planet(s: Scene, light: str, level: int, form: str) -> None:
    for _ in s.times((5, 40, 160)[level]):
        x, y, r = s.uniform(LEFT, RIGHT), s.uniform(LEFT, RIGHT), s.uniform(0.9, 2.2)
        role = "bright" if light == "night" else "main" if light == "day" else "orb"
        if s.chance(0.25):
            r *= 2
            s.polygon([around(x, y, r * (1, 0.35)[i % 2], i / 8) for i in range(8)], role, detail=True)
        else:
            s.circle(x, y, r, role, detail=True)
    p = Pose(s, s.uniform(58, 70), s.uniform(58, 70), s.uniform(0.94, 1.08), 1 if s.chance(0.5) else -1)
    tilt = s.uniform(0.02, 0.07)
    ringed = s.chance(0.75)
    r = 33.0 if ringed else 38.0
    with s.subject():
        rings = [(1.36, 1.98, "accent")] if s.chance(0.5) else [(1.3, 1.56, "second"), (1.64, 2.0, "accent")]
        if ringed:
            for a, b, role in rings:
                ring(p, r * a, r * b, tilt, False, role)
        p.circle(0, 0, r, "main")
        globe(p, r, tilt, s.chance(0.5) if ringed else False)
        if ringed:
            for a, b, role in rings:
                ring(p, r * a, r * b, tilt, True, role)
    for i in range((0, 1, 3)[level]):
        x, y = around(p.x, p.y, s.uniform(54, 62), (0.12, 0.62, 0.88)[i] + s.uniform(-0.04, 0.04))
        m = s.uniform(5, 9)
        s.circle(x, y, m, "second")
        s.circle(x - m * 0.3, y - m * 0.2, m * 0.28, "dark", detail=True)
    if level == 2:
        comet(s, light)


def comet(s: Scene, light: str) -> None:
    x, y, way = s.uniform(16, 112), s.uniform(-4, 14), 1 if s.chance(0.5) else -1
    s.polygon([(x, y - 3), (x - way * 34, y - 14), (x, y + 3)], "accent")
    s.circle(x, y, 3.6, "orb" if light != "day" else "main")


def ring(p: Pose, inner: float, outer: float, tilt: float, front: bool, role: str) -> None:
    """The half of a ring before or behind the globe."""
    flat = 0.3
    half = [(cos(pi * i / 24), (1 if front else -1) * sin(pi * i / 24)) for i in range(25)]
    line = [(outer * x, outer * flat * y) for x, y in half] + [
        (inner * x, inner * flat * y) for x, y in half[::-1]
    ]
    p.polygon([turned(q, tilt) for q in line], role)


def turned(q: Point, turns: float) -> Point:
    c, n = cos(2 * pi * turns), sin(2 * pi * turns)
    return q[0] * c - q[1] * n, q[0] * n + q[1] * c


def globe(p: Pose, r: float, tilt: float, plain: bool) -> None:
    """Bands, craters or lands on the globe, and a shaded limb."""
    s = p.s
    kind = int(s.rng.integers(3))
    if kind == 0 or plain:
        for lat, high, role in (
            (-0.55, 0.22, "second"),
            (-0.1, 0.16, "accent"),
            (0.3, 0.24, "second"),
            (0.72, 0.14, "far"),
        ):
            band = []
            for y, way in ((lat, 1), (lat + high * s.uniform(0.8, 1.2), -1)):
                w = (1 - min(y * y, 0.98)) ** 0.5
                band += [(way * w * r * i / 6, r * (y + 0.08 * (1 - (i / 6) ** 2))) for i in range(-6, 7)]
            p.polygon([turned(q, tilt) for q in band], role)
    elif kind == 1:
        for x, y, size in ((-0.4, -0.35, 0.24), (0.3, -0.55, 0.14), (0.35, 0.1, 0.2), (-0.25, 0.4, 0.16),
            (0.2, 0.62, 0.12),
                           (-0.72, 0.1, 0.1), (0.7, -0.2, 0.1)):  # fmt: skip
            p.circle(x * r, y * r, size * r, "second")
            p.circle((x + 0.04) * r, (y + 0.04) * r, size * r * 0.66, "dark" if s.chance(0.3) else "mid")
    else:
        for x, y, size in ((-0.35, -0.3, 0.42), (0.4, 0.2, 0.36), (-0.3, 0.55, 0.24), (0.4, -0.55, 0.2)):
            lump = [around(x * r, y * r, size * r * s.uniform(0.6, 1.15), i / 7) for i in range(7)]
            p.blob(lump, "accent" if size > 0.3 else "second")
    disc = skia.Path.Circle(p.x, p.y, r * p.k)
    lit = skia.Path.Circle(p.x - 0.2 * r * p.k, p.y - 0.2 * r * p.k, 1.04 * r * p.k)
    s.add(skia.Op(disc, lit, skia.PathOp.kDifference_PathOp), "dark")


def abstract(s: Scene, light: str, level: int, form: str) -> None:
    {"circles": circles, "stripes": stripes, "triangles": triangles, "spiral": spiral}[form](s, level)


def circles(s: Scene, level: int) -> None:
    """Discs of concentric rings, from a few large ones to a crowd."""
    count = (3, 11, 34)[level]
    big = ((20, 36), (13, 30), (8, 21))[level]
    placed: list[tuple[float, float, float]] = []
    for attempt in range(count * 10):
        if len(placed) == count * 3:
            break
        r = s.uniform(*big)
        low, high = (16, 112) if attempt % 3 == 0 else (LEFT, RIGHT)
        x, y = s.uniform(low, high), s.uniform(low, high)
        if all((x - a) ** 2 + (y - b) ** 2 > (0.72 * (r + c)) ** 2 for a, b, c in placed):
            placed.append((x, y, r))
    for x, y, r in placed:
        start, rings = int(s.rng.integers(len(TONES))), 1 + len(s.times(0, 2 + level))
        for i in range(rings):
            s.circle(x, y, r * (1 - i / rings), TONES[(start + i) % len(TONES)])


def stripes(s: Scene, level: int) -> None:
    """Parallel bands across the whole picture at one angle, straight or waving."""
    angle = s.uniform(-0.5, 0.5) * pi
    wave = s.uniform(4, 12) if s.chance(0.5) else 0.0
    length = s.uniform(50, 110)
    low, high = ((13, 22), (8, 15), (4, 9))[level]
    turn = skia.Matrix.RotateDeg(angle * 180 / pi, skia.Point(64, 64))
    y, number, start = -150.0, 0, int(s.rng.integers(4))
    xs = [float(x) for x in range(-160, 300, 6 if wave else 460)] + [300.0]
    while y < 280:
        h = s.uniform(low, high)
        edge = [(x, y + wave * sin(2 * pi * x / length)) for x in xs]
        if level == 2 or number % 2 == 0:
            s.polygon(
                [*edge, *[(x, b + h) for x, b in reversed(edge)]],
                TONES[(start + number) % 7 if level else number // 2 % 3],
            )
            s.shapes[-1].path.transform(turn)
        y += h if level else h * 1.4
        number += 1


def triangles(s: Scene, level: int) -> None:
    """Triangles: a few large ones, or a mesh of shaken corners."""
    if level == 0:
        for i in range(3):
            x, y = around(64, 64, 26, i / 3 + s.uniform(-0.06, 0.06))
            turn, r = s.uniform(0, 1), s.uniform(32, 46)
            s.polygon([around(x, y, r, turn + j / 3 + s.uniform(-0.04, 0.04)) for j in range(3)], TONES[i])
        return
    cell = (38.0, 19.0)[level - 1]
    cells = int((RIGHT - LEFT) / cell) + 2
    grid = [[(LEFT - 10 + cell * (i + 0.5 * (j % 2)) + s.uniform(-0.24, 0.24) * cell,
              LEFT - 10 + cell * j + s.uniform(-0.24, 0.24) * cell) for i in range(cells + 1)]
            for j in range(cells + 1)]  # fmt: skip
    for j in range(cells):
        for i in range(cells):
            a, b, c, d = grid[j][i], grid[j][i + 1], grid[j + 1][i], grid[j + 1][i + 1]
            for corner in ((a, b, c), (b, c, d)) if j % 2 == 0 else ((a, c, d), (a, b, d)):
                if level == 2 or s.chance(0.55):
                    s.polygon(corner, TONES[int(s.rng.integers(len(TONES)))])


def spiral(s: Scene, level: int) -> None:
    """One arm or several, winding outwards and growing wider."""
    turns = (2.6, 5.4, 6.8)[level] * s.uniform(0.95, 1.05)
    arms = 1 + len(s.times(0, 1)) if level else 1
    x, y, way = s.uniform(56, 72), s.uniform(56, 72), 1 if s.chance(0.5) else -1
    start = s.uniform(0, 1)
    reach = (54.0, 150.0, 170.0)[level]
    if level == 2:
        turns *= 1.5
    steps = int(turns * 44)
    with s.subject():
        for arm in range(arms):
            outer, inner = [], []
            for i in range(steps + 1):
                t = i / steps
                r, angle = 3 + reach * t, start + arm / arms + way * turns * t
                w = reach / turns / arms * 0.3 * min(1.0, 8 * (1 - t))
                outer.append(around(x, y, r + w, angle))
                inner.append(around(x, y, max(r - w, 0.5), angle))
            s.polygon([*outer, *inner[::-1]], ("main", "accent")[arm])
    dots = (0, 10, 46)[level]
    for i in range(dots):
        dx, dy = around(x, y, 6 + reach * i / dots, start + 0.5 / arms + way * turns * i / dots)
        s.circle(dx, dy, 2 + 1.6 * i / dots, ("accent", "bright", "second")[i % 3], detail=True)


DRAW = {"planet": planet, "abstract": abstract}
