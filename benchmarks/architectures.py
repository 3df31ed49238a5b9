"""The sizes of the shipped presets' models, as their configurations were published, and of toys like them.

What is not said here is what diffusers and transformers take for granted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Part = Mapping[str, Any]


@dataclass(frozen=True)
class Architecture:
    """The configurations of a model's parts.

    `text` and `text_2` are CLIP's, `t5` is T5's; `vision` is the image encoder's: SigLIP's for a
    StableDiffusion3Pipeline, else CLIP's. Of the image adapter, `tokens` is how many tokens it makes of an
    embedding, and `resampler` configures the part that SD 3.5's makes them with. `preview` is the tiny
    autoencoder's, for latents of the VAE's channels: nothing for TAESD and its kin. `solver` is the model's
    own scheduler; a preset may name another.
    """

    denoiser: Part
    vae: Part
    text: Part
    vision: Part
    text_2: Part = field(default_factory=dict)
    t5: Part = field(default_factory=dict)
    tokens: int = 4
    resampler: Part = field(default_factory=dict)
    preview: Part = field(default_factory=dict)
    solver: str = "EulerDiscreteScheduler"
    solver_settings: Part = field(default_factory=dict)


NOISE = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1}
CLIP_L_TEXT = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_attention_heads": 12,
    "projection_dim": 768,
}
CLIP_G_TEXT = {  # OpenCLIP ViT-bigG/14
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "projection_dim": 1280,
    "hidden_act": "gelu",
}
T5_XXL = {
    "vocab_size": 32128,
    "d_model": 4096,
    "d_kv": 64,
    "d_ff": 10240,
    "num_layers": 24,
    "num_heads": 64,
    "feed_forward_proj": "gated-gelu",
}
CLIP_L_VISION = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "projection_dim": 768,
    "patch_size": 14,
}
CLIP_H_VISION = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 16,
    "projection_dim": 1024,
    "patch_size": 14,
    "hidden_act": "gelu",
}
CLIP_G_VISION = {
    "hidden_size": 1664,
    "intermediate_size": 8192,
    "num_hidden_layers": 48,
    "num_attention_heads": 16,
    "projection_dim": 1280,
    "patch_size": 14,
    "hidden_act": "gelu",
}
SIGLIP_SO400M = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "image_size": 384,
    "patch_size": 14,
}
VAE = {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2}
VAE_16 = {**VAE, "latent_channels": 16, "use_quant_conv": False, "use_post_quant_conv": False}

SD15 = Architecture(
    denoiser={"cross_attention_dim": 768},
    vae=VAE,
    text=CLIP_L_TEXT,
    vision=CLIP_H_VISION,
    solver="PNDMScheduler",
    solver_settings={**NOISE, "skip_prk_steps": True},
)
SDXL = Architecture(
    denoiser={
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
    vae={**VAE, "scaling_factor": 0.13025},
    text=CLIP_L_TEXT,
    text_2=CLIP_G_TEXT,
    vision=CLIP_H_VISION,
    solver_settings=NOISE,
)
SSD_1B = replace(
    SDXL,
    denoiser={
        **SDXL.denoiser,
        "mid_block_type": "UNetMidBlock2D",
        "transformer_layers_per_block": ((1,), (2, 2), (4, 4)),
        "reverse_transformer_layers_per_block": ((4, 4, 10), (2, 1, 1), 1),
    },
    vision=CLIP_G_VISION,
)
SD35_LARGE = Architecture(
    denoiser={
        "sample_size": 128,
        "patch_size": 2,
        "in_channels": 16,
        "out_channels": 16,
        "num_layers": 38,
        "num_attention_heads": 38,
        "attention_head_dim": 64,
        "caption_projection_dim": 38 * 64,
        "joint_attention_dim": 4096,
        "pooled_projection_dim": 768 + 1280,
        "pos_embed_max_size": 192,
        "qk_norm": "rms_norm",
    },
    vae={**VAE_16, "scaling_factor": 1.5305, "shift_factor": 0.0609},
    text=CLIP_L_TEXT,
    text_2=CLIP_G_TEXT,
    t5=T5_XXL,
    vision=SIGLIP_SO400M,
    solver="FlowMatchEulerDiscreteScheduler",
    solver_settings={"shift": 3.0},
)
FLUX_SCHNELL = Architecture(
    denoiser={
        "patch_size": 1,
        "in_channels": 64,
        "num_layers": 19,
        "num_single_layers": 38,
        "num_attention_heads": 24,
        "attention_head_dim": 128,
        "joint_attention_dim": 4096,
        "pooled_projection_dim": 768,
        "guidance_embeds": False,
    },
    vae={**VAE_16, "scaling_factor": 0.3611, "shift_factor": 0.1159},
    text=CLIP_L_TEXT,
    t5=T5_XXL,
    vision=CLIP_L_VISION,
    tokens=16,
    solver="FlowMatchEulerDiscreteScheduler",
)
FLUX_DEV = replace(
    FLUX_SCHNELL,
    denoiser={**FLUX_SCHNELL.denoiser, "guidance_embeds": True},
    solver_settings={"shift": 3.0, "use_dynamic_shifting": True},
)

# By the shipped preset. Turbo, Lightning and LCM are SDXL in other weights.
ARCHITECTURES = {
    "sd15": SD15,
    "sdxl": SDXL,
    "sdxl-turbo": replace(
        SDXL,
        solver="EulerAncestralDiscreteScheduler",
        solver_settings={**NOISE, "timestep_spacing": "trailing"},
    ),
    "sdxl-lightning": SDXL,
    "sdxl-lcm": SDXL,
    "ssd-1b": SSD_1B,
    "sd35-large": SD35_LARGE,
    "flux-schnell": FLUX_SCHNELL,
    "flux-dev": FLUX_DEV,
}

WIDTH = 32  # of a toy's embeddings
TOY_LAYERS = {
    "hidden_size": WIDTH,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
}
TOY_TEXT = {**TOY_LAYERS, "projection_dim": WIDTH}
TOY_VISION = {**TOY_LAYERS, "projection_dim": WIDTH, "image_size": 32, "patch_size": 8}
TOY_T5 = {
    "vocab_size": 128,
    "d_model": 2 * WIDTH,
    "d_kv": 8,
    "d_ff": 64,
    "num_layers": 1,
    "num_heads": 4,
    "feed_forward_proj": "gated-gelu",
}
TOY_VAE = {"block_out_channels": (16, 16, 16, 16), "norm_num_groups": 8, "layers_per_block": 1}
TOY_PREVIEW = {
    "encoder_block_out_channels": (8,) * 4,
    "decoder_block_out_channels": (8,) * 4,
    "num_encoder_blocks": (1,) * 4,
    "num_decoder_blocks": (1,) * 4,
}
TOY_UNET = {
    "block_out_channels": (64, 128),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "norm_num_groups": 8,
}

# A toy of each family, and the shipped preset that it is painted by.
TOYS = {
    "tiny": (
        "sd15",
        replace(
            SD15,
            denoiser={**TOY_UNET, "layers_per_block": 1, "cross_attention_dim": WIDTH},
            vae=TOY_VAE,
            preview=TOY_PREVIEW,
            text=TOY_TEXT,
            vision=TOY_VISION,
        ),
    ),
    "tiny-sdxl": (
        "sdxl",
        replace(
            SDXL,
            denoiser={
                **TOY_UNET,
                "block_out_channels": (32, 64),
                "layers_per_block": 2,  # the preset's scale map names the second of three on the way up
                "attention_head_dim": (2, 4),
                "use_linear_projection": True,
                "addition_embed_type": "text_time",
                "addition_time_embed_dim": 8,
                "projection_class_embeddings_input_dim": 6 * 8 + WIDTH,
                "cross_attention_dim": 2 * WIDTH,
            },
            vae=TOY_VAE,
            preview=TOY_PREVIEW,
            text=TOY_TEXT,
            text_2=TOY_TEXT,
            vision=TOY_VISION,
        ),
    ),
    "tiny-sd3": (
        "sd35-large",
        replace(
            SD35_LARGE,
            denoiser={
                **SD35_LARGE.denoiser,
                "sample_size": 8,
                "num_layers": 2,
                "num_attention_heads": 2,
                "attention_head_dim": 16,
                "caption_projection_dim": 2 * 16,
                "joint_attention_dim": 2 * WIDTH,
                "pooled_projection_dim": 2 * WIDTH,
                "pos_embed_max_size": 16,
            },
            vae={**SD35_LARGE.vae, **TOY_VAE},
            preview=TOY_PREVIEW,
            text=TOY_TEXT,
            text_2=TOY_TEXT,
            t5=TOY_T5,
            vision={**TOY_LAYERS, "image_size": 32, "patch_size": 8},
            resampler={
                "embed_dim": WIDTH,
                "output_dim": 2 * 16,
                "hidden_dim": 64,
                "heads": 1,
                "num_queries": 4,
                "timestep_in_dim": 32,
            },
        ),
    ),
    "tiny-flux": (
        "flux-dev",
        replace(
            FLUX_DEV,
            denoiser={
                **FLUX_DEV.denoiser,
                "num_layers": 2,
                "num_single_layers": 2,
                "num_attention_heads": 2,
                "attention_head_dim": 16,
                "axes_dims_rope": (4, 4, 8),
                "joint_attention_dim": 2 * WIDTH,
                "pooled_projection_dim": WIDTH,
            },
            vae={**FLUX_DEV.vae, **TOY_VAE},
            preview=TOY_PREVIEW,
            text=TOY_TEXT,
            t5=TOY_T5,
            vision=TOY_VISION,
            tokens=4,
        ),
    ),
}
