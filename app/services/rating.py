"""The explore page's use-cases: which pairs to show, and what an answer teaches."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import bindparam, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased, load_only
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from app.config import get_settings
from app.errors import InvalidInput, NotFound
from app.models import ANSWERS, Image, Pair, Profile, Rating
from app.services import outlook
from app.services.drawing import OfferedPair as OfferedPair
from app.services.drawing import draw
from app.services.learning import facts, learn, points
from app.services.tastes import current_space, needed_space, refit_taste, stored_taste
from app.taste.comparisons import Answer
from app.taste.posterior import prior

MAX_PAIRS = 20
NOT_SHOWN = "This pair was not shown to you. Reload /explore."

_left, _right = aliased(Image), aliased(Image)


def _shown(image: Any) -> Any:
    """Loads what is shown of an image; its other columns are read when somebody asks for them."""
    return load_only(
        image.id,
        image.width,
        image.height,
        image.prompt,
        image.visibility,
        image.safety,
        image.safety_score,
        image.created_at,
    )


_OPEN_OFFERS = (
    select(Pair.id, Pair.selection, _left, _right)
    .join(_left, col(_left.id) == col(Pair.left_id))
    .join(_right, col(_right.id) == col(Pair.right_id))
    .where(
        col(Pair.profile_id) == bindparam("profile"),
        ~col(Pair.answered),
        _left.visibility == "public",
        _right.visibility == "public",
    )
    .order_by(col(Pair.created_at), col(Pair.id))
    .limit(bindparam("count"))
    .options(_shown(_left), _shown(_right))
)
_LOCK = text("select rating_count from profiles where id = :profile for no key update")


@dataclass(frozen=True)
class Recorded:
    """What became of an answer. `created` is False for a replay and for a changed mind."""

    rating: Rating
    created: bool
    rating_count: int
    unlocked: bool


@dataclass(frozen=True)
class RatedPair:
    """One line of the rating log."""

    rating: Rating
    selection: str
    left: Image
    right: Image


def next_pairs(
    session: Session, *, profile: Profile, count: int, rng: np.random.Generator | None = None
) -> list[OfferedPair]:
    """Up to `count` unanswered pairs: those offered before, oldest first, then newly drawn ones.

    Two images meet once in a profile. One new pair in ten is random. Fewer come back only when the gallery
    holds no more. Who asks for several holds some in advance, so new ones are drawn several at a time.
    """
    count = min(count, MAX_PAIRS)
    profile = lock(session, profile)
    offered = _open_offers(session, profile=profile, count=count)
    if len(offered) == count:
        return offered
    space = current_space(session)
    if space is None:
        return offered
    taste = stored_taste(session, profile=profile, space=space)
    wanted = 2 * count - 1 - len(offered)
    drawn = draw(session, profile=profile, space=space, taste=taste, count=wanted, rng=rng)
    if drawn:
        rows = [_row(profile, pair.id, pair.left.id, pair.right.id, pair.selection) for pair in drawn]
        session.execute(insert(Pair), rows)
    return (offered + drawn)[:count]


def visitor_pairs(
    session: Session, *, count: int, rng: np.random.Generator | None = None
) -> list[OfferedPair]:
    """Pairs for somebody who is nobody yet. They are stored nowhere: the edge signs and `adopt`s them."""
    space = current_space(session)
    if space is None:
        return []
    return draw(session, profile=None, space=space, taste=prior(space), count=min(count, MAX_PAIRS), rng=rng)


def adopt(
    session: Session, *, profile: Profile, pair_id: UUID, left_id: int, right_id: int, selection: str
) -> None:
    """Note that a visitor's pair was offered to `profile`; one that was offered already stays as it is."""
    there = session.exec(select(Image.id).where(col(Image.id).in_((left_id, right_id)))).all()
    if len(there) == 2:
        row = _row(profile, pair_id, left_id, right_id, selection)
        session.execute(insert(Pair).values(row).on_conflict_do_nothing())


def _row(
    profile: Profile, pair_id: UUID, left_id: int | None, right_id: int | None, selection: str
) -> dict[str, object]:
    return {
        "id": pair_id,
        "profile_id": profile.id,
        "left_id": left_id,
        "right_id": right_id,
        "selection": selection,
    }


def record(session: Session, *, profile: Profile, pair_id: UUID, answer: str) -> Recorded:
    """Take in one answer, once however often it is sent; another answer to the same pair replaces the first.

    The profile is locked, its taste updated in the same transaction. Raises NotFound for a pair that was not
    offered to this profile, InvalidInput for an unknown answer.
    """
    _check_answer(answer)
    profile = lock(session, profile)
    known = facts(session, profile=profile, pair_id=pair_id)
    if known is None:
        raise NotFound(NOT_SHOWN)
    rating, created = known.rating, known.rating is None
    if rating is None:
        rating = learn(session, profile=profile, pair_id=pair_id, known=known, answer=answer)
    elif rating.answer != answer:
        _replace(session, profile=profile, rating=rating, answer=answer)
    if created and points(answer) and outlook.due(profile):
        taste = stored_taste(session, profile=profile, space=known.space)
        outlook.look_ahead(session, profile=profile, space=known.space, taste=taste)
    unlocked = profile.rating_count >= get_settings().unlock_ratings
    return Recorded(rating, created, profile.rating_count, unlocked)


def undo(session: Session, *, profile: Profile) -> Rating | None:
    """Take back the latest rating; its pair is offered again. None when there is nothing to undo."""
    profile = lock(session, profile)
    latest = session.exec(
        select(Rating).where(Rating.profile_id == profile.id).order_by(col(Rating.id).desc()).limit(1)
    ).first()
    if latest is not None:
        _remove(session, profile=profile, rating=latest)
    return latest


def delete_rating(session: Session, *, profile: Profile, rating_id: int) -> None:
    """Take back one rating; the profile is then what it would have been without it. Its pair may come again.

    Raises NotFound.
    """
    profile = lock(session, profile)
    _remove(session, profile=profile, rating=_own_rating(session, profile=profile, rating_id=rating_id))


def change_rating(session: Session, *, profile: Profile, rating_id: int, answer: str) -> Rating:
    """Replace an answer, as if it had been this one from the start. Raises NotFound, InvalidInput."""
    _check_answer(answer)
    profile = lock(session, profile)
    rating = _own_rating(session, profile=profile, rating_id=rating_id)
    if rating.answer != answer:
        _replace(session, profile=profile, rating=rating, answer=answer)
    return rating


def list_ratings(
    session: Session, *, profile: Profile, before: int | None = None, limit: int = 50
) -> list[RatedPair]:
    """The rating log, newest first, from below the id `before`."""
    left, right = aliased(Image), aliased(Image)
    query = (
        select(Rating, Pair.selection, left, right)
        .join(Pair, col(Pair.id) == col(Rating.pair_id))
        .join(left, col(left.id) == col(Pair.left_id))
        .join(right, col(right.id) == col(Pair.right_id))
        .where(Rating.profile_id == profile.id)
        .order_by(col(Rating.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(Rating.id) < before)
    return [RatedPair(rating, kind, a, b) for rating, kind, a, b in session.exec(query)]


def lock(session: Session, profile: Profile) -> Profile:
    """The profile's current row, held until the transaction ends, so that requests for it take turns."""
    place = (session.get_transaction(), session.get_nested_transaction(), profile.id)
    known_place, known = session.info.get("held_profile", (None, None))
    if known is not None and known_place == place:
        return known  # type: ignore[no-any-return]
    count = session.execute(_LOCK, {"profile": profile.id}).scalar()
    if count is None:
        raise NotFound("This profile was deleted.")
    held = profile if profile in session else session.get_one(Profile, profile.id)
    set_committed_value(held, "rating_count", count)
    place = (session.get_transaction(), session.get_nested_transaction(), profile.id)
    session.info["held_profile"] = (place, held)
    return held


def _open_offers(session: Session, *, profile: Profile, count: int) -> list[OfferedPair]:
    rows = session.exec(_OPEN_OFFERS, params={"profile": profile.id, "count": count})
    return [OfferedPair(pair, left, right, selection) for pair, selection, left, right in rows]


def _check_answer(answer: str) -> None:
    if answer not in ANSWERS:
        raise InvalidInput(f"An answer is one of {', '.join(ANSWERS)}.", field="answer")


def _own_rating(session: Session, *, profile: Profile, rating_id: int) -> Rating:
    rating = session.get(Rating, rating_id, populate_existing=True)
    if rating is None or rating.profile_id != profile.id:
        raise NotFound("You have no such rating. It may have been undone already.")
    return rating


def _replace(session: Session, *, profile: Profile, rating: Rating, answer: str) -> None:
    profile.rating_count += points(answer) - points(rating.answer)
    rating.answer = answer
    session.flush()
    _learn_again(session, profile=profile)


def _remove(session: Session, *, profile: Profile, rating: Rating) -> None:
    profile.rating_count -= points(rating.answer)
    session.execute(update(Pair).where(col(Pair.id) == rating.pair_id).values(answered=False))
    session.delete(rating)
    session.flush()
    if rating.answer != Answer.SKIP:
        _learn_again(session, profile=profile)


def _learn_again(session: Session, *, profile: Profile) -> None:
    """The taste as if the ratings had been these from the start, and with it what is said of more."""
    space = needed_space(session)
    taste = refit_taste(session, profile=profile, space=space)
    if profile.rating_count < outlook.EVERY:
        profile.expected_gain = None
        session.flush()
    else:
        outlook.look_ahead(session, profile=profile, space=space, taste=taste)
