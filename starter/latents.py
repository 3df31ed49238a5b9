"""Latents and layouts of all drawn pictures and embeddings of square ones: training needs neither encoder."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch

from starter import layout, vae, vision
from starter.attributes import from_codes
from starter.dataset import SQUARE, Size, first_seed, home, load, sizes

PART = 250
FEW = 2  # pictures encoded together: what fits a core's cache, half as fast again as ten

Task = tuple[Size, int, int]


def latents_of(task: Task) -> np.ndarray:
    """Latents (n, 8, h / 8, w / 8) float16 of some pictures of one size."""
    torch.set_num_threads(1)
    size, start, stop = task
    images, compressor = load(size).images, vae.trained()
    parts = [vae.encode(compressor, images[i : min(i + FEW, stop)]) for i in range(start, stop, FEW)]
    return np.asarray(torch.cat(parts).half().numpy())


def looks_of(task: Task) -> np.ndarray:
    """Image embeddings (n, vision.WIDTH) float32 of some pictures of one size."""
    torch.set_num_threads(1)
    size, start, stop = task
    return np.asarray(vision.embed(vision.trained(), load(size).images[start:stop]))


def layouts_of(task: Task) -> np.ndarray:
    """Layouts (n, layout.CHANNELS, h / 8, w / 8) float16 of some pictures of one size."""
    size, start, stop = task
    codes, seed = load(size).codes, first_seed(size)
    made = [
        layout.layout(from_codes(codes[i]), seed + i, width=size[0], height=size[1])
        for i in range(start, stop)
    ]
    return np.stack(made)


CACHES: dict[str, Callable[[Task], np.ndarray]] = {
    "latents": latents_of,
    "layouts": layouts_of,
    "embeddings": looks_of,
}


def build(processes: int = 2, names: tuple[str, ...] = tuple(CACHES)) -> None:
    """Write what CACHES name beside the pictures of each size, where missing; embeddings of squares only."""
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for size in sizes():
            count = len(load(size))
            tasks = [(size, start, min(start + PART, count)) for start in range(0, count, PART)]
            for name in names:
                if name == "embeddings" and size != SQUARE:
                    continue
                path = home(size) / f"{name}.npy"
                if not path.exists():
                    np.save(path, np.concatenate(list(pool.map(CACHES[name], tasks))))
                    print(f"{name} of {size[0]}x{size[1]}", flush=True)
