"""Batches with one image embedding a picture, which the pipeline's own call cannot do."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

from starter import latents, text
from starter.pixels import to_images

STEPS = 6
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
    batch: int = 20,
    width: int = 256,
    height: int = 256,
) -> np.ndarray:
    """(n, height, width, 3) uint8 pictures of n prompts; `embeds` (n, d) are weighted by `scale`."""
    pipe.set_ip_adapter_scale(scale)
    features = pipe.unet.encoder_hid_proj.image_projection_layers[0].image_embeds.in_features
    embeds = np.zeros((len(prompts), features), np.float32) if embeds is None else embeds
    shape = (pipe.unet.config.in_channels, height // latents.FACTOR, width // latents.FACTOR)
    made = []
    for start in range(0, len(prompts), batch):
        part = slice(start, start + batch)
        context = text.hidden(pipe.tokenizer, pipe.text_encoder, [""] * len(prompts[part]) + prompts[part])
        wanted = torch.from_numpy(embeds[part].astype(np.float32))
        images = torch.cat([torch.zeros_like(wanted), wanted])[:, None]
        noise = [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds[part]]
        pipe.scheduler.set_timesteps(steps)
        x = torch.stack(noise) * pipe.scheduler.init_noise_sigma
        for t in pipe.scheduler.timesteps:
            out = pipe.unet(
                torch.cat([x, x]), t, context, added_cond_kwargs={"image_embeds": [images]}
            ).sample
            without, with_ = out.chunk(2)
            x = pipe.scheduler.step(without + guidance * (with_ - without), t, x).prev_sample
        made += [to_images(pipe.vae.decode(z / pipe.vae.config.scaling_factor).sample) for z in x.split(4)]
    return np.concatenate(made)
