"""Latents as the denoiser leaves them, for the decoder to learn what it will be given.

Noise is laid over a drawing's latents and the denoiser takes it out again, in the sampler's last steps and
with its guidance. What comes back is still that drawing, but for the detail that the noise has covered: of
this the decoder has to make a picture.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel

from starter import losses, sampler, schedule, text, unet, vision
from starter.attributes import TOLD, from_codes
from starter.captions import Speaker
from starter.dataset import RUNS, SQUARE, home, load
from starter.device import DEVICE, narrow

SEED = 23
COUNT = 2500
BATCH = 32
LAST = 5  # the most of the sampler's steps that are taken again
FILE, WHICH = "guesses.npy", "guesses.index.npy"


def build(processes: int = 2) -> None:
    """Write COUNT latents beside those of square pictures, and whose they are."""
    rng = np.random.default_rng(SEED)
    index = np.sort(rng.choice(len(load(SQUARE)), COUNT, replace=False))
    parts = [(part, rng.spawn(1)[0]) for part in np.split(index, range(BATCH, COUNT, BATCH))]
    made: list[np.ndarray] = []
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for guessed in pool.map(part_of, parts):
            made.append(guessed)
            if len(made) % 10 == 0:
                print(f"guesses {len(made) * BATCH}/{COUNT}", flush=True)
    # Training may have the old ones mapped into its memory: they are replaced, not written over.
    for name, found in ((WHICH, index), (FILE, np.concatenate(made))):
        fresh = home(SQUARE) / f"part.{name}"
        np.save(fresh, found)
        fresh.replace(home(SQUARE) / name)


def part_of(task: tuple[np.ndarray, np.random.Generator]) -> np.ndarray:
    """Guesses of some square pictures (n,), after a number of steps that is drawn for all of them."""
    torch.set_num_threads(1)
    index, rng = task
    guessed: np.ndarray = again(trained(), index, int(rng.integers(1, LAST + 1)), rng)
    return guessed


@lru_cache
def trained() -> UNet2DConditionModel:
    model = unet.build().to(DEVICE)
    model.load_state_dict(torch.load(RUNS / "unet.final.pt", weights_only=True))
    return model


@torch.no_grad()
def again(model: UNet2DConditionModel, index: np.ndarray, steps: int, rng: np.random.Generator) -> np.ndarray:
    """(n, CHANNELS, h, w) float16 of square pictures (n,), out of noise as before the last `steps`."""
    unet.set_scale(model, 0.0)
    speaker, tokens = Speaker(rng, unseen_rates={}), text.trained()
    captions = [speaker.say(from_codes(row), list(TOLD)) for row in load(SQUARE).codes[index]]
    words = text.hidden(*tokens, [""] * len(index) + captions).float().to(DEVICE)
    nothing = torch.zeros(2 * len(index), 1, vision.WIDTH, device=DEVICE)
    solver = schedule.scheduler()
    solver.set_timesteps(sampler.STEPS)
    first = sampler.STEPS - steps
    solver.set_begin_index(first)
    alpha = losses.SIGNAL[solver.timesteps[first]]
    x = unet.bucket(SQUARE).take(index.tolist())
    noise = torch.from_numpy(rng.normal(size=x.shape).astype(np.float32))
    x = (alpha * x + (1 - alpha**2).sqrt() * noise).to(DEVICE)
    for t in solver.timesteps[first:]:
        with narrow():
            v = model(torch.cat([x, x]), t, words, added_cond_kwargs={"image_embeds": [nothing]}).sample
        without, told = v.float().chunk(2)
        x = solver.step(without + sampler.GUIDANCE * (told - without), t, x).prev_sample
    return np.asarray(x.cpu().numpy(), np.float16)


def known(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Indices (n,) of pictures and what the denoiser made of them, that `build` wrote."""
    return np.load(folder / WHICH), np.load(folder / FILE, mmap_mode="r")
