"""The committed model as a whole: diffusers loads it as any other, it paints what it is told, and at scale
0 it is the bare model, bit for bit."""

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from starter import evaluate, export, sampler, vision

PROMPT = "a lighthouse at dusk"


@pytest.fixture(scope="module")
def pipe() -> StableDiffusionPipeline:
    return export.load_pipeline()


def render(pipe: StableDiffusionPipeline, scale: float, embeds: torch.Tensor | None) -> np.ndarray:
    pipe.set_ip_adapter_scale(scale)
    zero = torch.zeros(1, 1, vision.WIDTH)
    wanted = zero if embeds is None else embeds.view(1, 1, -1)
    made = pipe(
        PROMPT, num_inference_steps=3, guidance_scale=sampler.GUIDANCE, output_type="np",
        ip_adapter_image_embeds=[torch.cat([zero, wanted])], generator=torch.Generator().manual_seed(1),
    )  # fmt: skip
    return np.asarray(made.images)


def test_scale_zero_ignores_the_embedding_and_a_scale_does_not(pipe: StableDiffusionPipeline) -> None:
    embedding = torch.full((vision.WIDTH,), 1.0)
    base = render(pipe, 0.0, None)
    assert base.shape == (1, 256, 256, 3)
    assert np.array_equal(base, render(pipe, 0.0, embedding))
    assert not np.allclose(base, render(pipe, 1.0, embedding), atol=0.01)


def test_the_bare_pipeline_renders_what_scale_zero_does(pipe: StableDiffusionPipeline) -> None:
    bare = StableDiffusionPipeline.from_pretrained(
        export.WEIGHTS, dtype=torch.float32, local_files_only=True, safety_checker=None
    )
    bare.set_progress_bar_config(disable=True)
    made = bare(
        PROMPT, num_inference_steps=3, guidance_scale=sampler.GUIDANCE, output_type="np",
        generator=torch.Generator().manual_seed(1),
    )  # fmt: skip
    assert np.array_equal(np.asarray(made.images), render(pipe, 0.0, None))


def test_the_batch_sampler_agrees_with_the_pipeline(pipe: StableDiffusionPipeline) -> None:
    images = sampler.sample(pipe, [PROMPT], [1], steps=3)
    assert np.abs(images[0] / 255.0 - render(pipe, 0.0, None)[0]).max() < 0.02


def test_it_paints_the_subject_and_the_medium_it_is_asked_for(pipe: StableDiffusionPipeline) -> None:
    setting = evaluate.Setting(pipe, export.WEIGHTS, sampler.STEPS, sampler.GUIDANCE)
    told, images = evaluate.words(setting, 16)
    assert images.shape == (16, 256, 256, 3)
    seen = told["seen"]
    assert min(seen["subject"], seen["medium"]) >= 0.5
    assert min(seen["palette"], seen["light"]) >= 0.6
