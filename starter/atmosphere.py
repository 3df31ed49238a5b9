"""Weather and season: what falls, drifts and lies over a whole scene, whatever it shows."""

from __future__ import annotations

from starter.scene import Scene


def season(scene: Scene, name: str, level: int) -> None:
    """Petals in spring, ..."""


def weather(scene: Scene, name: str, level: int) -> None:
    """Rain, snow or fog over the scene."""
