"""Presets of models that a small hub or a folder holds, and what tests do with them."""

import json
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from app.cli.main import cli
from app.config import get_settings
from app.presets import MANIFEST, Preset, get_preset, load_presets
from app.weights import install
from app.weights.hub import Hub
from app.weights.manifest import Advance

PRESETS = """
[base]
title = "Base"
licence = "A licence"
encoder = "e"
sizes = [[64, 64]]
steps = 4
guidance = 4.0
preview = "small"
gated = "https://example.org/base"

[base.adapter]
file = "adapter.safetensors"

[[base.sources]]
repo = "somebody/model"
variant = "fp16"
files = ["model_index.json", "unet/*", "notes/*"]

[[base.sources]]
repo = "somebody/adapter"
revision = "2222222222222222222222222222222222222222"
into = {"models/adapter.safetensors" = "ip_adapter", "models/encoder/*" = "image_encoder"}

[[base.sources]]
repo = "somebody/small"
revision = "3333333333333333333333333333333333333333"
into = {"config.json" = "small", "diffusion_pytorch_model.safetensors" = "small"}

[light]
title = "Light"
licence = "Another licence"
base = "base"
loras = [{file = "lora.safetensors"}]

[[light.sources]]
repo = "somebody/lora"
files = ["lora.safetensors"]

[mine]
title = "Mine"
licence = "MIT"
folder = "mine"
encoder = "e"
sizes = [[64, 64]]
steps = 4
guidance = 4.0
"""


WANTED = {  # of the preset `base`, when it is installed
    MANIFEST,
    "model_index.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "ip_adapter/adapter.safetensors",
    "image_encoder/config.json",
    "image_encoder/model.safetensors",
    "small/config.json",
    "small/diffusion_pytorch_model.safetensors",
}


class Quiet:
    """Progress that nobody watches; it adds up the bytes."""

    def __init__(self) -> None:
        self.bytes = 0

    def part(self, name: str, size: int) -> Advance:
        return self._advance

    def _advance(self, count: int) -> None:
        self.bytes += count


def weights(seed: int, size: int = 40_000) -> bytes:
    """A safetensors file of four bytes a number."""
    return save_bytes({"weight": np.random.default_rng(seed).standard_normal(size).astype(np.float32)})


def save_bytes(tensors: dict[str, np.ndarray]) -> bytes:
    from_numpy = {name: (value.dtype, value.shape, value.tobytes()) for name, value in tensors.items()}
    header, at = {}, 0
    for name, (_, shape, data) in from_numpy.items():
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(data for _, _, data in from_numpy.values())


INDEX = json.dumps({"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]})


MODEL = {
    "model_index.json": INDEX.encode(),
    "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": weights(1),
    "unet/diffusion_pytorch_model.fp16.safetensors": weights(2, 20_000),
    "unet/diffusion_pytorch_model.bin": b"never taken",
    "notes/read.me": b"never taken",
    "vae/config.json": b"not named",
}


ADAPTER = {
    "models/adapter.safetensors": weights(3),
    "models/encoder/config.json": b"{}",
    "models/encoder/model.safetensors": weights(4),
    "models/encoder/pytorch_model.bin": b"never taken",
}


SMALL = {  # for previews
    "config.json": b"{}",
    "diffusion_pytorch_model.safetensors": weights(7, 100),
    "diffusion_pytorch_model.bin": b"never taken",
}


LORA = {"lora.safetensors": weights(5, 1_000_000)}


def forget() -> None:
    get_settings.cache_clear()
    load_presets.cache_clear()


def add(name: str) -> Quiet:
    hub, progress = Hub(), Quiet()
    try:
        install.add_from_hub(get_preset(name), hub=hub, progress=progress)
    finally:
        hub.close()
    return progress


def bring(folder: Path, name: str = "base") -> Preset:
    install.add_from_folder(get_preset(name), folder=folder, progress=Quiet())
    return get_preset(name)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def command(*arguments: str) -> str:
    """What a command prints; what it would say on failing is raised."""
    result = CliRunner().invoke(cli, ["models", *arguments], env={"COLUMNS": "160"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output
