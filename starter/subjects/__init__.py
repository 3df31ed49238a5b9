"""What pictures show: each subject adds its scenery and itself to a scene.

A subject's function takes the scene, the light ("day", "dusk", "night"), the density's level (0 sparse, 1
balanced, 2 busy) and the form, one of `attributes.FORMS[subject]`.
"""

from __future__ import annotations

from collections.abc import Callable

from starter.scene import Scene
from starter.subjects import classic, living, people, things, winged

Draw = Callable[[Scene, str, int, str], None]
DRAW: dict[str, Draw] = {**classic.DRAW, **living.DRAW, **winged.DRAW, **things.DRAW, **people.DRAW}
