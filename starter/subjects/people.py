"""A standing person as a calm, faceless silhouette, in dress from several parts of the world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starter import backdrop
from starter.scene import Scene, polygon
from starter.subjects.pen import Pen, box, curve, cut, less, oval, side, tube


def person(s: Scene, light: str, level: int, form: str) -> None:
    backdrop.orb(s, light, level)
    backdrop.sky(s, light, level, low=40)
    ground = s.uniform(106, 112)
    backdrop.hills(s, level, ground)
    if level == 2:
        backdrop.meadow(s, level, ground + 2)
    pen = Pen(s, s.uniform(56, 72), ground + 7, s.uniform(0.92, 1.0), way=side(s), light=light)
    with s.subject():
        {"coat": coat, "kimono": kimono, "sari": sari, "poncho": poncho, "boubou": boubou}[form](s, pen)


def head(pen: Pen, *hair: Any) -> None:
    """A faceless head and neck, and hair over it."""
    pen.put("second", oval(0, -87, 7.6, 9), tube((0, -80, 4.2), (0, -72, 5)))
    if hair:
        pen.put(pen.deep, *hair)


def coat(s: Scene, pen: Pen) -> None:
    for x in (-7.0, 7.0):
        pen.put(
            pen.deep, tube((x, -34, 5.4), (x, -14, 4.6), (x, -4, 4.6)), tube((x, -3, 3.4), (x + 6, -2.6, 3))
        )
    head(pen)
    hem = s.uniform(-34, -20)
    sleeves = [tube((f * 15, -66, 5.6), (f * 20, -52, 5), (f * s.uniform(17, 23), -38, 4.6)) for f in (-1, 1)]
    for sleeve in sleeves:
        x = sleeve.getBounds().centerX()
        pen.put("second", oval(x * 1.06, -34, 4))
    body = curve([(-8, -75), (8, -75), (18, -69), (16, -52), (18, hem), (18, hem), (-18, hem), (-18, hem),
        (-16, -52),
                  (-18, -69)])  # fmt: skip
    pen.put("main", body, *sleeves)
    pen.line([(1, -70), (1, hem + 2)], "second", 1.8)
    pen.put(
        "accent",
        tube((-8, -74, 4), (0, -72, 4.4), (8, -74, 4)),
        tube((5, -73, 3.6), (8, -58, 4), (7, -48, 4)),
    )
    if s.chance(0.5):
        pen.put(
            pen.deep, curve([(-9, -90), (-9, -100), (0, -104), (9, -100), (9, -90)]), box(-15, -92, 30, 3.4)
        )
    else:
        pen.put(pen.deep, curve([(-9, -78), (-10, -92), (0, -99), (10, -92), (8, -86), (2, -91), (-4, -86)]))
    if s.chance(0.3):
        umbrella(pen)


def umbrella(pen: Pen) -> None:
    pen.line([(24, -40), (24, -96)], pen.deep, 2)
    pen.put(
        "accent",
        curve([(-8, -92), (-8, -92), (4, -108), (24, -114), (44, -108), (56, -92), (56, -92), (24, -96)]),
    )


def kimono(s: Scene, pen: Pen) -> None:
    for x in (-5.0, 5.0):
        pen.put("bright", oval(x, -3, 5, 3))
    head(
        pen,
        curve([(-8, -84), (-10, -93), (0, -99), (10, -93), (8, -84), (5, -92), (-5, -92)]),
        oval(-3, -101, 5.4),
    )
    long = s.uniform(-30, -22)
    sleeves = [
        polygon(
            [(f * 8, -74), (f * 33, -62), (f * 37, long - 6), (f * 34, long), (f * 22, long), (f * 15, -54)]
        )
        for f in (-1, 1)
    ]
    robe = curve([(-9, -75), (9, -75), (16, -66), (13, -50), (14, -26), (13, -4), (13, -4), (-13, -4),
        (-13, -4),
                  (-14, -26), (-13, -50), (-16, -66)])  # fmt: skip
    pen.put("main", robe, *sleeves)
    for f in (-1, 1):
        pen.put("second", polygon([(f * 37, long - 6), (f * 34, long), (f * 22, long), (f * 20, long - 9)]))
    pen.put("bright", polygon([(-8, -75), (-4, -77), (2, -62), (8, -76), (10, -74), (3, -57), (-1, -57)]))
    pen.put("accent", box(-14, -60, 28, 13))
    pen.put("bright", box(-14, -55, 28, 3))
    pen.line([(4, -46), (-3, -24), (-4, -5)], "second", 2)
    if s.chance(0.4):
        pen.shifted(6, 0).line([(24, -30), (24, -92)], pen.deep, 1.8)
        pen.put("accent", polygon([(-4, -92), (30, -114), (64, -92)]))


def sari(s: Scene, pen: Pen) -> None:
    pen.put("second", tube((14, -68, 4), (20, -54, 3.6), (13, -44, 3.4)))
    head(pen)
    pen.put(pen.deep, curve([(8, -86), (8, -95), (0, -99), (-9, -95), (-12, -84), (-14, -80), (-7, -80),
        (-4, -90)]),
            oval(-11, -85, 6))  # fmt: skip
    pen.put("bright", curve([(-9, -74), (9, -74), (16, -69), (18, -60), (11, -54), (-11, -54), (-17, -62)]))
    flare = s.uniform(20, 26)
    skirt = curve([(-11, -56), (11, -56), (14, -46), (16, -24), (flare, -2), (flare, -2), (0, 0),
        (-flare, -2),
                   (-flare, -2), (-16, -24), (-14, -46)])  # fmt: skip
    drape = curve([(-15, -74), (-6, -77), (4, -62), (14, -46), (12, -38), (0, -44), (-14, -58)])
    fall = polygon([(-16, -73), (-7, -75), (-10, -44), (-20, -12), (-33, -16), (-24, -50)])
    pen.put("accent", fall)
    pen.put("main", skirt, drape)
    pen.put("accent", cut(skirt, box(-50, -9, 100, 10)))
    pen.line([(-8, -76), (3, -61), (13, -45)], "accent", 3)
    for x in (2.0, 7.0):
        pen.line([(x * 0.6, -40), (x, -11)], "second", 1.6)


def poncho(s: Scene, pen: Pen) -> None:
    for x in (-7.0, 7.0):
        pen.put(pen.deep, tube((x, -36, 6), (x, -14, 5), (x, -4, 5)), tube((x, -3, 3.4), (x + 6, -2.6, 3)))
    head(pen)
    wide, hem = s.uniform(29, 36), s.uniform(-36, -30)
    for f in (-1, 1):
        pen.put("second", oval(f * (wide - 3), hem - 7, 4.4))
    cloak = polygon(
        [(-7, -76), (7, -76), (19, -69), (wide, hem - 8), (0, hem + 12), (-wide, hem - 8), (-19, -69)]
    )
    pen.put("main", cloak)
    zig = [(-40.0 + 8 * i, (0, 6)[i % 2]) for i in range(11)]
    for rise, role in ((20.0, "accent"), (8.0, "bright")):
        y = hem - rise
        band = polygon([*((x, y + z) for x, z in zig), *((x, y + z + 5) for x, z in zig[::-1])])
        pen.put(role, cut(band, cloak))
    pen.put("second", polygon([(-7, -76), (7, -76), (0, -64)]))
    brim = s.uniform(16, 24)
    pen.put("accent", oval(0, -92, brim, 3.6))
    pen.put("accent", curve([(-9, -92), (-7, -104), (0, -107), (7, -104), (9, -92)]))
    pen.put(pen.deep, box(-9, -96, 18, 3))


def boubou(s: Scene, pen: Pen) -> None:
    for x in (-6.0, 6.0):
        pen.put(pen.deep, oval(x + 2, -3, 6, 3))
    head(pen)
    wide = s.uniform(34, 40)
    for f in (-1, 1):
        pen.put("second", oval(f * (wide - 1), -40, 4.6))
    robe = curve([(-7, -77), (7, -77), (20, -72), (wide, -46), (wide, -46), (wide + 1, -30),
        (wide - 4, -28), (24, -40),
                  (24, -6), (24, -6), (0, -4), (-24, -6), (-24, -6), (-24, -40), (4 - wide, -28),
                  (-wide - 1, -30),
                  (-wide, -46), (-wide, -46), (-20, -72)])  # fmt: skip
    pen.put("main", robe)
    for f in (-1, 1):
        pen.line([(f * 17, -58), (f * 19, -34), (f * 18, -8)], "second", 1.8)
    yoke = curve([(-8, -77), (8, -77), (10, -66), (8, -46), (0, -40), (-8, -46), (-10, -66)])
    pen.put("accent", less(yoke, curve([(-5, -78), (5, -78), (3, -68), (0, -58), (-3, -68)])))
    pen.put("bright", oval(0, -50, 2.6), detail=True)
    pen.put("accent", cut(robe, box(-50, -12, 100, 4)))
    if s.chance(0.5):
        pen.put("accent", box(-8, -101, 16, 10))
    else:
        pen.put(
            "accent", curve([(-9, -90), (-15, -102), (-4, -110), (10, -107), (14, -98), (9, -90), (0, -93)])
        )
        pen.line([(-9, -93), (0, -97), (10, -94)], "bright", 2)


DRAW: dict[str, Callable[[Scene, str, int, str], None]] = {"person": person}
