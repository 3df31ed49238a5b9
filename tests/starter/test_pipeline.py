"""The committed model as a whole: diffusers loads it as any other, it paints what it is told, and at scale
0 it is the bare model, bit for bit."""

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from starter import evaluate, export, sampler, vision
from starter.pixels import to_images

PROMPT, SEED, STEPS = "a lighthouse at dusk", 1, 3


@pytest.fixture(scope="module")
def pipe() -> StableDiffusionPipeline:
    return export.load_pipeline()


def render(pipe: StableDiffusionPipeline, **more: Any) -> torch.Tensor:
    """(1, c, h, w) latents, which only the network and what it is told decide."""
    made = pipe(
        PROMPT, num_inference_steps=STEPS, guidance_scale=sampler.GUIDANCE, output_type="latent",
        generator=torch.Generator().manual_seed(SEED), **more,
    )  # fmt: skip
    latents: torch.Tensor = made.images
    return latents


def adapted(pipe: StableDiffusionPipeline, scale: float, embedding: float) -> torch.Tensor:
    pipe.set_ip_adapter_scale(scale)
    zero = torch.zeros(1, 1, vision.WIDTH)
    return render(pipe, ip_adapter_image_embeds=[torch.cat([zero, torch.full_like(zero, embedding)])])


@pytest.fixture(scope="module")
def base(pipe: StableDiffusionPipeline) -> torch.Tensor:
    return adapted(pipe, 0.0, 0.0)


def test_scale_zero_ignores_the_embedding_and_a_scale_does_not(
    pipe: StableDiffusionPipeline, base: torch.Tensor
) -> None:
    assert torch.equal(base, adapted(pipe, 0.0, 1.0))
    assert not torch.allclose(base, adapted(pipe, 1.0, 1.0), atol=0.01)


def test_the_bare_pipeline_renders_what_scale_zero_does(base: torch.Tensor) -> None:
    bare = StableDiffusionPipeline.from_pretrained(
        export.WEIGHTS, dtype=torch.float32, local_files_only=True, safety_checker=None
    )
    bare.set_progress_bar_config(disable=True)
    assert torch.equal(render(bare), base)


@torch.no_grad()
def test_the_batch_sampler_agrees_with_the_pipeline(
    pipe: StableDiffusionPipeline, base: torch.Tensor
) -> None:
    images = sampler.sample(pipe, [PROMPT], [SEED], steps=STEPS)
    assert images.shape == (1, 256, 256, 3)
    decoded = to_images(pipe.vae.decode(base / pipe.vae.config.scaling_factor).sample)
    assert np.abs(images.astype(int) - decoded.astype(int)).max() < 0.02 * 255


def test_it_paints_the_subject_and_the_medium_it_is_asked_for(pipe: StableDiffusionPipeline) -> None:
    setting = evaluate.Setting(pipe, export.WEIGHTS, sampler.STEPS, sampler.GUIDANCE)
    told, images = evaluate.words(setting, 16)
    assert images.shape == (16, 256, 256, 3)
    seen = told["seen"]
    assert min(seen["subject"], seen["medium"]) >= 0.5
    assert min(seen["palette"], seen["light"]) >= 0.6
