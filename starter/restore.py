"""Takes training up again from the committed weights, on a machine where `runs/` is empty.

The encoders are taken as they are, compressor and denoiser go on from where they were; half precision costs
them nothing that a few steps do not bring back.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file

from starter import alignment, export, latents, unet, vae
from starter.dataset import RUNS

PARTS = {
    "text": "text_encoder/model.safetensors",
    "vision": "image_encoder/model.safetensors",
}
COMPRESSOR = "vae/diffusion_pytorch_model.safetensors"
HEARS = "post_quant_conv.weight"
DENOISER = "unet/diffusion_pytorch_model.safetensors"


def floats(path: Path) -> dict[str, torch.Tensor]:
    return {name: value.float() for name, value in load_file(path).items()}


def build(folder: Path = export.WEIGHTS, runs: Path = RUNS) -> None:
    """Write to `runs` what the stages after the encoders need, and where the others go on from."""
    (runs / "tokenizer").mkdir(parents=True, exist_ok=True)
    for file in (folder / "tokenizer").iterdir():
        shutil.copy(file, runs / "tokenizer" / file.name)
    for name, path in PARTS.items():
        torch.save(floats(folder / path), runs / f"{name}.final.pt")
    maps = floats(folder / alignment.FILE)
    torch.save({f"{name}.weight": value for name, value in maps.items()}, runs / "aligner.final.pt")
    shutil.copy(folder / latents.FILE, runs / latents.FILE)
    compressor = floats(folder / COMPRESSOR)
    compressor[HEARS][:, vae.LIGHT] /= vae.HEARD
    for name in vae.HALVES:
        torch.save(compressor, runs / f"{name}.start.pt")
        torch.save(compressor, runs / f"{name}.final.pt")
    denoiser = joint(folder)
    for state in ("start", "final"):
        torch.save(denoiser, runs / f"unet.{state}.pt")


def joint(folder: Path) -> dict[str, torch.Tensor]:
    """The state of the denoiser with its adapter, as training holds it."""
    model = UNet2DConditionModel(**unet.CONFIG)
    model.load_state_dict(floats(folder / DENOISER))
    parts: dict[str, dict[str, torch.Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, value in floats(folder / Path(*export.ADAPTER)).items():
        part, name = key.split(".", 1)
        parts[part][name] = value
    model._load_ip_adapter_weights([parts], low_cpu_mem_usage=False)
    return dict(model.state_dict())
