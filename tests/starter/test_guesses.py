"""What the decoder learns from: drawings' latents, disturbed by chance or guessed by the denoiser."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from starter import dataset, guesses, latents, restore, sampler, text, unet, vae
from starter.attributes import from_codes


def test_disturbed_latents_keep_their_layout_and_the_numbers_of_places() -> None:
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(200, latents.CHANNELS, 4, 4, generator=generator)
    off = (vae.disturbed(z, generator) - z).square().mean((0, 2, 3)).sqrt()
    straying = off[latents.COLOURS].mean()
    assert max(off[: latents.LAYOUT].max(), off[latents.COLOURS.stop :].max()) < vae.NOISE
    assert off[latents.CODE].max() < straying
    assert straying > 2 * off[: latents.LAYOUT].mean()


def test_a_guess_is_still_the_drawing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(2)
    for module in (dataset, text):
        monkeypatch.setattr(module, "RUNS", tmp_path)
    restore.build(runs=tmp_path)
    where = dataset.home(dataset.SQUARE)
    dataset.build_size(where, dataset.SQUARE, 6, 81_000_000, 1)
    pictures, known = dataset.load(), load_file(tmp_path / latents.FILE)
    exact = np.stack([
        latents.latents(from_codes(row), 81_000_000 + i, pictures.images[i], known)
        for i, row in enumerate(pictures.codes)
    ])  # fmt: skip
    np.save(where / "latents.npy", exact)
    model = unet.build()
    model.load_state_dict(torch.load(tmp_path / "unet.start.pt", weights_only=True))
    made = guesses.again(model, np.arange(6), 2, np.random.default_rng(0)).astype(np.float32)
    assert made.shape == exact.shape
    coarse = np.concatenate([made, exact])[:, 0].reshape(12, -1)
    alike = np.corrcoef(coarse)[:6, 6:]
    assert (alike.argmax(1) == np.arange(6)).all()
    assert guesses.LAST < sampler.STEPS
