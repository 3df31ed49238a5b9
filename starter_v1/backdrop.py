"""What stands around a subject: sun or moon, clouds, stars, birds, ground. Density decides how much."""

from __future__ import annotations

from starter_v1.scene import SIZE, Scene, ridge, smooth

LEVEL = {"sparse": 0, "balanced": 1, "busy": 2}


def orb(scene: Scene, light: str, level: int, *, x: tuple[float, float] = (18, 110)) -> None:
    """A high sun by day, a large low one at dusk, a moon by night; sparse days have none."""
    if level == 0 and light == "day":
        return
    if light == "dusk":
        scene.circle(scene.uniform(*x), scene.uniform(62, 76), scene.uniform(17, 24), "orb")
        return
    scene.circle(scene.uniform(*x), scene.uniform(16, 32), scene.uniform(8, 13), "orb")


def cloud(scene: Scene, x: float, y: float, size: float) -> None:
    wide, high = 1.7 * size, 0.75 * size
    lump = scene.uniform(-0.3, 0.3)
    top = [
        (-1, 0.2),
        (-0.95, -0.5),
        (-0.5, -0.5),
        (lump - 0.25, -1.3),
        (lump + 0.35, -1.2),
        (0.6, -0.6),
        (1.0, -0.5),
        (1.05, 0.3),
    ]
    scene.add(
        smooth([(x + wide * dx, y + high * dy) for dx, dy in [*top, (0.6, 0.45), (-0.6, 0.45)]]), "cloud"
    )


def sky(scene: Scene, light: str, level: int, *, low: float = 46) -> None:
    """Clouds, and for busy pictures birds by day and stars by night, above the height `low`."""
    if light == "night":
        for _ in (0, 9, 34)[level] * [0]:
            x, y = scene.uniform(2, 126), scene.uniform(2, low + 18)
            scene.circle(x, y, scene.uniform(0.8, 2.1), "bright", detail=True)
        return
    for _ in (0, 2, 4)[level] * [0]:
        cloud(scene, scene.uniform(4, 124), scene.uniform(10, low), scene.uniform(6, 11))
    for _ in (0, 0, 6)[level] * [0]:
        x, y, r = scene.uniform(8, 120), scene.uniform(8, low), scene.uniform(3, 5.5)
        scene.line([(x - r, y - r * 0.5), (x - r * 0.4, y - r * 0.7), (x, y), (x + r * 0.4, y - r * 0.7),
                    (x + r, y - r * 0.5)], "dark", 1.4, detail=True)  # fmt: skip


def hills(scene: Scene, level: int, base: float) -> None:
    """Rolling ground from `base` down; busier pictures have more ridges behind it."""
    for step in range(level):
        scene.polygon(ridge(scene.rng, base + 4 - 7 * (level - 1 - step), 24), ("far", "mid")[step])
    edge = [(x, base + scene.uniform(-3, 3)) for x in (-30.0, 20.0, 64.0, 108.0, 158.0)]
    scene.add(smooth([*edge, (170.0, 170.0), (-40.0, 170.0)]), "near")


def meadow(scene: Scene, level: int, base: float) -> None:
    """Tufts and blossoms on the ground below `base`."""
    for _ in (0, 5, 26)[level] * [0]:
        x, y = scene.uniform(2, 126), scene.uniform(base + 5, SIZE - 3)
        if scene.uniform(0, 1) < 0.5:
            scene.circle(x, y, scene.uniform(1.4, 2.6), "bright", detail=True)
        else:
            h = scene.uniform(4, 8)
            scene.line([(x - 2, y - h), (x, y), (x + 2, y - h)], "mid", 1.5, detail=True)


def waves(scene: Scene, level: int, top: float) -> None:
    """The sea from `top` down, in bands with scalloped edges."""
    bands = (2, 4, 6)[level]
    for band in range(bands):
        y = top + (SIZE - top) * band / bands
        step = scene.uniform(9, 15) * (1 + band / bands)
        shift = scene.uniform(0, step)
        height = 0.0 if band == 0 else 1.6 + band * 0.7
        points = []
        x = -step * 2 + shift
        while x < SIZE + 3 * step:
            points += [(x, y + height), (x + step / 2, y - height)]
            x += step
        role = ("far", "mid", "near")[min(2, band * 3 // bands)]
        scene.add(smooth([*points, (SIZE + 60.0, 190.0), (-60.0, 190.0)]), role)
    for _ in (0, 3, 12)[level] * [0]:
        x, y = scene.uniform(4, 112), scene.uniform(top + 8, 124)
        scene.line([(x, y), (x + scene.uniform(5, 14), y)], "bright", 1.3, detail=True)
