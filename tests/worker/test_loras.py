"""A folder of LoRAs, from an operator's presets file to the weights that paint."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.errors import CorruptFile, OperatorError
from app.presets import Preset, read_presets
from tests.worker import families
from worker.pipelines import Model, load

ATTENTION = "unet.mid_block.attentions.0.transformer_blocks.0.attn1"
PRESETS = f"""{families.WHOLE}
[painted]
title = "Painted"
base = "whole"
loras = [{{folder = "loras", weight = 0.5}}]
"""


@pytest.fixture
def presets(tmp_path: Path) -> Path:
    """A presets file beside a tiny model and an empty folder of LoRAs."""
    torch.set_num_threads(1)
    families.build("sd15", tmp_path / "sd15")
    (tmp_path / "loras").mkdir()
    (tmp_path / "presets.toml").write_text(PRESETS)
    return tmp_path / "presets.toml"


def painted(presets: Path) -> Preset:
    return read_presets(presets)["painted"]


def drop(presets: Path, name: str, part: str, size: int) -> torch.Tensor:
    """Put a LoRA of one projection into the folder; what it adds to that weight at full strength."""
    generator = torch.Generator().manual_seed(size + len(part))
    down, up = torch.randn(2, size, generator=generator), torch.ones(size, 2)
    tensors = {f"{ATTENTION}.{part}.lora_A.weight": down, f"{ATTENTION}.{part}.lora_B.weight": up}
    save_file(tensors, presets.parent / "loras" / name)
    return up @ down


def weight(model: Model, part: str) -> torch.Tensor:
    place = f"{ATTENTION.removeprefix('unet.')}.{part}"
    found: torch.Tensor = model._plain.unet.get_submodule(place).weight
    return found.detach()


def test_every_lora_of_a_folder_goes_into_the_weights(presets: Path) -> None:
    plain = load(read_presets(presets)["whole"], device="cpu")
    size = len(weight(plain, "to_q"))
    added = {part: drop(presets, f"{part}.safetensors", part, size) for part in ("to_q", "to_k")}
    model = load(painted(presets), device="cpu")
    for part, difference in added.items():
        assert torch.allclose(weight(model, part) - weight(plain, part), 0.5 * difference, atol=1e-4)


def test_the_files_of_a_folder_are_checked_like_any_other(presets: Path) -> None:
    with pytest.raises(OperatorError, match=r"painted lacks .*loras/\*\.safetensors"):
        load(painted(presets), device="cpu")
    drop(presets, "a.safetensors", "to_q", 64)
    path = presets.parent / "loras" / "b.safetensors"
    path.write_bytes((presets.parent / "loras" / "a.safetensors").read_bytes()[:-8])
    with pytest.raises(CorruptFile, match=r"loras/b\.safetensors is damaged"):
        load(painted(presets), device="cpu")
    path.write_bytes(b"PK\x03\x04 an archive")
    with pytest.raises(CorruptFile, match=r"loras/b\.safetensors is refused"):
        load(painted(presets), device="cpu")
