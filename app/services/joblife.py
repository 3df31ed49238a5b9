"""The life of a job's row: claimed, kept, stored, ended, swept. The row is the truth, a message only wakes.

Every write of a worker is fenced: it names the lease token the worker claimed with, and touches nothing once
somebody else holds the job.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, case, func, literal, not_, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session, col

from app.config import get_settings
from app.models import MAX_ATTEMPTS, OPEN_STATES, Embedding, Image, Job, JobImage
from app.safety import Verdict

SWEEP_LOCK = 0x70656E63
CHOICE_LOCK = 0x70656E64
SWEEP_LIMIT = 1000
ALIKE = ("size", "steps", "chaos", "tile", "raw")  # of a spec: equal where images are painted in one batch
GAVE_UP = f"The worker died {MAX_ATTEMPTS} times while painting this. Change the prompt, or try again later."


class LeaseLost(Exception):
    """The job belongs to somebody else by now, or is gone: stop, and write nothing."""


@dataclass(frozen=True)
class Claim:
    """What a worker holds while it renders: the job as it was claimed, and the token that fences."""

    job_id: UUID
    token: UUID
    person_id: int
    spec: dict[str, Any]
    preset: str
    prompt: str
    attempt: int
    stored: frozenset[int]


@dataclass(frozen=True)
class Beat:
    """What a heartbeat found: whether the lease is lost, and whether the person wants the job cancelled."""

    lost: bool
    cancel: bool


@dataclass(frozen=True)
class SlotImage:
    """One rendered image, its files already stored, and what the safety classifier says of it. Vectors are
    (d,) and (t,) in `encoder`'s space."""

    slot: int
    seed: int
    key: str
    thumbnail_key: str
    sha256: bytes
    width: int
    height: int
    encoder: str
    image_vector: NDArray[np.float32]
    text_vector: NDArray[np.float32]
    verdict: Verdict
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Swept:
    """What a sweep did: rows to send (id, preset) after the commit, and jobs that ended (id, n, state)."""

    send: list[tuple[UUID, str]]
    ended: list[tuple[UUID, int, str]]


def storage_keys(job_id: UUID, slot: int) -> tuple[str, str]:
    """The keys of a slot's image and thumbnail: the same in every attempt, so that nothing is stored
    twice."""
    return f"jobs/{job_id}/{slot}.webp", f"jobs/{job_id}/{slot}.thumb.webp"


def claim(
    session: Session, *, preset: str, worker: str, beside: Claim | None = None, room: int = 0
) -> Claim | None:
    """Take the longest waiting job of `preset`, or None when nothing waits. With `beside`, only a job that
    was never tried, has at most `room` images and can be painted in one batch with that one's.

    Which job a message named does not matter: there is a message for each row, so taking the oldest row
    serves all of them in order, and a job that lost its worker is not put behind those that came later.
    """
    lease = timedelta(seconds=get_settings().lease_seconds)
    oldest = (
        select(col(Job.id))
        .where(col(Job.preset) == preset, *(_alike(beside, room) if beside is not None else _claimable()))
        .order_by(col(Job.created_at), col(Job.id))
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    now = func.clock_timestamp()
    row = session.execute(
        update(Job)
        .where(col(Job.id) == oldest)
        .values(
            state="running",
            attempts=Job.attempts + 1,
            lease_token=uuid4(),
            lease_until=now + lease,
            worker=worker[:200],
            started_at=func.coalesce(Job.started_at, now),
        )
        .returning(
            *(col(c) for c in (Job.id, Job.lease_token, Job.person_id, Job.spec, Job.prompt, Job.attempts))
        )
    ).first()
    if row is None:
        return None
    stored = session.scalars(select(col(JobImage.slot)).where(col(JobImage.job_id) == row.id))
    return Claim(
        job_id=row.id,
        token=row.lease_token,
        person_id=row.person_id,
        spec=row.spec,
        preset=preset,
        prompt=row.prompt,
        attempt=row.attempts,
        stored=frozenset(stored),
    )


def heartbeat(session: Session, *, claim: Claim) -> Beat:
    """Renew the lease."""
    lease = timedelta(seconds=get_settings().lease_seconds)
    cancel = session.execute(
        update(Job)
        .where(*_held(claim))
        .values(lease_until=func.clock_timestamp() + lease)
        .returning(col(Job.cancel_requested))
    ).scalar()
    return Beat(lost=cancel is None, cancel=bool(cancel))


def look(session: Session, *, claim: Claim) -> Beat:
    """What a heartbeat would find, without writing."""
    cancel = session.execute(select(col(Job.cancel_requested)).where(*_held(claim))).scalar()
    return Beat(lost=cancel is None, cancel=bool(cancel))


def store(session: Session, *, claim: Claim, images: Sequence[SlotImage]) -> None:
    """Insert rendered images with their embeddings; slots that hold one already are left alone.

    Raises LeaseLost. The job's row stays locked until the commit, so that no sweep comes between.
    """
    _hold(session, claim)
    taken = set(session.scalars(select(col(JobImage.slot)).where(col(JobImage.job_id) == claim.job_id)))
    for item in images:
        if item.slot not in taken:
            _insert(session, claim, item)


def _insert(session: Session, claim: Claim, item: SlotImage) -> None:
    image = Image(
        owner_id=claim.person_id,
        source="job",
        visibility="private",
        key=item.key,
        thumbnail_key=item.thumbnail_key,
        sha256=item.sha256,
        width=item.width,
        height=item.height,
        prompt=str(claim.spec.get("text", "")),
        safety=item.verdict.label,
        safety_score=item.verdict.score,
    )
    session.add(image)
    session.flush()
    assert image.id is not None
    session.add(
        JobImage(job_id=claim.job_id, slot=item.slot, image_id=image.id, seed=item.seed, details=item.details)
    )
    session.add(
        Embedding(
            image_id=image.id,
            encoder=item.encoder,
            image_vector=item.image_vector,
            text_vector=item.text_vector,
        )
    )
    session.flush()


def finish(session: Session, *, claim: Claim, code: str | None = None, message: str | None = None) -> None:
    """Mark the job done; code and message say why images are missing, where some are. Raises LeaseLost."""
    _end(session, claim, state="done", error_code=code, error=message)


def fail(session: Session, *, claim: Claim, code: str, message: str) -> None:
    """Mark the job failed, with a stable code and a sentence for the person. Raises LeaseLost."""
    _end(session, claim, state="failed", error_code=code[:80], error=message)


def cancelled(session: Session, *, claim: Claim) -> None:
    """Mark the job cancelled. Raises LeaseLost."""
    _end(session, claim, state="cancelled", error_code=None, error=None)


def hand_back(session: Session, *, claim: Claim) -> None:
    """Put the job back into the queue, as a worker does that is told to stop; it costs no attempt."""
    _write(session, claim, state="queued", attempts=Job.attempts - 1, sent_at=None)


def sweep(session: Session, *, waiting: Callable[[str], int | None]) -> Swept | None:
    """Return expired jobs to the queue or end them, and find rows whose message was lost.

    `waiting(preset)` is the number of messages in that preset's queue, None when the broker is away. A row
    counts as forgotten when its queue is empty and it was sent more than a sweep ago. None when another
    worker is sweeping.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(SWEEP_LOCK))):
        return None
    ended = _expire(session)
    return Swept(send=_forgotten(session, waiting), ended=ended)


def _expire(session: Session) -> list[tuple[UUID, int, str]]:
    given_up = and_(col(Job.attempts) >= MAX_ATTEMPTS, ~col(Job.cancel_requested))
    final = or_(col(Job.cancel_requested), given_up)
    rows = session.execute(
        update(Job)
        .where(col(Job.state) == "running", col(Job.lease_until) < func.clock_timestamp())
        .values(
            state=case((given_up, "failed"), (final, "cancelled"), else_="queued"),
            finished_at=case((final, func.clock_timestamp())),
            error_code=case((given_up, "worker_died")),
            error=case((given_up, GAVE_UP)),
            lease_token=None,
            lease_until=None,
            sent_at=None,
        )
        .returning(col(Job.id), col(Job.spec)["n"].as_integer(), col(Job.state))
    )
    return [(id_, n or 0, state) for id_, n, state in rows if state != "queued"]


def _forgotten(session: Session, waiting: Callable[[str], int | None]) -> list[tuple[UUID, str]]:
    grace = timedelta(seconds=get_settings().sweep_seconds)
    old = or_(col(Job.sent_at).is_(None), col(Job.sent_at) < func.clock_timestamp() - grace)
    presets = session.scalars(select(col(Job.preset)).where(col(Job.state) == "queued", old).distinct())
    empty = [preset for preset in presets.all() if waiting(preset) == 0]
    if not empty:
        return []
    rows = (
        select(col(Job.id))
        .where(col(Job.state) == "queued", col(Job.preset).in_(empty), old)
        .order_by(col(Job.created_at), col(Job.id))
        .limit(SWEEP_LIMIT)
        .with_for_update(skip_locked=True)
    )
    sent = session.execute(
        update(Job)
        .where(col(Job.id).in_(rows))
        .values(sent_at=func.clock_timestamp())
        .returning(col(Job.id), col(Job.preset))
    )
    return [(id_, preset) for id_, preset in sent]


def waiting(session: Session, *, presets: Sequence[str]) -> dict[str, float]:
    """For how many seconds the first waiting job of each preset waits, of those that have one."""
    seconds = func.extract("epoch", func.clock_timestamp() - func.min(col(Job.created_at)))
    rows = session.execute(
        select(col(Job.preset), seconds)
        .where(col(Job.state) == "queued", col(Job.preset).in_(presets))
        .group_by(col(Job.preset))
    )
    return {preset: float(value) for preset, value in rows}


def take_turn(session: Session) -> bool:
    """Whether no other worker is choosing a model; none begins to before this transaction has ended."""
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(CHOICE_LOCK))))


def give_up(session: Session, *, preset: str, seconds: float, why: str) -> list[tuple[UUID, int]]:
    """Fail the jobs that have waited for so long for a preset that no worker can load; their ids and
    numbers of images."""
    since = func.clock_timestamp() - timedelta(seconds=seconds)
    rows = session.execute(
        update(Job)
        .where(col(Job.state) == "queued", col(Job.preset) == preset, col(Job.created_at) <= since)
        .values(state="failed", finished_at=func.clock_timestamp(), error_code="model_not_loaded", error=why)
        .returning(col(Job.id), col(Job.spec)["n"].as_integer())
    )
    return [(id_, n or 0) for id_, n in rows]


def unused_keys(session: Session, *, job_id: UUID, n: int) -> list[str]:
    """The keys of slots without a row: what an ended job may have left in the store. None of an open job."""
    job = session.get(Job, job_id)
    if job is not None and job.state in OPEN_STATES:
        return []
    stored = set(session.scalars(select(col(JobImage.slot)).where(col(JobImage.job_id) == job_id)))
    return [key for slot in range(n) if slot not in stored for key in storage_keys(job_id, slot)]


def _claimable() -> list[Any]:
    expired = and_(col(Job.state) == "running", col(Job.lease_until) < func.clock_timestamp())
    return [col(Job.attempts) < MAX_ATTEMPTS, or_(col(Job.state) == "queued", expired)]


def _alike(first: Claim, room: int) -> list[Any]:
    """A job that killed its worker must not take others along, so only what was never tried joins."""
    spec, asked = col(Job.spec), first.spec
    tastes = func.jsonb_array_length(spec["personalize"]["tastes"])
    personal = and_(spec["stylize"].as_integer() > 0, tastes > 0)
    bare = spec["negative"] == literal([], JSONB)
    return [
        col(Job.state) == "queued",
        col(Job.attempts) == 0,
        spec["n"].as_integer() <= room,
        *(spec[name] == literal(asked[name], JSONB) for name in ALIKE),
        personal if asked["stylize"] and asked["personalize"]["tastes"] else not_(personal),
        not_(bare) if asked["negative"] else bare,
    ]


def _held(claim: Claim) -> tuple[Any, ...]:
    return col(Job.id) == claim.job_id, col(Job.lease_token) == claim.token


def _hold(session: Session, claim: Claim) -> None:
    if (
        session.execute(select(text("1")).select_from(Job).where(*_held(claim)).with_for_update()).first()
        is None
    ):
        raise LeaseLost


def _end(session: Session, claim: Claim, **values: Any) -> None:
    _write(session, claim, finished_at=func.clock_timestamp(), **values)


def _write(session: Session, claim: Claim, **values: Any) -> None:
    row = session.execute(
        update(Job)
        .where(*_held(claim))
        .values(lease_token=None, lease_until=None, **values)
        .returning(col(Job.id))
    ).first()
    if row is None:
        raise LeaseLost
