"""Presets: what the product calls a model. Pipeline, image adapter, image encoder, and what they can do."""

from app.presets.files import SHIPPED, get_preset, installed, load_presets, read_presets, usable_preset
from app.presets.schema import (
    EXECUTABLE,
    MANIFEST,
    NATIVE,
    Adapter,
    BestOf,
    Lora,
    Preset,
    Scheduler,
    Size,
    Source,
)

__all__ = [
    "EXECUTABLE",
    "MANIFEST",
    "NATIVE",
    "SHIPPED",
    "Adapter",
    "BestOf",
    "Lora",
    "Preset",
    "Scheduler",
    "Size",
    "Source",
    "get_preset",
    "installed",
    "load_presets",
    "read_presets",
    "usable_preset",
]
