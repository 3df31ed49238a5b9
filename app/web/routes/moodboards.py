"""Moodboards: pages on which images are collected into a taste."""

import secrets
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Response, UploadFile
from fastapi.responses import RedirectResponse

from app.errors import InvalidInput, PenchantError
from app.models import Person
from app.services import moodboards
from app.web.cards import board_card, pictures
from app.web.contexts import MoodboardPage, MoodboardsPage
from app.web.deps import CurrentPerson, PersonOrGuest
from app.web.frame import Frame, FrameDep

router = APIRouter(include_in_schema=False)
OFFERED = 24
Start = Annotated[float | None, Query(ge=0, lt=1)]
FILES = 20


@router.get("/moodboards")
def boards(frame: FrameDep) -> Response:
    """The person's moodboards."""
    return frame.show(_list(frame, frame.person))


@router.post("/moodboards")
def create(frame: FrameDep, person: PersonOrGuest, name: Annotated[str, Form()] = "") -> Response:
    """Begin a moodboard, and show it."""
    try:
        profile = moodboards.create(frame.session, person=person, name=name)
    except PenchantError as error:
        return frame.show(_list(frame, person, error=error.message, name=name), status=error.status)
    return RedirectResponse(f"/moodboards/{profile.public_id}", status_code=303)


@router.get("/moodboards/{board_id}")
def board(
    frame: FrameDep,
    person: CurrentPerson,
    board_id: str,
    offer: Literal["gallery", "own"] = "gallery",
    start: Start = None,
) -> Response:
    """One moodboard, and images that it could hold too: the gallery's, from `start` or a random place on."""
    return frame.show(_page(frame, person, board_id, own=offer == "own", start=start))


@router.post("/moodboards/{board_id}/add")
def add(
    frame: FrameDep,
    person: CurrentPerson,
    board_id: str,
    image_id: Annotated[int | None, Form()] = None,
    links: Annotated[str, Form(max_length=10_000)] = "",
    offer: Annotated[Literal["gallery", "own"], Form()] = "gallery",
    start: Annotated[float | None, Form(ge=0, lt=1)] = None,
) -> Response:
    """Add an image that was picked, or those whose links were pasted."""
    try:
        if image_id is not None:
            moodboards.add(frame.session, person=person, public_id=board_id, image_ids=[image_id])
        else:
            moodboards.add_links(frame.session, person=person, public_id=board_id, text=links)
    except PenchantError as error:
        return _refused(frame, person, board_id, error)
    if offer == "own":
        return _back(board_id, "?offer=own")
    return _back(board_id, f"?start={start}#more" if start is not None else "")  # to the same images


@router.post("/moodboards/{board_id}/upload")
def upload(
    frame: FrameDep, person: CurrentPerson, board_id: str, files: list[UploadFile] | None = None
) -> Response:
    """Add pictures from the person's disk."""
    try:
        chosen = [file for file in files or [] if file.filename]
        if not 1 <= len(chosen) <= FILES:
            raise InvalidInput(f"Choose one to {FILES} pictures.", field="files")
        for file in chosen:
            moodboards.upload(frame.session, person=person, public_id=board_id, data=file.file.read())
    except PenchantError as error:
        return _refused(frame, person, board_id, error)
    return _back(board_id)


@router.post("/moodboards/{board_id}/remove")
def remove(
    frame: FrameDep, person: CurrentPerson, board_id: str, image_id: Annotated[int, Form()]
) -> Response:
    """Take an image out."""
    moodboards.remove(frame.session, person=person, public_id=board_id, image_id=image_id)
    return _back(board_id)


@router.post("/moodboards/{board_id}/delete")
def delete(frame: FrameDep, person: CurrentPerson, board_id: str) -> Response:
    """Delete the moodboard with its codes."""
    moodboards.remove_board(frame.session, person=person, public_id=board_id)
    return RedirectResponse("/moodboards", status_code=303)


def _back(board_id: str, query: str = "") -> Response:
    return RedirectResponse(f"/moodboards/{board_id}{query}", status_code=303)


def _refused(frame: Frame, person: Person, board_id: str, error: PenchantError) -> Response:
    """The board as it is, with the reason; what was added before the failure stays."""
    return frame.show(_page(frame, person, board_id, error=error.message), status=error.status)


def _list(frame: Frame, person: Person | None, *, error: str = "", name: str = "") -> MoodboardsPage:
    found = moodboards.list_boards(frame.session, person=person) if person is not None else []
    return MoodboardsPage(
        shell=frame.shell("images", person=person),
        boards=tuple(board_card(board) for board in found),
        error=error,
        name=name,
    )


def _page(
    frame: Frame,
    person: Person,
    board_id: str,
    *,
    own: bool = False,
    start: float | None = None,
    error: str = "",
) -> MoodboardPage:
    start = secrets.randbelow(1_000_000) / 1_000_000 if start is None else start
    found = moodboards.get_board(frame.session, person=person, public_id=board_id)
    offered = moodboards.offers(
        frame.session,
        person=person,
        public_id=board_id,
        own=own,
        limit=OFFERED,
        start=start,
    )
    return MoodboardPage(
        shell=frame.shell("images", person=person),
        board=board_card(found),
        offers=pictures(offered),
        own=own,
        start=start,
        further=offered[-1].random_key if len(offered) == OFFERED and not own else None,
        error=error,
    )
