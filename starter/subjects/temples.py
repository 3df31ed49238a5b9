"""Houses of worship, each of one part of the world."""

from __future__ import annotations

from math import cos, pi, sin

from starter import backdrop
from starter.scene import Scene
from starter.subjects.pose import Pose, stand


def temple(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=34)
    ground = s.uniform(104, 110)
    backdrop.hills(s, level, ground)
    wide = {"greek temple": (0.95, 1.1), "stupa": (0.95, 1.1)}.get(form, (0.95, 1.08))
    p = stand(s, ground + 5, *wide, drift=6)
    with s.subject():
        FORM[form](p, light)
    if level == 2:
        beside(s, p, form)
    backdrop.meadow(s, level, ground + 6)


def beside(s: Scene, p: Pose, form: str) -> None:
    """Trees at both sides, cypresses or round ones."""
    for side in (-1, 1):
        for far in (54, 68, 88, 106):
            x, h = p.x + side * (far + s.uniform(-4, 4)), s.uniform(22, 40)
            y = p.y + s.uniform(-2, 3)
            s.rect(x - 1.5, y - 10, 3, 11, "dark")
            if form in ("pagoda", "stupa"):
                s.circle(x, y - 14, s.uniform(7, 10), "second")
            else:
                s.blob([(x, y - h - 4), (x + 6, y - h * 0.4), (x + 5, y - 3), (x - 5, y - 3),
                        (x - 6, y - h * 0.4)], "second")  # fmt: skip


def pagoda(p: Pose, light: str) -> None:
    s = p.s
    tiers = 3 + len(s.times(0, 2))
    foot, top = s.uniform(27, 31), s.uniform(12, 16)
    step = 74 / tiers
    p.rect(-foot - 6, -5, 2 * foot + 12, 5, "dark")
    for tier in range(tiers):
        t = tier / (tiers - 1)
        w = foot + (top - foot) * t
        y = -5 - step * tier
        wall = w * 0.72
        p.rect(-wall, y - step * 0.66, 2 * wall, step * 0.68, "second")
        for dx in (-0.5, 0.0, 0.5):
            role = "dark" if tier == 0 and dx == 0 else "bright"
            h = step * (0.5 if tier == 0 and dx == 0 else 0.32)
            p.rect(wall * dx - 2.6, y - h, 5.2, h - 0.5, role, detail=True)
        eave, high = y - step * 0.52, step * 0.56
        half = [(-w * 0.5, eave - high), (-w * 0.72, eave - high * 0.36), (-w * 1.1, eave - high * 0.05),
                (-w * 1.34, eave - high * 0.5), (-w * 1.2, eave + 2), (-w * 0.9, eave + 3)]  # fmt: skip
        p.mirror(half, "main" if tier % 2 == 0 else "accent")
    peak = -5 - step * tiers
    p.mirror([(0, peak - 12), (-top * 0.55, peak + 1)], "main")
    p.rect(-1, peak - 20, 2, 13, "accent")
    for i in range(3):
        p.rect(-3 + i * 0.7, peak - 11 - 3 * i, 6 - i * 1.4, 1.6, "accent", detail=True)


def mosque(p: Pose, light: str) -> None:
    s = p.s
    tall, inner = s.uniform(74, 84), s.chance(0.4)
    spots = [-44.0, 44.0, *((-31.0, 31.0) if inner else ())]
    for x in spots:
        h = tall * (1 if abs(x) > 40 else 0.82)
        p.rect(x - 3.4, -h, 6.8, h, "second")
        p.rect(x - 5.2, -h * 0.72, 10.4, 3, "main")
        p.rect(x - 5.2, -h, 10.4, 3, "main")
        p.polygon([(x - 3.8, -h), (x, -h - 15), (x + 3.8, -h)], "accent")
    r = s.uniform(21, 25)
    onion = s.uniform(1.0, 1.12)
    base = -37.0
    p.rect(-r * 0.96, base - 5, r * 1.92, 8, "second")
    half = [(0, base - 5 - r * 1.36), (-r * 0.16, base - 5 - r * 1.12)]
    half += [(-r * onion * cos(a), base - 5 - r * 1.05 * sin(a)) for a in (1.2, 0.95, 0.7, 0.45, 0.2)]
    p.mirror([*half, (-r * 0.96, base - 4)], "accent")
    tip = base - 5 - r * 1.36
    p.rect(-0.9, tip - 8, 1.8, 9, "main")
    moon = [(4.6 * cos(2 * pi * i / 20), 4.6 * sin(2 * pi * i / 20)) for i in range(-3, 14)]
    bite = [(x * 0.78 + 0.0, y * 0.78 - 1.6) for x, y in reversed(moon)]
    p.polygon([(x, tip - 12 + y) for x, y in [*moon, *bite]], "main")
    for side in (-1, 1):
        cx = side * 27.0
        half_dome = [(cx + 9 * cos(pi * i / 10), -30 - 11 * sin(pi * i / 10)) for i in range(11)]
        p.polygon(half_dome, "accent")
    p.rect(-38, -31, 76, 31, "main")
    p.rect(-13, -39, 26, 39, "second")
    p.arch(0, 0, 17, 32, "dark")
    for side in (-1, 1):
        for x in (20.5, 31.0):
            p.arch(side * x, -6, 6.5, 17, "bright")


def greek(p: Pose, light: str) -> None:
    s = p.s
    columns = 4 + 2 * len(s.times(0, 1)) if s.chance(0.7) else 8
    w, h, roof = s.uniform(42, 47), s.uniform(38, 46), s.uniform(17, 23)
    for step in range(3):
        p.rect(-w - 8 + 3 * step, -4 * (step + 1), 2 * w + 16 - 6 * step, 4, ("main", "second", "main")[step])
    p.rect(-w, -12 - h, 2 * w, h, "dark")
    thick = min(10.5, 62 / columns)
    pale = "bright" if light != "dusk" else "orb"
    for i in range(columns):
        x = -w + 6 + (2 * w - 12) * i / (columns - 1)
        p.polygon([(x - thick * 0.42, -12 - h), (x + thick * 0.42, -12 - h), (x + thick / 2, -12),
                   (x - thick / 2, -12)], pale)  # fmt: skip
        p.rect(x - thick * 0.62, -12 - h, thick * 1.24, 3.4, pale)
        p.rect(x - thick * 0.62, -15, thick * 1.24, 3, pale)
    y = -12 - h
    p.rect(-w - 3, y - 8, 2 * w + 6, 8, "second")
    p.polygon([(-w - 7, y - 8), (0, y - 8 - roof), (w + 7, y - 8)], "main")
    p.polygon([(-w + 10, y - 10.5), (0, y - 5 - roof), (w - 10, y - 10.5)], "accent")
    if s.chance(0.5):
        p.circle(0, y - 8 - roof * 0.32, roof * 0.17, "bright", detail=True)


def cathedral(p: Pose, light: str) -> None:
    s = p.s
    tower, spire = s.uniform(56, 62), s.uniform(28, 36)
    out = s.uniform(25, 28)
    nave = s.uniform(52, 58)
    p.polygon([(-17, 0), (-17, -nave + 12), (0, -nave - 10), (17, -nave + 12), (17, 0)], "second")
    for side in (-1, 1):
        x = side * out
        p.rect(x - 10.5, -tower, 21, tower, "main")
        p.polygon([(x - 11.5, -tower), (x, -tower - spire), (x + 11.5, -tower)], "accent")
        p.rect(x - 0.8, -tower - spire - 6, 1.6, 8, "main")
        p.rect(x - 2.8, -tower - spire - 4, 5.6, 1.6, "main")
        for dx in (-7.5, 7.5):
            p.polygon([(x + dx - 3, -tower), (x + dx, -tower - 11), (x + dx + 3, -tower)], "main")
        for dx in (-4.5, 4.5):
            p.arch(x + dx, -tower + 27, 5.4, 21, "bright")
        p.arch(x, 0, 9.5, 19, "dark")
        p.polygon([(x + side * 10, -tower * 0.62), (x + side * 19, 0), (x + side * 10, 0)], "second")
    p.circle(0, -nave + 15, 11.5, "dark")
    p.circle(0, -nave + 15, 9.6, "bright")
    for i in range(6):
        a = pi * i / 3 + 0.3
        p.circle(5.6 * cos(a), -nave + 15 + 5.6 * sin(a), 2.3, "accent", detail=True)
    p.circle(0, -nave + 15, 2.2, "accent", detail=True)
    p.arch(0, 0, 17, 27, "dark")
    p.arch(0, 0, 11, 20, "accent")


def stupa(p: Pose, light: str) -> None:
    s = p.s
    r = s.uniform(30, 35)
    terraces = 2 + len(s.times(0, 1))
    for i in range(terraces):
        w = r + 13 - 4.5 * i
        p.rect(-w, -6 * (i + 1), 2 * w, 6, ("second", "main", "second")[i])
    y = -6.0 * terraces
    swell = s.uniform(0.86, 1.0)
    dome = [(-r * cos(pi * i / 20), y - r * swell * sin(pi * i / 20) ** 0.8) for i in range(21)]
    p.polygon(dome, "main")
    p.polygon([(-r * 0.98, y - 7), (-r * 0.95, y - 11), (r * 0.95, y - 11), (r * 0.98, y - 7)], "bright")
    p.arch(0, y, 11, 16, "accent")
    y -= r * swell - 2
    p.rect(-10, y - 11, 20, 12, "bright")
    for side in (-1, 1):
        p.ellipse(side * 4.6, y - 5, 3.2, 1.7, "dark", detail=True)
    p.rect(-12, y - 13, 24, 3, "accent")
    y -= 13
    rings, high = 6, s.uniform(20, 27)
    for i in range(rings):
        w = 10 - 8.2 * i / rings
        h = high / rings
        p.polygon([(-w, y - h * i), (-w + 1.3, y - h * (i + 1)), (w - 1.3, y - h * (i + 1)),
                   (w, y - h * i)], ("main", "accent")[i % 2])  # fmt: skip
    y -= high
    p.ellipse(0, y - 0.5, 5, 2, "main")
    p.polygon([(-2.2, y - 1), (0, y - 11), (2.2, y - 1)], "accent")
    if s.chance(0.3):
        flags(p, y - 2, r + 15)


def flags(p: Pose, top: float, reach: float) -> None:
    """Lines of prayer flags from the spire down to the ground."""
    for side in (-1, 1):
        steps = [i / 10 for i in range(11)]
        line = [(side * reach * 1.3 * t, top * (1 - t) ** 1.5 - 2) for t in steps]
        p.line(line, "dark", 0.9, detail=True)
        for i, (x, y) in enumerate(line[2:-1:2]):
            p.rect(x - 2.4, y, 4.8, 5.6, ("accent", "bright", "second")[i % 3], detail=True)


FORM = {"pagoda": pagoda, "mosque": mosque, "greek temple": greek, "cathedral": cathedral, "stupa": stupa}
DRAW = {"temple": temple}
