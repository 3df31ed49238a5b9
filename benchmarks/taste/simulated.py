"""Writes a file of simulated choices for `python -m benchmarks.taste --npz`, to measure how long that takes.

Run as `python -m benchmarks.taste.simulated FILE`: 900 items of 64 numbers, 750 people (250 of them tested),
100,000 choices between pairs, all from one seed.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

ITEMS, NUMBERS, PEOPLE, TESTED, CHOICES = 900, 64, 750, 250, 100_000
SPECIAL = 0.7  # the deviation of what is special about an item for a person, in logits


def write(path: Path, *, seed: int = 0) -> None:
    """Write the file: tastes from one Gaussian, noise of the logistic, items of falling variance."""
    rng = np.random.default_rng(seed)
    fall = np.arange(1, NUMBERS + 1) ** -0.5
    items = rng.standard_normal((ITEMS, NUMBERS)) * fall
    tastes = (0.6 * rng.standard_normal(NUMBERS) + rng.standard_normal((PEOPLE, NUMBERS))) * np.sqrt(fall)
    user = np.sort(rng.permutation(np.arange(CHOICES) % PEOPLE))
    a = rng.integers(ITEMS, size=CHOICES)
    b = (a + rng.integers(1, ITEMS, size=CHOICES)) % ITEMS
    special = SPECIAL * rng.standard_normal((PEOPLE, ITEMS))
    value = ((items[a] - items[b]) * tastes[user]).sum(axis=1) + special[user, a] - special[user, b]
    y = (rng.random(CHOICES) < expit(value)).astype(np.float64)
    arrays: dict[str, Any] = {"items": items.astype(np.float32)}
    columns = {"user": user, "a": a, "b": b, "y": y}
    for part, there in (("test", user < TESTED), ("train", user >= TESTED)):
        arrays |= {f"{part}_{name}": column[there] for name, column in columns.items()}
    np.savez(path, **arrays)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
