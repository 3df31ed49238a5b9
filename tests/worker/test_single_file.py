"""A checkpoint in a single file, configured like its base."""

from pathlib import Path

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
    for part in ("unet", "vae", "text_encoder"):
        loaded = getattr(model._plain, part).state_dict()
        expected = getattr(other, part).state_dict()
        assert loaded.keys() == expected.keys()
        assert all(torch.equal(loaded[name], weight) for name, weight in expected.items())
    shot = Shot("a lighthouse", "", (1,), families.SIZE, families.SIZE, base.steps, base.guidance)
    assert [picture.size for picture in model.render(shot)] == [(families.SIZE, families.SIZE)]
