"""What first-block caching (`cache` of a Flux preset) costs in quality, on a small Flux trained for it here.

Run as `python -m benchmarks.caching train --minutes 40`, then `python -m benchmarks.caching`. The starter's
stages `draw` and `latents` have to be done (starter/README.md). Flux's own weights are too large for machines
without a card; this is its network, `FluxTransformer2DModel` with both of its kinds of blocks, at less than a
thousandth of the size, painting the starter's latents. What thresholds do to it shows how a trained network
takes being cached. Flux itself may take it otherwise: `python -m benchmarks.shortcuts --preset` tells, where
its weights are.
"""

import argparse
import itertools
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import FirstBlockCacheConfig, FluxTransformer2DModel
from torch import nn

from starter import export, latents, measures, text, unet
from starter.attributes import TOLD, balanced, from_codes
from starter.captions import Speaker
from starter.conditions import Alike, conditions
from starter.dataset import RUNS, SQUARE
from starter.loop import Budget, fit
from starter.pixels import to_images

FINAL = RUNS / "flux.final.pt"
SIDE = SQUARE[0] // latents.FACTOR // 2  # Flux makes one token of 2x2 places
SHIFT = 2.0  # how much more of the time is spent under strong noise (Esser et al. 2024)
STEPS, GUIDANCE = 28, 3.0
THRESHOLDS = (0.02, 0.05, 0.1, 0.2)
SEED = 41


def build() -> FluxTransformer2DModel:
    torch.manual_seed(SEED)
    return FluxTransformer2DModel(
        patch_size=1, in_channels=4 * latents.CHANNELS, num_layers=3, num_single_layers=6,
        attention_head_dim=32, num_attention_heads=4, joint_attention_dim=text.HIDDEN,
        pooled_projection_dim=text.HIDDEN, guidance_embeds=False, axes_dims_rope=(8, 12, 12),
    )  # fmt: skip


def is_inner(name: str, parameter: nn.Parameter) -> bool:
    ends = ("x_embedder", "context_embedder", "time_text_embed", "norm", "proj_out")
    return parameter.ndim == 2 and not name.startswith(ends) and ".norm" not in name


def packed(x: torch.Tensor) -> torch.Tensor:
    """(n, c, h, w) to (n, h w / 4, 4 c), as FluxPipeline packs latents."""
    n, c, h, w = x.shape
    parts = x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return parts.reshape(n, h * w // 4, 4 * c)


def unpacked(x: torch.Tensor) -> torch.Tensor:
    """The inverse of `packed`, of square latents."""
    n, _, c = x.shape
    parts = x.view(n, SIDE, SIDE, c // 4, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return parts.reshape(n, c // 4, 2 * SIDE, 2 * SIDE)


def places() -> torch.Tensor:
    """(SIDE^2, 3) the ids of image tokens."""
    ids = torch.zeros(SIDE, SIDE, 3)
    ids[..., 1], ids[..., 2] = torch.arange(SIDE)[:, None], torch.arange(SIDE)[None]
    return ids.reshape(-1, 3)


def velocity(model: nn.Module, x: torch.Tensor, time_left: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    """(n, t, c) of packed latents at times (n,) from 1, all noise, to 0, and of words (n, k, d)."""
    made: torch.Tensor = model(
        hidden_states=x, encoder_hidden_states=words, pooled_projections=words.mean(1), timestep=time_left,
        img_ids=places(), txt_ids=torch.zeros(words.shape[1], 3), return_dict=False,
    )[0]  # fmt: skip
    return made


def shifted(times: torch.Tensor) -> torch.Tensor:
    return SHIFT * times / (1 + (SHIFT - 1) * times)


def train(budget: Budget, *, batch: int = 32, lr: float = 1e-3) -> None:
    """Rectified flow (Liu et al. 2022) on drawings and their captions."""
    pictures = unet.bucket(SQUARE)
    unseen = Alike(np.zeros((len(pictures.codes), 1)), pictures.codes)
    tokenizer, encoder = text.trained()
    model = build()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        rng = np.random.default_rng(generator.initial_seed())
        index = np.sort(rng.integers(len(pictures.codes), size=batch)).tolist()
        said = conditions(pictures.codes[index], unseen, False, rng).captions
        words = text.hidden(tokenizer, encoder, said).float()
        x = packed(pictures.take(index))
        noise = torch.randn(x.shape, generator=generator)
        left = shifted(torch.rand(batch, generator=generator))
        share = left[:, None, None]
        made = velocity(model, (1 - share) * x + share * noise, left, words)
        return (made - (noise - x)).square().mean()

    shadow = fit(
        "flux", model, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.995, inner=is_inner
    )
    torch.save(shadow, FINAL)


@dataclass(frozen=True)
class Painted:
    images: np.ndarray  # (n, 256, 256, 3) uint8
    seconds: float
    computed: float  # share of the blocks after the first that were computed


@torch.no_grad()
def paint(captions: list[str], threshold: float | None, *, batch: int = 20) -> Painted:
    """Images of captions, guided, one seed each, with each batch's steps cached at this threshold."""
    pipe = export.load_pipeline()
    model = build().eval()
    model.load_state_dict(torch.load(FINAL, weights_only=True))
    if threshold is not None:
        model.enable_cache(FirstBlockCacheConfig(threshold=threshold))
    calls = [0]
    last = model.single_transformer_blocks[-1].attn
    last.register_forward_hook(lambda *_: calls.__setitem__(0, calls[0] + 1))
    times = shifted(torch.linspace(1, 0, STEPS + 1))
    made, asked, started = [], 0, time.process_time()
    for start in range(0, len(captions), batch):
        part = captions[start : start + batch]
        told, empty = (
            text.hidden(pipe.tokenizer, pipe.text_encoder, said).float() for said in (part, [""] * len(part))
        )
        x = torch.stack(
            [
                torch.randn(
                    (SIDE**2, 4 * latents.CHANNELS), generator=torch.Generator().manual_seed(start + n)
                )
                for n in range(len(part))
            ]
        )
        for now, after in itertools.pairwise(times):
            guesses = []
            for name, words in (("cond", told), ("uncond", empty)):
                with model.cache_context(name) if threshold is not None else nullcontext():
                    guesses.append(velocity(model, x, now.expand(len(part)), words))
                asked += 1
            with_, without = guesses
            x = x + (after - now) * (without + GUIDANCE * (with_ - without))
        if threshold is not None:
            model._reset_stateful_cache()
        made.append(x)
    seconds = time.process_time() - started
    images = [to_images(pipe.vae.decode(unpacked(z)).sample) for x in made for z in x.split(4)]
    return Painted(np.concatenate(images), seconds / len(captions), calls[0] / asked)


def table(count: int) -> Iterator[str]:
    codes = balanced(count, SEED)
    speaker = Speaker(np.random.default_rng(SEED), unseen_rates={})
    captions = [speaker.say(from_codes(row), list(TOLD)) for row in codes]
    whole = paint(captions, None)
    columns = ("steps computed, %", "time, %", *(f"{name} seen, %" for name in TOLD), "pixels differ by")
    yield f"| {count} images, {STEPS} steps | {' | '.join(columns)} |"
    yield f"|---|{'---|' * len(columns)}"
    for threshold in (None, *THRESHOLDS):
        found = whole if threshold is None else paint(captions, threshold)
        seen, _ = measures.look_at(found.images)
        shares = measures.shares(seen, codes, TOLD)
        apart = float(np.abs(found.images.astype(np.int16) - whole.images).mean())
        cells = (
            "none" if threshold is None else str(threshold),
            f"{100 * found.computed:.0f}",
            f"{100 * found.seconds / whole.seconds:.0f}",
            *(f"{100 * shares[name]:.1f}" for name in TOLD),
            f"{apart:.2f}",
        )
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="What first-block caching costs in quality.")
    parser.add_argument("what", nargs="?", choices=("train", "measure"), default="measure")
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--images", type=int, default=200)
    arguments = parser.parse_args()
    if arguments.what == "train":
        train(Budget(10_000_000, arguments.minutes))
        return
    for line in table(arguments.images):
        print(line, flush=True)


if __name__ == "__main__":
    main()
