"""Previews for next to nothing: a linear map from a latent's channels to the colour of its place."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

PATCHES = 16  # images that the map is fitted on; some channels are the same all over each
SIDE = 8  # places along a side of each
SHOWN = 128  # pixels along the longer side of a sketch
# Places along its longer side: what large models' latents would show more of has not been looked at by the
# safety classifier, which costs more than a sketch may.
COARSE = 32


class Sketch:
    """Latents (n, c, h, w) as blurred images, without the decoder.

    The map is fitted by least squares when the model loads, on what its encoder makes of smooth patches of
    colour, so it fits any autoencoder that has an encoder.
    """

    def __init__(self, vae: Any, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(0)
        coarse = torch.rand((PATCHES, 3, 3, 3), generator=generator) * 2 - 1
        colours = F.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear", align_corners=True)
        factor = 2 ** (len(vae.config.block_out_channels) - 1)
        patches = F.interpolate(colours, scale_factor=factor, mode="bilinear").to(device, vae.dtype)
        with torch.inference_mode():
            means = vae.encode(patches).latent_dist.mean
        latents = (means - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor
        self._map = np.linalg.lstsq(_rows(latents), _places(colours), rcond=None)[0]

    def __call__(self, latents: torch.Tensor) -> list[Image.Image]:
        scale = min(1.0, COARSE / max(latents.shape[2:]))
        h, w = (max(1, round(side * scale)) for side in latents.shape[2:])
        latents = F.interpolate(latents.float(), size=(h, w), mode="area")
        n = len(latents)
        colours = (_rows(latents) @ self._map).reshape(n, h, w, 3)
        pixels = (np.clip(colours / 2 + 0.5, 0, 1) * 255).round().astype(np.uint8)
        scale = SHOWN / max(h, w)
        size = (round(w * scale), round(h * scale))
        return [Image.fromarray(p).resize(size, Image.Resampling.BICUBIC) for p in pixels]


def _rows(latents: torch.Tensor) -> NDArray[np.float64]:
    """(n * h * w, c + 1): every place's channels, and one."""
    places = _places(latents)
    return np.asarray(np.c_[places, np.ones(len(places))])


def _places(maps: torch.Tensor) -> NDArray[np.float64]:
    flat = maps.movedim(1, -1).flatten(0, 2)
    return np.asarray(flat.float().cpu().double().numpy())  # Apple's devices have no double precision
