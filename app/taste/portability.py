"""One profile, any encoder: what is believed about tastes in one space, said in another."""

import numpy as np

from app.taste.arrays import Array, checked
from app.taste.errors import InvalidInput
from app.taste.posterior import BIAS_VARIANCE, Posterior

_RIDGES = np.logspace(-3, 3, 13)
_LEAST_LOST = 0.02  # a carried covariance has fewer directions than the space: the rest is not impossible


def carry_prior(prior: Posterior, default: Posterior, there: Array, here: Array) -> Posterior:
    """Return the population prior `prior` of one space in another, whose own prior knows nothing: `default`.

    there (n, k), here (n, m): places of the same images in the two. A preference vector w of the first space
    gives every image a value; the map A (m, k) regresses the first space's coordinates on the second's, so
    that A w is the vector there that gives the images most nearly the same values, and N(mu, S) becomes
    N(A mu, A S A'). The share of the values' variance that the second space cannot tell, of images left
    out one at a time, is given back in the shape of `default`, so that the spread of values stays. Raises
    InvalidInput.
    """
    there = checked("there", there, (None, len(prior.weights)))
    here = checked("here", here, (len(there), len(default.weights)))
    if len(there) < 3:
        raise InvalidInput("three images at least have to be known in both spaces")
    there, here = there - there.mean(axis=0), here - here.mean(axis=0)
    second = prior.weights_cov + np.outer(prior.weights, prior.weights)
    spread = float(np.einsum("ij,jk,ik->", there, second, there))
    if not spread > 0.0:
        raise InvalidInput("these images are all worth the same under the prior")
    carried, lost = _regress(there, here, second)
    lost = min(max(lost / spread, _LEAST_LOST), 1.0)
    broad = spread / float(np.einsum("ij,jk,ik->", here, default.weights_cov, here))
    m = len(default.weights)
    cov = np.zeros((m + 1, m + 1))
    cov[:m, :m] = carried @ prior.weights_cov @ carried.T + lost * broad * default.weights_cov
    cov[m, m] = BIAS_VARIANCE
    return Posterior(mean=np.append(carried @ prior.weights, 0.0), cov=cov, count=0)


def _regress(there: Array, here: Array, second: Array) -> tuple[Array, float]:
    """The map (m, k) of the ridge under which the values of images left out are missed least, and by how
    much, squared and summed. The values' second moment over people is `second` (k, k)."""
    values, vectors = np.linalg.eigh(here.T @ here)
    scores = here @ vectors
    best, least = np.zeros((here.shape[1], there.shape[1])), float("inf")
    for ridge in _RIDGES * max(float(values.mean()), 1e-300):
        shrunk = scores / (np.maximum(values, 0.0) + ridge)
        fitted = shrunk.T @ there
        leverage = np.einsum("ij,ij->i", shrunk, scores) + 1.0 / len(here)
        missed = (there - scores @ fitted) / np.maximum(1.0 - leverage, 1e-9)[:, None]
        error = float(np.einsum("ij,jk,ik->", missed, second, missed))
        if error < least:
            best, least = vectors @ fitted, error
    return best, least
