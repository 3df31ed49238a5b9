"""Several tastes at once, each with its weight; a negative weight turns a taste round."""

from collections.abc import Sequence

import numpy as np

from app.taste.codes import EXEMPLARS, Exemplars, FrozenTaste
from app.taste.errors import IncompatibleTastes, InvalidInput
from app.taste.posterior import Posterior


def normalised_weights(weights: Sequence[float]) -> list[float]:
    """Scale weights so that their absolute values sum to one. Raises InvalidInput where that cannot be."""
    total = float(np.abs(weights).sum()) if len(weights) else 0.0
    if not (np.isfinite(total) and total > 0.0):
        raise InvalidInput("a blend needs at least one weight that is not zero")
    return [float(weight) / total for weight in weights]


def blend(parts: Sequence[tuple[FrozenTaste, float]]) -> FrozenTaste:
    """Blend tastes of one space, whichever versions of the population prior they were learned under.

    Means are added with their normalised weights, covariances averaged with the absolute ones, so that
    blending a taste with itself changes nothing. Exemplars are shared out by weight; a negative weight makes
    the liked ones disliked and the other way round. The blend belongs to the newest version among them.
    Raises InvalidInput, IncompatibleTastes.
    """
    weights = normalised_weights([weight for _, weight in parts])
    tastes = [taste for taste, _ in parts]
    if len({(t.encoder, t.posterior.mean.shape) for t in tastes}) > 1:
        raise IncompatibleTastes("these tastes belong to different models and cannot be blended")
    posterior = Posterior(
        mean=sum((w * t.posterior.mean for t, w in zip(tastes, weights, strict=True)), np.zeros(1)),
        cov=sum((abs(w) * t.posterior.cov for t, w in zip(tastes, weights, strict=True)), np.zeros((1, 1))),
        count=sum(t.posterior.count for t in tastes),
    )
    pairs = list(zip(tastes, weights, strict=True))
    return FrozenTaste(
        encoder=tastes[0].encoder,
        space_version=max(taste.space_version for taste in tastes),
        posterior=posterior,
        liked=_gather([(t.liked if w > 0 else t.disliked, w) for t, w in pairs if w]),
        disliked=_gather([(t.disliked if w > 0 else t.liked, w) for t, w in pairs if w]),
    )


def _gather(sides: list[tuple[Exemplars, float]]) -> Exemplars:
    kept = []
    width = max(images.prompt.shape[1] for images, _ in sides)
    for images, weight in sides:
        m = min(len(images), 1 + int(abs(weight) * max(0, EXEMPLARS - len(sides))))
        share = abs(weight) * images.weight[:m]
        # Of a taste that knows no prompts at all, such as one of uploads, each prompt is unknown: zero.
        prompt = images.prompt[:m] if images.prompt.shape[1] else np.zeros((m, width), dtype=np.float32)
        kept.append((images.embedding[:m], prompt, np.sign(weight) * images.score[:m], share))
    if len({(embedding.shape[1], prompt.shape[1]) for embedding, prompt, _, _ in kept}) > 1:
        raise IncompatibleTastes("these tastes' exemplars differ in dimension and cannot be blended")
    return Exemplars(*(np.concatenate(column) for column in zip(*kept, strict=True)))
