"""An image encoder that is not the one a preset names is refused, however wide its embeddings are."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from transformers import CLIPVisionConfig, SiglipVisionConfig

from app.errors import OperatorError
from app.presets import Preset, load_presets
from tests.worker import families, tiny
from worker.pipelines import load
from worker.towers import ENCODERS, KNOWN, Known, Tower, encoder_class

SHIPPED = [name for name in families.NAMES if load_presets()[name].encoder in KNOWN]
# Embeddings of 768 numbers, as CLIP-L's are.
CLIP_L_336 = replace(KNOWN["clip-vit-l-14-openai"].tower, side=336)


def write(folder: Path, tower: Tower, kind: str, *, nested: bool = False) -> None:
    """The configuration of an encoder, alone or as half of a model for images and texts."""
    values = asdict(tower)
    config: dict[str, Any] = {
        "num_attention_heads": 16,
        "num_hidden_layers": values["layers"],
        "hidden_size": values["hidden"],
        "patch_size": values["patch"],
        "image_size": values["side"],
        "model_type": f"{kind}_vision_model",
    }
    if nested:
        config = {"model_type": kind, "vision_config": config}
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))


def kind_of(name: str) -> str:
    return "siglip" if "siglip" in name else "clip"


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("nested", [False, True])
def test_the_encoder_that_a_preset_names_is_taken(tmp_path: Path, name: str, *, nested: bool) -> None:
    preset = load_presets()[name].model_copy(update={"folder": tmp_path})
    kind = kind_of(preset.encoder)
    write(tmp_path / "image_encoder", KNOWN[preset.encoder].tower, kind, nested=nested)
    assert encoder_class(preset) is ENCODERS[kind]


@pytest.mark.parametrize("encoder", KNOWN)
@pytest.mark.parametrize("part", ["layers", "hidden", "patch", "side"])
def test_one_that_is_built_otherwise_is_refused(tmp_path: Path, encoder: str, part: str) -> None:
    tower = KNOWN[encoder].tower
    other = replace(tower, **{part: getattr(tower, part) * 2})
    write(tmp_path / "image_encoder", other, kind_of(encoder))
    preset = load_presets()["sd15"].model_copy(update={"folder": tmp_path, "encoder": encoder})
    with pytest.raises(OperatorError) as caught:
        encoder_class(preset)
    message = str(caught.value)
    assert f"wants the image encoder {encoder} ({tower})" in message
    assert str(other) in message
    assert f"Put {KNOWN[encoder].source} there" in message


def test_every_shipped_encoder_is_known() -> None:
    """But for the starter's, whose versions differ in what they learned and not in how they are built."""
    shipped = {preset.encoder for name, preset in load_presets().items() if name != "starter"}
    assert shipped == set(KNOWN)


def copied(toys: families.Toys, name: str, folder: Path, **changes: Any) -> Preset:
    shutil.copytree(toys.folder(name), folder)
    return families.preset(name, folder, **changes)


def test_clip_l_for_larger_images_is_not_clip_l(toys: families.Toys, tmp_path: Path) -> None:
    """It gives as many numbers, and a model would paint with it."""
    preset = copied(toys, "flux-schnell", tmp_path / "weights", encoder="clip-vit-l-14-openai")
    write(preset.folder / "image_encoder", CLIP_L_336, "clip", nested=True)
    with pytest.raises(OperatorError, match=r"wants .*clip-vit-l-14-openai .*224 pixels.*has .*336 pixels"):
        load(preset, device="cpu")


@pytest.mark.parametrize("name", ["sd15", "sd35-large"])
def test_a_model_is_loaded_only_with_the_encoder_it_names(
    toys: families.Toys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    config_class = SiglipVisionConfig if name == "sd35-large" else CLIPVisionConfig
    config = config_class.from_pretrained(toys.folder(name) / "image_encoder")
    tower = Tower(config.num_hidden_layers, config.hidden_size, config.patch_size, config.image_size)
    monkeypatch.setitem(KNOWN, tiny.ENCODER, Known(tower, "the tiny one"))
    preset = copied(toys, name, tmp_path / "weights")
    load(preset, device="cpu")
    monkeypatch.setitem(KNOWN, tiny.ENCODER, Known(replace(tower, layers=3), "the tiny one"))
    with pytest.raises(OperatorError, match=r"wants .*3 layers.*has 2 layers.*Put the tiny one there"):
        load(preset, device="cpu")
