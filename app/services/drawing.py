"""Drawing new pairs from a gallery of any size."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import LargeBinary, text
from sqlmodel import Session, col, select

from app.models import Image, Profile
from app.services.tastes import decode
from app.taste.pairs import choose
from app.taste.posterior import Posterior
from app.taste.space import Space, project

WINDOWS, WINDOW = 4, 18  # candidate images come from so many places in the gallery, so many from each
CANDIDATES = 400  # pairs of them that are weighed
RECENT = 20  # pairs whose images are shown again reluctantly

Index = NDArray[np.int64]

_CANDIDATES = text("""
    select distinct on (near.id) near.id, vector_send(near.image_vector) as vector
    from unnest(:starts) as start
    cross join lateral (
        (
            select images.id, embeddings.image_vector
            from images join embeddings on image_id = images.id and encoder = :encoder
            where visibility = 'public' and random_key >= start
            order by random_key limit :window
        )
        union all
        (
            select images.id, embeddings.image_vector
            from images join embeddings on image_id = images.id and encoder = :encoder
            where visibility = 'public' and random_key < start
            order by random_key limit :window
        )
        limit :window
    ) near
""").columns(vector=LargeBinary)

# What the profile was shown already: pairs of the candidates (met), and its latest pairs whatever they are.
_SHOWN = text("""
    select left_id, right_id, true as met from pairs
    where profile_id = :profile
        and least(left_id, right_id) = any(:images) and greatest(left_id, right_id) = any(:images)
    union all
    (
        select left_id, right_id, false from pairs
        where profile_id = :profile order by created_at desc limit :recent
    )
""")


@dataclass(frozen=True)
class OfferedPair:
    """Two images to compare; `selection` is chosen (to teach the most) or random (to measure by)."""

    id: UUID
    left: Image
    right: Image
    selection: str


def draw(
    session: Session,
    *,
    profile: Profile | None,
    space: Space,
    taste: Posterior,
    count: int,
    rng: np.random.Generator | None,
) -> list[OfferedPair]:
    """Up to `count` pairs that `profile` was never shown, no image twice among them while there are others.

    Candidate images come from a few random places of the gallery, read along its random keys; of a few
    hundred pairs of them `app.taste.pairs.choose` takes the one that teaches most.
    """
    rng = rng or np.random.default_rng()
    images, where = candidates(session, space=space, rng=rng)
    met, recent = _shown(session, profile=profile, images=images)
    pairs = _unseen(met, count=len(images), rng=rng)
    chosen: list[tuple[int, int, str]] = []
    apart = np.ones(len(pairs), dtype=bool)
    while len(pairs) and len(chosen) < count:
        free = pairs[apart] if apart.any() else pairs
        choice = choose(
            taste, where[free[:, 0]], where[free[:, 1]], rng=rng, topics=images[free], recent_topics=recent
        )
        pair = free[choice.index]
        left, right = (int(image) for image in images[pair[::-1] if choice.swapped else pair])
        chosen.append((left, right, "random" if choice.random else "chosen"))
        left_over = (pairs != pair).any(axis=1)
        pairs, apart = pairs[left_over], apart[left_over] & ~np.isin(pairs[left_over], pair).any(axis=1)
    rows = session.exec(select(Image).where(col(Image.id).in_([i for pair in chosen for i in pair[:2]])))
    known = {image.id: image for image in rows}
    ids = sorted(uuid4() for _ in chosen)  # pairs of one moment are offered in the order of their ids
    return [
        OfferedPair(pair, known[left], known[right], kind)
        for pair, (left, right, kind) in zip(ids, chosen, strict=True)
        if left in known and right in known
    ]


def candidates(
    session: Session, *, space: Space, rng: np.random.Generator
) -> tuple[Index, NDArray[np.float64]]:
    """Ids (n,) of some dozens of random images, ascending, and their places (n, k)."""
    starts = [float(start) for start in rng.random(WINDOWS)]
    rows = session.execute(_CANDIDATES, {"starts": starts, "encoder": space.encoder, "window": WINDOW}).all()
    images = np.array([row[0] for row in rows], dtype=np.int64)
    if not rows:
        return images, np.empty((0, len(space.scales)))
    return images, project(space, np.stack([decode(row[1]) for row in rows]))


def _shown(session: Session, *, profile: Profile | None, images: Index) -> tuple[Index, Collection[int]]:
    """Pairs (m, 2) of places in `images` that the profile was shown, and the images of its latest pairs."""
    if profile is None or not len(images):
        return np.empty((0, 2), dtype=np.int64), ()
    rows = session.execute(_SHOWN, {"profile": profile.id, "images": images.tolist(), "recent": RECENT}).all()
    met = np.array([row[:2] for row in rows if row[2]], dtype=np.int64).reshape(-1, 2)
    return np.searchsorted(images, met), [image for row in rows if not row[2] for image in row[:2]]


def _unseen(met: Index, *, count: int, rng: np.random.Generator) -> Index:
    """Pairs (n, 2) of places below `count`, without those in `met`, at most CANDIDATES, in random order."""
    free = np.triu(np.ones((count, count), dtype=bool), 1)
    free[met.min(axis=1), met.max(axis=1)] = False
    return rng.permutation(np.argwhere(free))[:CANDIDATES]
