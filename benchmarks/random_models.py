"""Models of full size with random weights, in the layout that presets name: for measuring speed, which does
not depend on the values."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import (
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from app.presets import Preset

TOKENS = 4  # of an image prompt


@dataclass(frozen=True)
class Architecture:
    """The sizes of a Stable Diffusion model's parts; what is not said is what diffusers and transformers take
    for granted, which is Stable Diffusion 1's. One with a second text encoder, `text_2`, is an SDXL."""

    size: int
    steps: int
    unet: dict[str, Any] = field(default_factory=dict)
    vae: dict[str, Any] = field(default_factory=dict)
    text: dict[str, Any] = field(default_factory=dict)
    vision: dict[str, Any] = field(default_factory=dict)
    text_2: dict[str, Any] = field(default_factory=dict)


CLIP_L_TEXT = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12}
CLIP_H_VISION = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 16,
    "projection_dim": 1024,
    "patch_size": 14,
}

ARCHITECTURES = {
    "tiny": Architecture(
        size=64,
        steps=8,
        unet={
            "block_out_channels": (64, 128),
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
            "layers_per_block": 1,
            "cross_attention_dim": 32,
            "norm_num_groups": 8,
        },
        vae={"block_out_channels": (16, 16, 16, 16), "norm_num_groups": 8, "layers_per_block": 1},
        text={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4},
        vision={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "projection_dim": 32,
            "image_size": 32,
            "patch_size": 8,
        },
    ),
    "sd15": Architecture(
        size=512,
        steps=30,
        unet={"cross_attention_dim": 768},
        vae={"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2},
        text=CLIP_L_TEXT,
        vision=CLIP_H_VISION,
    ),
    "sdxl": Architecture(
        size=1024,
        steps=30,
        unet={
            "block_out_channels": (320, 640, 1280),
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            "attention_head_dim": (5, 10, 20),
            "transformer_layers_per_block": (1, 2, 10),
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 6 * 256 + 1280,
            "cross_attention_dim": 768 + 1280,
        },
        vae={"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "scaling_factor": 0.13025},
        text=CLIP_L_TEXT,
        vision=CLIP_H_VISION,
        text_2={  # OpenCLIP ViT-bigG/14
            "hidden_size": 1280,
            "intermediate_size": 5120,
            "num_hidden_layers": 32,
            "num_attention_heads": 20,
            "projection_dim": 1280,
            "hidden_act": "gelu",
        },
    ),
}


def build(name: str, folder: Path) -> Preset:
    """Write the model of that name, with random weights, into `folder`; a preset for it."""
    torch.manual_seed(7)
    made = ARCHITECTURES[name]
    pipeline = _pipeline(made, folder)
    pipeline.save_pretrained(folder, safe_serialization=True)
    (folder / "ip_adapter").mkdir()
    save_file(_adapter(pipeline.unet, made), folder / "ip_adapter" / "ip-adapter.safetensors")
    return Preset.model_validate(
        {
            "name": name,
            "title": f"{name}, random weights",
            "licence": "none",
            "folder": folder,
            "pipeline": type(pipeline).__name__,
            "encoder": f"{name}-random",
            "adapter": {},
            "sizes": ((made.size, made.size),),
            "steps": made.steps,
            "guidance": 5.0,
        }
    )


def _pipeline(made: Architecture, folder: Path) -> Any:
    size = made.vision.get("image_size", 224)
    parts = {
        "vae": AutoencoderKL(**_vae(made)),
        "text_encoder": CLIPTextModel(CLIPTextConfig(**made.text, eos_token_id=513)).eval(),
        "tokenizer": _tokenizer(folder),
        "unet": UNet2DConditionModel(sample_size=made.size // 8, **made.unet),
        "scheduler": DPMSolverMultistepScheduler(beta_schedule="scaled_linear", steps_offset=1),
        "feature_extractor": CLIPImageProcessor(size={"shortest_edge": size}, crop_size=size),
        "image_encoder": CLIPVisionModelWithProjection(CLIPVisionConfig(**made.vision)).eval(),
    }
    if not made.text_2:
        return StableDiffusionPipeline(**parts, safety_checker=None, requires_safety_checker=False)
    second = CLIPTextModelWithProjection(CLIPTextConfig(**made.text_2, eos_token_id=513)).eval()
    return StableDiffusionXLPipeline(**parts, text_encoder_2=second, tokenizer_2=parts["tokenizer"])


def _vae(made: Architecture) -> dict[str, Any]:
    blocks = len(made.vae["block_out_channels"])
    return {
        "down_block_types": ("DownEncoderBlock2D",) * blocks,
        "up_block_types": ("UpDecoderBlock2D",) * blocks,
        "latent_channels": 4,
        "sample_size": made.size,
        **made.vae,
    }


def _tokenizer(folder: Path) -> CLIPTokenizer:
    """Single bytes only, as every text has them."""
    letters = [chr(n) for n in (*range(33, 127), *range(161, 173), *range(174, 256))]
    letters += [chr(256 + n) for n in range(256 - len(letters))]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({word: n for n, word in enumerate(words)}))
    merges.write_text("#version: 0.2\n")
    return CLIPTokenizer(str(vocabulary), str(merges), model_max_length=77, pad_token="<|endoftext|>")


def _adapter(unet: Any, made: Architecture) -> dict[str, Any]:
    """Tensors under the names that IP-Adapter files have."""
    width, seen = made.unet["cross_attention_dim"], made.vision["projection_dim"]
    tensors = {
        "image_proj.proj.weight": _random(width * TOKENS, seen),
        "image_proj.proj.bias": torch.zeros(width * TOKENS),
        "image_proj.norm.weight": torch.ones(width),
        "image_proj.norm.bias": torch.zeros(width),
    }
    for number, name in enumerate(unet.attn_processors):
        if name.endswith("attn2.processor"):
            inner = unet.get_submodule(name.removesuffix(".processor")).inner_dim
            tensors[f"ip_adapter.{number}.to_k_ip.weight"] = _random(inner, width)
            tensors[f"ip_adapter.{number}.to_v_ip.weight"] = _random(inner, width)
    return tensors


def _random(rows: int, columns: int) -> torch.Tensor:
    return torch.randn(rows, columns) / math.sqrt(columns)
