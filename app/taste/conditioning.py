"""From a taste to what an image adapter takes: an embedding of the kind it was trained on."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import softmax

from app.taste.arrays import Array, checked, unit
from app.taste.codes import Exemplars, FrozenTaste
from app.taste.errors import IncompatibleTastes, InvalidInput
from app.taste.posterior import Posterior
from app.taste.space import Space, project

TEMPERATURE = 0.3
KAPPA = 2.0
COHERENCE = 1.5
STEP = 0.5
# What variety adds to the sides of a taste at most: to the temperature, as a factor; to the coherence; and
# how far an exemplar keeps from those of the sides before.
LOOSER, CLOSER, APART = 0.8, 2.0, 3.2
_RIDGES = np.logspace(-2, 3, 11)


@dataclass(frozen=True)
class Conditioning:
    """Image embeddings (d,) to go towards and away from, both of the encoder's usual length."""

    positive: Array
    negative: Array


def strength(stylize: float, confidence: float, maximum: float) -> float:
    """Return the adapter's scale: sqrt(stylize / 1000) * confidence * maximum, 0 at stylize 0."""
    if not (0.0 <= stylize <= 1000.0 and 0.0 <= confidence <= 1.0 and maximum >= 0.0):
        raise InvalidInput("stylize lies in 0-1000, confidence in 0-1, and the maximum is not negative")
    return _share(stylize) * confidence * maximum


def sample(taste: FrozenTaste, rng: np.random.Generator, spread: float) -> FrozenTaste:
    """Draw a taste from the posterior, `spread` / 100 of its width; 0 returns the taste itself."""
    if not 0.0 <= spread <= 100.0:
        raise InvalidInput(f"spread is {spread}, expected 0-100")
    if spread == 0.0:
        return taste
    posterior = taste.posterior
    mean = rng.multivariate_normal(posterior.mean, (spread / 100.0) ** 2 * posterior.cov, method="eigh")
    return replace(taste, posterior=Posterior(mean=mean, cov=posterior.cov, count=posterior.count))


def variety(stylize: float) -> float:
    """Return how different a grid's sides of a taste are, 0 to 1: less so the stronger it is asked for."""
    return 1.0 - _share(stylize)


def aversion(stylize: float) -> float:
    """Return how much of what is disliked is painted away from, 1 to 0: less, the stronger the taste.

    Guidance goes several times the way from the negative embedding to the positive one. At full strength,
    where the two differ in every respect, subject and look were kept better by going away from the usual
    image (measured: benchmarks/README.md), as if the other way led too far.
    """
    return 1.0 - _share(stylize)


def _share(stylize: float) -> float:
    """Of full strength, 0 to 1."""
    return float(np.sqrt(stylize / 1000.0))


def taste_embedding(
    taste: FrozenTaste,
    space: Space,
    prompt: Array | None = None,
    *,
    temperature: float = TEMPERATURE,
    kappa: float = KAPPA,
    step: float = STEP,
    guard: bool,
) -> Conditioning:
    """Return what this taste wants to see, and what it does not, under a prompt with this embedding (t,).

    Softmax means of the liked and of the disliked exemplars by value (temperature in standard deviations of
    value over the gallery) plus kappa * cos(prompt, exemplar's prompt), held together around one exemplar so
    that two likings give one of them and not the blur between; then `step` of the gallery's spread along
    Cov(x) w; then the encoder's usual length. With `guard`, what the exemplars' prompts predict is
    first taken out: for prompts that tell what is shown and not how, or the taste goes with it. Raises
    IncompatibleTastes, InvalidInput.
    """
    (whole,) = taste_sides(
        taste, space, prompt, count=1, temperature=temperature, kappa=kappa, step=step, guard=guard
    )
    return whole


def taste_sides(
    taste: FrozenTaste,
    space: Space,
    prompt: Array | None = None,
    *,
    count: int,
    variety: float = 0.0,
    aversion: float = 1.0,
    temperature: float = TEMPERATURE,
    kappa: float = KAPPA,
    step: float = STEP,
    guard: bool,
) -> list[Conditioning]:
    """Return what each of `count` images is painted with: `taste_embedding` first, then sides of the taste.

    A side is held together around a liked exemplar that is unlike those of the sides before it, chosen one by
    one, so that a longer grid begins with the same. At variety 0 all are the first. The negative embedding is
    of the disliked as much as `aversion` says, 0 to 1, and for the rest of the usual image; of the disliked
    alone where nothing is liked.
    """
    if (taste.encoder, taste.space_version) != (space.encoder, space.version):
        raise IncompatibleTastes("the taste belongs to another model or space")
    if len(taste.posterior.weights) != len(space.scales):
        raise IncompatibleTastes("the taste and the space differ in dimension")
    if not (temperature > 0.0 and 0.0 <= aversion <= 1.0):
        raise InvalidInput("the temperature is a positive number, and the aversion lies in 0-1")
    guard = guard and len(taste.liked) + len(taste.disliked) > 0
    liked, disliked = _embeddings(taste, guard)
    direction = unit(taste.posterior.weights)
    towards = space.components.T @ (space.scales * direction)
    if guard:
        towards = _covariance(space, np.concatenate([liked, disliked]), direction)
    towards = step * float(np.linalg.norm(space.scales)) * unit(towards)
    wanted = _Choice.of(space, taste.liked, liked, direction, kappa * _likeness(taste.liked, prompt))
    unwanted = _Choice.of(
        space, taste.disliked, disliked, -direction, kappa * _likeness(taste.disliked, prompt)
    )
    away = _at_length(space, unwanted.mean(space.centre, temperature) - towards)
    if len(liked) and np.linalg.norm(space.centre) > 0.0:
        away = _at_length(space, aversion * away + (1.0 - aversion) * _at_length(space, space.centre))
    whole = wanted.mean(space.centre, temperature)
    first = Conditioning(positive=_at_length(space, whole + towards), negative=away)
    if variety == 0.0 or not len(liked):
        return [first] * count
    means = wanted.sides(count - 1, temperature, variety)
    return [first, *(Conditioning(_at_length(space, mean + towards), away) for mean in means)]


@dataclass(frozen=True)
class _Choice:
    """Exemplars to mean over.

    embedding (n, d); value (n,), in standard deviations over the gallery; bonus (n,), what prompt and weight
    add to the logits; likeness (n, n), -1 to 1.
    """

    embedding: Array
    value: Array
    bonus: Array
    likeness: Array

    @classmethod
    def of(
        cls, space: Space, images: Exemplars, embedding: Array, direction: Array, bonus: Array
    ) -> "_Choice":
        places = project(space, embedding)
        directions = unit(places)
        return cls(
            embedding=embedding,
            value=places @ direction,
            bonus=bonus + np.log(np.maximum(images.weight, 1e-9)),
            likeness=directions @ directions.T,
        )

    def logits(self, temperature: float) -> Array:
        return self.value / temperature + self.bonus

    def backing(self, temperature: float, coherence: float) -> Array:
        """How well each exemplar stands for all that count (n,), as a logarithm."""
        support = np.exp(coherence * (self.likeness - 1.0))
        return np.asarray(np.log(softmax(self.logits(temperature)) @ support))

    def around(self, anchor: int, temperature: float, coherence: float) -> Array:
        """The mean (d,) that is held together around an exemplar."""
        logits = self.logits(temperature) + coherence * (self.likeness[anchor] - 1.0)
        return np.asarray(softmax(logits) @ self.embedding)

    def mean(self, otherwise: Array, temperature: float) -> Array:
        """The mean around the exemplar that stands for most, or `otherwise` where there is none."""
        if not len(self.embedding):
            return otherwise
        return self.around(int(self.backing(temperature, COHERENCE).argmax()), temperature, COHERENCE)

    def sides(self, count: int, temperature: float, variety: float) -> list[Array]:
        """The means of `count` sides besides the whole, of one exemplar at least."""
        anchors = [int(self.backing(temperature, COHERENCE).argmax())]
        temperature *= 1.0 + LOOSER * variety
        coherence = COHERENCE + CLOSER * variety
        backing = self.backing(temperature, coherence)
        while len(anchors) <= count:
            near = self.likeness[anchors].max(axis=0)
            anchors.append(int((backing - APART * variety * near).argmax()))
        return [self.around(anchor, temperature, coherence) for anchor in anchors[1:]]


def _at_length(space: Space, end: Array) -> Array:
    """An embedding (d,) of the encoder's usual length."""
    length = float(np.linalg.norm(end))
    if not length > 0.0:
        raise InvalidInput("there is neither an exemplar nor a direction to paint from")
    return np.asarray(end * (space.norm / length))


def _covariance(space: Space, embedding: Array, direction: Array) -> Array:
    """Return Cov(x) w over these embeddings alone, so that what was taken out of them stays out."""
    value = project(space, embedding) @ direction
    return np.asarray((value - value.mean()) @ embedding)


def _likeness(images: Exemplars, prompt: Array | None) -> Array:
    if prompt is None or not images.prompt.shape[1]:
        return np.zeros(len(images))
    prompt = checked("prompt", prompt, (images.prompt.shape[1],))
    return unit(images.prompt.astype(np.float64)) @ unit(prompt)


def _embeddings(taste: FrozenTaste, guard: bool) -> tuple[Array, Array]:
    liked, disliked = (side.embedding.astype(np.float64) for side in (taste.liked, taste.disliked))
    if not guard:
        return liked, disliked
    prompts = np.concatenate([taste.liked.prompt, taste.disliked.prompt]).astype(np.float64)
    both = without_content(np.concatenate([liked, disliked]), prompts)
    return both[: len(liked)], both[len(liked) :]


def without_content(embedding: Array, prompts: Array) -> Array:
    """Take out of embeddings (n, d) what the same images' prompts (n, t), zero where unknown, predict.

    Ridge regression in its dual form. Every image is predicted from the others, so that having few images
    does not take out more than the prompts explain; the ridge is the one with the least such error, and where
    no ridge predicts better than the mean nothing is taken out.
    """
    known = np.abs(prompts).sum(axis=1) > 0
    if known.sum() < 3:
        return embedding
    x = embedding[known] - embedding[known].mean(axis=0)
    p = unit(prompts[known])
    p = p - p.mean(axis=0)
    values, vectors = np.linalg.eigh(p @ p.T)
    values = np.maximum(values, 0.0)
    least, content = float((x**2).sum()), np.zeros_like(x)
    total = float(values.sum())
    if total <= 1e-12:
        return embedding
    for ridge in _RIDGES * total / len(x):
        hat = (vectors * (values / (values + ridge))) @ vectors.T
        left_out = (x - hat @ x) / np.maximum(1.0 - np.diag(hat) - 1.0 / len(x), 1e-9)[:, None]
        error = float((left_out**2).sum())
        if error < least:
            least, content = error, x - left_out
    result = embedding.copy()
    result[known] -= content
    return result
