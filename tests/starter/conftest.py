"""What earlier stages of training leave behind, in small."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from starter import critic, dataset, guesses, inventions, latents, loop, restore, sharpen, text, unet, vae
from starter.attributes import from_codes

SEED = 82_000_000
PICTURES = 40


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `runs` is a copy of."""
    home = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        move(home, patch)
        make(home)
    return home


@pytest.fixture
def runs(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped weights as training holds them, drawings with their latents, and a few inventions."""
    home = tmp_path / "runs"
    shutil.copytree(made, home)
    move(home, monkeypatch)
    guesses.trained.cache_clear()
    return home


def move(home: Path, patch: pytest.MonkeyPatch) -> None:
    """Let training have its files below `home`."""
    for module in (critic, dataset, loop, sharpen, text, unet, vae):
        patch.setattr(module, "RUNS", home)
    for name in ("STATES", "TOLD_OF"):
        patch.setattr(inventions, name, home / getattr(inventions, name).name)


def make(home: Path) -> None:
    restore.build(runs=home)
    where = dataset.home(dataset.SQUARE)
    dataset.build_size(where, dataset.SQUARE, PICTURES, SEED, 1)
    pictures, known = dataset.load(), load_file(home / latents.FILE)
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
