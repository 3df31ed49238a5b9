"""Cars, trains and airplanes."""

from __future__ import annotations

import skia

from starter import backdrop
from starter.scene import BLEED, Point, Scene
from starter.subjects.pose import Pose, stand

LEFT, RIGHT = BLEED[0] - 30, BLEED[1] + 30


def wheel(p: Pose, x: float, r: float, hub: str = "bright") -> None:
    p.circle(x, -r, r, "dark")
    p.circle(x, -r, r * 0.5, hub)


# Half-side views facing right, 100 wide: body, windows.
CARS: dict[str, tuple[list[Point], list[list[Point]]]] = {
    "saloon": (
        [(-50, -9), (-50, -25), (-46, -29), (-31, -31), (-19, -47), (12, -47), (27, -31), (46, -27),
            (50, -22),
         (50, -9)],
        [[(-25, -31), (-16, -43), (-3, -43), (-3, -31)], [(1, -31), (1, -43), (10, -43), (21, -31)]],
    ),
    "small": (
        [(-44, -9), (-46, -20), (-40, -34), (-28, -46), (-14, -53), (4, -53), (16, -47), (24, -33),
            (38, -30), (45, -20),
         (44, -9)],
        [[(-31, -33), (-24, -44), (-12, -48), (-7, -48), (-7, -33)], [(-2, -33), (-2, -48), (4, -48),
            (12, -43), (17, -33)]],
    ),
    "van": (
        [(-50, -9), (-50, -52), (-46, -56), (20, -56), (34, -34), (47, -30), (50, -24), (50, -9)],
        [[(-44, -36), (-44, -50), (-27, -50), (-27, -36)], [(-22, -36), (-22, -50), (-5, -50), (-5, -36)],
         [(0, -36), (0, -50), (17, -50), (26, -36)]],
    ),
    "pickup": (
        [(-51, -9), (-51, -29), (-12, -29), (-8, -49), (12, -49), (24, -31), (46, -28), (50, -22), (50, -9)],
        [[(-4, -31), (-2, -44), (10, -44), (18, -31)]],
    ),
    "racer": (
        [(-50, -10), (-51, -30), (-36, -28), (-22, -36), (-10, -41), (6, -41), (22, -29), (44, -22),
            (51, -14),
         (51, -9)],
        [[(-14, -29), (-8, -37), (5, -37), (15, -29)]],
    ),
}  # fmt: skip


def car(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=34)
    road = s.uniform(92, 98)
    if level:
        backdrop.hills(s, level, road - 4)
    if level == 2:
        roadside(s, road)
    s.rect(LEFT, road, RIGHT - LEFT, RIGHT - road, "mid")
    s.rect(LEFT, road, RIGHT - LEFT, 2.6, "dark")
    x = LEFT + s.uniform(0, 20)
    while level and x < RIGHT:
        s.rect(x, road + 17, 18, 3, "bright", detail=True)
        x += 34
    p = stand(s, road + 10, 0.98, 1.08, drift=4)
    kind = list(CARS)[int(s.rng.integers(len(CARS)))]
    body, panes = CARS[kind]
    lift = 1.12 if kind in ("saloon", "racer", "pickup") else 1.0
    with s.subject():
        if light != "day":
            p.polygon([(48, -24), (110, -32), (110, 4), (48, -16)], "orb")
        p.polygon([(x, y * lift) for x, y in body], "accent")
        p.polygon([(-50, -9), (50, -9), (49, -17), (-50, -17)], "main")
        for pane in panes:
            p.polygon([(x, y * lift) for x, y in pane], "bright" if light != "night" else "far")
        p.rect(-6, -26, 7, 2.6, "dark", detail=True)
        p.ellipse(45, -22 * lift + 1, 3.4, 3.4, "bright")
        p.rect(-50, -24 * lift, 4, 6, "dark", detail=True)
        r = {"racer": 11.5, "pickup": 13.0}.get(kind, 12.0)
        back, front = (-28, 28) if kind != "small" else (-26, 26)
        for x in (back, front):
            p.circle(x, -r + 1, r + 2.6, "main")
            wheel(p, x, r)
        if s.chance(0.25) and kind in ("van", "small", "saloon"):
            top = min(y for _, y in body) * lift
            p.rect(-17, top - 3, 24, 2, "dark")
            p.rect(-14, top - 10, 18, 7, "second")


def roadside(s: Scene, road: float) -> None:
    """Trees and street lamps behind the road."""
    for i in range(12):
        x = LEFT + 12 + i * 24 + s.uniform(-4, 4)
        h = s.uniform(26, 44)
        if i % 3 == 1:
            s.rect(x - 1, road - 58, 2, 58, "dark")
            s.rect(x - 1, road - 58, 12, 2, "dark")
            s.circle(x + 11, road - 55, 3, "orb")
        else:
            s.rect(x - 1.5, road - 14, 3, 15, "dark")
            s.circle(x, road - h + 6, s.uniform(9, 12), "second")


def train(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=34)
    rail = s.uniform(98, 104)
    if level:
        backdrop.hills(s, level, rail - 12)
    if level == 2:
        for i in range(14):
            x, h = LEFT + i * 21 + s.uniform(-5, 5), s.uniform(24, 40)
            s.polygon([(x, rail - 6 - h), (x + h * 0.26, rail - 4), (x - h * 0.26, rail - 4)], "far")
    s.rect(LEFT, rail + 4, RIGHT - LEFT, RIGHT - rail, "near")
    s.rect(LEFT, rail, RIGHT - LEFT, 2.6, "dark")
    for i in range(int((RIGHT - LEFT) / 11)):
        s.rect(LEFT + i * 11, rail + 2.6, 6, 4, "dark", detail=True)
    wagons = 1 + len(s.times(0, 2))
    long = 60 + 28.0 * wagons
    k = min(1.3, 118 / long)
    way = 1 if s.chance(0.5) else -1
    p = Pose(s, 64 + way * (long / 2 - 60) * k, rail, k, way)
    with s.subject():
        for i in range(wagons):
            wagon(p, -28.0 * (i + 1), light, i)
        if s.chance(0.3):
            diesel(p, light)
        else:
            steam(p, light, wagons)
    backdrop.meadow(s, level, rail + 8)


def wagon(p: Pose, x: float, light: str, number: int) -> None:
    p.rect(x - 3, -8, 6, 3, "dark")
    p.rect(x + 1, -30, 24, 23, ("accent", "second")[number % 2])
    p.rect(x - 0.5, -33, 27, 4, "main")
    for dx in (4.0, 15.0):
        p.rect(x + dx, -25, 7.5, 8, "bright")
    p.rect(x + 1, -13, 24, 2.4, "dark", detail=True)
    for dx in (7.0, 19.0):
        wheel(p, x + dx, 4.6)


def steam(p: Pose, light: str, wagons: int) -> None:
    """A locomotive with its cab behind, boiler, funnel and smoke; it spans 0 to 60."""
    s = p.s
    drift = (0, -9, -20, -33)
    for i, r in enumerate((4.5, 6.5, 8.5, 10.5)[: 3 + len(s.times(0, 1))]):
        p.circle(47 + drift[i], -50 - i * 7.5, r, "cloud")
        p.circle(47 + drift[i] - 6, -48 - i * 7.5, r * 0.8, "cloud")
    p.rect(0, -40, 18, 33, "accent")
    p.rect(-3, -44, 24, 5, "main")
    p.rect(4, -35, 10, 11, "bright")
    p.rect(16, -29, 36, 19, "main")
    p.ellipse(52, -19.5, 4, 9.5, "main")
    for x in (26, 36):
        p.rect(x, -29, 2.4, 19, "accent", detail=True)
    p.polygon([(42, -28), (43.5, -40), (40, -47), (53, -47), (49.5, -40), (51, -28)], "main")
    p.rect(40, -46, 13, 2.6, "accent")
    p.ellipse(30, -29, 5, 5, "accent")
    p.circle(55, -24, 3.2, "orb")
    p.rect(0, -11, 54, 5, "second")
    p.polygon([(52, -11), (63, 0), (50, 0)], "accent")
    wheel(p, 10, 8)
    wheel(p, 27, 8)
    wheel(p, 41, 5)
    p.rect(9, -9.2, 19, 2.2, "bright", detail=True)


def diesel(p: Pose, light: str) -> None:
    """A streamlined engine with a sloped nose; it spans 0 to 60."""
    p.polygon([(0, -7), (0, -36), (34, -36), (44, -32), (58, -17), (60, -7)], "main")
    p.polygon([(0, -18), (55, -18), (60, -10), (0, -10)], "accent")
    p.polygon([(35, -31), (42, -30), (50, -21), (35, -21)], "bright")
    for x in (4.0, 14.0, 24.0):
        p.rect(x, -31, 7.5, 8, "bright")
    p.rect(-2, -38.5, 34, 3.4, "dark")
    p.line([(10, -38), (16, -47), (22, -38)], "dark", 1.8)
    p.circle(56, -14, 2.6, "orb")
    for x in (9.0, 20.0, 39.0, 50.0):
        wheel(p, x, 5.2)


def airplane(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=110)
    if level == 2:
        backdrop.hills(s, level - 1, 118)
    for _ in s.times((0, 2, 5)[level]):
        backdrop.cloud(s, s.uniform(LEFT, RIGHT), s.uniform(98, 124), s.uniform(7, 12))
    p = stand(s, s.uniform(56, 66), 0.84, 0.94, drift=3)
    tilt = -p.way * s.uniform(4, 20)
    turn = skia.Matrix.RotateDeg(tilt, skia.Point(p.x, p.y))
    first = len(s.shapes)
    with s.subject():
        if s.chance(0.35):
            biplane(p, light)
        else:
            jet(p, light)
    for shape in s.shapes[first:]:
        shape.path.transform(turn)
    if level:
        x, y = p.x - p.way * 64, p.y - p.way * 64 * tilt * 0.0175 * p.way
        for i in (-1, 1)[: 1 + len(s.times(0, 1))]:
            s.line(
                [(x, y + 5 * i), (x - p.way * 40, y + 18 + 5 * i), (x - p.way * 90, y + 26 + 5 * i)],
                "cloud",
                2.6,
            )


def jet(p: Pose, light: str) -> None:
    """An airliner seen from the side and a little above: both wings swept, tail up."""
    p.polygon([(12, -6), (-16, -38), (-27, -38), (-10, -5)], "second")
    p.polygon([(-36, -6), (-52, -22), (-59, -22), (-50, -4)], "second")
    p.polygon([(-34, -7), (-52, -35), (-63, -35), (-55, -4)], "accent")
    p.blob([(-62, -6), (-40, -11), (20, -12), (46, -11), (58, -5), (63, 2), (56, 7), (40, 10), (-8, 10),
        (-40, 5),
            (-62, -3)], "main")  # fmt: skip
    p.polygon([(46, -9), (53, -6), (57, -2), (47, -2)], "bright")
    for i in range(8):
        p.circle(36 - 9.5 * i, -3.4, 2.3, "bright", detail=True)
    p.polygon([(-46, 2.4), (50, 2.4), (52, 5), (-40, 5)], "accent", detail=True)
    p.blob([(2, 18), (18, 17), (20, 22), (18, 26), (2, 25)], "dark")
    p.polygon([(18, 3), (-26, 46), (-39, 46), (-16, 3)], "accent")
    p.polygon([(-38, 0), (-58, 15), (-66, 15), (-54, -1)], "accent")


def biplane(p: Pose, light: str) -> None:
    """Two wings one above the other, wheels and a propeller."""
    p.polygon([(-42, -6), (-52, -27), (-63, -24), (-61, 0)], "accent")
    p.blob(
        [(-62, -4), (-20, -13), (20, -15), (40, -14), (47, 0), (40, 13), (14, 14), (-30, 7), (-62, 3)], "main"
    )
    p.polygon([(-62, -2), (-44, -4), (-44, 2), (-66, 3)], "second")
    for x in (6.0, 30.0):
        p.polygon([(x, 12), (x + 4, 12), (x - 2, -34), (x - 6, -34)], "dark")
    p.blob([(-14, -37), (10, -40), (36, -39), (42, -35), (36, -31), (-14, -31)], "accent")
    p.blob([(-12, 10), (10, 7), (36, 8), (42, 12), (36, 16), (-12, 16)], "accent")
    p.circle(-8, -15, 6, "second")
    p.polygon([(18, 16), (22, 28), (26, 28), (24, 16)], "dark")
    wheel(Pose(p.s, *p.at([(23, 36)])[0], p.k, p.way), 0, 7)
    p.polygon([(-34, -9.5), (-28, -10.5), (-28, 8), (-34, 6.5)], "second")
    p.rect(44, -4.5, 8, 9, "second")
    p.ellipse(52, 0, 2.6, 25, "bright" if light != "day" else "dark")


DRAW = {"car": car, "train": train, "airplane": airplane}
