"""The spaces of the installed encoders: how far the gallery was read for each, and a new one's opening."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from sqlalchemy import LargeBinary, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from app.models import Embedding, EncoderSpace, Image
from app.presets import load_presets
from app.services.tastes import Array, current_space, decode, raw_vectors
from app.taste.population import with_prior
from app.taste.portability import carry_prior
from app.taste.posterior import prior
from app.taste.space import Space, dump_space, fit_space, project

LEAST_IMAGES = 32
IMAGES_A_COMPONENT, MOST_COMPONENTS = 8, 64
FITTED_ON = 4000  # images at most, drawn at random: more change no axis, and cost gigabytes

_READ = text("""
    select
        (select count(*) from images where visibility = 'public') as images,
        (
            select count(*) from embeddings join images on images.id = image_id
            where encoder = :encoder and visibility = 'public'
        ) as embedded
""")


@dataclass(frozen=True)
class SpaceState:
    """An encoder with the models that use it. `embedded` of `images` in the gallery were read for it so far;
    both are None once its space is open."""

    encoder: str
    models: tuple[str, ...]
    embedded: int | None = None
    images: int | None = None

    @property
    def is_open(self) -> bool:
        return self.images is None


def list_spaces(session: Session) -> list[SpaceState]:
    """Every encoder of the installed presets, in order of name, and whether tastes can be used with it."""
    models: dict[str, list[str]] = {}
    for preset in load_presets().values():
        if not preset.missing:
            models.setdefault(preset.encoder, []).append(preset.name)
    ready = open_spaces(session)
    return [_state(session, name, tuple(models[name]), name in ready) for name in sorted(models)]


def _state(session: Session, encoder: str, models: tuple[str, ...], ready: bool) -> SpaceState:
    if ready:
        return SpaceState(encoder, models)
    row = session.execute(_READ, {"encoder": encoder}).one()
    return SpaceState(encoder, models, embedded=row.embedded, images=row.images)


def open_spaces(session: Session) -> set[str]:
    """The encoders that have a space."""
    return set(session.exec(select(EncoderSpace.encoder).distinct()))


def unread(session: Session, *, encoders: Collection[str]) -> set[str]:
    """Those of the encoders that have no space, although the gallery has images enough for one."""
    public = select(Image.id).where(Image.visibility == "public").offset(LEAST_IMAGES - 1).limit(1)
    lacking = set(encoders) - open_spaces(session)
    return lacking if lacking and session.exec(public).first() is not None else set()


def open_space(session: Session, *, encoder: str) -> bool:
    """Fit the first space of `encoder` to the gallery; whether one came to be.

    Nothing happens where there is one, or fewer than LEAST_IMAGES images to fit it to. Its prior is the
    default model's population prior, carried over by the images that both encoders have seen: people keep
    what they have in common. Raises TasteError where the images hardly differ.
    """
    if encoder in open_spaces(session):
        return False
    drawn = (
        select(Embedding.image_id, func.vector_send(Embedding.image_vector, type_=LargeBinary))
        .join(Image, col(Image.id) == col(Embedding.image_id))
        .where(Embedding.encoder == encoder, Image.visibility == "public")
        .order_by(col(Image.random_key))
        .limit(FITTED_ON)
    )
    rows = {image: decode(data) for image, data in session.exec(drawn)}
    if len(rows) < LEAST_IMAGES:
        return False
    vectors = np.stack(list(rows.values()))
    space = fit_space(vectors, components(*vectors.shape), encoder=encoder, version=1)
    known = current_space(session)
    if known is not None:
        space = _with_known_prior(session, space=space, known=known, seen=rows)
    # Another worker with this encoder may have been as fast: the first to come stays.
    values = {"encoder": encoder, "version": space.version, "data": dump_space(space)}
    made = insert(EncoderSpace).values(values).on_conflict_do_nothing().returning(col(EncoderSpace.version))
    return session.execute(made).first() is not None


def components(images: int, width: int) -> int:
    """How many components are kept of the embeddings, this wide, of so many images."""
    return min(MOST_COMPONENTS, images // IMAGES_A_COMPONENT, width)


def _with_known_prior(session: Session, *, space: Space, known: Space, seen: dict[int, Array]) -> Space:
    other = raw_vectors(session, encoder=known.encoder, image_ids=seen.keys())
    if len(other) < LEAST_IMAGES:
        return space
    here = project(space, np.stack([seen[image] for image in other]))
    there = project(known, np.stack(list(other.values())))
    return with_prior(space, carry_prior(prior(known), prior(space), there, here), version=space.version)
