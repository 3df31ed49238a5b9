"""People, how they are recognised, and what they prefer."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, DateTime, LargeBinary, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from app.models.base import Table, created, identity, moment, reference


class Person(Table, table=True):
    """Somebody who rates. A guest has neither email nor password until claiming the account."""

    __tablename__ = "people"
    __table_args__ = (
        CheckConstraint("(email is null) = (password_hash is null)", name="claimed"),
        CheckConstraint("email = lower(email)", name="email_lower"),
    )
    id: int | None = Field(default=None, sa_column=identity())
    email: str | None = Field(default=None, sa_column=Column(String(254), unique=True, nullable=True))
    password_hash: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    created_at: datetime | None = Field(default=None, sa_column=created())


class WebSession(Table, table=True):
    """One signed-in browser; only the hash of its cookie is stored."""

    __tablename__ = "sessions"
    token_hash: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    person_id: int = Field(sa_column=reference("people.id"))
    created_at: datetime | None = Field(default=None, sa_column=created())
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ApiToken(Table, table=True):
    """A script's key: shown once, stored as a SHA-256 hash, limited to its scopes."""

    __tablename__ = "tokens"
    id: int | None = Field(default=None, sa_column=identity())
    person_id: int = Field(sa_column=reference("people.id"))
    name: str = Field(sa_column=Column(String(100), nullable=False))
    token_hash: bytes = Field(sa_column=Column(LargeBinary(32), unique=True, nullable=False))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    created_at: datetime | None = Field(default=None, sa_column=created())
    last_used_at: datetime | None = Field(default=None, sa_column=moment())
    revoked_at: datetime | None = Field(default=None, sa_column=moment())


class PersonSettings(Table, table=True):
    """What /settings shows: whether `--p` is the default, and the default strength and model.

    `default_code` is what a bare `--p` means; without one it means the person's own default profiles.
    `contribute`: the person agreed that the ratings teach the population prior. `cautious`: images that the
    safety classifier doubts are blurred too.
    """

    __tablename__ = "settings"
    __table_args__ = (CheckConstraint("stylize between 0 and 1000", name="stylize"),)
    person_id: int = Field(sa_column=reference("people.id", primary_key=True, index=False))
    personalize: bool = Field(
        default=False, sa_column_kwargs={"server_default": text("false"), "nullable": False}
    )
    stylize: int = Field(default=100, sa_column_kwargs={"server_default": text("100"), "nullable": False})
    model: str | None = Field(default=None, sa_column=Column(String(80), nullable=True))
    contribute: bool = Field(
        default=False, sa_column_kwargs={"server_default": text("false"), "nullable": False}
    )
    cautious: bool = Field(
        default=False, sa_column_kwargs={"server_default": text("false"), "nullable": False}
    )
    default_code: str | None = Field(
        default=None, sa_column=reference("codes.code", nullable=True, ondelete="SET NULL")
    )
