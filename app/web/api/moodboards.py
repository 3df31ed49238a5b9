"""Moodboards: profiles made of images."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from app.services import moodboards
from app.services.moodboards import Moodboard
from app.web.api.failures import failures
from app.web.api.params import Curator, PathCode, PathId, Reader
from app.web.api.schemas import ImageOut, In, Page, Plain, RowId
from app.web.deps import SessionDep

router = APIRouter(tags=["moodboards"])


class MoodboardIn(In):
    name: Plain = Field(min_length=1, max_length=moodboards.MAX_NAME)

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Quiet winters"}]})


class MoodboardOut(BaseModel):
    """A moodboard and its newest images. --p takes its id, as that of any profile."""

    id: str = Field(examples=["k7m2p9qwxr4t"])
    name: str
    image_count: int
    images: list[ImageOut]
    created_at: datetime

    @classmethod
    def of(cls, board: Moodboard) -> "MoodboardOut":
        profile = board.profile
        return cls.model_validate(
            {
                "id": profile.public_id,
                "name": profile.name,
                "image_count": board.count,
                "images": [ImageOut.of(image) for image in board.images],
                "created_at": profile.created_at,
            }
        )


class ImagesIn(In):
    image_ids: list[RowId] = Field(min_length=1, max_length=moodboards.MAX_IMAGES)

    model_config = ConfigDict(json_schema_extra={"examples": [{"image_ids": [17, 18]}]})


@router.get("/moodboards", operation_id="listMoodboards", responses=failures())
def list_boards(session: SessionDep, person: Reader) -> Page[MoodboardOut, str]:
    """The person's moodboards, newest first, with up to four images each."""
    boards = moodboards.list_boards(session, person=person)
    return Page(items=[MoodboardOut.of(board) for board in boards], next=None)


@router.post(
    "/moodboards", operation_id="createMoodboard", status_code=201, responses=failures(400, 409, 413)
)
def create(session: SessionDep, person: Curator, body: MoodboardIn) -> MoodboardOut:
    """A new, empty moodboard."""
    profile = moodboards.create(session, person=person, name=body.name)
    return MoodboardOut.of(Moodboard(profile, 0, []))


@router.get("/moodboards/{board_id}", operation_id="getMoodboard", responses=failures(404))
def get_board(session: SessionDep, person: Reader, board_id: PathCode) -> MoodboardOut:
    """One moodboard with all its images."""
    return MoodboardOut.of(moodboards.get_board(session, person=person, public_id=board_id))


@router.delete(
    "/moodboards/{board_id}", operation_id="deleteMoodboard", status_code=204, responses=failures(404)
)
def remove_board(session: SessionDep, person: Curator, board_id: PathCode) -> Response:
    """Delete a moodboard, its codes, and the uploads that only it held."""
    moodboards.remove_board(session, person=person, public_id=board_id)
    return Response(status_code=204)


@router.post(
    "/moodboards/{board_id}/images",
    operation_id="addToMoodboard",
    responses=failures(400, 404, 409, 413),
)
def add(session: SessionDep, person: Curator, board_id: PathCode, body: ImagesIn) -> MoodboardOut:
    """Put own images, or public ones, into a moodboard."""
    board = moodboards.add(session, person=person, public_id=board_id, image_ids=body.image_ids)
    return MoodboardOut.of(board)


@router.post(
    "/moodboards/{board_id}/uploads",
    operation_id="uploadToMoodboard",
    responses=failures(400, 404, 409, 413),
)
def upload(
    session: SessionDep,
    person: Curator,
    board_id: PathCode,
    file: Annotated[UploadFile, "an image file"],
) -> MoodboardOut:
    """Put a picture from outside into a moodboard. It becomes a private image of the person."""
    board = moodboards.upload(session, person=person, public_id=board_id, data=file.file.read())
    return MoodboardOut.of(board)


@router.delete(
    "/moodboards/{board_id}/images/{image_id}",
    operation_id="removeFromMoodboard",
    responses=failures(404),
)
def remove(session: SessionDep, person: Curator, board_id: PathCode, image_id: PathId) -> MoodboardOut:
    """Take an image out of a moodboard: it is then what it was without it, down to its code."""
    board = moodboards.remove(session, person=person, public_id=board_id, image_id=image_id)
    return MoodboardOut.of(board)
