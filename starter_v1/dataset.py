"""The drawn training pictures on disk: `images.npy` (n, 128, 128, 3) uint8 and `codes.npy` (n, 5) uint8."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from starter_v1.attributes import balanced, from_codes
from starter_v1.draw import draw
from starter_v1.scene import SIZE

RUNS = Path(__file__).parent / "runs"
COUNT = 30_000
SEED = 20_000_000  # picture i has seed SEED + i; gallery and evaluation pictures use other ranges


def fill(folder: Path, start: int, stop: int) -> int:
    images = np.load(folder / "images.part.npy", mmap_mode="r+")
    codes = np.load(folder / "codes.npy")
    for index in range(start, stop):
        images[index] = draw(from_codes(codes[index]), SEED + index)
    images.flush()
    return stop - start


def build(folder: Path = RUNS, *, count: int = COUNT, processes: int = 2) -> None:
    """Draw `count` pictures with balanced attributes, unless they are there already."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "images.npy").exists():
        return
    np.save(folder / "codes.npy", balanced(count, SEED))
    np.lib.format.open_memmap(
        folder / "images.part.npy", mode="w+", dtype=np.uint8, shape=(count, SIZE, SIZE, 3)
    ).flush()
    starts = range(0, count, 500)
    with ProcessPoolExecutor(processes) as pool:
        done = pool.map(fill, [folder] * len(starts), starts, [min(s + 500, count) for s in starts])
        total = 0
        for part in done:
            total += part
            print(f"drawn {total}/{count}", flush=True)
    (folder / "images.part.npy").rename(folder / "images.npy")


def load(folder: Path = RUNS) -> tuple[np.ndarray, np.ndarray]:
    """Images (memory-mapped) and attribute codes."""
    return np.load(folder / "images.npy", mmap_mode="r"), np.load(folder / "codes.npy")
