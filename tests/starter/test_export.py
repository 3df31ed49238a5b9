"""What training leaves is exported as a folder that diffusers loads as any other; at scale 0 it is the bare
model, bit for bit."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from starter import export, restore, sampler, text, vae, vision

PROMPT = "a lighthouse at dusk"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(2)
    runs = tmp_path_factory.mktemp("runs")
    restore.build(runs=runs)
    with pytest.MonkeyPatch.context() as patch:
        for module in (text, vae, vision, export):
            patch.setattr(module, "RUNS", runs)
        export.export(torch.load(runs / "unet.start.pt", weights_only=True), runs / "weights")
    return runs / "weights"


@pytest.fixture(scope="module")
def pipe(folder: Path) -> StableDiffusionPipeline:
    return export.load_pipeline(folder)


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


def test_the_bare_pipeline_renders_what_scale_zero_does(folder: Path, pipe: StableDiffusionPipeline) -> None:
    bare = StableDiffusionPipeline.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, safety_checker=None
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
