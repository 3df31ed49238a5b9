"""A taste without comparisons: what a collection of images says by being collected."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from app.taste.arrays import Array, checked, unit
from app.taste.codes import EXEMPLARS, Exemplars, FrozenTaste, diverse
from app.taste.errors import InvalidInput
from app.taste.posterior import Posterior, prior
from app.taste.space import Space, project


def collect(space: Space, embeddings: Array, prompts: Array) -> FrozenTaste:
    """Return the taste of collected images (n, d), n > 0, whose prompts are (n, t), zero where unknown.

    The images themselves are the liked exemplars; nothing is disliked. An image twice counts once, and their
    order does not matter. Raises InvalidInput.
    """
    embeddings = checked("embeddings", embeddings, (None, len(space.centre)))
    prompts = checked("prompts", prompts, (len(embeddings), None))
    if not len(embeddings):
        raise InvalidInput("a taste is collected from at least one image")
    embeddings, first = np.unique(embeddings, axis=0, return_index=True)
    prompts = prompts[first]
    places = project(space, embeddings)
    posterior = _tilt(prior(space), places)
    score = places @ posterior.weights
    spread = float(np.linalg.norm(posterior.weights)) or 1.0
    rows = diverse(score / spread, unit(places), EXEMPLARS, share=1.0)
    liked = Exemplars(
        embedding=embeddings[rows].astype(np.float32),
        prompt=prompts[rows].astype(np.float32),
        score=score[rows].astype(np.float32),
        weight=np.ones(len(rows), dtype=np.float32),
    )
    nothing = Exemplars(*(getattr(liked, name)[:0] for name in ("embedding", "prompt", "score", "weight")))
    return FrozenTaste(space.encoder, space.version, posterior, liked, nothing)


def _tilt(start: Posterior, places: Array) -> Posterior:
    """The posterior given images at `places` (n, k), each picked from all there are.

    Who picks with odds exp(w.x) from images spread as N(0, I), as a whitened space has them, picks from
    N(w, I). So each pick is an observation of w with unit variance, and the posterior is exact.
    """
    n, k = places.shape
    cov = start.weights_cov
    gain = cho_solve(cho_factor(cov + np.eye(k) / n, lower=True), cov).T
    mean, spread = start.mean.copy(), start.cov.copy()
    mean[:k] += gain @ (places.mean(axis=0) - start.weights)
    left = cov - gain @ cov
    spread[:k, :k] = (left + left.T) / 2.0
    return Posterior(mean=mean, cov=spread, count=n)
