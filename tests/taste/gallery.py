"""A simulated gallery in which what is shown and how it is shown are known apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from app.taste.arrays import Array
from app.taste.codes import FrozenTaste, freeze
from app.taste.comparisons import Answer, compare
from app.taste.posterior import prior, refit
from app.taste.space import Space, fit_space, project

MEDIA, SUBJECTS, IMAGES, WIDTH = 6, 10, 400, 64


@dataclass(frozen=True)
class Gallery:
    """Embeddings (400, 64) of length 3; medium, subject (400,); prompts (400, 32) that tell the subject only.

    media (6, 64) and subjects (10, 64): what either adds to an embedding.
    """

    space: Space
    embeddings: Array
    medium: NDArray[np.int64]
    subject: NDArray[np.int64]
    prompts: Array
    media: Array
    subjects: Array


def make_gallery(seed: int = 0, *, subject_size: float = 0.4) -> Gallery:
    rng = np.random.default_rng(seed)
    media = rng.standard_normal((MEDIA, WIDTH)) / np.sqrt(WIDTH)
    subjects = subject_size * rng.standard_normal((SUBJECTS, WIDTH)) / np.sqrt(WIDTH)
    words = rng.standard_normal((SUBJECTS, 32))
    medium, subject = rng.integers(MEDIA, size=IMAGES), rng.integers(SUBJECTS, size=IMAGES)
    embeddings = (
        media[medium] + subjects[subject] + 0.3 * rng.standard_normal((IMAGES, WIDTH)) / np.sqrt(WIDTH)
    )
    embeddings *= 3.0 / np.linalg.norm(embeddings, axis=1, keepdims=True)
    return Gallery(
        space=fit_space(embeddings, 16, encoder="test", version=1),
        embeddings=embeddings,
        medium=medium,
        subject=subject,
        prompts=words[subject],
        media=3.0 * media,
        subjects=3.0 * subjects,
    )


def taste_for(
    gallery: Gallery, media: Array, n: int = 200, seed: int = 0, *, subjects: Array | None = None
) -> FrozenTaste:
    """The taste of a person after n ratings; media (6,), subjects (10,): the value of each, in logits."""
    rng = np.random.default_rng(seed)
    left, right = rng.integers(IMAGES, size=(2, n))
    worth = media[gallery.medium]
    if subjects is not None:
        worth = worth + subjects[gallery.subject]
    chance = expit(worth[left] - worth[right])
    answers = [Answer.LEFT if yes else Answer.RIGHT for yes in rng.random(n) < chance]
    places = project(gallery.space, gallery.embeddings)
    posterior = refit(prior(gallery.space), compare(answers, places[left], places[right]))
    rated = np.concatenate([left, right])
    return freeze(posterior, gallery.space, gallery.embeddings[rated], gallery.prompts[rated])


def nearness(gallery: Gallery, embedding: Array, kinds: Array) -> Array:
    """Cosines, as seen from the typical image, of an embedding with each of what `kinds` adds to one."""
    seen = embedding - gallery.space.centre
    kinds = kinds - kinds.mean(axis=0)
    return np.asarray(kinds @ seen / np.linalg.norm(kinds, axis=1) / np.linalg.norm(seen))
