"""Create: a prompt becomes jobs."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import RedirectResponse

from app.config import get_settings
from app.errors import Locked, PenchantError
from app.models import Person
from app.presets import load_presets
from app.services import accounts, generation
from app.services.events import get_events
from app.web.cards import job_card, shapes
from app.web.contexts import CreatePage, JobCard
from app.web.deps import PersonOrGuest
from app.web.frame import Frame, FrameDep
from app.web.wording import model_words

router = APIRouter(include_in_schema=False)
RECENT = 5
MAX_PREFILL = 6_000


@router.get("/create")
def create(
    frame: FrameDep, prompt: Annotated[str, Query(max_length=MAX_PREFILL)] = "", remix: UUID | None = None
) -> Response:
    """The prompt and its controls; `remix` fills in the prompt of one of the person's jobs."""
    if remix is not None and frame.person is not None:
        prompt = generation.get_job(frame.session, person=frame.person, job_id=remix).job.prompt
    page = _page(frame, person=frame.person, prompt=prompt, parent=remix)
    return frame.show(page, block="unserved" if frame.is_htmx else None)


@router.post("/create/words")
def words(frame: FrameDep, prompt: Annotated[str, Form()] = "") -> Response:
    """Which words of a prompt that is being typed the model cannot draw."""
    return frame.show(_page(frame, person=frame.person, prompt=prompt, jobs=()), block="words")


@router.post("/jobs")
def submit(
    frame: FrameDep,
    person: PersonOrGuest,
    prompt: Annotated[str, Form()] = "",
    key: Annotated[str | None, Form(max_length=200)] = None,
    parent: Annotated[UUID | None, Form()] = None,
) -> Response:
    """Accept the prompt, or say beside it what is wrong with it; the text is kept either way."""
    session = frame.session
    try:
        with session.begin_nested():
            jobs = generation.submit(
                session, person=person, prompt=prompt, idempotency_key=key or None, parent=parent
            )
    except PenchantError as error:
        page = _page(frame, person=person, prompt=prompt, parent=parent, error=error)
        return frame.show(page, block="error" if frame.is_htmx else None, status=error.status)
    if not frame.is_htmx:
        return RedirectResponse(f"/jobs/{jobs[0].id}" if len(jobs) == 1 else "/jobs", status_code=303)
    cards = tuple(job_card(view) for view in generation.views(session, jobs=jobs))
    return frame.show(_page(frame, person=person, jobs=cards), block="results")


def _page(
    frame: Frame,
    *,
    person: Person | None,
    prompt: str = "",
    parent: UUID | None = None,
    error: PenchantError | None = None,
    jobs: tuple[JobCard, ...] | None = None,
) -> CreatePage:
    shell = frame.shell("create", person=person)
    presets = load_presets()
    settings = accounts.get_settings_of(frame.session, person=person) if person is not None else None
    installed = tuple(name for name, preset in presets.items() if not preset.missing)
    chosen = settings.model if settings is not None and settings.model in installed else get_settings().model
    standing = get_events().standing()
    if jobs is None:
        views = generation.list_jobs(frame.session, person=person, limit=RECENT) if person is not None else []
        jobs = tuple(job_card(view) for view in views)
    return CreatePage(
        shell=shell,
        prompt=prompt,
        key=uuid4().hex,
        parent=parent,
        error=error.message if error is not None else "",
        locked=isinstance(error, Locked),
        unlocked=shell.ratings >= shell.needed or bool(settings and settings.default_code),
        personalize=settings.personalize if settings is not None else False,
        stylize=settings.stylize if settings is not None else 100,
        model=chosen,
        models=installed,
        absent=tuple(name for name in presets if name not in installed),
        unserved=tuple(name for name in installed if standing is not None and standing.lacks(name)),
        shapes=presets[chosen].ratios or shapes(presets[chosen].sizes),
        words=model_words(prompt, model=chosen),
        jobs=jobs,
    )
