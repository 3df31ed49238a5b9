"""The drawn training pictures on disk, a folder a size: `images.npy` (n, h, w, 3) uint8, `codes.npy` (n, 10).

Codes are the class indices of `attributes.NAMES` and the form's. Pictures with a held-out pair of values are
never among them: those lie apart, in `unseen`, for the judge alone.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from starter.attributes import balanced, from_codes
from starter.draw import PIXELS, draw

RUNS = Path(__file__).parent / "runs"
SEED = 20_000_000  # picture i of size k has seed SEED + k * 1,000,000 + i; other pictures use other ranges
CHUNK = 250

Size = tuple[int, int]
SQUARE: Size = (PIXELS, PIXELS)
COUNTS: dict[Size, int] = {
    SQUARE: 26_000, (320, 256): 1250, (256, 320): 1250, (288, 192): 1000, (192, 288): 1000,
    (320, 192): 1000, (192, 320): 1000, (384, 192): 1250, (192, 384): 1250,
}  # fmt: skip
UNSEEN = 6000  # square pictures with a held-out pair
UNSEEN_SEED = SEED + 1_000_000 * len(COUNTS)


@dataclass(frozen=True)
class Pictures:
    """Pictures of one size, memory-mapped, and their codes."""

    images: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)


def home(size: Size, folder: Path | None = None) -> Path:
    return (folder or RUNS) / f"{size[0]}x{size[1]}"


def fill(folder: Path, size: Size, seed: int, start: int, stop: int) -> int:
    """Draw pictures `start` to `stop` of one size into the open file."""
    images = np.load(folder / "images.part.npy", mmap_mode="r+")
    codes = np.load(folder / "codes.npy")
    for index in range(start, stop):
        images[index] = draw(from_codes(codes[index]), seed + index, width=size[0], height=size[1])
    images.flush()
    (folder / f"{start}.done").touch()
    return stop - start


def build(folder: Path | None = None, *, counts: dict[Size, int] = COUNTS, processes: int = 2) -> None:
    """Draw the pictures of every size that is not there yet, going on where it was stopped."""
    for size, count in counts.items():
        build_size(home(size, folder), size, count, first_seed(size), processes)


def draw_all() -> None:
    """Draw what is not there yet: the model's pictures, then the judge's."""
    build()
    build_unseen()


def build_unseen(folder: Path | None = None, *, count: int = UNSEEN, processes: int = 2) -> None:
    """Draw the square pictures that only the judge may learn from."""
    where = (folder or RUNS) / "unseen"
    build_size(where, SQUARE, count, UNSEEN_SEED, processes, unseen=True)


def first_seed(size: Size) -> int:
    """The seed of the first picture of a size; the next ones follow it."""
    return SEED + 1_000_000 * list(COUNTS).index(size)


def build_size(
    folder: Path, size: Size, count: int, seed: int, processes: int, *, unseen: bool = False
) -> None:
    if (folder / "images.npy").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "images.part.npy"
    if not part.exists():
        np.save(folder / "codes.npy", balanced(count, seed, unseen=unseen))
        np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=(count, size[1], size[0], 3)).flush()
    starts = [s for s in range(0, count, CHUNK) if not (folder / f"{s}.done").exists()]
    # One thread each: two matrix libraries on two cores wait for each other more than they work.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(fill, folder, size, seed, s, min(s + CHUNK, count)) for s in starts]
        total = count - sum(min(s + CHUNK, count) - s for s in starts)
        for job in jobs:
            total += job.result()
            print(f"drawn {size[0]}x{size[1]} {total}/{count}", flush=True)
    part.rename(folder / "images.npy")
    for mark in folder.glob("*.done"):
        mark.unlink()


def load(size: Size = SQUARE, folder: Path | None = None) -> Pictures:
    return opened(home(size, folder))


def load_unseen(folder: Path | None = None) -> Pictures:
    return opened((folder or RUNS) / "unseen")


def opened(where: Path) -> Pictures:
    return Pictures(np.load(where / "images.npy", mmap_mode="r"), np.load(where / "codes.npy"))


def sizes(folder: Path | None = None) -> list[Size]:
    """The sizes that are drawn, the square first."""
    return [size for size in COUNTS if (home(size, folder) / "images.npy").exists()]
