"""The denoiser and its image adapter, trained together by flow matching on cached latents.

The adapter is the ordinary IP-Adapter of diffusers. A batch either leaves it out altogether, so that scale 0
stays a good model, or feeds it the embedding of another picture that looks alike,
often with a caption that says
nothing of the look.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch.nn import functional as F

from starter_v1 import text, vae, vision
from starter_v1.attributes import from_codes
from starter_v1.captions import Speaker
from starter_v1.dataset import RUNS, load
from starter_v1.loop import Budget, fit, ranks

SEED = 15
TOKENS = 4
CONTEXT = 192
CACHED = 24_000  # pictures it is trained on
WITHOUT_ADAPTER = 0.35  # share of batches
CONFIG = {
    "sample_size": 16,
    "in_channels": 8,
    "out_channels": 8,
    "block_out_channels": (96, 144, 192),
    "layers_per_block": 1,
    # No attention at 16x16: measured, it costs 45 % of the speed on a CPU.
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": (3, 4, 6),
    "cross_attention_dim": CONTEXT,
    "norm_num_groups": 16,
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


def set_scale(unet: UNet2DConditionModel, scale: float) -> None:
    for name, processor in unet.attn_processors.items():
        if name.endswith("attn2.processor"):
            processor.scale = [scale]


class Alike:
    """Embeddings of pictures that share some of the look of a given one."""

    def __init__(self, embeddings: np.ndarray, codes: np.ndarray) -> None:
        self.embeddings = embeddings
        self.codes = codes
        self.groups: dict[tuple[tuple[int, int], ...], np.ndarray] = {}

    def group(self, index: int, columns: tuple[int, ...]) -> np.ndarray:
        """Indices of the pictures that equal picture `index` in these columns of the codes."""
        key = tuple((c, int(self.codes[index, c])) for c in columns)
        if key not in self.groups:
            self.groups[key] = np.flatnonzero(
                (self.codes[:, list(columns)] == self.codes[index, list(columns)]).all(1)
            )
        return self.groups[key]

    def mean(self, index: int, columns: tuple[int, ...], count: int, rng: np.random.Generator) -> np.ndarray:
        chosen = rng.choice(self.group(index, columns), count)
        return np.asarray(self.embeddings[chosen].mean(0))

    def draw(self, index: int, rng: np.random.Generator) -> np.ndarray:
        """One embedding for picture `index`: of a twin in looks, or a mean over its medium or palette.

        Tastes reach the adapter as such means, at the usual length.
        """
        kind = rng.random()
        if kind < 0.55:
            made = self.mean(index, (1, 2, 3, 4), 1, rng)
        elif kind < 0.9:
            shared = (1, *(c for c in (2, 3, 4) if rng.random() < 0.6))
            made = self.mean(index, shared, int(rng.integers(2, 5)), rng)
        else:
            made = self.mean(
                index, (2, *(c for c in (3, 4) if rng.random() < 0.5)), int(rng.integers(2, 5)), rng
            )
        made = made * vision.NORM / max(float(np.linalg.norm(made)), 1e-6)
        return made + rng.normal(0, 0.06, made.shape)


def conditions(
    index: list[int], codes: np.ndarray, alike: Alike, adapted: bool, rng: np.random.Generator
) -> tuple[list[str], np.ndarray]:
    """Captions and image embeddings of a batch; empty and zero stand for "nothing said"."""
    speaker = Speaker(rng)
    captions, embeddings = [], np.zeros((len(index), vision.WIDTH), np.float32)
    for row, i in enumerate(index):
        attributes = from_codes(codes[i])
        plain = rng.random() < (0.5 if adapted else 0.12)
        caption = (speaker.plain if plain else speaker.free)(attributes)[0]
        drop = rng.random()
        captions.append("" if drop < 0.12 else caption)
        if adapted and 0.06 < drop < 0.94:
            embeddings[row] = alike.draw(i, rng)
    return captions, embeddings


def flow_step(
    unet: UNet2DConditionModel,
    x: torch.Tensor,
    context: torch.Tensor,
    embeds: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """The flow-matching loss (Lipman et al. 2023; logit-normal times as Esser et al. 2024)."""
    sigma = torch.sigmoid(0.3 + torch.randn(len(x), generator=generator))
    uniform = torch.rand(len(x), generator=generator)
    sigma = torch.where(torch.rand(len(x), generator=generator) < 0.3, uniform, sigma)
    noise = torch.randn(x.shape, generator=generator)
    at = sigma[:, None, None, None]
    with torch.autocast("cpu", torch.bfloat16):
        out = unet(
            (1 - at) * x + at * noise,
            sigma * 1000,
            context,
            added_cond_kwargs={"image_embeds": [embeds[:, None]]},
        ).sample
    return F.mse_loss(out.float(), noise - x)


def train(
    budget: Budget,
    *,
    batch: int = 32,
    lr: float = 6e-4,
    on_checkpoint: Callable[[dict[str, torch.Tensor]], None] | None = None,
) -> None:
    latents = np.load(RUNS / "latents.npy")
    codes = load()[1][: len(latents)]
    known = (RUNS / "embeddings.npy").exists()
    alike = Alike(np.load(RUNS / "embeddings.npy") if known else np.zeros((len(codes), vision.WIDTH)), codes)
    tokenizer, encoder = text.trained()
    unet = build()
    rank, world = ranks()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        rng = np.random.default_rng(generator.initial_seed())
        # One decision for all processes, so that their gradients are of the same parameters.
        adapted = np.random.default_rng(generator.initial_seed() // world).random() >= WITHOUT_ADAPTER
        adapted = bool(adapted) and known
        set_scale(unet, 1.0 if adapted else 0.0)
        index = rng.integers(len(codes), size=batch // world).tolist()
        captions, embeddings = conditions(index, codes, alike, adapted, rng)
        context = text.hidden(tokenizer, encoder, captions)
        x = torch.from_numpy(latents[index].astype(np.float32))
        return flow_step(unet, x, context, torch.from_numpy(embeddings), generator)

    # The optimizer skips parameters without a gradient: the adapter, in batches that leave it out.
    shadow = fit(
        "unet", unet, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.998, warmup=200,
        every_seconds=480, on_checkpoint=on_checkpoint,
    )  # fmt: skip
    if rank == 0:
        torch.save(shadow, RUNS / "unet.final.pt")


def latents_of(bounds: tuple[int, int]) -> np.ndarray:
    """Latents (n, 8, 16, 16) float16 of the pictures with indices in `bounds`."""
    torch.set_num_threads(1)
    images, compressor = load()[0], vae.trained()
    parts = [np.asarray(images[i : i + 25]) for i in range(*bounds, 25)]
    return np.concatenate([vae.encode(compressor, part).half().numpy() for part in parts])


def looks_of(bounds: tuple[int, int]) -> np.ndarray:
    """Image embeddings (n, 64) float32 of the pictures with indices in `bounds`."""
    torch.set_num_threads(1)
    return np.asarray(vision.embed(vision.trained(), np.asarray(load()[0][slice(*bounds)])))


def cache(count: int = CACHED, processes: int = 2) -> None:
    """Encode the first `count` pictures once, so that training the UNet needs neither encoder.

    Without a trained image encoder only latents are made, and the UNet trains without its adapter until then.
    """
    bounds = [(start, start + 500) for start in range(0, count, 500)]
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for name, encode in (("latents", latents_of), ("embeddings", looks_of)):
            if name == "embeddings" and not (RUNS / "vision.final.pt").exists():
                return
            if not (RUNS / f"{name}.npy").exists():
                np.save(RUNS / f"{name}.npy", np.concatenate(list(pool.map(encode, bounds))))
