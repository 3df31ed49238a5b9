"""Previews for next to nothing: the colours of each place, told from its latents alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.nn import functional as F

from app.errors import CorruptFile
from app.presets import Preset

PATCHES = 8  # images that the map is fitted on
SIDE = 8  # places along a side of each
SHOWN = 128  # pixels along the longer side of a sketch

Colours = Callable[[torch.Tensor], torch.Tensor]


class Sketch:
    """Latents (n, c, h, w) as blurred images, without the decoder.

    `colours` takes them to colours (n, 3 k^2, h, w) in about [-1, 1]: of k by k parts of each place, in the
    order of pixel_shuffle.
    """

    def __init__(self, colours: Colours) -> None:
        self._colours = colours

    def __call__(self, latents: torch.Tensor) -> list[Image.Image]:
        told = self._colours(latents.float().cpu())
        told = F.pixel_shuffle(told, round((told.shape[1] / 3) ** 0.5)).movedim(1, -1)
        pixels = ((told / 2 + 0.5).clamp(0, 1) * 255).round().byte().numpy()
        h, w = pixels.shape[1:3]
        scale = SHOWN / max(h, w)
        size = (round(w * scale), round(h * scale))
        return [Image.fromarray(p).resize(size, Image.Resampling.BICUBIC) for p in pixels]


def read_sketch(preset: Preset, pipeline: Any) -> Sketch:
    """The sketch that a preset names, or one fitted to the pipeline's encoder. Raises OperatorError."""
    vae = pipeline.vae
    if preset.sketch is None:
        return fitted(vae, pipeline._execution_device)
    path = preset.folder / preset.sketch
    try:
        layers = {name: value.float() for name, value in load_file(path).items()}
        sketch = Sketch(network(layers))
        sketch(torch.zeros(1, vae.config.latent_channels, 2, 2))
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise CorruptFile(f"{path} cannot be used ({error!r}). Restore it with {preset.name}.") from error
    return sketch


def network(layers: dict[str, torch.Tensor]) -> Colours:
    """Two layers that look at one place at a time: `first.weight` (hidden, c), `first.bias`, `second.weight`
    (3 k^2, hidden) and `second.bias`, with SiLU between."""

    def colours(latents: torch.Tensor) -> torch.Tensor:
        x = latents.movedim(1, -1)
        x = F.silu(F.linear(x, layers["first.weight"], layers["first.bias"]))
        return F.linear(x, layers["second.weight"], layers["second.bias"]).movedim(-1, 1)

    return colours


def fitted(vae: Any, device: torch.device) -> Sketch:
    """A linear map, fitted by least squares on what the encoder makes of smooth patches of colour.

    It fits autoencoders whose latents are a smaller image, as those of Stable Diffusion and Flux are.
    """
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand((PATCHES, 3, 3, 3), generator=generator) * 2 - 1
    colours = F.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear", align_corners=True)
    factor = 2 ** (len(vae.config.block_out_channels) - 1)
    patches = F.interpolate(colours, scale_factor=factor, mode="bilinear").to(device, vae.dtype)
    with torch.inference_mode():
        means = vae.encode(patches).latent_dist.mean
    latents = (means - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor
    found = np.linalg.lstsq(_rows(latents), _places(colours), rcond=None)[0]
    mapped = torch.from_numpy(found.astype(np.float32))
    return Sketch(lambda z: torch.einsum("nchw,cd->ndhw", z, mapped[:-1]) + mapped[-1][:, None, None])


def _rows(latents: torch.Tensor) -> NDArray[np.float64]:
    """(n * h * w, c + 1): every place's channels, and one."""
    places = _places(latents)
    return np.asarray(np.c_[places, np.ones(len(places))])


def _places(maps: torch.Tensor) -> NDArray[np.float64]:
    flat = maps.movedim(1, -1).flatten(0, 2)
    return np.asarray(flat.double().cpu().numpy())
