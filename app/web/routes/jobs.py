"""Jobs: the queue and the history, one job live, and what can be done with it."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from app.errors import NotFound
from app.models import OPEN_STATES, Job
from app.services import events, generation
from app.services.generation import JobView
from app.web.cards import job_card, seconds_between, spec_rows
from app.web.contexts import JobCardFragment, JobPage, JobsPage
from app.web.deps import CurrentPerson
from app.web.frame import Frame, FrameDep
from app.web.streams import job_stream

router = APIRouter(include_in_schema=False)
PAGE = 12
STATES = {"open": OPEN_STATES, "done": ("done",), "failed": ("failed",), "cancelled": ("cancelled",)}


@router.get("/jobs")
def jobs(frame: FrameDep, state: str = "", before: UUID | None = None) -> Response:
    """The person's jobs, newest first, from the one after `before` on."""
    views: list[JobView] = []
    if frame.person is not None:
        views = generation.list_jobs(
            frame.session, person=frame.person, before=before, limit=PAGE + 1, states=STATES.get(state)
        )
    shown = views[:PAGE]
    last = shown[-1].job.id if len(views) > PAGE else None
    older = f"/jobs?{urlencode({'state': state, 'before': last})}" if last is not None else None
    page = JobsPage(
        shell=frame.shell("create"), jobs=tuple(job_card(view) for view in shown), state=state, older=older
    )
    return frame.show(page, block="items" if frame.is_htmx else None)


@router.get("/jobs/{job_id}")
def job(frame: FrameDep, person: CurrentPerson, job_id: UUID) -> Response:
    """One job with its spec, tastes and times."""
    view = generation.get_job(frame.session, person=person, job_id=job_id)
    page = JobPage(
        shell=frame.shell("create"), job=job_card(view), spec=spec_rows(view.spec), timing=_timing(view.job)
    )
    return frame.show(page)


@router.get("/jobs/{job_id}/card")
def card(frame: FrameDep, person: CurrentPerson, job_id: UUID) -> Response:
    """The job's card alone, as it stands."""
    return _card(frame, generation.get_job(frame.session, person=person, job_id=job_id))


@router.post("/jobs/{job_id}/cancel")
def cancel(frame: FrameDep, person: CurrentPerson, job_id: UUID) -> Response:
    """Ask for the job to be cancelled; the card says how it stands."""
    generation.request_cancel(frame.session, person=person, job_id=job_id)
    if not frame.is_htmx:
        return RedirectResponse(f"/jobs/{job_id}", status_code=303)
    return _card(frame, generation.get_job(frame.session, person=person, job_id=job_id))


@router.post("/jobs/{job_id}/retry")
def retry(frame: FrameDep, person: CurrentPerson, job_id: UUID) -> Response:
    """Submit a failed or cancelled job once more."""
    again = generation.retry(frame.session, person=person, job_id=job_id)
    return RedirectResponse(f"/jobs/{again.id}", status_code=303)


@router.post("/jobs/{job_id}/rerun")
def rerun(frame: FrameDep, person: CurrentPerson, job_id: UUID) -> Response:
    """Submit the same spec with a new seed."""
    again = generation.rerun(frame.session, person=person, job_id=job_id)
    return RedirectResponse(f"/jobs/{again.id}", status_code=303)


@router.get("/jobs/{job_id}/preview/{slot}")
def preview(
    frame: FrameDep, person: CurrentPerson, job_id: UUID, slot: int, step: Annotated[int, Query(ge=0)] = 0
) -> Response:
    """What one slot looks like at the moment. `step` only keeps browsers from showing an earlier one."""
    generation.get_job(frame.session, person=person, job_id=job_id)
    data = events.get_events().preview(job_id, slot)
    if data is None:
        raise NotFound("There is no preview of this image at the moment.")
    return Response(data, media_type="image/webp", headers={"Cache-Control": "private, max-age=600"})


@router.get("/jobs/{job_id}/events")
def job_events(frame: FrameDep, person: CurrentPerson, job_id: UUID) -> StreamingResponse:
    """The job's progress as server-sent events, until it has ended."""
    generation.get_job(frame.session, person=person, job_id=job_id)
    return job_stream(frame.request, job_id, person=person)


def _card(frame: Frame, view: JobView) -> Response:
    return frame.show(JobCardFragment(shell=frame.shell(), job=job_card(view)))


def _timing(job: Job) -> tuple[tuple[str, str], ...]:
    waited = seconds_between(job.created_at, job.started_at)
    painted = seconds_between(job.started_at, job.finished_at)
    rows = [
        ("Submitted", f"{job.created_at:%Y-%m-%d %H:%M:%S} UTC" if job.created_at else None),
        ("Waited", f"{waited:.2f} s" if waited is not None else None),
        ("Painted in", f"{painted:.2f} s" if painted is not None else None),
        ("Attempts", str(job.attempts)),
        ("Worker", job.worker),
    ]
    return tuple((name, value) for name, value in rows if value is not None)
