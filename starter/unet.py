"""The denoiser and its image adapter, trained together by flow matching on cached latents.

The adapter is the ordinary IP-Adapter of diffusers. A batch either leaves it out altogether, so that scale 0
stays a good model, or feeds it the embedding of another picture that looks alike,
often with a caption that says
nothing of the look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from starter import phases, text, vae, vision
from starter.attributes import NAMES, from_codes
from starter.captions import Speaker
from starter.dataset import RUNS, SQUARE, Size, home, load, sizes
from starter.device import DEVICE, here, narrow
from starter.loop import Budget, fit, ranks
from starter.reader import WEIGHTS, Reader, misread, trained

SEED = 15
TOKENS = 4
WITHOUT_ADAPTER = 0.5  # share of batches
SQUARES = 0.85  # share of batches of square pictures
LEAST_NOISE = 0.25  # below it errors weigh no more
# Sides of the squares over which errors of shapes are averaged, and the weights of what is left.
SCALES = ((2, 1.0), (4, 4.0), (8, 4.0))
# Weights of what the reader holds against a guess: what it cannot read in it, features unlike the picture's.
MISREAD, UNLIKE = 0.05, 1.5
# On a CPU attention over so few places is faster spelled out than fused: the fused kernel's way back is slow.
FUSED = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION)
ATTENTION = [SDPBackend.MATH, *(() if DEVICE.type == "cpu" else FUSED)]
# Mean and deviation of the noise's logit. Most of the latents' variance is the mean colour, known at strong noise
# already; shapes take half as much, and textures, a tenth of the variance, are seen below a third only.
LOGIT, SPREAD = 0.2, 1.5
CONFIG = {
    "sample_size": 32,
    "in_channels": vae.CHANNELS,
    "out_channels": vae.CHANNELS,
    # The first level folds 2x2 places into one and back, and paints the textures; places are what costs on a CPU.
    "block_out_channels": (64, 128, 192, 224),
    "time_embedding_dim": 128,
    "layers_per_block": 1,
    # No attention above 8x8: measured, at 16x16 it costs 45 % of the speed on a CPU.
    "down_block_types": ("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    "attention_head_dim": (2, 4, 4, 8),
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


def is_inner(name: str, parameter: torch.nn.Parameter) -> bool:
    """Whether a parameter is a matrix or a kernel between hidden features, not at the model's ends."""
    ends = ("conv_in", "conv_out", "time_embedding", "add_embedding")
    return parameter.ndim >= 2 and not name.startswith(ends)


def set_scale(unet: UNet2DConditionModel, scale: float) -> None:
    for name, processor in unet.attn_processors.items():
        if name.endswith("attn2.processor"):
            processor.scale = [scale]


class Alike:
    """Embeddings of pictures that share some of the look of a given one, itself never among them."""

    def __init__(self, embeddings: np.ndarray, codes: np.ndarray) -> None:
        self.embeddings = embeddings
        self.codes = codes
        self.groups: dict[tuple[tuple[int, int], ...], np.ndarray] = {}

    def group(self, row: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
        """Indices of the pictures whose codes equal `row` in these columns; of fewer if there are too few."""
        key = tuple((c, int(row[c])) for c in columns)
        if key not in self.groups:
            same = (self.codes[:, list(columns)] == row[list(columns)]).all(1)
            self.groups[key] = np.flatnonzero(same)
        found = self.groups[key]
        return found if len(found) > 1 or len(columns) == 1 else self.group(row, columns[:-1])

    def mean(
        self, row: np.ndarray, columns: tuple[int, ...], count: int, rng: np.random.Generator
    ) -> np.ndarray:
        found = self.group(row, columns)
        others = found[(self.codes[found] != row).any(1)]
        return np.asarray(self.embeddings[rng.choice(others if len(others) else found, count)].mean(0))

    def draw(self, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One embedding for a picture of these codes: of a twin in looks, or a mean over many.

        Tastes reach the adapter as such means, at the usual length.
        """
        kind, count = rng.random(), int(rng.integers(2, 6))
        if kind < 0.5:
            made = self.mean(row, (1, 2, 3, 4), 1, rng)
        elif kind < 0.85:
            shared = (1, *(c for c in (2, 3, 4) if rng.random() < 0.6))
            made = self.mean(row, shared, count, rng)
        else:
            made = self.mean(row, (2, *(c for c in (3, 4) if rng.random() < 0.5)), count, rng)
        made = made * vision.NORM / max(float(np.linalg.norm(made)), 1e-6)
        return made + rng.normal(0, 0.06, made.shape)


@dataclass(frozen=True)
class Conditions:
    """What a batch of n pictures is painted from; empty and zero stand for "nothing said"."""

    captions: list[str]
    embeddings: np.ndarray  # (n, vision.WIDTH) float32
    said: np.ndarray  # (n, 9) bool: which of attributes.NAMES each caption mentions


def conditions(rows: np.ndarray, alike: Alike, adapted: bool, rng: np.random.Generator) -> Conditions:
    """Captions and image embeddings for codes (n, 10).

    Text and image are left out apart and together, so that each can be guided by itself.
    """
    speaker = Speaker(rng)
    made = Conditions(
        [], np.zeros((len(rows), vision.WIDTH), np.float32), np.zeros((len(rows), len(NAMES)), bool)
    )
    for number, row in enumerate(rows):
        plain = rng.random() < (0.5 if adapted else 0.12)
        caption, names = (speaker.plain if plain else speaker.free)(from_codes(row))
        drop = rng.random()
        made.captions.append("" if drop < 0.12 else caption)
        if drop >= 0.12:
            made.said[number] = [name in names for name in NAMES]
        if adapted and 0.06 < drop < 0.94:
            made.embeddings[number] = alike.draw(row, rng)
    return made


@dataclass(frozen=True)
class Guess:
    """What the denoiser makes of pictures x (n, 8, h, w) under noise of strength sigma (n,)."""

    x: torch.Tensor
    made: torch.Tensor
    sigma: torch.Tensor


def guess(
    unet: UNet2DConditionModel,
    x: torch.Tensor,
    context: torch.Tensor,
    embeds: torch.Tensor,
    generator: torch.Generator,
) -> Guess:
    """One guess of x itself, at times of flow matching (logit-normal as Esser et al. 2024).

    Velocities differ by what x differs, over sigma; guessing x itself is far easier for so narrow a model,
    which would otherwise have to carry all of the noise to its output (Li and He 2025).
    """
    sigma = torch.sigmoid(LOGIT + SPREAD * torch.randn(len(x), generator=generator))
    uniform = torch.rand(len(x), generator=generator)
    sigma = torch.where(torch.rand(len(x), generator=generator) < 0.15, uniform, sigma)
    x, context, embeds, sigma, noise = here(
        x, context, embeds, sigma, torch.randn(x.shape, generator=generator)
    )
    at = sigma[:, None, None, None]
    with narrow(), sdpa_kernel(ATTENTION):
        out = unet(
            (1 - at) * x + at * noise,
            sigma * 1000,
            context,
            added_cond_kwargs={"image_embeds": [embeds[:, None]]},
        ).sample
    return Guess(x, out.float(), sigma)


def flow(found: Guess) -> torch.Tensor:
    """(n,) flow-matching losses (Lipman et al. 2023)."""
    return error(found.made - found.x) / found.sigma.clamp(min=LEAST_NOISE).square()


def unread(reader: Reader, found: Guess, codes: torch.Tensor, said: torch.Tensor) -> torch.Tensor:
    """(n,) how much worse the reader can tell codes (n, 10) from guesses than from the pictures themselves.

    Only what the caption says counts, and all that the picture shows where the noise leaves it to be seen.
    No more is asked for than the picture gives: past that, a guess would be made to please the reader.
    """
    codes, said, weights = here(codes, said, WEIGHTS)
    with narrow():
        with torch.no_grad():
            wanted, told = reader(found.x)
        features, logits = reader(found.made)
    excess = F.relu(misread(logits, codes) - misread(told, codes))
    counted = (said | (found.sigma[:, None] < 0.5)) * weights
    # The stronger the noise, the less there is to be seen of any one picture.
    clear = ((1 - found.sigma) / 0.3).clamp(max=1)
    unlike = torch.stack(
        [(f.float() - w.float()).square().mean((1, 2, 3)) for f, w in zip(features, wanted, strict=True)]
    ).sum(0)
    clearer = ((0.9 - found.sigma) / 0.4).clamp(0, 1)
    return MISREAD * clear * (excess.clamp(max=6) * counted).sum(1) + UNLIKE * clearer * unlike


def error(difference: torch.Tensor) -> torch.Tensor:
    """(n,) squared errors of (n, c, h, w), those of coarse shapes counting for as much as those of textures.

    Shapes are a small part of the plain mean square, most of which is texture and the mean colour; weighing
    scales leaves the best guess where it is.
    """
    shapes = difference - difference.mean((2, 3), keepdim=True)
    coarse = [weight * F.avg_pool2d(shapes, side).square().mean((1, 2, 3)) for side, weight in SCALES]
    return difference.square().mean((1, 2, 3)) + torch.stack(coarse).sum(0)


@dataclass(frozen=True)
class Bucket:
    """Latents and codes of the pictures of one size."""

    latents: np.ndarray
    codes: np.ndarray


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
    reader = trained().to(DEVICE)
    unet = build()
    start = RUNS / "unet.start.pt"
    if start.exists():
        unet.load_state_dict(torch.load(start, weights_only=True))
    phases.install(unet)
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
        x = torch.from_numpy(used.latents[index].astype(np.float32))
        found = guess(unet, x, context, torch.from_numpy(given.embeddings), generator)
        return (
            flow(found)
            + unread(reader, found, torch.from_numpy(codes.astype(np.int64)), torch.from_numpy(given.said))
        ).mean()

    # The optimizer skips parameters without a gradient: the adapter, in batches that leave it out.
    shadow = fit(
        "unet", unet, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.998, warmup=100,
        every_seconds=240, inner=is_inner, on_checkpoint=on_checkpoint,
    )  # fmt: skip
    if rank == 0:
        torch.save(shadow, RUNS / "unet.final.pt")
