"""Sketches: previews that cost nothing, of the right size and roughly the right colours."""

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from starter import export
from tests.worker import tiny
from worker.sketch import Sketch


def test_a_sketch_of_any_model_has_the_shape_of_its_image(tmp_path: Path) -> None:
    vae = tiny.autoencoder()
    (wide,) = Sketch(vae, vae.device)(torch.randn(1, vae.config.latent_channels, 8, 16))
    assert wide.size == (128, 64)


def test_a_sketch_of_large_latents_is_as_coarse_as_one_of_small_ones() -> None:
    vae = tiny.autoencoder()
    sketch = Sketch(vae, vae.device)
    small = torch.randn(1, vae.config.latent_channels, 16, 32).bfloat16()
    large = small.repeat_interleave(4, 2).repeat_interleave(4, 3)
    checkered = torch.ones_like(large)
    checkered[..., ::2, ::2] = checkered[..., 1::2, 1::2] = -1
    assert sketch(large)[0] == sketch(small)[0]
    assert sketch(checkered)[0] == sketch(torch.zeros_like(small))[0]


def test_the_starters_sketches_have_the_colours_of_the_image() -> None:
    vae = AutoencoderKL.from_pretrained(export.WEIGHTS / "vae", dtype=torch.float32)
    sketch = Sketch(vae, vae.device)
    colours = torch.tensor([[0.8, -0.6, -0.6], [-0.6, -0.4, 0.8], [0.9, 0.9, 0.9], [-0.9, -0.9, -0.9]])
    with torch.inference_mode():
        latents = vae.encode(colours[:, :, None, None].expand(4, 3, 128, 128)).latent_dist.mean
    for colour, image in zip(colours, sketch(latents), strict=True):
        seen = np.asarray(image).mean((0, 1)) / 127.5 - 1
        assert np.abs(seen - colour.numpy()).max() < 0.25
