"""Which image encoder a name means: presets that say the same name share tastes, and an adapter was trained
with one encoder and no other."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import (
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    SiglipVisionConfig,
    SiglipVisionModel,
)

from app.errors import OperatorError
from app.presets import Preset

ENCODERS = {
    "clip": CLIPVisionModelWithProjection,
    "clip_vision_model": CLIPVisionModelWithProjection,
    "siglip": SiglipVisionModel,
    "siglip_vision_model": SiglipVisionModel,
}


@dataclass(frozen=True)
class Tower:
    """How an image encoder is built: enough to tell apart those that give embeddings of one width. `side` is
    of the images it sees, in pixels."""

    layers: int
    hidden: int
    patch: int
    side: int

    def __str__(self) -> str:
        return (
            f"{self.layers} layers of {self.hidden} numbers on images of {self.side} pixels, in patches of "
            f"{self.patch}"
        )


@dataclass(frozen=True)
class Known:
    """An encoder that shipped presets name, and where it comes from."""

    tower: Tower
    source: str


KNOWN = {
    "clip-vit-h-14-laion2b": Known(Tower(32, 1280, 14, 224), "models/image_encoder of h94/IP-Adapter"),
    "clip-vit-bigg-14-laion2b": Known(
        Tower(48, 1664, 14, 224), "sdxl_models/image_encoder of h94/IP-Adapter"
    ),
    "clip-vit-l-14-openai": Known(Tower(24, 1024, 14, 224), "openai/clip-vit-large-patch14"),
    "siglip-so400m-14-384": Known(Tower(27, 1152, 14, 384), "google/siglip-so400m-patch14-384"),
}


def encoder_class(preset: Preset) -> Any:
    """The class of the image encoder in a preset's folder.

    Raises OperatorError where it is none that can be used, or another than the preset names. Two encoders
    whose embeddings have one width would load and paint, and every taste would mean something else.
    """
    folder = preset.folder / "image_encoder"
    kind = json.loads((folder / "config.json").read_text("utf-8")).get("model_type")
    if kind not in ENCODERS:
        raise OperatorError(
            f"{folder} holds an encoder of type {kind}, and {preset.name} can use: {', '.join(ENCODERS)}. "
            "Put the encoder there that the adapter was trained with."
        )
    known = KNOWN.get(preset.encoder)
    if known is not None:
        found = _tower(folder, ENCODERS[kind].config_class)
        if found != known.tower:
            raise OperatorError(
                f"{preset.name} wants the image encoder {preset.encoder} ({known.tower}), and the one in "
                f"{folder} has {found}. Put {known.source} there, or give `encoder` of the preset a name of "
                "its own."
            )
    return ENCODERS[kind]


def _tower(folder: Path, kind: type[CLIPVisionConfig | SiglipVisionConfig]) -> Tower:
    # A configuration of both halves of a CLIP, too, is read as that of its vision half.
    config = kind.from_pretrained(str(folder), local_files_only=True)
    return Tower(config.num_hidden_layers, config.hidden_size, config.patch_size, config.image_size)
