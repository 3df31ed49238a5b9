"""From rows to the numerics and back: spaces, image vectors, the posterior of a profile."""

from collections.abc import Collection, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, LargeBinary, delete, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from app.config import get_settings
from app.errors import Unavailable
from app.models import Embedding, EncoderSpace, Pair, Profile, ProfileTaste, Rating
from app.presets import get_preset
from app.taste.comparisons import Answer, Comparisons, compare
from app.taste.posterior import Posterior, prior, refit
from app.taste.space import Space, project
from app.taste.space import load_space as read_space

Array = NDArray[np.float64]

# Versions of a space never change, so a process reads each once. Keyed by engine: databases differ.
_spaces: WeakKeyDictionary[Engine, dict[tuple[str, int], Space]] = WeakKeyDictionary()

_NEWEST = text("select max(version) from spaces where encoder = :encoder")
_TASTE = text("""
    select space_version, mean, covariance, comparisons from tastes
    where profile_id = :profile and encoder = :encoder
""")


def encoder_in_use() -> str:
    """The encoder in whose space profiles learn: that of the installation's default model."""
    return get_preset(get_settings().model).encoder


def load_space(session: Session, *, encoder: str, version: int | None = None) -> Space:
    """One encoder's space, its newest version unless told. Raises Unavailable when there is none."""
    if version is None:
        version = session.execute(_NEWEST, {"encoder": encoder}).scalar() or 0
    cached = _spaces.setdefault(session.get_bind().engine, {})
    if (encoder, version) in cached:
        return cached[encoder, version]
    row = session.get(EncoderSpace, (encoder, version))
    if row is None:
        raise Unavailable(
            f"There is no taste space for {encoder}. Run `penchant seed`; for a further model, wait until "
            "its worker has read the gallery, which /tasks shows.",
            encoder=encoder,
        )
    return cached.setdefault((encoder, row.version), read_space(row.data))


def current_space(session: Session) -> Space | None:
    """The space that profiles live in at the moment; None before the gallery was loaded."""
    encoder = encoder_in_use()
    version = session.execute(_NEWEST, {"encoder": encoder}).scalar()
    return None if version is None else load_space(session, encoder=encoder, version=version)


def needed_space(session: Session) -> Space:
    """`current_space`, or Unavailable."""
    return load_space(session, encoder=encoder_in_use())


def raw_vectors(session: Session, *, encoder: str, image_ids: Collection[int]) -> dict[int, Array]:
    """The images' raw embeddings (d,), of those that have one, in one query."""
    return _vectors(session, Embedding.image_vector, encoder=encoder, image_ids=image_ids)


def text_vectors(session: Session, *, encoder: str, image_ids: Collection[int]) -> dict[int, Array]:
    """The embeddings (t,) of what the images show, of those for which that is known, in one query."""
    return _vectors(session, Embedding.text_vector, encoder=encoder, image_ids=image_ids)


def _vectors(session: Session, column: Any, *, encoder: str, image_ids: Collection[int]) -> dict[int, Array]:
    rows = session.exec(
        select(Embedding.image_id, func.vector_send(column, type_=LargeBinary)).where(
            Embedding.encoder == encoder, col(Embedding.image_id).in_(image_ids), column.is_not(None)
        )
    )
    return {image: decode(data) for image, data in rows}


def decode(data: bytes) -> Array:
    """The numbers (d,) in pgvector's wire format: two 16-bit fields, then big-endian single floats."""
    return np.frombuffer(data, dtype=">f4", offset=4).astype(np.float64)


def places(session: Session, *, space: Space, image_ids: Collection[int]) -> dict[int, Array]:
    """The images' places (k,) in the space, of those that have an embedding."""
    raw = raw_vectors(session, encoder=space.encoder, image_ids=image_ids)
    if not raw:
        return {}
    return dict(zip(raw, project(space, np.stack(list(raw.values()))), strict=True))


def load_taste(session: Session, *, profile: Profile) -> Posterior:
    """What is known of the profile's preference vector. Raises Unavailable before the gallery was loaded."""
    return stored_taste(session, profile=profile, space=needed_space(session))


def stored_taste(session: Session, *, profile: Profile, space: Space) -> Posterior:
    """The profile's posterior in `space`: stored, else refitted from its ratings, else the prior."""
    row = session.execute(_TASTE, {"profile": profile.id, "encoder": space.encoder}).first()
    if row is None and profile.rating_count == 0:
        return prior(space)
    if row is None or row.space_version != space.version:
        return refit_taste(session, profile=profile, space=space)
    return taste_from_row(row.mean, row.covariance, row.comparisons)


def taste_from_row(mean: Sequence[float], covariance: bytes, comparisons: int) -> Posterior:
    """A posterior as the table `tastes` holds it."""
    size = len(mean)
    cov = np.frombuffer(covariance, dtype=np.float64).reshape(size, size)
    return Posterior(mean=np.array(mean), cov=cov, count=comparisons)


def store_taste(session: Session, *, profile: Profile, space: Space, taste: Posterior) -> None:
    """Write the profile's posterior in `space`, the one that is kept up to date from now on: those in other
    encoders' spaces would not hear of later ratings, and are dropped."""
    values = {
        "space_version": space.version,
        "mean": taste.mean.tolist(),
        "covariance": taste.cov.tobytes(),
        "comparisons": taste.count,
    }
    session.execute(
        insert(ProfileTaste)
        .values(profile_id=profile.id, encoder=space.encoder, **values)
        .on_conflict_do_update(index_elements=["profile_id", "encoder"], set_=values)
    )
    others = col(ProfileTaste.profile_id) == profile.id, col(ProfileTaste.encoder) != space.encoder
    session.execute(delete(ProfileTaste).where(*others))


def refit_taste(session: Session, *, profile: Profile, space: Space) -> Posterior:
    """The exact posterior of its ratings, stored. Equal ratings give equal numbers, in any order."""
    taste = exact_taste(session, profile=profile, space=space)
    store_taste(session, profile=profile, space=space, taste=taste)
    return taste


def exact_taste(session: Session, *, profile: Profile, space: Space, first: int | None = None) -> Posterior:
    """The posterior of its ratings in any encoder's space, of the `first` ones where told; nothing is
    stored."""
    return refit(prior(space), comparisons_of(session, profile=profile, space=space, first=first))


def rated_pairs(
    session: Session, *, profile: Profile, first: int | None = None
) -> list[tuple[int, int, Answer]]:
    """Left image, right image and answer of what the profile rated, skips left out; the `first` ones only
    where told."""
    rated = select(Rating).where(Rating.profile_id == profile.id, Rating.answer != Answer.SKIP)
    known = rated.order_by(col(Rating.id)).limit(first).subquery()
    query = (
        select(Pair.left_id, Pair.right_id, known.c.answer)
        .join(known, known.c.pair_id == col(Pair.id))
        .order_by(col(Pair.id))  # not by time: sums must not depend on the order of the answers
    )
    return [(left, right, Answer(answer)) for left, right, answer in session.exec(query)]


def comparisons_of(
    session: Session, *, profile: Profile, space: Space, first: int | None = None
) -> Comparisons:
    """What the profile's ratings say, in `space`."""
    rated = rated_pairs(session, profile=profile, first=first)
    where = places(session, space=space, image_ids={image for row in rated for image in row[:2]})
    known = [row for row in rated if row[0] in where and row[1] in where]
    empty = np.empty((0, len(space.scales)))
    left = np.stack([where[row[0]] for row in known]) if known else empty
    right = np.stack([where[row[1]] for row in known]) if known else empty
    images = np.array([row[:2] for row in known], dtype=np.int64).reshape(-1, 2)
    return compare([row[2] for row in known], left, right, images=images)
