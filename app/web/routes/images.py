"""Images: what a person painted, each image's page, and the files."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from app.models import Image
from app.services import generation, moodboards
from app.storage import get_storage
from app.web.cards import choice_rows, job_card, picture, pictures, spec_rows
from app.web.contexts import ImagePage, ImagesPage
from app.web.deps import CurrentPerson, MaybePerson, SessionDep
from app.web.downloads import png_with_spec
from app.web.frame import Frame, FrameDep

router = APIRouter(include_in_schema=False)
PAGE = 48


@router.get("/images")
def images(frame: FrameDep, before: int | None = None) -> Response:
    """The person's images, newest first, from below the id `before` on."""
    rows: list[Image] = []
    if frame.person is not None:
        rows = generation.list_images(frame.session, person=frame.person, before=before, limit=PAGE + 1)
    shown = rows[:PAGE]
    page = ImagesPage(
        shell=frame.shell("images"),
        images=pictures(shown),
        older=f"/images?before={shown[-1].id}" if len(rows) > PAGE else None,
        newest=before is None,
    )
    return frame.show(page, block="items" if frame.is_htmx else None)


@router.get("/images/{image_id}")
def image(frame: FrameDep, image_id: int) -> Response:
    """One image and how it was made. The grid and the spec are the owner's to see."""
    found = generation.get_image(frame.session, person=frame.person, image_id=image_id)
    origin = generation.origin(frame.session, image=found)
    own = frame.person is not None and origin is not None and origin.job.person_id == frame.person.id
    if origin is None or not own or frame.person is None:
        page = ImagePage(
            shell=frame.shell("images"),
            image=picture(found),
            job=None,
            spec=(),
            same="",
            siblings=(),
            boards=_boards(frame),
        )
        return frame.show(page)
    view = generation.get_job(frame.session, person=frame.person, job_id=origin.job.id)
    alone = origin.spec.model_copy(update={"seed": origin.made.seed, "n": 1})
    page = ImagePage(
        shell=frame.shell("images"),
        image=picture(found),
        job=job_card(view),
        spec=spec_rows(alone) + choice_rows(origin.made.details),
        same=alone.to_prompt(),
        siblings=pictures(slot.image for slot in view.images if slot.image.id != found.id),
        boards=_boards(frame),
    )
    return frame.show(page)


@router.post("/images/{image_id}/collect")
def collect(frame: FrameDep, person: CurrentPerson, image_id: int, board: Annotated[str, Form()]) -> Response:
    """Put an image into a moodboard, and show that."""
    moodboards.add(frame.session, person=person, public_id=board, image_ids=[image_id])
    return RedirectResponse(f"/moodboards/{board}", status_code=303)


@router.get("/images/{image_id}/file")
def file(request: Request, session: SessionDep, person: MaybePerson, image_id: int) -> Response:
    """The image itself, as WebP."""
    found = generation.get_image(session, person=person, image_id=image_id)
    return _bytes(request, found, found.key)


@router.get("/images/{image_id}/thumb")
def thumb(request: Request, session: SessionDep, person: MaybePerson, image_id: int) -> Response:
    """The image's thumbnail, as WebP."""
    found = generation.get_image(session, person=person, image_id=image_id)
    return _bytes(request, found, found.thumbnail_key)


@router.get("/images/{image_id}/download")
def download(
    session: SessionDep, person: MaybePerson, image_id: int, format: Literal["png", "webp"] = "png"
) -> Response:
    """The image as a file to keep. A PNG carries its owner's prompt and spec in its metadata."""
    found = generation.get_image(session, person=person, image_id=image_id)
    data = get_storage().get(found.key)
    if format == "png":
        made = generation.origin(session, image=found)
        own = made is not None and person is not None and made.job.person_id == person.id
        spec = made.spec.model_copy(update={"seed": made.made.seed, "n": 1}) if made and own else None
        data = png_with_spec(data, spec=spec)
    headers = {
        "Content-Disposition": f'attachment; filename="penchant-{image_id}.{format}"',
        "Cache-Control": "private, no-cache",
    }
    return Response(data, media_type=f"image/{format}", headers=headers)


def _boards(frame: Frame) -> tuple[tuple[str, str], ...]:
    if frame.person is None:
        return ()
    boards = moodboards.list_boards(frame.session, person=frame.person, shown=0)
    return tuple((board.profile.public_id, board.profile.name) for board in boards)


def _bytes(request: Request, image: Image, key: str) -> Response:
    etag = f'"{image.sha256.hex()[:32]}-{key.rsplit("/", 1)[-1]}"'
    kept = "public" if image.visibility == "public" else "private"
    headers = {"ETag": etag, "Cache-Control": f"{kept}, max-age=31536000, immutable"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(get_storage().get(key), media_type="image/webp", headers=headers)
