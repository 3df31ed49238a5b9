"""Latents as the denoiser leaves them, for the decoder to learn what it will be given.

Noise is laid over a drawing's latents and the denoiser takes it out again, in the sampler's last steps and
with its guidance. What comes back is still that drawing, but for the detail that the noise has covered: of
this the decoder has to make a picture.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel

from starter import losses, sampler, schedule, text, unet, vision
from starter.attributes import TOLD, from_codes
from starter.captions import Speaker
from starter.dataset import SQUARE, home, load
from starter.device import DEVICE, narrow

SEED = 23
COUNT = 2500
BATCH = 32
LAST = 2  # the most of the sampler's steps that are taken again: after more, little of the drawing is left
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
    keep(index, np.concatenate(made))


def keep(index: np.ndarray, guessed: np.ndarray) -> None:
    """Write them. Training may have mapped the old ones: they are replaced, not written over."""
    for name, found in ((WHICH, index), (FILE, guessed)):
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
    model.load_state_dict(unet.trained())
    return model


@torch.no_grad()
def again(model: UNet2DConditionModel, index: np.ndarray, steps: int, rng: np.random.Generator) -> np.ndarray:
    """(n, CHANNELS, h, w) float16 of square pictures (n,), out of noise as before the last `steps`."""
    speaker = Speaker(rng, unseen_rates={})
    captions = [speaker.say(from_codes(row), list(TOLD)) for row in load(SQUARE).codes[index]]
    first = sampler.STEPS - steps
    alpha = losses.SIGNAL[times()[first]]
    x = unet.bucket(SQUARE).take(index.tolist())
    noise = torch.from_numpy(rng.normal(size=x.shape).astype(np.float32))
    *_, x = followed(model, alpha * x + (1 - alpha**2).sqrt() * noise, captions, first)
    return np.asarray(x.numpy(), np.float16)


def times() -> torch.Tensor:
    """(sampler.STEPS,) times of the sampler's steps."""
    solver = schedule.scheduler()
    solver.set_timesteps(sampler.STEPS)
    return solver.timesteps


@torch.no_grad()
def followed(
    model: UNet2DConditionModel, x: torch.Tensor, captions: list[str], first: int = 0
) -> Iterator[torch.Tensor]:
    """Noisy latents (n, CHANNELS, h, w), then what each step of the sampler from `first` on makes of them."""
    unet.set_scale(model, 0.0)
    words = text.hidden(*text.trained(), [""] * len(captions) + captions).float().to(DEVICE)
    nothing = torch.zeros(2 * len(captions), 1, vision.WIDTH, device=DEVICE)
    solver = schedule.scheduler()
    solver.set_timesteps(sampler.STEPS)
    solver.set_begin_index(first)
    x = x.to(DEVICE)
    yield x.cpu()
    for t in solver.timesteps[first:]:
        with narrow():
            v = model(torch.cat([x, x]), t, words, added_cond_kwargs={"image_embeds": [nothing]}).sample
        without, told = v.float().chunk(2)
        x = solver.step(without + sampler.GUIDANCE * (told - without), t, x).prev_sample
        yield x.cpu()


def known(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Indices (n,) of pictures and what the denoiser made of them, that `build` wrote."""
    return np.load(folder / WHICH), np.load(folder / FILE, mmap_mode="r")
