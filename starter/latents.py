"""What the denoiser learns to make: latents that say what is where, and how it looks, apart.

They are not found by an encoder but made of what the drawing code knows, at a place for 16x16 pixels:

- LAYOUT channels hold the maps of `layout.py`, 4x4 of whose places are folded into one and seen from the
  directions in which they vary most. They know neither the medium nor the palette;
- look.CODE channels hold codes of medium, palette and light, the same at all places;
- look.COLOURS channels hold the colours, seen from the directions in which they vary most;
- two channels number the places, for textures and for media that repeat within 64 pixels.

Beside them the embeddings of square pictures are kept: training needs neither encoder.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch.nn import functional as F

from starter import layout, look, vision
from starter.attributes import Attributes, from_codes
from starter.dataset import RUNS, SQUARE, Size, first_seed, home, load, sizes

FACTOR = 16  # pixels a place
LAYOUT = 16
CODE = slice(LAYOUT, LAYOUT + look.CODE)
COLOURS = slice(CODE.stop, CODE.stop + look.COLOURS)
CHANNELS = COLOURS.stop + 2
FOLD = FACTOR // layout.CELL
FITTED = 1000  # pictures that the directions are found on
FILE = "layout.safetensors"
PART = 250

Task = tuple[Size, int, int]


def folded(maps: np.ndarray) -> np.ndarray:
    """(n, layout.MAPS, h, w) to (n, layout.MAPS FOLD^2, h / FOLD, w / FOLD) float32."""
    return np.asarray(F.pixel_unshuffle(torch.from_numpy(maps.astype(np.float32)), FOLD).numpy())


def fit(path: Path) -> None:
    """Find the directions in which layouts and colours vary most, on the first pictures, and write them."""
    pictures = load()
    maps = [
        layout.layout(from_codes(row), first_seed(SQUARE) + n)
        for n, row in enumerate(pictures.codes[:FITTED])
    ]
    seen = {
        "layout": (folded(np.stack(maps)), LAYOUT),
        "colour": (look.colours(pictures.images[:FITTED]), look.COLOURS),
    }
    found = {}
    for name, (values, kept) in seen.items():
        rows = np.moveaxis(values, 1, -1).reshape(-1, values.shape[1]).astype(np.float64)
        found[f"{name}.mean"] = rows.mean(0).astype(np.float32)
        # Files keep numbers as they lie in memory, which need not be the order of the rows.
        into = scaled(np.cov((rows - rows.mean(0)).T, bias=True), kept)
        found[f"{name}.into"] = np.ascontiguousarray(into, np.float32)
    save_file(found, path)


def scaled(covariance: np.ndarray, kept: int) -> np.ndarray:
    """(kept, n) the directions of the largest variances: the first brought to a deviation of 1, the others to
    the root of what they would have beside it. That is between equal, where faint detail would count for as
    much as shapes, and as they are, where a square error hardly minds it."""
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = values[::-1][:kept], vectors[:, ::-1][:, :kept].T
    # Which way a direction points is left open by mathematics.
    vectors = vectors * np.sign(vectors[np.arange(kept), np.abs(vectors).argmax(1)])[:, None]
    return np.asarray(vectors / (values * values[0])[:, None] ** 0.25)


def through(known: dict[str, np.ndarray], name: str, values: np.ndarray) -> np.ndarray:
    """(c, h, w) seen from the directions that `fit` found."""
    centred = values - known[f"{name}.mean"][:, None, None]
    return np.asarray(np.einsum("chw,dc->dhw", centred, known[f"{name}.into"]))


def places(width: int, height: int) -> np.ndarray:
    """(2, height, width): whether column and row are even, by the sign, and by the size whether a place lies
    on one of every four diagonals, down and up.

    A decoder that enlarges what is the same everywhere makes what is the same everywhere: without signs that
    change from place to place it could not paint a texture finer than a place.
    """
    x, y = np.arange(width)[None], np.arange(height)[:, None]
    sign = np.stack(np.broadcast_arrays(1 - 2 * (x % 2), 1 - 2 * (y % 2)))
    return np.asarray(sign * np.where(np.stack([(x + y) % 4 == 3, (x - y) % 4 == 0]), 1.4, 0.8), np.float32)


def latents(attributes: Attributes, seed: int, image: np.ndarray, known: dict[str, np.ndarray]) -> np.ndarray:
    """(CHANNELS, h / 16, w / 16) float32 of the picture (h, w, 3) uint8 that `draw` makes of these arguments.

    `known` is what `fit` wrote.
    """
    height, width = image.shape[:2]
    where = through(
        known, "layout", folded(layout.layout(attributes, seed, width=width, height=height)[None])[0]
    )
    colours = through(known, "colour", look.colours(image[None])[0])
    size = where.shape[1:]
    code = np.broadcast_to(look.code(attributes)[:, None, None], (look.CODE, *size))
    return np.concatenate([where, code, colours, places(size[1], size[0])], dtype=np.float32)


def latents_of(task: Task) -> np.ndarray:
    """Latents (n, CHANNELS, h / 16, w / 16) float16 of some pictures of one size."""
    torch.set_num_threads(1)
    size, start, stop = task
    known, pictures, seed = load_file(RUNS / FILE), load(size), first_seed(size)
    made = [
        latents(from_codes(pictures.codes[i]), seed + i, pictures.images[i], known)
        for i in range(start, stop)
    ]
    return np.stack(made).astype(np.float16)


def looks_of(task: Task) -> np.ndarray:
    """Image embeddings (n, vision.WIDTH) float32 of some pictures of one size."""
    torch.set_num_threads(1)
    size, start, stop = task
    return np.asarray(vision.embed(vision.trained(), load(size).images[start:stop]))


CACHES: dict[str, Callable[[Task], np.ndarray]] = {
    "latents": latents_of,
    "embeddings": looks_of,
}


def build(processes: int = 2, names: tuple[str, ...] = tuple(CACHES)) -> None:
    """Write what CACHES name beside the pictures of each size, where missing; embeddings of squares only."""
    if not (RUNS / FILE).exists():
        fit(RUNS / FILE)
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
