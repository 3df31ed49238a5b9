"""A gallery whose embeddings tell its attributes, and the tiny model that paints for those who rate it."""

import numpy as np

from app.taste.space import Space, fit_space
from benchmarks.personalisation.gallery import Gallery, of_attributes
from starter.attributes import HOW, NAMES, balanced, from_codes
from tests.worker import tiny

IMAGES = 400
COMPONENTS = 20


def make_gallery(count: int = IMAGES) -> Gallery:
    """Embeddings of the tiny model's width: the look through one random matrix, and a little noise.

    The text's are those of the subject.
    """
    rng = np.random.default_rng(5)
    codes = balanced(count, 5)
    attributes = [from_codes(row).as_dict() for row in codes]
    columns = [np.eye(len(NAMES[name]))[codes[:, list(NAMES).index(name)]] for name in HOW]
    looks = np.concatenate(columns, axis=1)
    image = looks @ rng.standard_normal((looks.shape[1], tiny.WIDTH)) + 0.3 * rng.standard_normal(
        (count, tiny.WIDTH)
    )
    text = rng.standard_normal((len(NAMES["subject"]), tiny.WIDTH))[codes[:, 0]]
    return of_attributes(attributes, image, text, [f"picture {n}" for n in range(count)])


def make_space(gallery: Gallery) -> Space:
    return fit_space(gallery.image, COMPONENTS, encoder=tiny.ENCODER, version=1)
