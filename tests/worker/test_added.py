"""A model that `penchant models add --from` took is one that a worker can load."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderTiny, DiffusionPipeline

from app.errors import OperatorError
from app.presets import get_preset
from app.weights import install
from app.weights.manifest import Advance
from tests.worker import families, tiny
from tests.worker.conftest import forget
from worker.pipelines import Shot, load


class Quiet:
    """Progress that nobody watches."""

    def part(self, name: str, size: int) -> Advance:
        return lambda count: None


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of models."""
    monkeypatch.setenv("PENCHANT_MODELS", str(tmp_path / "models"))
    forget()
    yield tmp_path / "models"
    forget()


@pytest.mark.parametrize("name", ["sd15", "sdxl"])
def test_a_folder_of_half_precision_weights_loads_and_paints(name: str, tmp_path: Path, models: Path) -> None:
    """As `save_pretrained(variant="fp16")` and the hub name them, under the shipped preset's own patterns."""
    torch.set_num_threads(1)
    folder = families.build(name, tmp_path / "brought")
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        for path in (folder / part).glob("*.safetensors"):
            if part != "vae" or name != "sdxl":  # whose decoder is another repository's, in one precision
                path.rename(path.with_suffix(".fp16.safetensors"))
    with pytest.raises((OSError, ValueError)):
        DiffusionPipeline.from_pretrained(folder, local_files_only=True, image_encoder=None)
    install.add_from_folder(get_preset(name), folder=folder, progress=Quiet())
    added = get_preset(name)
    assert added.missing == ()
    assert not added.lacks_preview
    small = added.model_copy(
        update={"sizes": ((families.SIZE, families.SIZE),), "steps": 2, "encoder": tiny.ENCODER}
    )
    shot = Shot("a lighthouse", "", (1,), families.SIZE, families.SIZE, 2, small.guidance)
    model = load(small, device="cpu")
    (picture,) = model.render(shot)
    assert isinstance(model.preview_decoder, AutoencoderTiny)
    assert picture.size == (families.SIZE, families.SIZE)


def test_weights_of_a_precision_that_nobody_names_are_refused_when_they_are_added(
    tmp_path: Path, models: Path
) -> None:
    folder = families.build("sdxl", tmp_path / "brought")
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    shutil.move(path, path.with_suffix(".bf16.safetensors"))
    with pytest.raises(OperatorError, match=r"lacks vae/diffusion_pytorch_model\.safetensors\. Nothing was"):
        install.add_from_folder(get_preset("sdxl"), folder=folder, progress=Quiet())
    assert get_preset("sdxl").missing == ("sdxl",)
