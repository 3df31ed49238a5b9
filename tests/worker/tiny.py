"""A whole model at toy size, in the diffusers layout, with seeded random weights: real classes, 50 ms a
picture."""

import json
import math
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import (
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

NAME = "tiny"
ENCODER = "tiny-1"
SIZE = 64
WIDTH = 32  # of every embedding
TOKENS = 4


def build(folder: Path) -> Path:
    """Write the model and a presets file naming it; returns the presets file."""
    torch.manual_seed(7)
    weights = folder / NAME
    pipeline = StableDiffusionPipeline(
        vae=autoencoder(),
        text_encoder=text_encoder(),
        tokenizer=tokenizer(folder),
        unet=unet(),
        scheduler=DPMSolverMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, steps_offset=1
        ),
        safety_checker=None,
        feature_extractor=CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32),
        image_encoder=image_encoder(),
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(weights, safe_serialization=True)
    (weights / "ip_adapter").mkdir()
    save_file(adapter(pipeline.unet), weights / "ip_adapter" / "ip-adapter.safetensors")
    return presets_file(folder, weights)


def presets_file(folder: Path, weights: Path, **extra: object) -> Path:
    """A presets file with the tiny model."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in extra.items()]
    text = f"""
[{NAME}]
title = "Tiny"
licence = "Apache-2.0"
folder = {json.dumps(str(weights))}
encoder = "{ENCODER}"
sizes = [[{SIZE}, {SIZE}], [{SIZE + 32}, {SIZE}]]
steps = 4
guidance = 4.0
{chr(10).join(lines)}

[{NAME}.adapter]
max_scale = 1.0
"""
    path = folder / "presets.toml"
    path.write_text(text)
    return path


def autoencoder(**more: Any) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(16, 32, 32, 32),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=8,
        sample_size=SIZE,
        **more,
    )


def preview(folder: Path, *, channels: int = 4) -> Path:
    """Write the files of an autoencoder for previews."""
    torch.manual_seed(7)
    blocks = {"encoder_block_out_channels": (8,) * 4, "decoder_block_out_channels": (8,) * 4}
    counts = {"num_encoder_blocks": (1,) * 4, "num_decoder_blocks": (1,) * 4}
    AutoencoderTiny(latent_channels=channels, **blocks, **counts).save_pretrained(folder)
    return folder


def unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=SIZE // 8,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=8,
        norm_num_groups=8,
    )


def text_encoder() -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=514,
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=513,
        projection_dim=WIDTH,
    )
    return CLIPTextModel(config).eval()


def image_encoder(*, width: int = WIDTH) -> CLIPVisionModelWithProjection:
    config = CLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=64,
        projection_dim=width,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
    )
    return CLIPVisionModelWithProjection(config).eval()


def tokenizer(folder: Path) -> CLIPTokenizer:
    """Single bytes only: every text has tokens, and no merge is needed."""
    letters = [chr(n) for n in (*range(33, 127), *range(161, 173), *range(174, 256))]
    letters += [chr(256 + n) for n in range(256 - len(letters))]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77, pad_token="<|endoftext|>"
    )


def adapter(unet: UNet2DConditionModel, *, width: int = WIDTH) -> dict[str, Any]:
    """Keys as IP-Adapter files have them; `width` is the text's. Attention layers are numbered in the UNet's
    order, odd ones are cross."""
    tensors = {
        "image_proj.proj.weight": random(width * TOKENS, WIDTH),
        "image_proj.proj.bias": torch.zeros(width * TOKENS),
        "image_proj.norm.weight": torch.ones(width),
        "image_proj.norm.bias": torch.zeros(width),
    }
    for number, name in enumerate(unet.attn_processors):
        if name.endswith("attn2.processor"):
            size = unet.get_submodule(name.removesuffix(".processor")).inner_dim
            tensors[f"ip_adapter.{number}.to_k_ip.weight"] = random(size, width)
            tensors[f"ip_adapter.{number}.to_v_ip.weight"] = random(size, width)
    return tensors


def random(rows: int, columns: int) -> torch.Tensor:
    return torch.randn(rows, columns) / math.sqrt(columns)
