"""Explore: two images at a time, and what a person answers."""

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Response
from fastapi.responses import JSONResponse, RedirectResponse
from sqlmodel import Session

from app.config import get_settings
from app.models import Profile
from app.services import outlook, profiles, rating
from app.services.drawing import OfferedPair
from app.web.cards import picture_pair, standing
from app.web.contexts import ExplorePage, PicturePair
from app.web.deps import PersonOrGuest
from app.web.frame import Frame, FrameDep
from app.web.offers import adopt_offer, sign_offer
from app.web.routes.errors import wants_json

router = APIRouter(include_in_schema=False)
AHEAD = 4  # pairs that the browser holds: an answer takes a few milliseconds, the network may take more


@router.get("/explore")
def explore(frame: FrameDep) -> Response:
    """The pair to be rated next. A visitor's pairs are stored nowhere until the first answer."""
    profile = profiles.global_profile(frame.session, person=frame.person) if frame.person else None
    pairs = next_pairs(frame.session, profile=profile)
    shell = frame.shell("explore")
    page = ExplorePage(
        shell=shell,
        pairs=pairs,
        pairs_json=[asdict(pair) for pair in pairs],
        remaining=remaining(shell.ratings),
        standing=stands(frame.session, profile=profile) if profile is not None else "",
        can_undo=profile is not None and can_undo(frame.session, profile=profile),
        gallery_empty=not pairs and not (profile and can_undo(frame.session, profile=profile)),
    )
    return frame.show(page)


@router.post("/ratings")
def rate(
    frame: FrameDep,
    person: PersonOrGuest,
    pair_id: Annotated[UUID, Form()],
    answer: Annotated[str, Form()],
    offer: Annotated[list[str] | None, Form(max_length=AHEAD)] = None,
) -> Response:
    """Take in one answer; the reply brings the next pairs.

    `offer` proves what a visitor was shown, the preloaded pairs included, so that the new guest is not
    offered the same two images under another id.
    """
    session = frame.session
    profile = profiles.global_profile(session, person=person)
    for shown in offer or []:
        adopt_offer(session, profile=profile, offer=shown)
    recorded = rating.record(session, profile=profile, pair_id=pair_id, answer=answer)
    if not wants_json(frame.request):
        return RedirectResponse("/explore", status_code=303)
    counts = recorded.created and answer != "skip"
    unlocking = counts and recorded.rating_count == get_settings().unlock_ratings
    state = _state(frame, profile=profile, undoable=True) | {"just_unlocked": unlocking}
    if counts and outlook.due(profile):
        state["standing"] = stands(session, profile=profile)
    return JSONResponse(state)


@router.post("/ratings/undo")
def undo(frame: FrameDep, person: PersonOrGuest) -> Response:
    """Take back the latest answer and offer its pair again."""
    session = frame.session
    profile = profiles.global_profile(session, person=person)
    latest = {row.rating.pair_id: row for row in rating.list_ratings(session, profile=profile, limit=1)}
    undone = rating.undo(session, profile=profile)
    if not wants_json(frame.request):
        return RedirectResponse("/explore", status_code=303)
    pair = None
    if undone is not None and undone.pair_id in latest:
        row = latest[undone.pair_id]
        pair = asdict(picture_pair(OfferedPair(undone.pair_id, row.left, row.right, row.selection)))
    return JSONResponse(
        _state(frame, profile=profile, undoable=can_undo(session, profile=profile)) | {"pair": pair}
    )


def next_pairs(session: Session, *, profile: Profile | None) -> tuple[PicturePair, ...]:
    """The next pairs of a profile, or of a visitor who has none."""
    if profile is None:
        return tuple(
            picture_pair(pair, offer=sign_offer(pair)) for pair in rating.visitor_pairs(session, count=AHEAD)
        )
    return tuple(picture_pair(pair) for pair in rating.next_pairs(session, profile=profile, count=AHEAD))


def remaining(ratings: int) -> str:
    """How far it is to --p, as a sentence."""
    missing = get_settings().unlock_ratings - ratings
    return f"{missing} more unlock --p." if missing > 0 else "Personalization is unlocked."


def can_undo(session: Session, *, profile: Profile) -> bool:
    """Whether there is a rating to take back."""
    return bool(rating.list_ratings(session, profile=profile, limit=1))


def stands(session: Session, *, profile: Profile) -> str:
    """How well the profile foresees choices, and what more rating would add."""
    return standing(profile, profiles.profile_accuracy(session, profile=profile))


def _state(frame: Frame, *, profile: Profile, undoable: bool) -> dict[str, Any]:
    pairs = next_pairs(frame.session, profile=profile)
    return {
        "rating_count": profile.rating_count,
        "remaining": remaining(profile.rating_count),
        "can_undo": undoable,
        "pairs": [asdict(pair) for pair in pairs],
        "exhausted": not pairs,
        "csrf_token": frame.csrf,
    }
