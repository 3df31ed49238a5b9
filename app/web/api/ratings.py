"""Pairs and ratings."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.config import get_settings
from app.services import profiles, rating
from app.web.api.failures import Responses, failures
from app.web.api.params import Before, Limit, PathId, Rater, Reader
from app.web.api.schemas import (
    AnswerIn,
    Page,
    PairOut,
    Pairs,
    RatedPairOut,
    RatingIn,
    RatingOut,
    RecordedOut,
    UndoneOut,
)
from app.web.deps import SessionDep

router = APIRouter(tags=["rating"])
REPLAYED: Responses = {200: {"model": RecordedOut, "description": "The pair had been answered before"}}


@router.get("/pairs", operation_id="nextPairs", responses=failures())
def next_pairs(
    session: SessionDep, person: Rater, count: Annotated[int, Query(ge=1, le=rating.MAX_PAIRS)] = 4
) -> Pairs:
    """Pairs to answer: those still open, then new ones. None come when every pair was answered."""
    profile = profiles.global_profile(session, person=person)
    pairs = rating.next_pairs(session, profile=profile, count=count)
    return Pairs(items=[PairOut.of(pair) for pair in pairs])


@router.post(
    "/ratings",
    operation_id="rate",
    status_code=201,
    response_model=RecordedOut,
    responses={**REPLAYED, **failures(400, 404, 413)},
)
def rate(session: SessionDep, person: Rater, body: RatingIn) -> Response:
    """Answer a pair that was shown. Sent again it changes nothing; another answer replaces the first."""
    profile = profiles.global_profile(session, person=person)
    recorded = rating.record(session, profile=profile, pair_id=body.pair_id, answer=body.answer)
    pairs = rating.next_pairs(session, profile=profile, count=body.next) if body.next else []
    reply = RecordedOut(
        rating=RatingOut.of(recorded.rating),
        created=recorded.created,
        rating_count=recorded.rating_count,
        needed=get_settings().unlock_ratings,
        unlocked=recorded.unlocked,
        pairs=[PairOut.of(pair) for pair in pairs],
    )
    # Written out here: this is the busiest route, and the framework would validate the reply once more.
    status = 201 if recorded.created else 200
    return Response(reply.model_dump_json(), status, media_type="application/json")


@router.get("/ratings", operation_id="listRatings", responses=failures())
def list_ratings(
    session: SessionDep, person: Reader, before: Before = None, limit: Limit = 50
) -> Page[RatedPairOut, int]:
    """The rating log, newest first."""
    profile = profiles.global_profile(session, person=person)
    rows = rating.list_ratings(session, profile=profile, before=before, limit=limit + 1)
    items = [RatedPairOut.of_pair(row) for row in rows[:limit]]
    return Page(items=items, next=items[-1].id if len(rows) > limit else None)


@router.patch("/ratings/{rating_id}", operation_id="changeRating", responses=failures(400, 404, 413))
def change_rating(session: SessionDep, person: Rater, rating_id: PathId, body: AnswerIn) -> RatingOut:
    """Replace an answer. The profile is then what it would have been with this one from the start."""
    profile = profiles.global_profile(session, person=person)
    changed = rating.change_rating(session, profile=profile, rating_id=rating_id, answer=body.answer)
    return RatingOut.of(changed)


@router.delete("/ratings/{rating_id}", operation_id="deleteRating", status_code=204, responses=failures(404))
def delete_rating(session: SessionDep, person: Rater, rating_id: PathId) -> None:
    """Take an answer back. The profile is then what it would have been without it."""
    profile = profiles.global_profile(session, person=person)
    rating.delete_rating(session, profile=profile, rating_id=rating_id)


@router.post("/ratings/undo", operation_id="undoRating", responses=failures())
def undo(session: SessionDep, person: Rater) -> UndoneOut:
    """Take the latest answer back; its pair comes again."""
    profile = profiles.global_profile(session, person=person)
    undone = rating.undo(session, profile=profile)
    return UndoneOut(
        undone=None if undone is None else RatingOut.of(undone), rating_count=profile.rating_count
    )
