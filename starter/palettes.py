"""Named palettes, and which tone each part of a scene takes under each light."""

from __future__ import annotations

import numpy as np

# Each ramp runs from dark to light; the last colour is the accent, outside the ramp.
RAMPS: dict[str, tuple[str, ...]] = {
    "sunset": ("#24103e", "#6c1f6c", "#d2386c", "#ff7a4d", "#ffae90", "#ffe6d4", "#ffd23f"),
    "ocean": ("#031d3a", "#084a78", "#0f7fae", "#2fb3cd", "#90dde6", "#eafbfb", "#14e3cf"),
    "forest": ("#07170d", "#133c25", "#296a3e", "#57995a", "#a9cf98", "#f0f6df", "#e6b03a"),
    "pastel": ("#7b6fa8", "#a796cf", "#e0a6cf", "#f8bec4", "#c6ecdc", "#fffbe9", "#ffe08a"),
    "sepia": ("#1e150c", "#463420", "#75593b", "#a68861", "#d4bc95", "#f2e7d0", "#8c4d26"),
    "mono": ("#0c0c0c", "#333333", "#636363", "#969696", "#c9c9c9", "#f7f7f7", "#ffffff"),
    "candy": ("#45063f", "#93107c", "#ea2c95", "#ff78bb", "#72dff5", "#e9fcff", "#fff04a"),
    "crimson": ("#170306", "#5c0612", "#a90c20", "#e2283b", "#f6bcb4", "#fff6f2", "#ff3b2f"),
    "royal": ("#08093a", "#171d86", "#3136c4", "#7d79d8", "#dfb63e", "#fbedb8", "#ffc928"),
    "tropical": ("#06403f", "#0b807a", "#16b99c", "#ff7f5c", "#ffd166", "#fdf6dc", "#ff5473"),
    "violet": ("#1d0a36", "#47197d", "#7b3ec6", "#a97de8", "#d5bbf7", "#f6efff", "#c8f23c"),
    "lime": ("#0a0b04", "#2b3507", "#6d8b00", "#a8d900", "#d6ff2c", "#f6ffbe", "#ff3fa4"),
    "terracotta": ("#2d120b", "#6d2613", "#a8431f", "#d0703e", "#e2a274", "#f6dcc0", "#12b5b0"),
    "ice": ("#15305c", "#5c91c4", "#a1cae8", "#c9e3f4", "#e4f2fb", "#ffffff", "#0d2f7a"),
    "autumn": ("#25280f", "#74202a", "#bf521b", "#da981f", "#eecb63", "#faefca", "#808c1f"),
    "rainbow": ("#10127a", "#7a12a8", "#e8203c", "#ff8a14", "#ffe02e", "#ffffff", "#12b84a"),
}

# Position on the ramp (0 dark, 1 light) of each role. By day the sky is light and the subject dark; at dusk
# the sky runs from dark above to light below and all before it is dark; by night the subject is light.
TONES: dict[str, dict[str, float]] = {
    "day": {"sky_top": 0.84, "sky_low": 0.98, "orb": 0.70, "cloud": 1.0, "far": 0.68, "mid": 0.54,
            "near": 0.36, "main": 0.20, "second": 0.44, "bright": 0.94, "dark": 0.03},
    "dusk": {"sky_top": 0.20, "sky_low": 0.80, "orb": 0.96, "cloud": 0.62, "far": 0.40, "mid": 0.26,
             "near": 0.13, "main": 0.05, "second": 0.21, "bright": 0.86, "dark": 0.0},
    "night": {"sky_top": 0.0, "sky_low": 0.12, "orb": 0.98, "cloud": 0.40, "far": 0.22, "mid": 0.30,
              "near": 0.18, "main": 0.66, "second": 0.46, "bright": 0.98, "dark": 0.02},
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
