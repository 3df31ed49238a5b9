"""Which words a taste would say: phrases ranked by how far its direction points to them."""

import numpy as np

from app.taste.arrays import Array, checked, unit
from app.taste.codes import FrozenTaste
from app.taste.errors import IncompatibleTastes
from app.taste.space import Space


def rank(taste: FrozenTaste, space: Space, phrases: Array) -> Array:
    """Return how much the taste speaks for each phrase, in standard deviations over the phrases (n,).

    phrases (n, d): embeddings in the image encoder's own space, as a CLIP's text tower gives them. Images and
    texts lie apart there, so a phrase is seen from the phrases' mean; the taste is the direction in which
    images it values differ from others, Cov(x) w. Raises IncompatibleTastes, InvalidInput.
    """
    phrases = checked("phrases", phrases, (None, len(space.centre)))
    if (taste.encoder, taste.space_version) != (space.encoder, space.version):
        raise IncompatibleTastes("the taste belongs to another model or space")
    apart = unit(phrases - phrases.mean(axis=0))
    values = apart @ unit(space.components.T @ (space.scales * taste.posterior.weights))
    spread = float(values.std())
    return np.asarray((values - values.mean()) / spread) if spread > 0.0 else np.zeros(len(values))
