"""How pictures look: each medium paints the same picture, given in pixels, in its own way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from starter.palettes import Colours
from starter.scene import Picture

Paint = Callable[[Picture, Colours, np.random.Generator], np.ndarray]
PAINT: dict[str, Paint] = {}
