"""Jobs and the images they made."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from app.models.base import Table, created, moment, one_of, reference

MAX_ATTEMPTS = 3
OPEN_STATES = ("queued", "running")
FINAL_STATES = ("done", "failed", "cancelled")


class Job(Table, table=True):
    """One accepted prompt. This row is the truth; the broker's message only wakes a worker.

    `lease_token` fences: whoever writes as a worker names the token it claimed with, and a worker that was
    paused past its lease finds another token there.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("state", *OPEN_STATES, *FINAL_STATES),
        CheckConstraint(f"attempts between 0 and {MAX_ATTEMPTS}", name="attempts"),
        CheckConstraint("(state = 'running') = (lease_token is not null)", name="lease"),
        CheckConstraint(
            "(state in ('done', 'failed', 'cancelled')) = (finished_at is not null)", name="finished"
        ),
        UniqueConstraint("person_id", "idempotency_key", "idempotency_slot"),
        Index("ix_jobs_person_newest", "person_id", text("created_at desc"), text("id desc")),
        Index("ix_jobs_open", "state", "created_at", postgresql_where=text("state in ('queued', 'running')")),
    )
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    person_id: int = Field(sa_column=reference("people.id", index=False))
    state: str = Field(default="queued", sa_column=Column(String(16), nullable=False))
    prompt: str = Field(sa_column=Column(Text, nullable=False))
    spec: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    preset: str = Field(sa_column=Column(String(80), nullable=False))
    parent_id: UUID | None = Field(
        default=None, sa_column=reference("jobs.id", nullable=True, ondelete="SET NULL")
    )
    attempts: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False))
    cancel_requested: bool = False
    lease_token: UUID | None = Field(default=None, sa_column=Column(Uuid, nullable=True))
    lease_until: datetime | None = Field(default=None, sa_column=moment())
    worker: str | None = Field(default=None, sa_column=Column(String(200), nullable=True))
    error_code: str | None = Field(default=None, sa_column=Column(String(80), nullable=True))
    error: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    idempotency_key: str | None = Field(default=None, sa_column=Column(String(200), nullable=True))
    idempotency_slot: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False))
    request_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))
    created_at: datetime | None = Field(default=None, sa_column=created())
    sent_at: datetime | None = Field(default=None, sa_column=moment())
    started_at: datetime | None = Field(default=None, sa_column=moment())
    finished_at: datetime | None = Field(default=None, sa_column=moment())


class JobImage(Table, table=True):
    """The image in one slot of a job's grid; the primary key makes a slot hold one."""

    __tablename__ = "job_images"
    job_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True))
    slot: int = Field(sa_column=Column(SmallInteger, primary_key=True))
    image_id: int = Field(sa_column=reference("images.id", unique=True, index=False))
    seed: int = Field(sa_column=Column(BigInteger, nullable=False))
    details: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'::jsonb"))
    )
    created_at: datetime | None = Field(default=None, sa_column=created())
