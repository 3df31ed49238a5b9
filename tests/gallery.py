"""A small gallery for tests: images with embeddings in a space of their own, no files."""

import hashlib

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from app.models import Embedding, EncoderSpace, Image
from app.taste.space import dump_space, fit_space

ENCODER = "starter-v2"
DIMENSION, KEPT, TEXT = 24, 8, 6


def make_gallery(session: Session, *, count: int = 60, seed: int = 7) -> list[int]:
    """Store `count` public images with embeddings, and their encoder's space; return the images' ids."""
    rng = np.random.default_rng(seed)
    vectors = vectors_of(max(count, 60), rng)
    space = fit_space(vectors.astype(np.float64), KEPT, encoder=ENCODER, version=1)
    if session.get(EncoderSpace, (ENCODER, 1)) is None:
        session.add(EncoderSpace(encoder=ENCODER, version=1, data=dump_space(space)))
    images = [image_row(f"gallery/{seed}/{place}") for place in range(count)]
    session.add_all(images)
    session.flush()  # once for all: a row at a time was an eighth of the tests that have a gallery
    ids = [image.id for image in images if image.id is not None]
    session.add_all(
        Embedding(
            image_id=image_id,
            encoder=ENCODER,
            image_vector=vectors[place],
            text_vector=rng.standard_normal(TEXT).astype(np.float32),
        )
        for place, image_id in enumerate(ids)
    )
    session.flush()
    return ids


def vectors_of(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Embeddings (count, DIMENSION) that vary more along the first axes than along the last."""
    scale = np.linspace(2.0, 0.3, DIMENSION)
    return (rng.standard_normal((count, DIMENSION)) * scale + 1.0).astype(np.float32)


def make_image(session: Session, key: str, *, visibility: str = "public", owner: int | None = None) -> int:
    """One image's row, stored; its id."""
    image = image_row(key, visibility=visibility, owner=owner)
    session.add(image)
    session.flush()
    assert image.id is not None
    return image.id


def image_row(key: str, *, visibility: str = "public", owner: int | None = None) -> Image:
    """An image that is not stored yet."""
    return Image(
        owner_id=owner,
        source="gallery" if owner is None else "job",
        visibility=visibility,
        key=f"{key}.webp",
        thumbnail_key=f"{key}.thumb.webp",
        sha256=hashlib.sha256(key.encode()).digest(),
        width=128,
        height=128,
        prompt=f"picture {key}",
    )
