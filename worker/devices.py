"""How a model is computed on the device it is loaded to."""

from typing import Any

import torch

from app.presets import Preset


def pick_dtype(device: str, half: torch.dtype) -> torch.dtype:
    """Full precision on the CPU. Half of it elsewhere: bfloat16 where the card computes in it, for its range
    is that of full precision, and some decoders overflow in float16; else `half`, the family's."""
    if device == "cpu":
        return torch.float32
    if device.startswith("cuda") and torch.cuda.get_device_capability(device)[0] >= 8:
        return torch.bfloat16
    return half


def lay_out(pipeline: Any) -> None:
    """Keep images with their channels last in the parts that convolve: what graphics cards' kernels want."""
    for name in ("unet", "vae"):
        if hasattr(pipeline, name):
            getattr(pipeline, name).to(memory_format=torch.channels_last)


def decode_in_parts(pipeline: Any, preset: Preset) -> None:
    """Let the decoder take images one by one, or tile by tile, where the preset says so."""
    if preset.decode != "whole":
        pipeline.vae.enable_slicing()
    if preset.decode == "tiled":
        pipeline.vae.enable_tiling()


def device_name(device: torch.device) -> str:
    """What a person calls it."""
    return str(torch.cuda.get_device_name(device) if device.type == "cuda" else device.type)
