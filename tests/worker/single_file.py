"""A Stable Diffusion pipeline's weights in one file, under the names that such checkpoints have."""

from pathlib import Path
from typing import Any

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
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out": "proj_out"}


def write(pipeline: Any, path: Path) -> None:
    """Write the UNet, the autoencoder and the text encoder of `pipeline` to `path`."""
    unet, vae, text = (
        one.state_dict().items() for one in (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    )
    layers, blocks = pipeline.unet.config.layers_per_block, len(pipeline.vae.config.up_block_types)
    attentive = {n for n, kind in enumerate(pipeline.unet.config.up_block_types) if "Attn" in kind}
    tensors = {f"model.diffusion_model.{_unet(name, layers, attentive)}": value for name, value in unet}
    tensors |= {f"first_stage_model.{_vae(name, blocks)}": value for name, value in vae}
    tensors |= {f"cond_stage_model.transformer.text_model.{name}": value for name, value in text}
    save_file({name: value.contiguous() for name, value in tensors.items()}, path)


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
