"""Jobs and images."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.services import generation
from app.services.generation import JobView
from app.storage import get_storage
from app.web.api.failures import Responses, failures
from app.web.api.params import Before, BeforeJob, Generator, Limit, PathId, Reader
from app.web.api.schemas import ImageOut, JobIn, JobOut, JobsOut, Page, State
from app.web.deps import SessionDep
from app.web.streams import job_stream

router = APIRouter()
WEBP: Responses = {200: {"content": {"image/webp": {"schema": {"type": "string", "format": "binary"}}}}}
EVENTS: Responses = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}


@router.post(
    "/jobs",
    operation_id="submitJob",
    status_code=202,
    tags=["jobs"],
    responses=failures(400, 404, 409, 413, 429),
)
def submit(
    session: SessionDep,
    person: Generator,
    body: JobIn,
    idempotency_key: Annotated[
        str | None,
        Header(pattern=r"^[\x21-\x7e]{1,200}$", description="sent again, it gives the same jobs"),
    ] = None,
) -> JobsOut:
    """Submit a prompt. It is parsed, its tastes are frozen, and only then is anything queued."""
    jobs = generation.submit(
        session, person=person, prompt=body.prompt, idempotency_key=idempotency_key, parent=body.parent
    )
    return JobsOut(jobs=[JobOut.of(view) for view in generation.views(session, jobs=jobs)])


@router.get("/jobs", operation_id="listJobs", tags=["jobs"], responses=failures(404))
def list_jobs(
    session: SessionDep,
    person: Reader,
    before: BeforeJob = None,
    limit: Limit = 50,
    state: Annotated[list[State] | None, Query(max_length=5)] = None,
) -> Page[JobOut, UUID]:
    """The person's jobs, newest first."""
    views = generation.list_jobs(session, person=person, before=before, limit=limit + 1, states=state)
    items = [JobOut.of(view) for view in views[:limit]]
    return Page(items=items, next=items[-1].id if len(views) > limit else None)


@router.get("/jobs/{job_id}", operation_id="getJob", tags=["jobs"], responses=failures(404))
def get_job(session: SessionDep, person: Reader, job_id: UUID) -> JobOut:
    """One job with the images it has so far."""
    return JobOut.of(generation.get_job(session, person=person, job_id=job_id))


@router.post("/jobs/{job_id}/cancel", operation_id="cancelJob", tags=["jobs"], responses=failures(404, 409))
def cancel(session: SessionDep, person: Generator, job_id: UUID) -> JobOut:
    """Cancel a job: at once while it waits, after its current step while it runs."""
    generation.request_cancel(session, person=person, job_id=job_id)
    return JobOut.of(generation.get_job(session, person=person, job_id=job_id))


@router.post(
    "/jobs/{job_id}/retry",
    operation_id="retryJob",
    status_code=202,
    tags=["jobs"],
    responses=failures(404, 409, 429),
)
def retry(session: SessionDep, person: Generator, job_id: UUID) -> JobOut:
    """Submit a failed or cancelled job once more, with the same seed."""
    return _view(session, generation.retry(session, person=person, job_id=job_id).id, person)


@router.post(
    "/jobs/{job_id}/rerun",
    operation_id="rerunJob",
    status_code=202,
    tags=["jobs"],
    responses=failures(404, 409, 429),
)
def rerun(session: SessionDep, person: Generator, job_id: UUID) -> JobOut:
    """Submit a job's prompt once more, with a new seed."""
    return _view(session, generation.rerun(session, person=person, job_id=job_id).id, person)


def _view(session: SessionDep, job_id: UUID, person: Generator) -> JobOut:
    view: JobView = generation.get_job(session, person=person, job_id=job_id)
    return JobOut.of(view)


@router.get(
    "/jobs/{job_id}/events",
    operation_id="followJob",
    tags=["jobs"],
    response_class=StreamingResponse,
    responses=EVENTS | failures(404),
)
def follow(request: Request, session: SessionDep, person: Reader, job_id: UUID) -> StreamingResponse:
    """Progress as server-sent events until the job has ended; each is a JSON object with at least `state`."""
    generation.get_job(session, person=person, job_id=job_id)
    return job_stream(request, job_id, person=person)


@router.get("/images", operation_id="listImages", tags=["images"], responses=failures())
def list_images(
    session: SessionDep,
    person: Reader,
    before: Before = None,
    limit: Limit = 50,
    query: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")] = None,
) -> Page[ImageOut, int]:
    """The images that the person's jobs made, newest first; `query` is looked for in their prompts."""
    rows = generation.list_images(session, person=person, before=before, limit=limit + 1, query=query)
    items = [ImageOut.of(row) for row in rows[:limit]]
    return Page(items=items, next=items[-1].id if len(rows) > limit else None)


@router.get("/images/{image_id}", operation_id="getImage", tags=["images"], responses=failures(404))
def get_image(session: SessionDep, person: Reader, image_id: PathId) -> ImageOut:
    """An own image, or a public one."""
    return ImageOut.of(generation.get_image(session, person=person, image_id=image_id))


@router.get(
    "/images/{image_id}/file",
    operation_id="getImageFile",
    tags=["images"],
    response_class=Response,
    responses=WEBP | failures(404),
)
def get_file(session: SessionDep, person: Reader, image_id: PathId) -> Response:
    """The image itself, as WebP."""
    image = generation.get_image(session, person=person, image_id=image_id)
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(get_storage().get(image.key), media_type="image/webp", headers=headers)
