"""Latents that the denoiser makes of captions alone, on the way and at the end.

`guesses.py` starts from drawings and knows what should have come out; here nothing but the attributes that a
caption names is known. They are what people will be shown, so what judges paintings rather than comparing
them (`sharpen.py`, `discriminator.py`) learns from these.
"""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from starter import guesses, latents
from starter.attributes import TOLD, balanced, from_codes
from starter.captions import Speaker
from starter.dataset import RUNS, SQUARE

SEED = 29_000_000
COUNT = 2000
BATCH = 40
KEPT = 4  # of the states that the sampler goes through, the last so many: three noisy ones and the end
STATES, TOLD_OF = RUNS / "inventions.npy", RUNS / "inventions.json"


@dataclass(frozen=True)
class Inventions:
    """States (n, KEPT, CHANNELS, h, w) float16 of the sampler, codes (n, 10) and captions."""

    states: np.ndarray
    codes: np.ndarray
    captions: list[str]


def build(processes: int = 2) -> None:
    """Invent COUNT latents of captions that name what `attributes.TOLD` does."""
    codes, captions = asked(COUNT)
    parts = [(captions[start : start + BATCH], SEED + start) for start in range(0, COUNT, BATCH)]
    made: list[np.ndarray] = []
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for states in pool.map(part_of, parts):
            made.append(states)
            print(f"inventions {len(made) * BATCH}/{COUNT}", flush=True)
    keep(Inventions(np.concatenate(made), codes, captions))


def asked(count: int) -> tuple[np.ndarray, list[str]]:
    """Codes (count, 10) of what is invented, and a caption of each."""
    codes, speaker = balanced(count, SEED), Speaker(np.random.default_rng(SEED), unseen_rates={})
    return codes, [speaker.say(from_codes(row), list(TOLD)) for row in codes]


def keep(made: Inventions) -> None:
    """Write them. As in guesses.py, what training holds open is replaced, not written over."""
    fresh = STATES.with_name(f"part.{STATES.name}")
    np.save(fresh, made.states)
    fresh.replace(STATES)
    TOLD_OF.write_text(json.dumps({"codes": made.codes.tolist(), "captions": made.captions}))


def part_of(task: tuple[list[str], int]) -> np.ndarray:
    """States (n, KEPT, CHANNELS, h, w) float16 for n captions."""
    torch.set_num_threads(1)
    captions, seed = task
    side = SQUARE[0] // latents.FACTOR
    noise = torch.randn(
        (len(captions), latents.CHANNELS, side, side), generator=torch.Generator().manual_seed(seed)
    )
    states = list(guesses.followed(guesses.trained(), noise, captions))
    return np.asarray(torch.stack(states[-KEPT:], 1).numpy(), np.float16)


def known() -> Inventions:
    told = json.loads(TOLD_OF.read_text())
    return Inventions(np.load(STATES, mmap_mode="r"), np.asarray(told["codes"]), told["captions"])
