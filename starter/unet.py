"""The denoiser and its image adapter, trained together on cached latents.

The adapter is the ordinary IP-Adapter of diffusers. A batch either leaves it out altogether, so that scale 0
stays a good model, or feeds it the embedding of another picture that looks alike, often with a caption that
says nothing of the look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import UNet2DConditionModel

from starter import latents, losses, phases, text, vision
from starter.conditions import Alike, conditions
from starter.dataset import RUNS, SQUARE, Size, home, load, sizes
from starter.device import DEVICE, NARROW, narrow
from starter.loop import Budget, fit, ranks

SEED = 15
TOKENS = 4
WITHOUT_ADAPTER = 0.5  # share of batches
SQUARES = 0.85  # share of batches of square pictures
CONFIG = {
    "sample_size": 16,
    "in_channels": latents.CHANNELS,
    "out_channels": latents.CHANNELS,
    "block_out_channels": (128, 192, 224),
    "time_embedding_dim": 128,
    "layers_per_block": 1,
    # No attention above 8x8: measured, at 16x16 it costs 45 % of the speed on a CPU.
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": (4, 4, 8),
    "cross_attention_dim": text.HIDDEN,
    "norm_num_groups": 16,
    # The words also reach every block, pooled and with the time: medium, palette and light are everywhere.
    "addition_embed_type": "text",
    "addition_embed_type_num_heads": 8,
    "resnet_time_scale_shift": "scale_shift",
}


def fresh_adapter(unet: UNet2DConditionModel) -> dict[str, dict[str, torch.Tensor]]:
    """Untrained adapter weights in the published IP-Adapter layout."""
    width = unet.config.cross_attention_dim
    proj = torch.nn.Linear(vision.WIDTH, TOKENS * width)
    state: dict[str, dict[str, torch.Tensor]] = {
        "image_proj": {"proj.weight": proj.weight.data, "proj.bias": proj.bias.data,
                       "norm.weight": torch.ones(width), "norm.bias": torch.zeros(width)},
        "ip_adapter": {},
    }  # fmt: skip
    for number, name in enumerate(unet.attn_processors):
        if name.endswith("attn2.processor"):
            block = unet.get_submodule(name.removesuffix(".processor"))
            for part, layer in (("to_k_ip", block.to_k), ("to_v_ip", block.to_v)):
                made = torch.nn.Linear(width, layer.out_features, bias=False)
                state["ip_adapter"][f"{number}.{part}.weight"] = made.weight.data * 0.5
    return state


def adapter_state(unet: UNet2DConditionModel) -> dict[str, dict[str, torch.Tensor]]:
    """The adapter's weights of a UNet that carries one, in the published IP-Adapter layout."""
    projection = unet.encoder_hid_proj.image_projection_layers[0].state_dict()
    state = {
        "image_proj": {key.replace("image_embeds", "proj"): value for key, value in projection.items()},
        "ip_adapter": {},
    }
    for number, (name, processor) in enumerate(unet.attn_processors.items()):
        if name.endswith("attn2.processor"):
            state["ip_adapter"][f"{number}.to_k_ip.weight"] = processor.to_k_ip[0].weight
            state["ip_adapter"][f"{number}.to_v_ip.weight"] = processor.to_v_ip[0].weight
    return state


def build() -> UNet2DConditionModel:
    """A UNet with an untrained adapter loaded."""
    torch.manual_seed(SEED)
    unet = UNet2DConditionModel(**CONFIG)
    unet._load_ip_adapter_weights([fresh_adapter(unet)], low_cpu_mem_usage=False)
    return unet.requires_grad_(True)


def trained() -> dict[str, torch.Tensor]:
    """The state that training has ended with: sharpened, once it has been."""
    sharpened = RUNS / "sharpen.final.pt"
    path = sharpened if sharpened.exists() else RUNS / "unet.final.pt"
    found: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
    return found


def is_inner(name: str, parameter: torch.nn.Parameter) -> bool:
    """Whether a parameter is a matrix or a kernel between hidden features, not at the model's ends."""
    ends = ("conv_in", "conv_out", "time_embedding", "add_embedding")
    return parameter.ndim >= 2 and not name.startswith(ends)


def set_scale(unet: UNet2DConditionModel, scale: float) -> None:
    for name, processor in unet.attn_processors.items():
        if name.endswith("attn2.processor"):
            processor.scale = [scale]


@dataclass(frozen=True)
class Bucket:
    """Latents and codes of the pictures of one size."""

    latents: np.ndarray
    codes: np.ndarray

    def take(self, index: list[int]) -> torch.Tensor:
        """(n, c, h, w) float32."""
        return torch.from_numpy(self.latents[index].astype(np.float32))


def bucket(size: Size) -> Bucket:
    return Bucket(np.load(home(size) / "latents.npy", mmap_mode="r"), load(size).codes)


def train(
    budget: Budget,
    *,
    batch: int = 32,
    lr: float = 6e-4,
    on_checkpoint: Callable[[dict[str, torch.Tensor], int], None] | None = None,
) -> None:
    buckets = [bucket(size) for size in sizes()]
    # Embeddings may come later than latents: until a restart finds them, only the words are learned.
    found = home(SQUARE) / "embeddings.npy"
    looks = np.load(found) if found.exists() else np.zeros((len(buckets[0].codes), vision.WIDTH))
    alike = Alike(looks, buckets[0].codes)
    tokenizer, encoder = text.trained()
    encoder.to(DEVICE)
    unet = build()
    start = RUNS / "unet.start.pt"
    if start.exists():
        unet.load_state_dict(torch.load(start, weights_only=True))
    if NARROW:
        phases.install(unet)
    else:  # measured: 12.9 samples a second and core; with phases 11.9, and 12.2 without channels last
        unet = unet.to(memory_format=torch.channels_last)
    rank, world = ranks()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        rng = np.random.default_rng(generator.initial_seed())
        # Decided alike by all processes, so that their gradients are of the same parameters.
        shared = np.random.default_rng(generator.initial_seed() // world)
        adapted = bool(shared.random() >= WITHOUT_ADAPTER) and bool(looks.any())
        other = int(shared.integers(1, max(len(buckets), 2)))
        used = buckets[0 if len(buckets) == 1 or shared.random() < SQUARES else other]
        set_scale(unet, 1.0 if adapted else 0.0)
        index = np.sort(rng.integers(len(used.codes), size=batch // world)).tolist()
        codes = used.codes[index]
        given = conditions(codes, alike, adapted, rng)
        with narrow():
            context = text.hidden(tokenizer, encoder, given.captions).float()
        x = used.take(index)
        found = losses.guess(unet, x, context, torch.from_numpy(given.embeddings), generator)
        return losses.flow(found).mean()

    # The optimizer skips parameters without a gradient: the adapter, in batches that leave it out.
    shadow = fit(
        "unet", unet, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.995, warmup=100,
        every_seconds=240, inner=is_inner, on_checkpoint=on_checkpoint,
    )  # fmt: skip
    if rank == 0:
        torch.save(shadow, RUNS / "unet.final.pt")
