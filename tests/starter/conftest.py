"""What earlier stages of training leave behind, in small."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from starter import critic, dataset, guesses, inventions, latents, loop, restore, sharpen, text, unet, vae
from starter.attributes import from_codes

SEED = 82_000_000
PICTURES = 40


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped weights as training holds them, drawings with their latents, and a few inventions."""
    for module in (critic, dataset, loop, sharpen, text, unet, vae):
        monkeypatch.setattr(module, "RUNS", tmp_path)
    for name in ("STATES", "TOLD_OF"):
        monkeypatch.setattr(inventions, name, tmp_path / getattr(inventions, name).name)
    restore.build(runs=tmp_path)
    where = dataset.home(dataset.SQUARE)
    dataset.build_size(where, dataset.SQUARE, PICTURES, SEED, 2)
    pictures, known = dataset.load(), load_file(tmp_path / latents.FILE)
    exact = [
        latents.latents(from_codes(row), SEED + i, pictures.images[i], known)
        for i, row in enumerate(pictures.codes)
    ]
    np.save(where / "latents.npy", np.stack(exact).astype(np.float16))
    looks = np.random.default_rng(0).normal(size=(PICTURES, 36)).astype(np.float32)
    np.save(where / "embeddings.npy", looks)
    guesses.trained.cache_clear()
    codes, captions = inventions.asked(4)
    inventions.keep(inventions.Inventions(inventions.part_of((captions, 1)), codes, captions))
    return tmp_path
