"""Ten named palettes, and which tone each part of a scene takes under each light."""

from __future__ import annotations

import numpy as np

# Each ramp runs from dark to light; the last colour is the accent, outside the ramp.
RAMPS: dict[str, tuple[str, ...]] = {
    "sunset": ("#241035", "#6b2160", "#c8385a", "#f47c48", "#fcc15e", "#fff0c2", "#ffd23f"),
    "ocean": ("#04182e", "#0a3d62", "#11719a", "#2fa9bd", "#8fdcd8", "#e8fbf7", "#58f0e0"),
    "forest": ("#0d1f14", "#1e4427", "#3d7536", "#7fa648", "#c3d37c", "#f4f3d2", "#e2b93b"),
    "pastel": ("#6d6590", "#9b8fc0", "#c9a9d6", "#f3b9c9", "#fbd9c8", "#fff6ee", "#a9dccb"),
    "sepia": ("#22140b", "#4e2f1a", "#825330", "#b88352", "#dcb988", "#f6e8cc", "#c9702f"),
    "mono": ("#0c0c0c", "#333333", "#636363", "#969696", "#c9c9c9", "#f7f7f7", "#ffffff"),
    "candy": ("#1f0942", "#5b15a0", "#b921b4", "#ff4fa3", "#62d6f5", "#e3fbff", "#ff2e88"),
    "crimson": ("#140507", "#4b0a12", "#98121f", "#d8313a", "#ee8d80", "#fdeee4", "#ff3b2f"),
    "royal": ("#070c2e", "#16236b", "#2c3fae", "#6a75c9", "#d9b64a", "#f9ecc0", "#ffc928"),
    "tropical": ("#06373d", "#0b7a75", "#16b39a", "#ff7f5c", "#ffd166", "#fdf6dc", "#ff5473"),
}

# Position on the ramp (0 dark, 1 light) of each role.
TONES: dict[str, dict[str, float]] = {
    "day": {"sky_top": 0.86, "sky_low": 0.98, "orb": 0.72, "cloud": 1.0, "far": 0.68, "mid": 0.52,
            "near": 0.34, "main": 0.22, "second": 0.46, "bright": 0.92, "dark": 0.04},
    "dusk": {"sky_top": 0.30, "sky_low": 0.76, "orb": 0.92, "cloud": 0.60, "far": 0.42, "mid": 0.26,
             "near": 0.12, "main": 0.07, "second": 0.20, "bright": 0.84, "dark": 0.0},
    "night": {"sky_top": 0.0, "sky_low": 0.14, "orb": 0.98, "cloud": 0.22, "far": 0.24, "mid": 0.34,
              "near": 0.20, "main": 0.62, "second": 0.46, "bright": 0.98, "dark": 0.02},
}  # fmt: skip


def ramp(palette: str) -> np.ndarray:
    """(7, 3) floats in [0, 1]: six tones from dark to light, then the accent."""
    return np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in RAMPS[palette]])


class Colours:
    """The colours of one picture: roles resolved through a palette and a light.

    `shift` moves every tone a little, so that pictures of one palette and light are not of one colour.
    """

    def __init__(self, palette: str, light: str, shift: float = 0.0) -> None:
        self.ramp = ramp(palette)
        self.tones = TONES[light]
        self.light = light
        self.shift = shift

    def tone(self, position: float) -> np.ndarray:
        """(3,) colour at a position on the ramp."""
        x = min(max(position, 0.0), 1.0) * 5
        low = min(int(x), 4)
        return np.asarray(self.ramp[low] * (low + 1 - x) + self.ramp[low + 1] * (x - low))

    def position(self, role: str) -> float:
        if role == "accent":
            return 0.8
        return min(max(self.tones[role] + self.shift, 0.0), 1.0)

    def role(self, role: str) -> np.ndarray:
        """(3,) colour of a role; the accent is its own colour, dimmed a little at dusk."""
        if role == "accent":
            return np.asarray(self.ramp[6])
        return self.tone(self.position(role))
