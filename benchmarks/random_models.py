"""Models with random weights, made on the device that paints: for measuring speed, which does not depend on
the values."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
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
    SiglipImageProcessor,
    SiglipVisionConfig,
    SiglipVisionModel,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from app.presets import Preset
from benchmarks.architectures import Architecture
from benchmarks.random_adapters import adapter
from worker.families import FAMILIES, Family
from worker.loading import schedule
from worker.pipelines import Model, assemble

SD3 = "StableDiffusion3Pipeline"
NETWORKS = {
    "StableDiffusionPipeline": UNet2DConditionModel,
    "StableDiffusionXLPipeline": UNet2DConditionModel,
    SD3: SD3Transformer2DModel,
    "FluxPipeline": FluxTransformer2DModel,
}
END = 513  # the CLIP tokenizer's last token


def load_random(preset: Preset, made: Architecture, folder: Path, *, device: str) -> Model:
    """The model that a shipped preset would be, with random weights: nothing of it is read but the adapter
    and the tiny autoencoder, which are written into `folder` for their loaders. LoRAs are left out: fused,
    they cost nothing."""
    own: dict[str, Any] = {"folder": folder, "own": folder, "needs": {}, "sources": (), "loras": ()}
    if preset.preview is not None:
        own["preview"] = folder / preset.preview.name  # a base's lies below another folder
        preview(made).save_pretrained(own["preview"])
    preset = preset.model_copy(update=own)

    def source(preset: Preset, _family: Family, dtype: torch.dtype) -> Any:
        return pipeline(preset, made, device, dtype)

    return assemble(preset, source, device=device)


def pipeline(preset: Preset, made: Architecture, device: str, dtype: torch.dtype) -> Any:
    """The plain pipeline of a preset on a device, of random weights in `dtype` from the first: in full
    precision the large ones would not fit. Writes the adapter into the preset's folder."""
    torch.manual_seed(7)
    with _making(device, dtype):
        parts = modules(preset.pipeline, made)
        if preset.adapter is not None:
            network = parts[FAMILIES[preset.pipeline].denoiser]
            path = preset.folder / preset.adapter.folder / preset.adapter.file
            path.parent.mkdir()
            save_file(adapter(preset.pipeline, network, made), path)
    kind = getattr(diffusers, preset.pipeline)
    more: dict[str, Any] = _tokenizers(parts, preset.folder)
    more["feature_extractor"] = _processor(preset.pipeline, made)
    more["scheduler"] = getattr(diffusers, made.solver)(**made.solver_settings)
    if preset.pipeline == "StableDiffusionPipeline":
        more |= {"safety_checker": None, "requires_safety_checker": False}
    for part in parts.values():
        # Some buffers are of full precision whatever the default; diffusers' own `to` warns of nothing here.
        torch.nn.Module.to(part, dtype).eval()
    found = kind(**parts, **more)
    schedule(preset, found)
    return found


def modules(kind: str, made: Architecture) -> dict[str, Any]:
    """The parts of a pipeline of that kind that have weights, on torch's default device and in its default
    type."""
    text = CLIPTextModelWithProjection if kind == SD3 else CLIPTextModel
    parts = {
        FAMILIES[kind].denoiser: NETWORKS[kind](**made.denoiser),
        "vae": AutoencoderKL(**_vae(made)),
        "text_encoder": text(CLIPTextConfig(**made.text, eos_token_id=END)),
        "image_encoder": _image_encoder(kind, made),
    }
    if made.text_2:
        config = CLIPTextConfig(**made.text_2, eos_token_id=END)
        parts["text_encoder_2"] = CLIPTextModelWithProjection(config)
    if made.t5:
        name = "text_encoder_3" if kind == SD3 else "text_encoder_2"
        parts[name] = T5EncoderModel(T5Config(**made.t5))
    return parts


def preview(made: Architecture) -> AutoencoderTiny:
    """The tiny autoencoder for a model's latents, on torch's default device."""
    return AutoencoderTiny(latent_channels=_vae(made)["latent_channels"], **made.preview)


@contextmanager
def _making(device: str, dtype: torch.dtype) -> Iterator[None]:
    """New tensors are on that device and, where they are floating-point, of that type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            yield
    finally:
        torch.set_default_dtype(before)


def _vae(made: Architecture) -> dict[str, Any]:
    blocks = len(made.vae["block_out_channels"])
    return {
        "down_block_types": ("DownEncoderBlock2D",) * blocks,
        "up_block_types": ("UpDecoderBlock2D",) * blocks,
        "latent_channels": 4,
        **made.vae,
    }


def _image_encoder(kind: str, made: Architecture) -> Any:
    if kind == SD3:
        return SiglipVisionModel(SiglipVisionConfig(**made.vision))
    return CLIPVisionModelWithProjection(CLIPVisionConfig(**made.vision))


def _processor(kind: str, made: Architecture) -> Any:
    side = made.vision.get("image_size", 224)
    if kind == SD3:
        return SiglipImageProcessor(size={"height": side, "width": side})
    return CLIPImageProcessor(size={"shortest_edge": side}, crop_size=side)


def _tokenizers(parts: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One for each text encoder."""
    clip = _clip_tokenizer(folder)
    encoders = {name: part for name, part in parts.items() if name.startswith("text_encoder")}
    return {
        name.replace("text_encoder", "tokenizer"): _t5_tokenizer()
        if isinstance(one, T5EncoderModel)
        else clip
        for name, one in encoders.items()
    }


def _clip_tokenizer(folder: Path) -> CLIPTokenizer:
    """Single bytes only, as every text has them."""
    letters = [chr(n) for n in (*range(33, 127), *range(161, 173), *range(174, 256))]
    letters += [chr(256 + n) for n in range(256 - len(letters))]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({word: n for n, word in enumerate(words)}))
    merges.write_text("#version: 0.2\n")
    return CLIPTokenizer(str(vocabulary), str(merges), model_max_length=77, pad_token="<|endoftext|>")


def _t5_tokenizer() -> T5Tokenizer:
    """Single letters, as every text has them. Prompts are filled up to the pipeline's own length."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(chr(code), -3.0) for code in range(33, 127) if chr(code) not in "<>"]
    return T5Tokenizer(vocab=pieces, extra_ids=0)
