"""Image adapters with random weights, under the names that the published files have."""

import math
from typing import Any

import torch
from diffusers.models.attention_processor import SD3IPAdapterJointAttnProcessor2_0
from diffusers.models.embeddings import IPAdapterTimeImageProjection

from benchmarks.architectures import Architecture

Tensors = dict[str, torch.Tensor]


def adapter(pipeline: str, network: Any, made: Architecture) -> Tensors:
    """The tensors of an adapter for the network of such a pipeline, on torch's default device and in its
    default type."""
    if pipeline == "StableDiffusion3Pipeline":
        return _patches(network, made)
    return _flux(network, made) if pipeline == "FluxPipeline" else _unet(network, made)


def _unet(unet: Any, made: Architecture) -> Tensors:
    """IP-Adapter."""
    width = made.denoiser["cross_attention_dim"]
    tensors = _projection("image_proj", width, made)
    for number, name in enumerate(unet.attn_processors):
        if name.endswith("attn2.processor"):
            inner = unet.get_submodule(name.removesuffix(".processor")).inner_dim
            tensors[f"ip_adapter.{number}.to_k_ip.weight"] = _random(inner, width)
            tensors[f"ip_adapter.{number}.to_v_ip.weight"] = _random(inner, width)
    return tensors


def _patches(transformer: Any, made: Architecture) -> Tensors:
    """InstantX's for Stable Diffusion 3.5, which sees how far the painting is."""
    heads, size = transformer.config.num_attention_heads, transformer.config.attention_head_dim
    projection = IPAdapterTimeImageProjection(**made.resampler)
    tensors = {f"image_proj.{name}": value for name, value in projection.state_dict().items()}
    for number in range(len(transformer.attn_processors)):
        processor = SD3IPAdapterJointAttnProcessor2_0(
            hidden_size=heads * size,
            ip_hidden_states_dim=heads * size,
            head_dim=size,
            timesteps_emb_dim=projection.proj_in.out_features,
        )
        state = processor.state_dict()
        tensors |= {f"ip_adapter.{number}.{name}": value for name, value in state.items()}
    return {name: value.contiguous().clone() for name, value in tensors.items()}


def _flux(transformer: Any, made: Architecture) -> Tensors:
    """XLabs' for Flux, which acts in the double blocks."""
    joint, inner = transformer.config.joint_attention_dim, transformer.inner_dim
    tensors = _projection("ip_adapter_proj_model", joint, made)
    for number in range(transformer.config.num_layers):
        for side in ("k", "v"):
            name = f"double_blocks.{number}.processor.ip_adapter_double_stream_{side}_proj"
            tensors[f"{name}.weight"] = _random(inner, joint)
            tensors[f"{name}.bias"] = torch.zeros(inner)
    return tensors


def _projection(name: str, width: int, made: Architecture) -> Tensors:
    """From an embedding to `tokens` tokens of that width."""
    return {
        f"{name}.proj.weight": _random(width * made.tokens, made.vision["projection_dim"]),
        f"{name}.proj.bias": torch.zeros(width * made.tokens),
        f"{name}.norm.weight": torch.ones(width),
        f"{name}.norm.bias": torch.zeros(width),
    }


def _random(rows: int, columns: int) -> torch.Tensor:
    return torch.randn(rows, columns) / math.sqrt(columns)
