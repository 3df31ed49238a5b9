"""A checkpoint in a single file, configured like its base."""

from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

from tests.worker import families, single_file
from worker.pipelines import Shot, load


def test_a_checkpoint_paints_with_its_own_weights_and_its_bases_configuration(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    base = families.preset("sd15", families.build("sd15", tmp_path / "sd15"))
    other = StableDiffusionPipeline.from_pretrained(base.folder, local_files_only=True, image_encoder=None)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for part in (other.unet, other.vae, other.text_encoder):
            for weight in part.parameters():
                weight += 0.02 * torch.randn(weight.shape, generator=generator)
    single_file.write(other, tmp_path / "other.safetensors")
    model = load(base.model_copy(update={"checkpoint": tmp_path / "other.safetensors"}), device="cpu")
    (picture,) = model.render(
        Shot("a lighthouse", "", (1,), families.SIZE, families.SIZE, base.steps, base.guidance)
    )
    expected = other(
        prompt="a lighthouse",
        generator=[torch.Generator().manual_seed(1)],
        width=families.SIZE,
        height=families.SIZE,
        num_inference_steps=base.steps,
        guidance_scale=base.guidance,
    ).images[0]
    assert np.array_equal(np.asarray(picture), np.asarray(expected))
