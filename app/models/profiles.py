"""Profiles, the taste learned in each, and the codes frozen from them."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from app.models.base import Table, created, identity, moment, one_of, reference


class Profile(Table, table=True):
    """One taste of one person: its ratings and what was learned from them. A moodboard has images instead.

    `expected_gain` is the accuracy that more ratings were last expected to add; None before it was asked.
    """

    __tablename__ = "profiles"
    __table_args__ = (
        UniqueConstraint("person_id", "name"),
        CheckConstraint("rating_count >= 0", name="rating_count"),
        Index("uq_profiles_global", "person_id", unique=True, postgresql_where=text("is_global")),
    )
    id: int | None = Field(default=None, sa_column=identity())
    public_id: str = Field(sa_column=Column(String(16), unique=True, nullable=False))
    person_id: int = Field(sa_column=reference("people.id"))
    name: str = Field(sa_column=Column(String(100), nullable=False))
    is_global: bool
    is_default: bool
    is_moodboard: bool = Field(
        default=False, sa_column_kwargs={"server_default": text("false"), "nullable": False}
    )
    rating_count: int = 0
    expected_gain: float | None = Field(default=None, sa_column=Column(Double, nullable=True))
    created_at: datetime | None = Field(default=None, sa_column=created())


class MoodboardImage(Table, table=True):
    """An image that a moodboard holds."""

    __tablename__ = "moodboard_images"
    profile_id: int = Field(sa_column=reference("profiles.id", primary_key=True, index=False))
    image_id: int = Field(sa_column=reference("images.id", primary_key=True))
    created_at: datetime | None = Field(default=None, sa_column=created())


class ProfileTaste(Table, table=True):
    """A profile's preference vector in one encoder's space: a Gaussian posterior.

    `mean` has k + 1 entries and `covariance` is (k + 1, k + 1) float64 in C order: the last coordinate is
    the left-side bias.
    """

    __tablename__ = "tastes"
    __table_args__ = (
        ForeignKeyConstraint(["encoder", "space_version"], ["spaces.encoder", "spaces.version"]),
    )
    profile_id: int = Field(sa_column=reference("profiles.id", primary_key=True, index=False))
    encoder: str = Field(sa_column=Column(String(80), primary_key=True))
    space_version: int
    mean: list[float] = Field(sa_column=Column(ARRAY(Double), nullable=False))
    covariance: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    comparisons: int = 0


class Code(Table, table=True):
    """One frozen state of a profile. The content never changes; equal states share a code until it
    is revoked. `image_count` is how many images a moodboard held, 0 for other profiles.
    """

    __tablename__ = "codes"
    __table_args__ = (
        Index(
            "uq_codes_state",
            "profile_id",
            "checksum",
            unique=True,
            postgresql_where=text("revoked_at is null"),
        ),
        one_of("visibility", "private", "unlisted", "public"),
    )
    code: str = Field(sa_column=Column(String(16), primary_key=True))
    profile_id: int = Field(sa_column=reference("profiles.id"))
    person_id: int = Field(sa_column=reference("people.id"))
    parent: str | None = Field(
        default=None, sa_column=reference("codes.code", nullable=True, ondelete="SET NULL", index=False)
    )
    rating_count: int
    image_count: int = Field(default=0, sa_column_kwargs={"server_default": text("0"), "nullable": False})
    encoder: str = Field(sa_column=Column(String(80), nullable=False))
    space_version: int
    checksum: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    taste: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    liked_ids: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    disliked_ids: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    visibility: str = Field(default="private", sa_column=Column(String(16), nullable=False))
    expires_at: datetime | None = Field(default=None, sa_column=moment())
    revoked_at: datetime | None = Field(default=None, sa_column=moment())
    created_at: datetime | None = Field(default=None, sa_column=created())
