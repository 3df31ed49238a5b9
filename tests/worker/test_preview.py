"""Previews by a tiny autoencoder: in every family, and where it is missing, damaged or another model's."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from PIL import Image
from safetensors.torch import load_file, save_file

from app.errors import CorruptFile, OperatorError
from app.presets import Preset
from tests.worker import families, tiny
from tests.worker.conftest import tiny_preset
from worker.pipelines import Model, Shot, UnusableImage, load

WEIGHTS = "diffusion_pytorch_model.safetensors"


def pixels(images: list[Image.Image]) -> np.ndarray:
    return np.stack([np.asarray(image, dtype=np.float64) for image in images])


def painted(model: Model) -> tuple[np.ndarray, torch.Tensor]:
    """Two images, and the latents after their last step."""
    preset, seen = model.preset, []
    shot = Shot("a lighthouse", "", (1, 2), families.SIZE, families.SIZE, preset.steps, preset.guidance)
    images = model.render(shot, lambda _step, latents: seen.append(latents))
    return pixels(images), seen[-1]


@pytest.mark.parametrize("name", ["sd15", "sdxl", "sd35-large", "flux-dev"])
def test_a_tiny_autoencoder_decodes_the_previews_and_not_the_image(toys: families.Toys, name: str) -> None:
    """It takes the latents as they are diffused, whatever scale and shift the model's own decoder has."""
    model = toys.model(name)
    final, latents = painted(model)
    shown = pixels(model.decode(latents))
    with torch.inference_mode():
        alone = AutoencoderTiny.from_pretrained(toys.folder(name) / families.PREVIEW).decode(latents).sample
    expected = (alone / 2 + 0.5).clamp(0, 1).movedim(1, 3).numpy() * 255
    assert shown.shape == final.shape
    assert np.abs(shown - expected).max() <= 0.6
    assert np.abs(shown - final).max() > 10
    with pytest.raises(UnusableImage):
        model.decode(latents * torch.nan)


@pytest.mark.parametrize("name", ["sd15", "sd35-large", "flux-dev"])
def test_without_it_the_models_own_decoder_shows_previews_and_the_log_says_so(
    toys: families.Toys, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    absent = tmp_path / "nowhere"
    with caplog.at_level(logging.WARNING):
        model = load(families.preset(name, toys.folder(name), preview=absent), device="cpu")
    assert f"{name} previews with its own decoder, which takes longer: there is no {absent}." in caplog.text
    final, latents = painted(model)
    assert np.abs(pixels(model.decode(latents)) - final).max() <= 1


def previewed(presets: Path, folder: Path) -> Preset:
    return tiny_preset(presets).model_copy(update={"preview": folder})


def test_one_for_other_latents_is_refused(presets: Path, tmp_path: Path) -> None:
    folder = tiny.preview(tmp_path / "preview", channels=16)
    with pytest.raises(OperatorError, match=r"latents of 16 channels, and tiny paints in 4"):
        load(previewed(presets, folder), device="cpu")


def test_its_files_are_checked_like_all(presets: Path, tmp_path: Path) -> None:
    folder = tiny.preview(tmp_path / "preview")
    preset = previewed(presets, folder)
    (folder / "diffusion_pytorch_model.bin").write_bytes(b"")
    with pytest.raises(CorruptFile, match="can run code"):
        load(preset, device="cpu")
    (folder / "diffusion_pytorch_model.bin").unlink()
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[:-8])
    with pytest.raises(CorruptFile, match="is damaged"):
        load(preset, device="cpu")
    (folder / WEIGHTS).unlink()
    with pytest.raises(OperatorError, match=f"lacks .*{WEIGHTS}"):
        load(preset, device="cpu")


def test_one_whose_weights_are_none_is_refused(presets: Path, tmp_path: Path) -> None:
    folder = tiny.preview(tmp_path / "preview")
    weights = {name: tensor.clone() for name, tensor in load_file(folder / WEIGHTS).items()}
    next(iter(weights.values())).fill_(torch.nan)
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(OperatorError, match="hold NaN or infinity"):
        load(previewed(presets, folder), device="cpu")
