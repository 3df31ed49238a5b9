"""Which pair to show next: the one whose answer teaches the profile most."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from app.taste.arrays import Array, checked
from app.taste.errors import InvalidInput
from app.taste.likelihood import LAPSE, SCALE, probability
from app.taste.posterior import Posterior, moments

RANDOM_SHARE = 0.1
# The share of pairs, random ones aside, that are sought among what is liked, and what a unit of value adds
# to the logarithm of a gain.
LIKED_SHARE, LIKING = 0.5, 0.2
REPEAT_FACTOR = 0.7
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)


@dataclass(frozen=True)
class Choice:
    """The pair to show.

    index: among the candidates; random: drawn at random, and so of use for the shown accuracy; swapped: its
    first image goes to the right.
    """

    index: int
    random: bool
    swapped: bool


def choose(
    posterior: Posterior,
    left: Array,
    right: Array,
    *,
    rng: np.random.Generator,
    topics: NDArray[np.int64] | None = None,
    recent_topics: Collection[int] = (),
    random_share: float = RANDOM_SHARE,
    liked_share: float = LIKED_SHARE,
) -> Choice:
    """Choose among candidate pairs left, right (n, k) by expected information gain about the taste.

    Information about all of a taste tells what is disliked as well as what is liked, and images are painted
    of what is liked alone. So every second pair counts for more, the more both of its images are thought to
    be liked (as upper confidence bounds do for what is to be found best; Srinivas et al. 2010).
    topics (n, 2): the topic of either image; each showing of one of them among `recent_topics` takes 30 % off
    the pair's gain. One pair in ten is drawn at random and marked so. Raises InvalidInput without candidates.
    """
    left = checked("left", left, (None, len(posterior.weights)))
    right = checked("right", right, left.shape)
    if not len(left):
        raise InvalidInput("there is no pair to choose from")
    swapped = bool(rng.random() < 0.5)
    kind = rng.random()
    if kind < random_share:
        return Choice(index=int(rng.integers(len(left))), random=True, swapped=swapped)
    gain = information_gain(posterior, left - right)
    if topics is not None and len(recent_topics):
        recent = np.asarray(list(recent_topics))
        repeats = (topics[:, :, None] == recent).sum(axis=(1, 2))
        gain = gain * REPEAT_FACTOR**repeats
    if kind < random_share + (1.0 - random_share) * liked_share:
        liking = LIKING * ((left + right) @ posterior.weights)
        gain = gain * np.exp(liking - liking.max())
    return Choice(index=int(gain.argmax()), random=False, swapped=swapped)


def information_gain(
    posterior: Posterior, difference: Array, *, lapse: float = LAPSE, scale: float = SCALE
) -> Array:
    """Return the expected information (n,), in nats, of an answer about each difference (n, k).

    BALD (Houlsby et al. 2011): the entropy of the predicted answer less the mean entropy of the answer once w
    is known, by Gauss-Hermite quadrature over the logit.
    """
    p, weights = logit_nodes(posterior, difference, lapse=lapse, scale=scale)
    return np.asarray(_entropy(p @ weights) - _entropy(p) @ weights)


def logit_nodes(
    posterior: Posterior, difference: Array, *, lapse: float = LAPSE, scale: float = SCALE
) -> tuple[Array, Array]:
    """Return P(left) at the quadrature nodes (n, q) over the uncertain logit, and the nodes' weights (q,)."""
    mean, variance = moments(posterior, difference, scale=scale)
    z = mean[:, None] + np.sqrt(variance)[:, None] * _NODES
    return probability(z, lapse=lapse), _WEIGHTS / _WEIGHTS.sum()


def _entropy(p: Array) -> Array:
    return np.asarray(entr(p) + entr(1.0 - p))
