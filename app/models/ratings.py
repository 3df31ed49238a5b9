"""Pairs that were shown, and the answers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Double, Index, String, UniqueConstraint, Uuid, text
from sqlmodel import Field

from app.models.base import Table, created, identity, one_of, reference

ANSWERS = ("left", "right", "tie", "both_bad", "skip")


class Pair(Table, table=True):
    """Two images offered to a profile. Only an offered pair can be rated.

    `answered` says that a rating exists, so that the few open pairs are found without looking at the others.
    """

    __tablename__ = "pairs"
    __table_args__ = (
        one_of("selection", "chosen", "random"),
        CheckConstraint("left_id <> right_id", name="different"),
        Index(
            "uq_pairs_once",
            "profile_id",
            text("least(left_id, right_id)"),
            text("greatest(left_id, right_id)"),
            unique=True,
        ),
        Index("ix_pairs_profile_newest", "profile_id", text("created_at desc")),
        Index("ix_pairs_open", "profile_id", "created_at", "id", postgresql_where=text("not answered")),
    )
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    profile_id: int = Field(sa_column=reference("profiles.id", index=False))
    left_id: int = Field(sa_column=reference("images.id"))
    right_id: int = Field(sa_column=reference("images.id"))
    selection: str = Field(sa_column=Column(String(8), nullable=False))
    answered: bool = Field(
        default=False, sa_column_kwargs={"server_default": text("false"), "nullable": False}
    )
    predicted: float | None = Field(default=None, sa_column=Column(Double, nullable=True))
    created_at: datetime | None = Field(default=None, sa_column=created())


class Rating(Table, table=True):
    """One answer on the explore page: a pair ranked. A pair has at most one, whoever sends it again."""

    __tablename__ = "ratings"
    __table_args__ = (
        UniqueConstraint("pair_id"),
        one_of("answer", *ANSWERS),
        Index("ix_ratings_profile_newest", "profile_id", text("id desc")),
    )
    id: int | None = Field(default=None, sa_column=identity())
    profile_id: int = Field(sa_column=reference("profiles.id", index=False))
    pair_id: UUID = Field(sa_column=reference("pairs.id", index=False))
    answer: str = Field(sa_column=Column(String(8), nullable=False))
    created_at: datetime | None = Field(default=None, sa_column=created())
