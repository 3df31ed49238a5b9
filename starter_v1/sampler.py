"""Batches with one image embedding a picture, which the pipeline's own call cannot do."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

from starter_v1 import text, vae

STEPS = 16
GUIDANCE = 4.0


@torch.no_grad()
def sample(
    pipe: StableDiffusionPipeline,
    prompts: list[str],
    seeds: list[int],
    *,
    embeds: np.ndarray | None = None,
    scale: float = 0.0,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
    batch: int = 25,
) -> np.ndarray:
    """(n, 128, 128, 3) uint8 pictures of n prompts; `embeds` (n, 64) image embeddings weighted by `scale`."""
    pipe.set_ip_adapter_scale(scale)
    width = pipe.unet.encoder_hid_proj.image_projection_layers[0].image_embeds.in_features
    embeds = np.zeros((len(prompts), width), np.float32) if embeds is None else embeds
    made = []
    for start in range(0, len(prompts), batch):
        part = slice(start, start + batch)
        context = text.hidden(pipe.tokenizer, pipe.text_encoder, [""] * len(prompts[part]) + prompts[part])
        wanted = torch.from_numpy(embeds[part].astype(np.float32))
        images = torch.cat([torch.zeros_like(wanted), wanted])[:, None]
        noise = [
            torch.randn((8, 16, 16), generator=torch.Generator().manual_seed(seed)) for seed in seeds[part]
        ]
        pipe.scheduler.set_timesteps(steps)
        x = torch.stack(noise) * pipe.scheduler.init_noise_sigma
        for t in pipe.scheduler.timesteps:
            out = pipe.unet(
                torch.cat([x, x]), t, context, added_cond_kwargs={"image_embeds": [images]}
            ).sample
            without, with_ = out.chunk(2)
            x = pipe.scheduler.step(without + guidance * (with_ - without), t, x).prev_sample
        made.append(vae.to_images(pipe.vae.decode(x / pipe.vae.config.scaling_factor).sample))
    return np.concatenate(made)
