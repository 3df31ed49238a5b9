"""The benchmark of devices, on a toy model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from benchmarks.gpu import main
from benchmarks.random_models import ARCHITECTURES, build
from worker.pipelines import Conditioning, Shot, load


@pytest.mark.usefixtures("settings")
def test_the_tiny_run_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--tiny", "--rounds", "1", "--steps", "2"])
    printed = capsys.readouterr().out
    assert "tiny, random weights, cpu, torch.float32, 64 x 64, 2 steps" in printed
    for row in ("8 together / one by one", "time with a taste / without", "load and first image"):
        assert f"| {row} |" in printed


@pytest.mark.parametrize(("name", "parameters"), [("sd15", 859_520_964), ("sdxl", 2_567_463_684)])
def test_an_architecture_has_the_published_models_parameters(name: str, parameters: int) -> None:
    with torch.device("meta"):
        unet = UNet2DConditionModel(**ARCHITECTURES[name].unet)
    assert sum(tensor.numel() for tensor in unet.parameters()) == parameters


def test_a_model_with_two_text_encoders_is_an_sdxl_that_paints(tmp_path: Path) -> None:
    tiny = ARCHITECTURES["tiny"]
    unet = {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + 32,
        "cross_attention_dim": 64,
    }
    made = replace(tiny, unet=tiny.unet | unet, text_2={**tiny.text, "projection_dim": 32})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ARCHITECTURES, "tiny", made)
        preset = build("tiny", tmp_path)
    assert preset.pipeline == "StableDiffusionXLPipeline"
    model = load(preset, device="cpu")
    towards, away = np.random.default_rng(0).standard_normal((2, 32))
    shot = Shot("a lighthouse", "", (1,), 64, 64, 2, 5.0, Conditioning(towards, away, 0.5))
    assert [picture.size for picture in model.render(shot)] == [(64, 64)]
