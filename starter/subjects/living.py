"""Animals of land and sea, drawn from contours that read at a glance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starter import backdrop
from starter.scene import BLEED, Scene, around, polygon, smooth
from starter.subjects.pen import Joint, Pen, curve, oval, side, tube


def outdoors(s: Scene, light: str, level: int, low: float = 34) -> float:
    """Sky and open ground; returns the height at which the subject stands."""
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=low)
    ground = s.uniform(104, 111)
    backdrop.hills(s, level, ground)
    return ground + 5


def dog(s: Scene, light: str, level: int, form: str) -> None:
    y = outdoors(s, light, level)
    pen = Pen(s, s.uniform(58, 70), y, s.uniform(0.84, 0.95), way=side(s))
    with s.subject():
        if s.chance(0.3):
            sitting_dog(s, pen)
        else:
            standing_dog(s, pen)
    backdrop.meadow(s, level, y + 2)


def standing_dog(s: Scene, pen: Pen) -> None:
    h, nose = s.uniform(21, 32), s.uniform(-4, 5)  # short to long legs, short to long muzzle
    step = s.uniform(-5, 7)
    for x, z in ((12, -step), (-24, step)):
        pen.put(
            "second", tube((x, -h - 6, 6), (x + z * 0.5, -h / 2, 4), (x + z, -4, 3.8), (x + z + 5, -3, 3))
        )
    tail = s.rng.integers(3)
    tails = [
        tube((-34, -h - 16, 5), (-46, -h - 25, 4.2), (-51, -h - 38, 3.4), (-47, -h - 48, 2.2)),
        tube((-34, -h - 17, 5), (-43, -h - 29, 5), (-36, -h - 39, 5), (-27, -h - 34, 3.4)),
        tube((-34, -h - 15, 4.5), (-48, -h - 12, 4), (-57, -h - 2, 2.4)),
    ]
    body = curve([
        (-36, -h - 20), (-12, -h - 20), (12, -h - 23), (20, -h - 32), (24, -h - 46), (35, -h - 51),
        (42, -h - 45), (53 + nose, -h - 42), (58 + nose, -h - 37), (53 + nose, -h - 31), (41, -h - 29),
        (33, -h - 22), (30, -h - 10), (21, -h + 1), (-2, -h), (-20, -h - 5), (-32, -h + 1), (-41, -h - 10),
    ])  # fmt: skip
    legs = [
        tube((21, -h - 8, 8), (22 + step / 2, -h / 2, 4.8), (22 + step, -4.2, 4.2), (28 + step, -3.2, 3.2)),
        tube((-32, -h - 8, 9.5), (-29, -h * 0.7, 6.4), (-36 - step / 2, -h * 0.4, 4),
             (-33 - step, -4.2, 4), (-27 - step, -3.2, 3.2)),
    ]  # fmt: skip
    pen.put("main", body, tails[tail], *legs)
    if s.chance(0.4):
        pen.put("second", oval(-10, -h - 12, 13, 8))
    pen.put("accent", polygon([(14, -h - 28), (19, -h - 33), (35, -h - 25), (33, -h - 18)]))
    dog_head(s, pen, -h, nose)


def dog_head(s: Scene, pen: Pen, y: float, nose: float) -> None:
    """An ear, an eye and a nose on a head whose jaw is about 30 above `y`."""
    if s.chance(0.62):
        pen.put(
            "second",
            curve([(25, y - 50), (33, y - 49), (34, y - 36), (28, y - 23), (21, y - 26), (21, y - 40)]),
        )
    else:
        pen.put("main", polygon([(22, y - 45), (23, y - 64), (34, y - 50)]))
        pen.put("second", polygon([(25, y - 47), (25.5, y - 57), (31, y - 50)]))
    pen.put("bright", oval(40, y - 41, 2.4))
    pen.put("dark", oval(57 + nose, y - 39, 3.4, 3))


def sitting_dog(s: Scene, pen: Pen) -> None:
    nose = s.uniform(-3, 5)
    pen.put("second", tube((12, -34, 6), (14, -14, 4.6), (14, -4, 4), (20, -3, 3)))
    tail = tube((-26, -7, 5), (-42, -7, 4.5), (-52, -20, 3.6), (-50, -30, 2.4))
    body = curve([
        (-30, -4), (-33, -18), (-24, -34), (-8, -50), (4, -62), (9, -76), (20, -82), (28, -76),
        (40 + nose, -72),
        (44 + nose, -67), (39 + nose, -61), (27, -59), (20, -54), (20, -40), (14, -24), (4, -12), (6, -3),
        (-12, -1),
    ])  # fmt: skip
    legs = [
        tube((12, -38, 8), (18, -18, 5), (18, -4.4, 4.4), (25, -3.4, 3.4)),
        tube((-16, -16, 13), (-4, -9, 8), (-8, -4, 4), (6, -3.4, 3.4)),
    ]
    pen.put("main", body, tail, *legs)
    pen.put("accent", polygon([(1, -61), (5, -67), (22, -57), (20, -50)]))
    dog_head(s, pen.shifted(-14, 0), -31, nose)


def horse(s: Scene, light: str, level: int, form: str) -> None:
    y = outdoors(s, light, level)
    way = side(s)
    pen = Pen(s, 64 - way * 2 + s.uniform(-4, 4), y, s.uniform(0.78, 0.86), way=way)
    pose = int(s.rng.integers(3))  # standing, prancing, trotting
    front = [
        [(24, -48, 7.5), (25, -26, 4), (24, -6, 3.2), (27, -2, 3.6)],
        [(24, -50, 7.5), (40, -38, 4.6), (38, -22, 3.2), (35, -17, 3.4)],
        [(24, -48, 7.5), (33, -26, 4), (41, -8, 3.2), (45, -5, 3.4)],
    ][pose]
    back = [
        [(-30, -52, 11), (-29, -36, 6.5), (-36, -24, 4.2), (-33, -6, 3.4), (-30, -2, 3.6)],
        [(-30, -52, 11), (-34, -36, 6.5), (-44, -26, 4.2), (-46, -8, 3.4), (-43, -3, 3.6)],
        [(-30, -52, 11), (-33, -36, 6.5), (-43, -26, 4.2), (-49, -9, 3.4), (-46, -5, 3.6)],
    ][pose]
    lift = s.uniform(-4, 6)
    with s.subject():
        pen.put(
            "second",
            tube((18, -46, 7), (14 - lift, -26, 4), (14 - 2 * lift, -6, 3.2), (17 - 2 * lift, -2, 3.4)),
        )
        pen.put(
            "second", tube((-24, -50, 10), (-18, -36, 6), (-24 + lift, -24, 4), (-20 + 2 * lift, -2, 3.4))
        )
        flow = (0, 4, 9)[pose]
        tail = tube(
            (-37, -60, 3.5), (-46 - flow / 2, -56, 5.5), (-51 - flow, -38, 6.5), (-49 - 1.4 * flow, -18, 2)
        )
        pen.put("accent", tail)
        body = curve([
            (-40, -58), (-30, -67), (-8, -63), (10, -67), (22, -82), (34, -98), (42, -99), (50, -88),
            (57, -77),
            (56, -71), (51, -69), (45, -76), (40, -79), (37, -66), (33, -50), (24, -40), (0, -36), (-20, -40),
            (-38, -46),
        ])  # fmt: skip
        ear = polygon([(33, -95), (34, -108), (41, -97)])
        pen.put("main", body, ear, tube(*front), tube(*back))
        for x, z, _ in (front[-1], back[-1]):
            pen.put("accent", oval(x + 0.5, z + 0.5, 5, 3.6))
        mane = [
            (36, -103),
            (30, -101),
            (20, -92),
            (9, -80),
            (4, -66),
            (14, -68),
            (21, -75),
            (29, -86),
            (37, -95),
        ]
        pen.put("accent", curve(mane))
        pen.put("bright", oval(44.5, -89, 2.2))
        if s.chance(0.45):
            pen.put("second", curve([(-18, -67), (6, -67), (8, -52), (-14, -50)]))
    if level == 2:
        fence(s, y + 8)
    backdrop.meadow(s, level, y + 2)


def fence(s: Scene, y: float) -> None:
    """Posts and rails across the whole width, low in front of the subject."""
    for rise in (4.0, 10.0):
        s.line([(BLEED[0], y - rise), (BLEED[1], y - rise + s.uniform(-1, 1))], "mid", 2, detail=True)
    for i in range(13):
        s.rect(BLEED[0] + 24 * i + s.uniform(0, 5), y - 14, 3.4, 19, "mid", detail=True)


def elephant(s: Scene, light: str, level: int, form: str) -> None:
    y = outdoors(s, light, level)
    way = side(s)
    pen = Pen(s, 64 - way * 5 + s.uniform(-4, 4), y, s.uniform(0.76, 0.85), way=way)
    trunks = [
        [(42, -60, 11), (54, -48, 8), (57, -28, 6.2), (55, -12, 5), (61, -5, 3.6)],
        [(42, -62, 11), (56, -50, 8), (66, -56, 6.2), (68, -72, 5), (62, -86, 3.6)],
        [(42, -60, 11), (54, -46, 8), (54, -28, 6.2), (46, -16, 5), (38, -18, 3.6)],
    ]
    step = s.uniform(-3, 4)
    with s.subject():
        for x, z in ((6, -step), (-20, step)):
            pen.put("second", tube((x, -34, 9), (x + z, -14, 8), (x + z, -6, 8)))
        body = curve([
            (-44, -36), (-46, -56), (-34, -76), (-10, -82), (12, -79), (26, -84), (40, -82), (50, -68),
            (46, -50),
            (34, -44), (26, -32), (0, -26), (-24, -27), (-38, -26),
        ])  # fmt: skip
        legs = [
            tube((20, -40, 12), (22 + step, -18, 9.4), (22 + step, -7, 9.4)),
            tube((-34, -42, 13), (-35 - step, -18, 9.6), (-35 - step, -7, 9.6)),
        ]
        tail = tube((-44, -60, 2.6), (-52, -46, 2), (-53, -32, 2), (-54, -26, 3))
        pen.put("main", body, *legs, tail, tube(*trunks[int(s.rng.integers(3))]))
        ear = s.uniform(0.85, 1.15)
        flap = [(26, -78), (16, -84), (2, -80), (-4, -64), (4, -46), (14, -38), (22, -48), (27, -62)]
        pen.put("second", curve([(26 + (px - 26) * ear, -64 + (py + 64) * ear) for px, py in flap]))
        pen.put("bright", tube((40, -50, 3.4), (50, -42, 3), (60, -44, 1.2)))
        pen.put("bright", oval(38, -69, 2.4))
        if s.chance(0.3):
            pen.put("accent", curve([(-30, -82), (-8, -86), (4, -82), (4, -52), (-12, -48), (-30, -52)]))
            pen.put("bright", curve([(-24, -74), (-10, -76), (-2, -74), (-2, -60), (-12, -57), (-24, -60)]))
        for foot in (22 + step, -35 - step):
            pen.put("bright", *(oval(foot + d, -1.6, 2.4, 1.8) for d in (-5.0, 0.0, 5.0)), detail=True)
    if level == 2:
        for flank in (-1, 1):
            acacia(s, 64 + flank * s.uniform(74, 104), y - 8, s.uniform(0.6, 0.8))
    backdrop.meadow(s, level, y + 2)


def acacia(s: Scene, x: float, y: float, k: float) -> None:
    s.line([(x, y + 2), (x + 2, y - 20 * k), (x - 8 * k, y - 38 * k)], "dark", 3)
    s.line([(x + 2, y - 20 * k), (x + 12 * k, y - 36 * k)], "dark", 2.4)
    s.ellipse(x + 2, y - 40 * k, 26 * k, 8 * k, "mid")


def lizard(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=20)
    if level == 2:
        backdrop.hills(s, 2, s.uniform(52, 58))
    slab(s, level)
    pen = Pen(
        s, s.uniform(60, 68), s.uniform(60, 68), s.uniform(0.9, 1.0), way=side(s), turn=s.uniform(-50, -5)
    )
    bend = s.uniform(7, 12) * side(s)
    spine = [(-66, -bend * 1.2, 1.5), (-58, -bend * 2.1, 2), (-47, -bend * 0.8, 3.2),
        (-32, bend * 1.1, 4.6), (-16, bend * 0.2, 8.6),
             (0, -bend * 0.7, 10.6), (16, -bend * 0.3, 9), (26, bend * 0.1, 7), (35, bend * 0.2, 9.6),
             (44, bend * 0.1, 7), (50, 0, 4)]  # fmt: skip
    with s.subject():
        limbs = []
        for flank in (-1, 1):
            reach = s.uniform(-4, 6)
            fx, fy = 26 + reach, flank * 24
            limbs.append(tube((15, flank * 4, 5.6), (15 + reach, flank * 17, 4.4), (fx, fy, 3.4)))
            bx, by = -23 + reach, flank * 25
            limbs.append(tube((-13, flank * 4, 6.4), (-9 + reach, flank * 18, 4.8), (bx, by, 3.6)))
            for x, y, lean in ((fx, fy, 0.08), (bx, by, 0.42)):
                for spread in (-0.14, 0.0, 0.14):
                    tip = around(x, y, 8, flank * (lean + spread))
                    limbs.append(tube((x, y, 2.2), (*tip, 1.9)))
        pen.put("main", tube(*spine), *limbs)
        marks(s, pen, spine)
        for flank in (-1, 1):
            pen.put("bright", oval(39, flank * 6.4 + bend * 0.15, 2.8))
    for _ in range((0, 4, 18)[level]):
        at, low, r = s.uniform(*BLEED), s.uniform(112, 200), s.uniform(2, 5)
        s.ellipse(at, low, 1.6 * r, r, "mid", detail=True)


def marks(s: Scene, pen: Pen, spine: Sequence[Joint]) -> None:
    """A stripe, bands or spots along a lizard's back."""
    back = spine[2:9]
    kind = int(s.rng.integers(3))
    if kind == 0:
        pen.put("accent", tube(*((x, y, r * 0.38) for x, y, r in back)))
    for x, y, r in back[1:] if kind else []:
        pen.put("accent", oval(x, y, 2.2, r * 0.8) if kind == 1 else oval(x, y, r * 0.45))


def slab(s: Scene, level: int) -> None:
    """A warm rock under the lizard, with cracks and grasses by density."""
    y = s.uniform(48, 58)
    for _ in range((0, 3, 14)[level]):
        x, h = s.uniform(*BLEED), s.uniform(18, 40)
        s.line(
            [(x, y + 12), (x + s.uniform(-3, 3), y + 12 - h * 0.6), (x + s.uniform(-12, 12), y + 12 - h)],
            "near",
            3,
        )
    edge = [(BLEED[0] - 20, y + 10), (-20, y + 4), (20, y - 2), (64, y + 3), (110, y - 3), (150, y + 6)]
    s.blob([*edge, (BLEED[1] + 20, y + 9), (BLEED[1] + 20, 240), (BLEED[0] - 20, 240)], "far")
    for _ in range((0, 4, 12)[level]):
        x, z = s.uniform(-60, 180), s.uniform(y + 20, 190)
        s.line(
            [(x, z), (x + 10, z + s.uniform(-6, 6)), (x + 24, z + s.uniform(-4, 8))], "mid", 1.6, detail=True
        )


def whale(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=34)
    top = s.uniform(80, 88)
    backdrop.waves(s, level, top)
    pen = Pen(s, s.uniform(60, 68), top + 8, s.uniform(0.84, 0.95), way=side(s), turn=s.uniform(-5, 5))
    with s.subject():
        tail = s.uniform(-6, 8)
        flukes = curve([(-46, -30 - tail), (-46, -30 - tail), (-58, -42 - tail), (-60, -56 - tail),
            (-60, -56 - tail),
                        (-47, -48 - tail), (-40, -42 - tail), (-30, -46 - tail), (-18, -52 - tail),
                        (-18, -52 - tail),
                        (-24, -38 - tail), (-38, -28 - tail)])  # fmt: skip
        body = curve([(-44, -34 - tail), (-40, -34 - tail), (-32, -20), (-16, -22), (6, -34), (28, -36),
            (46, -26),
                      (53, -8), (50, 8), (34, 17), (6, 20), (-18, 14), (-38, -2), (-46, -20)])  # fmt: skip
        pen.put("main", flukes, body)
        belly = curve([(53, -6), (52, 8), (36, 17), (6, 20), (-16, 14), (-4, 8), (16, 8), (34, 0)])
        pen.put("bright", belly)
        for shift in (0.0, 6.0):
            pen.line([(46 - shift, 3 + shift * 0.7), (26 - shift, 9 + shift * 0.7),
                (4 - shift, 11 + shift * 0.6)],
                     "second", 1.5, detail=True)  # fmt: skip
        pen.put("second", tube((16, 6, 6), (4, 16, 6), (-8, 26, 2)))
        pen.put("bright", oval(31, -11, 2.8))
        h = s.uniform(20, 30)
        spout = [tube((24, -38, 1.6), (22, -38 - h * 0.7, 2.6), (20 + d * 0.5, -38 - h, 3.2),
            (20 + d, -34 - h * 0.8, 3))
                 for d in (-13.0, 15.0)]  # fmt: skip
        pen.put("accent", *spout)
    swell(s, level, top + 20)


def swell(s: Scene, level: int, y: float) -> None:
    """A wave in front of the whale, over the whole width."""
    step = s.uniform(13, 18)
    points = []
    x = BLEED[0] - s.uniform(20, 40)
    while x < BLEED[1] + 30:
        points += [(x, y + 4), (x + step / 2, y - 4)]
        x += step
    s.add(smooth([*points, (BLEED[1] + 60, 260.0), (BLEED[0] - 60, 260.0)]), "near")
    for _ in range((0, 3, 14)[level]):
        x, z = s.uniform(*BLEED), s.uniform(y + 10, 200)
        s.line([(x, z), (x + s.uniform(6, 14), z)], "bright", 1.4, detail=True)


DRAW: dict[str, Callable[[Scene, str, int, str], None]] = {
    "dog": dog, "horse": horse, "elephant": elephant, "lizard": lizard, "whale": whale,
}  # fmt: skip
