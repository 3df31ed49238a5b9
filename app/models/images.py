"""Images that can be rated or were rendered, and what the encoders say of them."""

from datetime import datetime
from typing import Any

from pgvector.sqlalchemy import Vector
from sqlalchemy import CheckConstraint, Column, Double, Index, LargeBinary, String, Text, func, text
from sqlmodel import Field

from app.models.base import Table, created, identity, one_of, reference
from app.safety import LABELS


class Image(Table, table=True):
    """One stored image. The gallery is every image that is public; `random_key` draws from it fairly.

    `safety` and `safety_score` are the classifier's label and probability; None where it never looked.
    """

    __tablename__ = "images"
    __table_args__ = (
        one_of("source", "gallery", "job", "upload"),
        one_of("visibility", "public", "private"),
        one_of("safety", *LABELS),
        CheckConstraint("(safety is null) = (safety_score is null)", name="safety_score"),
        CheckConstraint("width > 0 and height > 0", name="size"),
        Index("ix_images_gallery_random", "random_key", postgresql_where=text("visibility = 'public'")),
        Index("ix_images_owner_newest", "owner_id", text("id desc")),
        Index("uq_images_gallery_sha256", "sha256", unique=True, postgresql_where=text("source = 'gallery'")),
    )
    id: int | None = Field(default=None, sa_column=identity())
    owner_id: int | None = Field(default=None, sa_column=reference("people.id", nullable=True, index=False))
    source: str = Field(sa_column=Column(String(16), nullable=False))
    visibility: str = Field(default="private", sa_column=Column(String(16), nullable=False))
    key: str = Field(sa_column=Column(Text, unique=True, nullable=False))
    thumbnail_key: str = Field(sa_column=Column(Text, nullable=False))
    sha256: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    width: int
    height: int
    prompt: str = Field(default="", sa_column=Column(Text, nullable=False))
    safety: str | None = Field(default=None, sa_column=Column(String(16), nullable=True))
    safety_score: float | None = Field(default=None, sa_column=Column(Double, nullable=True))
    random_key: float | None = Field(
        default=None, sa_column=Column(Double, nullable=False, server_default=func.random())
    )
    created_at: datetime | None = Field(default=None, sa_column=created())


class Embedding(Table, table=True):
    """An image in one encoder's space: the raw image embedding, and its prompt's text embedding."""

    __tablename__ = "embeddings"
    __table_args__ = (Index("ix_embeddings_encoder", "encoder", "image_id"),)
    image_id: int = Field(sa_column=reference("images.id", primary_key=True, index=False))
    encoder: str = Field(sa_column=Column(String(80), primary_key=True))
    image_vector: Any = Field(sa_column=Column(Vector(), nullable=False))
    text_vector: Any = Field(default=None, sa_column=Column(Vector(), nullable=True))


class EncoderSpace(Table, table=True):
    """One version of an encoder's space (app.taste.space.Space as npz bytes). Versions never change."""

    __tablename__ = "spaces"
    encoder: str = Field(sa_column=Column(String(80), primary_key=True))
    version: int = Field(primary_key=True)
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime | None = Field(default=None, sa_column=created())


class Renewal(Table, table=True):
    """One time the population prior was learned again, and what came of it.

    `version` of the space was made by it, none where the prior in use stood. `fingerprint` tells whether
    there is anything new to learn from.
    """

    __tablename__ = "renewals"
    id: int | None = Field(default=None, sa_column=identity())
    encoder: str = Field(sa_column=Column(String(80), nullable=False))
    version: int | None = None
    people: int
    gain: float = Field(sa_column=Column(Double, nullable=False))
    error: float = Field(sa_column=Column(Double, nullable=False))
    fingerprint: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime | None = Field(default=None, sa_column=created())
