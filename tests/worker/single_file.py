"""The weights of pipelines in one file, under the names that such checkpoints have."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

UNET_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
UNET_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out": "proj_out"}
OPEN_CLIP = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}
OPEN_CLIP_ENDS = {
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.final_layer_norm.weight": "ln_final.weight",
    "text_model.final_layer_norm.bias": "ln_final.bias",
}
SD3_BLOCK = {
    "attn.to_out.0": "x_block.attn.proj",
    "attn.to_add_out": "context_block.attn.proj",
    "norm1.linear": "x_block.adaLN_modulation.1",
    "norm1_context.linear": "context_block.adaLN_modulation.1",
    "ff.net.0.proj": "x_block.mlp.fc1",
    "ff.net.2": "x_block.mlp.fc2",
    "ff_context.net.0.proj": "context_block.mlp.fc1",
    "ff_context.net.2": "context_block.mlp.fc2",
}
SD3_QKV = {
    "x_block.attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "context_block.attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
}
SD3_ENDS = {
    "pos_embed.proj": "x_embedder.proj",
    "time_text_embed.timestep_embedder.linear_1": "t_embedder.mlp.0",
    "time_text_embed.timestep_embedder.linear_2": "t_embedder.mlp.2",
    "time_text_embed.text_embedder.linear_1": "y_embedder.mlp.0",
    "time_text_embed.text_embedder.linear_2": "y_embedder.mlp.2",
    "context_embedder": "context_embedder",
    "proj_out": "final_layer.linear",
    "norm_out.linear": "final_layer.adaLN_modulation.1",
}
Tensors = dict[str, torch.Tensor]


def write(pipeline: Any, path: Path) -> None:
    """Write the UNet, the autoencoder and the text encoder of a Stable Diffusion pipeline to `path`."""
    text = pipeline.text_encoder.state_dict().items()
    tensors = _images(pipeline)
    tensors |= {f"cond_stage_model.transformer.text_model.{name}": value for name, value in text}
    _save(tensors, path)


def write_xl(pipeline: Any, path: Path) -> None:
    """Write the UNet, the autoencoder and both text encoders of an SDXL pipeline to `path`."""
    text = pipeline.text_encoder.state_dict().items()
    tensors = _images(pipeline)
    tensors |= {f"conditioner.embedders.0.transformer.text_model.{name}": value for name, value in text}
    second = _open_clip(pipeline.text_encoder_2.state_dict())
    tensors |= {f"conditioner.embedders.1.model.{name}": value for name, value in second.items()}
    _save(tensors, path)


def write_sd3(transformer: Any, path: Path) -> None:
    """Write a transformer of Stable Diffusion 3 to `path`."""
    weights = transformer.state_dict()
    tensors = {"pos_embed": weights["pos_embed.pos_embed"]}
    for end in ("weight", "bias"):
        for ours, theirs in SD3_ENDS.items():
            value = weights[f"{ours}.{end}"]
            tensors[f"{theirs}.{end}"] = _swapped(value) if ours == "norm_out.linear" else value
        for number in range(transformer.config.num_layers):
            last = number == transformer.config.num_layers - 1
            block = f"transformer_blocks.{number}."
            for theirs, parts in SD3_QKV.items():
                three = [weights[f"{block}{part}.{end}"] for part in parts]
                tensors[f"joint_blocks.{number}.{theirs}.{end}"] = torch.cat(three)
            for ours, theirs in SD3_BLOCK.items():
                value = weights.get(f"{block}{ours}.{end}")
                if value is not None:  # the last block gives no text on
                    swap = last and ours == "norm1_context.linear"
                    tensors[f"joint_blocks.{number}.{theirs}.{end}"] = _swapped(value) if swap else value
    _save({f"model.diffusion_model.{name}": value for name, value in tensors.items()}, path)


def _swapped(scale_and_shift: torch.Tensor) -> torch.Tensor:
    """Shift and scale in the order of such checkpoints."""
    return torch.cat(scale_and_shift.chunk(2)[::-1])


def _save(tensors: Tensors, path: Path) -> None:
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, path)


def _open_clip(weights: Tensors) -> Tensors:
    tensors = {theirs: weights[ours] for ours, theirs in OPEN_CLIP_ENDS.items()}
    tensors["text_projection"] = weights["text_projection.weight"].T
    for name, value in weights.items():
        match name.split("."):
            case ["text_model", "encoder", "layers", number, "self_attn", "q_proj", end]:
                three = [weights[name.replace("q_proj", f"{one}_proj")] for one in "qkv"]
                tensors[f"transformer.resblocks.{number}.attn.in_proj_{end}"] = torch.cat(three)
            case ["text_model", "encoder", "layers", number, *rest, end] if ".".join(rest) in OPEN_CLIP:
                tensors[f"transformer.resblocks.{number}.{OPEN_CLIP['.'.join(rest)]}.{end}"] = value
    return tensors


def _images(pipeline: Any) -> Tensors:
    """The UNet and the autoencoder."""
    unet, vae = (one.state_dict().items() for one in (pipeline.unet, pipeline.vae))
    layers, blocks = pipeline.unet.config.layers_per_block, len(pipeline.vae.config.up_block_types)
    attentive = {n for n, kind in enumerate(pipeline.unet.config.up_block_types) if "Attn" in kind}
    tensors = {f"model.diffusion_model.{_unet(name, layers, attentive)}": value for name, value in unet}
    return tensors | {f"first_stage_model.{_vae(name, blocks)}": value for name, value in vae}


def _unet(name: str, layers: int, attentive: set[int]) -> str:
    per_block = layers + 1
    match name.split("."):
        case ["down_blocks", i, "resnets", j, part, end]:
            return f"input_blocks.{1 + int(i) * per_block + int(j)}.0.{UNET_RESNET[part]}.{end}"
        case ["down_blocks", i, "attentions", j, *rest]:
            return f"input_blocks.{1 + int(i) * per_block + int(j)}.1.{'.'.join(rest)}"
        case ["down_blocks", i, "downsamplers", _, _, end]:
            return f"input_blocks.{(int(i) + 1) * per_block}.0.op.{end}"
        case ["mid_block", "resnets", j, part, end]:
            return f"middle_block.{2 * int(j)}.{UNET_RESNET[part]}.{end}"
        case ["mid_block", "attentions", _, *rest]:
            return f"middle_block.1.{'.'.join(rest)}"
        case ["up_blocks", i, "resnets", j, part, end]:
            return f"output_blocks.{int(i) * per_block + int(j)}.0.{UNET_RESNET[part]}.{end}"
        case ["up_blocks", i, "attentions", j, *rest]:
            return f"output_blocks.{int(i) * per_block + int(j)}.1.{'.'.join(rest)}"
        case ["up_blocks", i, "upsamplers", _, _, end]:
            place = 2 if int(i) in attentive else 1
            return f"output_blocks.{int(i) * per_block + layers}.{place}.conv.{end}"
    part, _, end = name.rpartition(".")
    return f"{UNET_ENDS[part]}.{end}"


def _vae(name: str, blocks: int) -> str:
    name = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
    match name.split("."):
        case [half, "down_blocks", i, "resnets", j, *rest]:
            return f"{half}.down.{i}.block.{j}.{'.'.join(rest)}"
        case [half, "down_blocks", i, "downsamplers", _, *rest]:
            return f"{half}.down.{i}.downsample.{'.'.join(rest)}"
        case [half, "mid_block", "resnets", j, *rest]:
            return f"{half}.mid.block_{int(j) + 1}.{'.'.join(rest)}"
        case [half, "mid_block", "attentions", _, part, *rest]:
            return f"{half}.mid.attn_1.{VAE_ATTENTION[part]}.{rest[-1]}"
        case [half, "up_blocks", i, "resnets", j, *rest]:
            return f"{half}.up.{blocks - 1 - int(i)}.block.{j}.{'.'.join(rest)}"
        case [half, "up_blocks", i, "upsamplers", _, *rest]:
            return f"{half}.up.{blocks - 1 - int(i)}.upsample.{'.'.join(rest)}"
    return name
