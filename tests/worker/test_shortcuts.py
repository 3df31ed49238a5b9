"""What a preset may opt into for speed or memory: it paints what it painted without, or says what differs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from PIL import Image

from app.errors import CorruptFile, OperatorError
from app.presets import Preset
from tests.worker import families, tiny
from tests.worker.conftest import tiny_preset
from worker.pipelines import Conditioning, Model, Shot, UnusableImage, load

SHOT = Shot("a lighthouse", "people", (4294967295, 0), tiny.SIZE, tiny.SIZE, 4, 4.0)


def pixels(images: list[Image.Image]) -> np.ndarray:
    return np.stack([np.asarray(image, dtype=np.int16) for image in images])


def personal(shot: Shot = SHOT, scale: float = 1.0) -> Shot:
    towards, away = np.random.default_rng(1).standard_normal((2, tiny.WIDTH))
    return replace(shot, conditioning=Conditioning(towards, away, scale))


def changed(preset: Preset, **changes: Any) -> Model:
    return load(preset.model_copy(update=changes), device="cpu")


def preview_folder(folder: Path, *, channels: int = 4) -> Path:
    """A tiny autoencoder's files."""
    torch.manual_seed(7)
    blocks = {"encoder_block_out_channels": (8,) * 4, "decoder_block_out_channels": (8,) * 4}
    counts = {"num_encoder_blocks": (1,) * 4, "num_decoder_blocks": (1,) * 4}
    AutoencoderTiny(latent_channels=channels, **blocks, **counts).save_pretrained(folder)
    return folder


def test_a_tiny_autoencoder_decodes_the_previews_and_not_the_image(
    presets: Path, model: Model, tmp_path: Path
) -> None:
    folder = preview_folder(tmp_path / "preview")
    quick = changed(tiny_preset(presets), preview=folder)
    seen: list[torch.Tensor] = []
    final = quick.render(SHOT, lambda _step, latents: seen.append(latents))
    assert np.array_equal(pixels(final), pixels(model.render(SHOT)))
    shown = quick.decode(seen[-1])
    with torch.inference_mode():
        expected = AutoencoderTiny.from_pretrained(folder).decode(seen[-1]).sample / 2 + 0.5
    assert np.abs(pixels(shown) - expected.clamp(0, 1).movedim(1, 3).numpy() * 255).max() <= 0.6
    assert not np.array_equal(pixels(shown), pixels(model.decode(seen[-1])))
    with pytest.raises(UnusableImage):
        quick.decode(seen[-1] * torch.nan)


def test_a_preview_autoencoder_for_other_latents_is_refused(presets: Path, tmp_path: Path) -> None:
    folder = preview_folder(tmp_path / "preview", channels=16)
    with pytest.raises(OperatorError, match=r"latents of 16 channels, and tiny paints in 4"):
        changed(tiny_preset(presets), preview=folder)


def test_a_preview_autoencoders_files_are_checked_like_all(presets: Path, tmp_path: Path) -> None:
    preset = tiny_preset(presets)
    with pytest.raises(OperatorError, match="lacks"):
        changed(preset, preview=tmp_path / "nowhere")
    folder = preview_folder(tmp_path / "preview")
    (folder / "diffusion_pytorch_model.bin").write_bytes(b"")
    with pytest.raises(CorruptFile, match="can run code"):
        changed(preset, preview=folder)
    (folder / "diffusion_pytorch_model.bin").unlink()
    path = folder / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(CorruptFile, match="is damaged"):
        changed(preset, preview=folder)
