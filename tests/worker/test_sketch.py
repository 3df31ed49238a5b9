"""Sketches: previews that cost nothing, of the right size and roughly the right colours."""

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_torch
from torch.nn import functional as F

from app.config import REPOSITORY
from starter import latents, restore, sketch
from starter import vae as compressor
from starter.attributes import Attributes
from starter.draw import draw
from tests.worker import tiny
from worker.sketch import Sketch, fitted, network


def test_a_sketch_of_any_model_has_the_shape_of_its_image() -> None:
    vae = tiny.autoencoder()
    (wide,) = fitted(vae, vae.device)(torch.randn(1, vae.config.latent_channels, 8, 16))
    assert wide.size == (128, 64)


def test_a_fitted_sketch_is_nearest_to_the_colours_of_its_image() -> None:
    vae = AutoencoderKL.from_pretrained(REPOSITORY / "starter_v1" / "weights" / "vae", dtype=torch.float32)
    sketched = fitted(vae, vae.device)
    colours = torch.tensor([[0.8, -0.6, -0.6], [-0.6, -0.4, 0.8], [0.9, 0.9, 0.9], [-0.9, -0.9, -0.9]])
    with torch.inference_mode():
        x = vae.encode(colours[:, :, None, None].expand(4, 3, 128, 128)).latent_dist.mean
    seen = np.stack([np.asarray(image).mean((0, 1)) / 127.5 - 1 for image in sketched(x)])
    away = np.abs(seen[:, None] - colours.numpy()[None]).mean(-1)
    assert away.argmin(1).tolist() == [0, 1, 2, 3]
    assert away.diagonal().max() < 0.3


def test_sketches_by_a_network_have_the_colours_of_the_image() -> None:
    vae = compressor.build().eval()
    vae.load_state_dict(restore.floats(restore.UNFINISHED / restore.COMPRESSOR))
    known = load_file(restore.UNFINISHED / latents.FILE)
    looks = [("flat", "crimson", "night"), ("oil", "ice", "day"), ("line", "forest", "dusk")]
    wanted = [Attributes("balloon", *look, "sparse") for look in looks]
    x = torch.from_numpy(np.stack([latents.latents(a, 5, draw(a, 5), known) for a in wanted]))
    sketches = Sketch(network(load_torch(restore.UNFINISHED / sketch.FILE)))(x)
    with torch.inference_mode():
        images = vae.decode(x).sample / 2 + 0.5
    for image, seen in zip(images, sketches, strict=True):
        means = F.avg_pool2d(image, 64).numpy().transpose(1, 2, 0)
        found = np.asarray(seen.resize((4, 4), Image.Resampling.BOX)) / 255
        assert np.abs(found - means).mean() < 0.1
