"""Weather and season: what falls, drifts and lies over a whole scene, whatever it shows."""

from __future__ import annotations

from collections.abc import Callable

from starter.backdrop import spots
from starter.scene import BLEED, Point, Scene, around, smooth

LOW, HIGH = BLEED
MIDDLE = (22.0, 106.0, 26.0, 98.0)  # left, right, top and bottom of where the subject stands


def season(scene: Scene, name: str, level: int) -> None:
    """Blossom in spring, tall flowers and butterflies in summer, leaves in autumn, snow in winter."""
    if name in SEASONS:
        SEASONS[name](scene, level)


def weather(scene: Scene, name: str, level: int) -> None:
    """Rain, snow or fog over the scene."""
    if name in WEATHERS:
        WEATHERS[name](scene, level)


def around_subject(x: float, y: float) -> bool:
    left, right, top, bottom = MIDDLE
    return not (left < x < right and top < y < bottom)


def spring(scene: Scene, level: int) -> None:
    base = scene.uniform(116, 120)
    scene.add(smooth(wavy_ground(scene, base, 2.5)), "second")
    for number, (x, y) in enumerate(spots(scene, 190, base, base + 50)):
        blossom(scene, x, max(y, base + 1) - scene.uniform(2, 6), scene.uniform(3.2, 4.6), number)
    for x, y in spots(scene, 22 + 8 * level, LOW, base - 4):
        if around_subject(x, y) or scene.chance(0.4):
            petal(scene, x, y, scene.uniform(2.6, 3.8), scene.uniform(0, 1))


def wavy_ground(scene: Scene, base: float, swell: float) -> list[Point]:
    edge = [(float(x), base + scene.uniform(-swell, swell)) for x in range(int(LOW) - 20, int(HIGH) + 40, 18)]
    return [*edge, (HIGH + 40, HIGH + 40), (LOW - 40, HIGH + 40)]


def blossom(scene: Scene, x: float, y: float, r: float, number: int) -> None:
    scene.line([(x, y), (x, y + 7)], "near", 1.2, detail=True)
    for step in range(5):
        px, py = around(x, y, r * 0.62, step / 5 + 0.05 * number)
        scene.circle(px, py, r * 0.46, ("accent", "bright")[number % 2], detail=True)
    scene.circle(x, y, r * 0.34, ("bright", "accent")[number % 2], detail=True)


def petal(scene: Scene, x: float, y: float, r: float, angle: float) -> None:
    """A drop with a notch in its round end, as of cherry blossom, light on one half."""
    for side, role in ((-1, "accent"), (1, "bright")):
        edge = [
            around(x, y, r * 1.1, angle),
            around(x, y, r * 1.15, angle + 0.1 * side),
            around(x, y, r, angle + 0.26 * side),
            around(x, y, r * 1.5, angle + 0.5),
        ]
        scene.polygon(edge, role, detail=True)


def summer(scene: Scene, level: int) -> None:
    """Tall grass and sunflowers in front, and butterflies."""
    for x, y in spots(scene, 520, 122, 140):
        blade(scene, x, y + 6, scene.uniform(13, 24))
    scene.rect(LOW, 132, HIGH - LOW, HIGH - 132, "near")
    for x in (-66, -40, -18, 6, 20, 110, 124, 146, 170, 194):
        sunflower(scene, x + scene.uniform(-4, 4), scene.uniform(82, 106), scene.uniform(7, 9.5))
    for x, y in spots(scene, 11 + 3 * level, 8, 112):
        if around_subject(x, y):
            butterfly(scene, x, y, scene.uniform(4.6, 6))


def sunflower(scene: Scene, x: float, y: float, r: float) -> None:
    scene.line([(x, y), (x + scene.uniform(-3, 3), y + 24), (x, 140)], "near", 2.2)
    for side in (-1, 1):
        leaf_y = y + r * (2.4 + 0.5 * side)
        edge = [(0.0, 0.0), (0.6, -0.7), (1.3, -0.4), (0.6, 0.1)]
        scene.blob([(x + side * r * dx, leaf_y + r * dy) for dx, dy in edge], "near", detail=True)
    scene.polygon([around(x, y, r * (1.0, 0.66)[step % 2], step / 22) for step in range(22)], "accent")
    scene.circle(x, y, r * 0.42, "dark", detail=True)


def blade(scene: Scene, x: float, y: float, h: float) -> None:
    lean = scene.uniform(-6, 6)
    edge = [(x - 1.6, y), (x + lean * 0.3, y - h * 0.6), (x + lean, y - h), (x + 1.6, y)]
    scene.polygon(edge, "near" if scene.chance(0.6) else "mid", detail=True)


def butterfly(scene: Scene, x: float, y: float, r: float) -> None:
    for side in (-1, 1):
        scene.ellipse(x + side * r * 0.6, y - r * 0.4, r * 0.58, r * 0.62, "accent", detail=True)
        scene.ellipse(x + side * r * 0.45, y + r * 0.4, r * 0.42, r * 0.42, "bright", detail=True)
    scene.line([(x, y - r * 0.8), (x, y + r * 0.8)], "dark", 1.5, detail=True)


def autumn(scene: Scene, level: int) -> None:
    """Leaves in the air and a drift of them along the foot."""
    base = scene.uniform(116, 120)
    for number, (x, y) in enumerate(spots(scene, 16 + 5 * level, LOW, base)):
        if around_subject(x, y) or scene.chance(0.3):
            leaf(scene, x, y, scene.uniform(4.2, 5.6), number)
    for number, (x, y) in enumerate(spots(scene, 150, base + 1, base + 60)):
        leaf(scene, x, y, scene.uniform(6, 7.5), number)


def leaf(scene: Scene, x: float, y: float, r: float, number: int) -> None:
    """A broad pointed leaf, or a lobed one, on a stalk."""
    turn = scene.uniform(0, 1)
    role = ("accent", "second", "accent", "mid")[number % 4]
    scene.line([(x, y), around(x, y, r * 1.55, turn + 0.5)], role, 1.3, detail=True)
    if number % 3:
        sides = [around(x, y, r * 0.95, turn + side) for side in (0.12, 0.27, 0.4)]
        others = [around(x, y, r * 0.95, turn - side) for side in (0.4, 0.27, 0.12)]
        scene.polygon([around(x, y, r * 1.45, turn), *sides, *others], role, detail=True)
    else:
        lobes = [(0.0, 1.4), (0.07, 0.55), (0.16, 1.2), (0.25, 0.5), (0.34, 1.0), (0.5, 0.5)]
        lobes += [(1 - angle, far) for angle, far in lobes[-2:0:-1]]
        scene.polygon([around(x, y, r * far, turn + angle) for angle, far in lobes], role, detail=True)


def winter(scene: Scene, level: int) -> None:
    """Snow lying over the foot, with bare twigs standing in it."""
    for x in (-60, -30, -4, 10, 118, 132, 158, 190):
        twig(scene, x + scene.uniform(-6, 6), scene.uniform(116, 122), scene.uniform(34, 50))
    base = scene.uniform(106, 110)
    drift = wavy_ground(scene, base, 4)
    scene.add(smooth([(x, y - 1.6) for x, y in drift]), "far")
    scene.add(smooth(drift), "bright")
    scene.add(smooth(wavy_ground(scene, base + 13, 3)), "far")
    scene.add(smooth(wavy_ground(scene, base + 15, 3)), "bright")


def twig(scene: Scene, x: float, y: float, h: float) -> None:
    lean = scene.uniform(-6, 6)
    scene.line([(x, y), (x + lean * 0.3, y - h * 0.5), (x + lean, y - h)], "dark", 1.9)
    for at in (0.35, 0.5, 0.65, 0.8):
        side = 1 if scene.chance(0.5) else -1
        px, py, arm = x + lean * at, y - h * at, h * (1.05 - at) * 0.6
        scene.line([(px, py), (px + side * arm, py - arm)], "dark", 1.4, detail=True)
        scene.line([(px + side * arm * 0.5, py - arm * 0.5), (px + side * arm * 0.4, py - arm * 1.1)], "dark",
                   1.2, detail=True)  # fmt: skip


def rain(scene: Scene, level: int) -> None:
    """Slanted streaks out of a bank of cloud, two tones of them so that they show before light and dark."""
    bank(scene, scene.uniform(4, 8))
    for number, (x, y) in enumerate(spots(scene, 58, 10, HIGH)):
        length = scene.uniform(8, 12)
        role = ("bright", "mid")[number % 2]
        scene.line([(x, y), (x - length * 0.34, y + length)], role, 1.5, detail=True)


def bank(scene: Scene, foot: float) -> None:
    """Rows of cloud with lumpy feet, the lowest at `foot`, up over the whole sky above it."""
    for row in range(4):
        y = foot - 24 * row
        points: list[Point] = [(HIGH + 40, LOW - 40), (LOW - 40, LOW - 40)]
        x = LOW - scene.uniform(10, 30)
        while x < HIGH + 30:
            wide = scene.uniform(16, 26)
            points += [(x, y - 3), (x + wide * 0.2, y + 8 + scene.uniform(-2, 3)), (x + wide * 0.8, y + 8)]
            x += wide
        scene.add(smooth(points), ("mid", "far")[row % 2])


def snow(scene: Scene, level: int) -> None:
    """Round flakes, each on a slightly larger darker one so that it shows before a light sky too."""
    for x, y in spots(scene, 46, LOW, HIGH):
        r = scene.uniform(1.5, 2.6)
        scene.circle(x, y, r + 0.7, "far", detail=True)
        scene.circle(x, y, r, "bright", detail=True)


def fog(scene: Scene, level: int) -> None:
    """Bands of mist with rounded ends across the lower two thirds, with gaps between them."""
    for y in (54.0, 77.0, 99.0, 120.0, 144.0, 168.0, 192.0):
        x = LOW - scene.uniform(0, 50)
        while x < HIGH:
            length = scene.uniform(70, 120)
            mist(scene, x, y + scene.uniform(-3, 3), length, scene.uniform(6, 8))
            x += length + scene.uniform(10, 26)


def mist(scene: Scene, x: float, y: float, length: float, high: float) -> None:
    """A long band, pointed round at its ends and wavy along its edges, and a thin one beside it."""
    steps = 5
    sway = [scene.uniform(-1.6, 1.6) for _ in range(steps)]
    xs = [x + length * (0.08 + 0.84 * step / (steps - 1)) for step in range(steps)]
    top = [(px, y - high * 0.55 + dy) for px, dy in zip(xs, sway, strict=True)]
    foot = [(px, y + high * 0.55 + dy) for px, dy in zip(xs, sway, strict=True)]
    scene.blob([(x, y), *top, (x + length, y), *foot[::-1]], "cloud")
    start, half = x + length * scene.uniform(0.3, 0.6), length * 0.3
    thin = [(0.0, high), (half, high * 0.75), (2 * half, high), (half, high * 1.25)]
    scene.blob([(start + dx, y + dy) for dx, dy in thin], "cloud")


SEASONS: dict[str, Callable[[Scene, int], None]] = {
    "spring": spring, "summer": summer, "autumn": autumn, "winter": winter,
}  # fmt: skip
WEATHERS: dict[str, Callable[[Scene, int], None]] = {"rain": rain, "snow": snow, "fog": fog}
