"""What people like on the whole, learned again from those who agreed, as a new version of the space."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
from sqlalchemy import Engine, text
from sqlmodel import Session, col, select

from app.config import get_settings
from app.db import session_scope
from app.models import EncoderSpace, Profile, ProfileTaste, Renewal
from app.services.outlook import look_ahead
from app.services.tastes import comparisons_of, current_space, load_space, refit_taste
from app.taste.comparisons import Comparisons
from app.taste.errors import TasteError
from app.taste.population import with_prior
from app.taste.posterior import prior
from app.taste.renewal import Renewal as Found
from app.taste.renewal import renew_prior
from app.taste.space import Space, dump_space, same_frame

log = logging.getLogger(__name__)

LOCK = 0x70656E70
LEAST_PEOPLE = 20
LEAST_RATINGS = 10

# One voice a person: the global profile, however many others there are.
_AGREED = """
    from settings join profiles on profiles.person_id = settings.person_id and profiles.is_global
    where settings.contribute and profiles.rating_count >= :least
"""
_PROFILES = text(f"select profiles.id {_AGREED} order by profiles.id")
_FINGERPRINT = text(f"""
    select count(*) || ' answers, ' || coalesce(sum(hashtextextended(pair_id || answer, 0)), 0)
    from ratings where answer <> 'skip' and profile_id in (select profiles.id {_AGREED})
""")
_TAKE = text("select id from profiles where id = :profile for no key update skip locked")

Outcome = Literal["renewed", "kept", "unchanged", "few", "busy", "early", "no space"]


@dataclass(frozen=True)
class Report:
    """What came of a renewal: the prior's version then, who it was learned from, and the tastes moved to it.

    gain and error: as in app.taste.renewal, where the prior was learned again.
    """

    outcome: Outcome
    version: int = 0
    people: int = 0
    gain: float = 0.0
    error: float = 0.0
    moved: int = 0

    @property
    def says(self) -> str:
        """The report as a sentence or two."""
        gained = f"{self.gain:+.4f} ± {self.error:.4f} nats a choice on people left out"
        match self.outcome:
            case "renewed":
                learned = f"Version {self.version} was learned from {self.people} people: {gained}."
            case "kept":
                learned = f"Version {self.version} stands: {self.people} people teach no better, {gained}."
            case "unchanged":
                learned = f"Version {self.version} stands: nothing was rated since it was last looked at."
            case "few":
                learned = f"{self.people} people agreed and rated enough; it takes {LEAST_PEOPLE}."
            case "busy":
                return "Another process is at it."
            case "early":
                return "It is not time yet."
            case "no space":
                return "There is no taste space yet. Run `penchant seed`."
        return f"{learned} {self.moved} tastes were brought to it." if self.moved else learned


def renew(engine: Engine, *, only_if_due: bool = False, rng: np.random.Generator | None = None) -> Report:
    """Learn the population prior again, activate it if it foretells people better, and move the tastes to it.

    One process at a time. No transaction is open while it computes, and it may be killed at any moment: what
    is left undone is done by the next run, or by a profile's next use. Codes keep the version they froze.
    """
    with _alone(engine) as alone:
        if not alone:
            return Report("busy")
        with session_scope(engine) as session:
            space = current_space(session)
            if space is None:
                return Report("no space")
            if only_if_due and not _due(session, encoder=space.encoder):
                return Report("early")
            people, fingerprint, known = _look(session, space=space)
        if len(people) < LEAST_PEOPLE:
            report = Report("few", space.version, len(people))
        elif fingerprint == known:
            report = Report("unchanged", space.version, len(people))
        else:
            report = _learn(engine, space=space, people=people, fingerprint=fingerprint, rng=rng)
        moved = move_tastes(engine, encoder=space.encoder)
        return Report(report.outcome, report.version, report.people, report.gain, report.error, moved)


def latest(session: Session, *, encoder: str) -> Renewal | None:
    """The last time the prior of an encoder's space was learned again, whatever came of it."""
    query = select(Renewal).where(Renewal.encoder == encoder).order_by(col(Renewal.id).desc()).limit(1)
    return session.exec(query).first()


def move_tastes(engine: Engine, *, encoder: str) -> int:
    """Recompute tastes learned under an older prior from their logs; how many.

    One transaction a profile. One that is being rated just now is left out: its next use recomputes it.
    """
    with session_scope(engine) as session:
        space = load_space(session, encoder=encoder)
        stale = session.exec(
            select(ProfileTaste.profile_id)
            .where(ProfileTaste.encoder == encoder, ProfileTaste.space_version < space.version)
            .order_by(col(ProfileTaste.profile_id))
        ).all()
    return sum(_move(engine, profile_id, space) for profile_id in stale)


def _move(engine: Engine, profile_id: int, space: Space) -> bool:
    try:
        return _move_one(engine, profile_id, space)
    except TasteError:
        log.exception("profile %s keeps its older taste", profile_id)  # and the others get theirs
        return False


def _move_one(engine: Engine, profile_id: int, space: Space) -> bool:
    with session_scope(engine) as session:
        if session.execute(_TAKE, {"profile": profile_id}).first() is None:
            return False
        profile = session.get_one(Profile, profile_id)
        taste = refit_taste(session, profile=profile, space=space)
        look_ahead(session, profile=profile, space=space, taste=taste)
        return True


@contextmanager
def _alone(engine: Engine) -> Iterator[bool]:
    """Whether we are the only one; so until the block ends, or the process does."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        taken = bool(connection.scalar(text("select pg_try_advisory_lock(:lock)"), {"lock": LOCK}))
        try:
            yield taken
        finally:
            if taken:
                connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": LOCK})


def _due(session: Session, *, encoder: str) -> bool:
    hours, last = get_settings().renew_hours, latest(session, encoder=encoder)
    if last is None or last.created_at is None or not hours:
        return hours > 0
    return last.created_at + timedelta(hours=hours) <= datetime.now(UTC)


def _look(session: Session, *, space: Space) -> tuple[list[int], str, str | None]:
    """The profiles to learn from, what they have said by now, and what they had when it was last learned."""
    people = list(session.scalars(_PROFILES, {"least": LEAST_RATINGS}))
    fingerprint = str(session.scalar(_FINGERPRINT, {"least": LEAST_RATINGS}))
    last = latest(session, encoder=space.encoder)
    return people, fingerprint, last.fingerprint if last is not None else None


def _learn(
    engine: Engine, *, space: Space, people: list[int], fingerprint: str, rng: np.random.Generator | None
) -> Report:
    with session_scope(engine) as session:
        start = _first_version(session, space=space)
    said = [item for item in (_said(engine, profile_id, space) for profile_id in people) if item is not None]
    found = renew_prior(prior(start), prior(space), said, rng=rng or np.random.default_rng(0))
    with session_scope(engine) as session:
        version = _activate(session, space=space, found=found)
        session.add(
            Renewal(
                encoder=space.encoder,
                version=version,
                people=len(said),
                gain=found.gain,
                error=found.error,
                fingerprint=fingerprint,
            )
        )
    outcome: Outcome = "kept" if version is None else "renewed"
    return Report(outcome, version or space.version, len(said), found.gain, found.error)


def _activate(session: Session, *, space: Space, found: Found) -> int | None:
    if found.prior is None:
        return None
    renewed = with_prior(space, found.prior, version=space.version + 1)
    # Where a newer gallery brought a version meanwhile, this fails, and the next run starts from that one.
    session.add(EncoderSpace(encoder=space.encoder, version=renewed.version, data=dump_space(renewed)))
    return renewed.version


def _first_version(session: Session, *, space: Space) -> Space:
    """The version that knows nobody: the oldest with the same axes."""
    versions = select(EncoderSpace.version).where(EncoderSpace.encoder == space.encoder)
    for version in session.exec(versions.order_by(col(EncoderSpace.version))):
        older = load_space(session, encoder=space.encoder, version=version)
        if same_frame(older, space):
            return older
    return space


def _said(engine: Engine, profile_id: int, space: Space) -> Comparisons | None:
    """What a person has said; None where the profile was deleted meanwhile."""
    with session_scope(engine) as session:
        profile = session.get(Profile, profile_id)
        return None if profile is None else comparisons_of(session, profile=profile, space=space)
