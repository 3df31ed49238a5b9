"""How long one rating's update, a full refit and the choice of a pair take, by the space's dimension.

Run as `python -m benchmarks.rating_update`.
"""

import os
import statistics
import time
from collections.abc import Callable
from functools import partial

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # more threads than free cores wait for each other

import numpy as np
from scipy.special import expit

from app.taste.arrays import Array
from app.taste.comparisons import Answer, Comparisons, compare, newest
from app.taste.pairs import choose
from app.taste.posterior import Posterior, refit, update

DIMENSIONS = (16, 32, 64, 128, 256)
RATINGS = 2_000
CANDIDATES = 400


def person(k: int, rng: np.random.Generator) -> tuple[Posterior, Comparisons, Array]:
    """Return a prior, a simulated person's ratings and candidate images, in k dimensions."""
    images = rng.standard_normal((600, k))
    cov = np.eye(k + 1) * 3.0 / k
    start = Posterior(mean=np.zeros(k + 1), cov=cov, count=0)
    pairs = rng.integers(600, size=(RATINGS, 2))
    left, right = images[pairs[:, 0]], images[pairs[:, 1]]
    logits = (left - right) @ rng.normal(scale=np.sqrt(3.0 / k), size=k)
    answers = [Answer.LEFT if yes else Answer.RIGHT for yes in rng.random(RATINGS) < expit(logits)]
    return start, compare(answers, left, right, images=pairs), images


def median_ms(action: Callable[[], object], repeats: int) -> float:
    """Return the median time of an action in milliseconds, after one run that is not counted."""
    action()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return 1e3 * statistics.median(times)


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    print(f"{'k':>4} {'update ms':>10} {f'refit of {RATINGS:,} ms':>20} {f'choose of {CANDIDATES} ms':>18}")
    for k in DIMENSIONS:
        start, ratings, images = person(k, rng)
        one = newest(compare([Answer.LEFT], images[:1], images[1:2], images=np.array([[0, 1]])), {0: 3})
        left, right = images[rng.integers(600, size=CANDIDATES)], images[rng.integers(600, size=CANDIDATES)]
        full = refit(start, ratings)
        figures = (
            median_ms(partial(update, full, one), 200),
            median_ms(partial(refit, start, ratings), 7),
            median_ms(partial(choose, full, left, right, rng=rng, random_share=0.0), 50),
        )
        print(f"{k:>4} {figures[0]:>10.3f} {figures[1]:>20.1f} {figures[2]:>18.2f}")


if __name__ == "__main__":
    main()
