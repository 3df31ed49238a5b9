"""Which of several images of one prompt a taste keeps."""

import numpy as np

from app.taste.arrays import Array, checked
from app.taste.codes import FrozenTaste
from app.taste.errors import IncompatibleTastes, InvalidInput
from app.taste.space import Space, project


def values(taste: FrozenTaste, space: Space, embeddings: Array) -> Array:
    """Return what images (n, d) are worth to a taste by its posterior's mean, in logits (n,) against the
    typical image. Raises IncompatibleTastes."""
    if (taste.encoder, taste.space_version) != (space.encoder, space.version):
        raise IncompatibleTastes("the taste belongs to another model or space")
    return np.asarray(project(space, embeddings) @ taste.posterior.weights)


def choose(value: Array, alignment: Array | None = None, *, floor: float) -> int:
    """Return the candidate of the highest value (n,) among those that follow the prompt well enough.

    `alignment` (n,) is the cosine of each with the prompt. A candidate is out where it has less than `floor`,
    0-1, of the first one's; of a negative first cosine it may fall as far below. So the first always stays
    in, and of equal candidates the earliest is taken. Raises InvalidInput.
    """
    value = checked("value", value, (None,))
    if not (len(value) and 0.0 <= floor <= 1.0):
        raise InvalidInput("there must be a candidate, and the floor lies in 0-1")
    if alignment is None:
        return int(value.argmax())
    alignment = checked("alignment", alignment, value.shape)
    least = alignment[0] - (1.0 - floor) * abs(alignment[0])
    return int(np.where(alignment >= least, value, -np.inf).argmax())
