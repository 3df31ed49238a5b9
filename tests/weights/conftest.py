"""An empty folder of models, and the places that models come from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.weights.hub import LocalHub, Repository, serve
from tests.weights.models import ADAPTER, LORA, MODEL, PRESETS, SMALL, forget, weights


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of models, and a file with presets for them."""
    (tmp_path / "presets.toml").write_text(PRESETS)
    monkeypatch.setenv("PENCHANT_PRESETS", str(tmp_path / "presets.toml"))
    monkeypatch.setenv("PENCHANT_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    forget()
    yield tmp_path / "models"
    forget()


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between attempts at a hub that fails on purpose."""
    monkeypatch.setattr("app.weights.hub.PAUSE_SECONDS", 0.0)


@pytest.fixture
def local(models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """A hub with the files of the presets."""
    with serve() as hub:
        hub.repositories |= {
            "somebody/model": Repository(dict(MODEL)),
            "somebody/adapter": Repository(dict(ADAPTER), revision="2" * 40),
            "somebody/small": Repository(dict(SMALL), revision="3" * 40),
            "somebody/lora": Repository(dict(LORA)),
        }
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def folder(models: Path, tmp_path: Path) -> Path:
    """The files of `base` in the layout that it is added from."""
    folder = tmp_path / "brought"
    for path, data in {
        "model_index.json": MODEL["model_index.json"],
        "unet/config.json": b"{}",
        "unet/diffusion_pytorch_model.safetensors": weights(1),
        "ip_adapter/adapter.safetensors": weights(3),
        "image_encoder/config.json": b"{}",
        "image_encoder/model.safetensors": weights(4),
        "small/config.json": b"{}",
        "small/diffusion_pytorch_model.safetensors": weights(7, 100),
        "README.md": b"# not copied",
        "sample.png": b"\x89PNG not copied",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder
