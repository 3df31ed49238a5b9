"""Still life: fruit, tea, food and a guitar, in a plain room."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi

from starter import backdrop
from starter.scene import BLEED, Scene, around, polygon
from starter.subjects.pen import Pen, box, curve, cut, less, oval, side, tube

LOW, HIGH = BLEED


def room(s: Scene, light: str, level: int, top: float) -> None:
    """A wall and a table edge at `top`; density hangs a window, patterns the wall and sets the table."""
    if level == 2:
        wallpaper(s, top)
    if level or light != "day":
        window(s, light, level)
    if level == 2:
        curtain(s)
    s.rect(LOW - 20, top, HIGH - LOW + 40, 160, "near")
    s.rect(LOW - 20, top, HIGH - LOW + 40, 4, "mid")
    if level == 2:
        step = s.uniform(14, 20)
        for i in range(int((HIGH - LOW) / step) + 2):
            x = LOW + step * i
            s.polygon([(x, top + 4), (x + step, top + 4), (x + step / 2, top + 13)], "second", detail=True)
    for _ in range((0, 3, 9)[level]):
        x, y = s.uniform(LOW, HIGH), s.uniform(top + 20, HIGH)
        s.line([(x, y), (x + s.uniform(12, 26), y)], "mid", 1.6, detail=True)


def wallpaper(s: Scene, top: float) -> None:
    """Stripes or dots over the whole wall."""
    step = s.uniform(15, 21)
    if s.chance(0.5):
        for i in range(int((HIGH - LOW) / step) + 1):
            s.rect(LOW + i * step, LOW, step * 0.3, top - LOW, "far", detail=True)
        return
    for row in range(int((top - LOW) / step)):
        for column in range(int((HIGH - LOW) / step) + 1):
            x = LOW + (column + 0.5 * (row % 2)) * step
            s.circle(x, top - 8 - row * step, step * 0.14, "far", detail=True)


def window(s: Scene, light: str, level: int) -> None:
    """A window on one side, with the sun or the moon in it; sparse pictures show only sun or moon."""
    x = 64 + side(s) * s.uniform(26, 34)
    if level == 0:
        backdrop.orb(s, light, level)
        return
    w, h, y = s.uniform(38, 46), s.uniform(50, 58), s.uniform(6, 12)
    arch = s.chance(0.4)
    pane = curve([(x - w / 2, y + h), (x - w / 2, y + h), (x - w / 2, y + 14), (x, y - 4),
        (x + w / 2, y + 14),
                  (x + w / 2, y + h), (x + w / 2, y + h)]) if arch else box(x - w / 2, y, w, h)  # fmt: skip
    s.add(pane, "cloud")
    r = {"day": 8.0, "dusk": 13.0, "night": 9.0}[light]
    disc = oval(x + s.uniform(-7, 7), y + h * (0.72 if light == "dusk" else 0.36), r)
    if light == "night":
        s.add(curve([(x - 2, y + 12), (x - 2, y + 12), (x - 11, y + 21), (x - 2, y + 31), (x + 8, y + 26),
            (x + 8, y + 26),
                     (x - 2, y + 22)]), "orb")  # fmt: skip
    else:
        s.add(cut(disc, pane), "orb")
    if level == 2:
        ridge = curve([(x - 40, y + h * 0.86), (x - 8, y + h * 0.7), (x + 10, y + h * 0.8),
            (x + 40, y + h * 0.68),
                       (x + 40, y + h + 9), (x - 40, y + h + 9)])  # fmt: skip
        s.add(cut(ridge, pane), "far")
    frame = {"day": "mid", "dusk": "near", "night": "mid"}[light]
    s.add(pane, frame, width=3)
    s.line([(x, y), (x, y + h)], frame, 2)
    s.line([(x - w / 2, y + h * 0.5), (x + w / 2, y + h * 0.5)], frame, 2)
    s.rect(x - w / 2 - 4, y + h, w + 8, 4, frame)


def curtain(s: Scene) -> None:
    """Two lamps that hang from above, or bunting across the wall."""
    if s.chance(0.5):
        for x in (s.uniform(-50, -10), s.uniform(8, 30), s.uniform(140, 180)):
            y = s.uniform(14, 24)
            s.line([(x, LOW), (x, y)], "dark", 1.4, detail=True)
            s.polygon([(x - 4, y), (x + 4, y), (x + 10, y + 10), (x - 10, y + 10)], "second")
            s.circle(x, y + 12, 3.4, "bright", detail=True)
        return
    for i in range(21):
        x = LOW + 14 * i
        y = 6 + 5 * cos(i * pi / 3)
        s.polygon(
            [(x, y), (x + 11, y), (x + 5.5, y + 11)], ("second", "bright", "accent")[i % 3], detail=True
        )


def steam(s: Scene, level: int, x: float, y: float) -> None:
    for dx in (-8.0, 6.0)[: 1 + (level > 0)]:
        h = s.uniform(18, 28)
        s.line(
            [(x + dx, y), (x + dx + 5, y - h * 0.3), (x + dx - 4, y - h * 0.6), (x + dx + 3, y - h)],
            "bright",
            2.6,
        )


def fruit(s: Scene, light: str, level: int, form: str) -> None:
    top = s.uniform(90, 96)
    room(s, light, level, top)
    pen = Pen(s, s.uniform(58, 70), top + 12, s.uniform(0.92, 1.04), way=side(s), light=light)
    with s.subject():
        if s.chance(0.55):
            heap(s, pen, 17)
            pen.put("main", curve([(-42, -28), (-42, -28), (42, -28), (42, -28), (34, -9), (16, 0),
                (-16, 0), (-34, -9)]),
                    box(-14, -2, 28, 6))  # fmt: skip
            pen.put("bright", box(-38, -23, 76, 4))
        else:
            heap(s, pen, 0)
    if level == 2:
        small = Pen(s, pen.matrix.getTranslateX() + side(s) * 62, top + 16, 0.8, light=light)
        apple(s, small, 0, -12, 12, "accent")


def heap(s: Scene, pen: Pen, up: float) -> None:
    """A pear or a pineapple behind, fruits in front, bananas or grapes at one end."""
    if s.chance(0.5):
        pear(pen, 2, -30 - up, "second")
    else:
        pineapple(pen, 2, -30 - up)
    bananas = s.chance(0.5)
    if bananas:
        for lift, role in ((8, "second"), (0, "accent")):
            pen.put(role, tube((-46, -48 - up, 2), (-46 + lift, -34 - up, 5),
                (-38 + lift, -21 - up - lift / 2, 6),
                               (-24 + lift, -14 - up - lift / 2, 5), (-9 + lift, -14 - up, 2.2)))  # fmt: skip
        pen.line([(-46, -46 - up), (-46, -52 - up)], pen.deep, 3)
    else:
        for row in range(4):
            for i in range(4 - row):
                pen.put("second", oval(-38 + 9.4 * i + 4.7 * row, -28 - up + 8 * row, 5.6))
        pen.line([(-24, -34 - up), (-22, -44 - up)], pen.deep, 2.4)
    apple(s, pen, 26, -16 - up, 17, "accent" if not bananas else "second")
    r = 15.0
    pen.put("bright", oval(-2, -14 - up, r))
    pen.put("second", curve([(-2, -29 - up), (4, -35 - up), (12, -34 - up), (7, -28 - up)]))


def apple(s: Scene, pen: Pen, x: float, y: float, r: float, role: str) -> None:
    half = [(0.0, -0.7), (0.45, -0.98), (0.98, -0.6), (0.95, 0.2), (0.5, 0.95), (0.0, 0.82)]
    pen.put(role, curve([(x + r * a, y + r * b) for a, b in [*half, *((-a, b) for a, b in half[4:0:-1])]]))
    pen.line([(x, y - 0.65 * r), (x + 2, y - 1.3 * r)], pen.deep, 2.2)
    pen.put(
        "main", curve([(x + 2, y - r), (x + 6, y - 1.5 * r), (x + 14, y - 1.5 * r), (x + 9, y - 1.05 * r)])
    )


def pear(pen: Pen, x: float, y: float, role: str) -> None:
    half = [(0, -32), (6, -30), (9, -16), (17, 2), (14, 20), (0, 26)]
    pen.put(role, curve([(x + a, y + b) for a, b in [*half, *((-a, b) for a, b in half[4:0:-1])]]))
    pen.line([(x, y - 30), (x + 4, y - 40)], pen.deep, 2.4)


def pineapple(pen: Pen, x: float, y: float) -> None:
    for lean in (-22.0, 22.0, -12.0, 12.0, 0.0):
        pen.put("main", curve([(x - 5, y - 14), (x - 5 + lean * 0.4, y - 28),
            (x + lean, y - 46 + abs(lean) * 0.5),
                               (x + lean, y - 46 + abs(lean) * 0.5), (x + 5 + lean * 0.4, y - 26),
                               (x + 5, y - 14)]))  # fmt: skip
    body = oval(x, y + 4, 17, 22)
    pen.put("second", body)
    for i in range(4):
        pen.put(
            "main",
            cut(tube((x - 20, y - 6 + 11 * i, 0.9), (x + 20, y - 24 + 11 * i, 0.9)), body),
            detail=True,
        )


def teapot(s: Scene, light: str, level: int, form: str) -> None:
    top = s.uniform(90, 96)
    room(s, light, level, top)
    way = side(s)
    pen = Pen(s, 64 - way * s.uniform(2, 7), top + 10, s.uniform(0.76, 0.86), way=way, light=light)
    tall, wide = s.uniform(0.9, 1.2), s.uniform(0.92, 1.08)
    high = s.chance(0.3)
    with s.subject():
        if high:
            loop = curve([(-26, -44), (-30, -80), (0, -96), (30, -80), (26, -44)], closed=False)
            pen.s.add(pen.moved(loop), pen.deep, width=4.5)
        else:
            loop = oval(-34, -30, 19, 17)
            pen.put("main", less(loop, oval(-34, -30, 12.5, 10.5)))
        spout = curve([(26, -14), (40, -22), (46, -42), (54, -50), (54, -50), (62, -48), (62, -48),
            (56, -34), (50, -14),
                       (32, -4)])  # fmt: skip
        half = [(14, -56), (30, -46), (36, -28), (31, -10), (20, 0), (20, 0)]
        body = curve(
            [*((x * wide, y * tall) for x, y in half), *((-x * wide, y * tall) for x, y in half[::-1])]
        )
        pen.put("main", spout, body, box(-20, -3, 40, 6))
        lid = -56 * tall
        pen.put("accent", curve([(-19, lid + 3), (-19, lid + 3), (-14, lid - 7), (0, lid - 10),
            (14, lid - 7), (19, lid + 3),
                                 (19, lid + 3)]), oval(0, lid - 13, 4.6))  # fmt: skip
        pattern = int(s.rng.integers(3))
        if pattern == 0:
            pen.put("bright", cut(body, box(-50, -32 * tall, 100, 8)))
        for petal in range(6 if pattern == 1 else 0):
            pen.put("bright", oval(*around(0, -27 * tall, 8.5, petal / 6), 4.6))
        if pattern == 1:
            pen.put("accent", oval(0, -27 * tall, 4.6))
        for x in (-18, 0, 18) if pattern == 2 else ():
            pen.put("bright", oval(x * wide, -27 * tall, 5.4))
        cup(pen.shifted(54, 6))
        if level and s.chance(0.7):
            cup(pen.shifted(-58, 6))
    steam(s, level, 64 + way * 46, top - 38)


def cup(pen: Pen) -> None:
    pen.put("second", less(oval(13, -10, 7, 6), oval(13, -10, 3.6, 3)))
    pen.put(
        "second", curve([(-14, -20), (-14, -20), (14, -20), (14, -20), (12, -6), (6, 0), (-6, 0), (-12, -6)])
    )
    pen.put("bright", oval(0, -20, 14, 3.2))


def food(s: Scene, light: str, level: int, form: str) -> None:
    top = s.uniform(84, 90)
    room(s, light, level, top)
    pen = Pen(s, s.uniform(60, 68), top + 20, s.uniform(0.9, 1.0), way=side(s), light=light)
    with s.subject():
        {"ramen": ramen, "tacos": tacos, "bread": bread, "dumplings": dumplings}[form](s, pen)
    if form in ("ramen", "dumplings"):
        steam(s, level, 64, top - 44)


def ramen(s: Scene, pen: Pen) -> None:
    pen.put(pen.deep, box(-17, -5, 34, 7))
    pen.put(
        "main",
        curve([(-48, -44), (-48, -44), (48, -44), (48, -44), (42, -20), (24, -4), (-24, -4), (-42, -20)]),
    )
    pen.put("accent", curve([(-46, -36), (0, -33), (46, -36), (45, -29), (0, -25), (-45, -29)]))
    pen.put("second", oval(0, -44, 48, 13))
    pen.put(pen.deep, oval(0, -44, 43, 10))
    for i in range(4):
        y = -48 + 3.6 * i
        pen.line([(-36 + 3 * i, y), (-20, y - 5), (-4, y + 2), (12, y - 4), (26, y)], "bright", 2.6)
    pen.put("bright", oval(20, -49, 12, 8))
    pen.put("accent", oval(20, -49, 5.6, 4.2))
    pen.put("main", polygon([(-34, -44), (-34, -66), (-20, -70), (-16, -46)]))
    pen.put("accent", oval(-4, -50, 8, 5))
    for lift in (0, 7):
        pen.line([(4, -48), (56, -84 + lift)], pen.deep, 2.8)


def tacos(s: Scene, pen: Pen) -> None:
    pen.put("bright", oval(0, -4, 54, 9))
    pen.put("second", oval(0, -5, 40, 5))
    for x, y, k in ((4.0, -24.0, 0.86), (-24.0, -10.0, 0.9), (19.0, -3.0, 1.0))[
        3 - int(s.rng.integers(2, 4)) :
    ]:
        taco(s, pen.shifted(x, y), k)


def taco(s: Scene, pen: Pen, k: float) -> None:
    half = [
        (-33, -2),
        (-32, -16),
        (-21, -30),
        (0, -36),
        (21, -30),
        (32, -16),
        (33, -2),
        (33, -2),
        (0, 0),
        (-33, -2),
    ]
    shell = [(x * k, y * k) for x, y in half]
    pen.put("second", curve([(x + 5, y - 7 * k) for x, y in shell]))
    for i in range(9):
        x, y = around(0, -4, 34.5 * k, 0.53 + 0.43 * i / 8)
        pen.put(("main", "bright", "main")[i % 3], oval(x + 2, y, s.uniform(4, 5.6)))
    pen.put("accent", curve(shell))
    for x, y in ((-15.0, -14.0), (4.0, -24.0), (15.0, -12.0)):
        pen.put("second", oval(x * k, y * k, 2.8, 2), detail=True)


def bread(s: Scene, pen: Pen) -> None:
    pen.put(pen.deep, box(-52, -8, 104, 8))
    if s.chance(0.4):
        for lean in (-1, 1):
            pen.put("second" if lean < 0 else "main",
                    tube((-46, -20 - lean * 6, 5), (-30, -24 - lean * 3, 10), (24, -38 + lean * 14, 10),
                         (44, -44 + lean * 18, 5)))  # fmt: skip
        for i in range(4):
            x = -28 + 17 * i
            pen.line([(x, -24 + i * 1.4), (x + 9, -33 + i * 2.2)], "bright", 3.4)
        return
    loaf = curve([(-46, -9), (-48, -24), (-42, -42), (-22, -54), (4, -57), (28, -52), (44, -40), (48, -24),
        (46, -9), (46, -9),
                  (-46, -9)])  # fmt: skip
    pen.put("main", loaf)
    for i in range(3):
        x = -28 + 22 * i
        pen.put(
            "bright",
            curve([(x - 5, -26), (x - 5, -26), (x + 4, -42), (x + 15, -49), (x + 15, -49), (x + 8, -36)]),
        )
    for x in (40, 52):
        slice_ = curve([(x - 12, -6), (x - 13, -24), (x - 8, -34), (x + 6, -34), (x + 10, -24), (x + 9, -6)])
        pen.put("accent", slice_)
        pen.put(
            "bright",
            curve([(x - 9, -9), (x - 9, -24), (x - 6, -30), (x + 4, -30), (x + 7, -24), (x + 6, -9)]),
        )


def dumplings(s: Scene, pen: Pen) -> None:
    if s.chance(0.55):
        pen.put("second", box(-48, -24, 96, 24))
        pen.put(pen.deep, box(-50, -27, 100, 6), box(-50, -4, 100, 5))
        for x in range(-36, 37, 12):
            pen.line([(x, -20), (x, -5)], "main", 1.8, detail=True)
        places = [(-17, -40), (17, -40), (-32, -26), (0, -26), (32, -26)]
    else:
        pen.put("main", curve([(-54, -14), (-54, -14), (54, -14), (54, -14), (34, -1), (-34, -1)]))
        places = [(0, -36), (-17, -25), (18, -25), (-34, -13), (0, -13), (34, -13)]
    for dx, dy in places:
        dumpling(pen.shifted(dx, dy))
    for lift in (0, 6):
        pen.line([(20, -46 - lift), (60, -70 - lift)], pen.deep, 2.6)


def dumpling(pen: Pen) -> None:
    """A pleated purse."""
    pen.put(
        "accent",
        curve([(-18, 1), (-18, -10), (-8, -19), (-3, -25), (3, -25), (8, -19), (18, -10), (18, 1), (0, 4)]),
    )
    pen.put(
        "bright",
        curve([(-15, 0), (-15, -9), (-7, -17), (-2, -23), (2, -23), (7, -17), (15, -9), (15, 0), (0, 2)]),
    )
    for x in (-7.0, 0.0, 7.0):
        pen.line([(x * 0.25, -20), (x, -8)], "second", 1.8, detail=True)


def guitar(s: Scene, light: str, level: int, form: str) -> None:
    top = s.uniform(102, 108)
    room(s, light, level, top)
    pen = Pen(
        s,
        s.uniform(58, 70),
        s.uniform(84, 88),
        s.uniform(0.84, 0.92),
        turn=side(s) * s.uniform(6, 24),
        light=light,
    )
    with s.subject():
        electric = s.chance(0.35)
        pen.put(pen.deep, box(-3.6, -78, 7.2, 84))
        pen.put("second", polygon([(-5, -94), (5, -94), (6, -76), (-6, -76)]))
        for row in range(3):
            pen.put("bright", *(oval(f * 8, -91 + 6 * row, 2.2) for f in (-1, 1)), detail=True)
        if electric:
            outline = [(-4, -22), (-16, -22), (-22, -38), (-29, -30), (-24, -8), (-30, 12), (-22, 30),
                (0, 34), (24, 30),
                       (31, 12), (24, -6), (27, -24), (20, -30), (13, -18), (4, -18)]  # fmt: skip
        else:
            half = [(0, -30), (14, -29), (23, -18), (19, -4), (22, 6), (31, 20), (26, 36), (0, 42)]
            outline = [*half, *((-x, y) for x, y in half[6:0:-1])]
        pen.put("accent" if light == "dusk" or s.chance(0.5) else "main", curve(outline))
        if electric:
            pen.put("bright", curve([(6, -14), (18, -6), (18, 14), (8, 24), (4, 4)]))
        else:
            pen.put("bright", oval(0, -6, 11.5))
            pen.put(pen.deep, oval(0, -6, 8.5))
        pen.put(pen.deep, box(-3.6, -40, 7.2, 26 if not electric else 30), box(-11, 17, 22, 5))
        for x in (-1.6, 1.6):
            pen.line([(x, -76), (x, 18)], "bright", 0.9, detail=True)


DRAW: dict[str, Callable[[Scene, str, int, str], None]] = {
    "fruit": fruit, "teapot": teapot, "food": food, "guitar": guitar,
}  # fmt: skip
