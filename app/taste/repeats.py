"""How much an answer adds where its images were compared before.

People like an image for more than a space holds of it. Let a person's value of image a be w.x_a + u_a, where
u is what is special about the image, of variance t, and let answers have noise of variance s. All comparisons
of an image share its u, so they are no independent answers about w: two that share one image correlate by
r = t / (s + 2 t). Where m images were all compared with each other, each d = m - 1 times, generalised least
squares finds in each answer 1 / (1 + r (d - 1)) of what it would teach alone, the design effect of cluster
samples (Kish, Survey Sampling, 1965). Somebody who is never of two minds has s = 0 and r = 1/2: then these
m (m - 1) / 2 answers teach as much as m - 1, and there is no more to say about the order of m images. That
is what is taken. It errs towards knowing too little, and an image compared once is as good as ever.

A comparison has the mean share of its two images. So the shares' sum is a sum over images, of what each gives
after d comparisons: the same whether it is kept up one by one, in any order (`newest_shares`), or dealt out
evenly over the whole log (`shares`).
"""

import numpy as np
from numpy.typing import NDArray

from app.taste.arrays import Array

CORRELATION = 0.5
UNKNOWN = -1

Indices = NDArray[np.int64]


def shares(images: Indices) -> Array:
    """Return what of each comparison counts (n,), from 0 to 1, where these are all there are.

    images (n, 2): the numbers of the images compared; UNKNOWN is one that stands in no other comparison.
    """
    _, place, times = np.unique(images, return_inverse=True, return_counts=True)
    degree = np.where(images == UNKNOWN, 1, times[place].reshape(images.shape))
    return np.asarray(_each(degree).mean(axis=1))


def newest_shares(met: Indices) -> Array:
    """Return what a new comparison adds (n,), from 0 to 1.

    met (n, 2): in how many comparisons either image stood before.
    """
    return np.asarray(((met + 1) * _each(met + 1) - met * _each(met)).mean(axis=1))


def _each(degree: Indices) -> Array:
    """What each comparison of an image counts on its part when there are so many."""
    return np.asarray(1.0 / (1.0 + CORRELATION * (degree - 1.0)))
