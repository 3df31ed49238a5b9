"""Info and tasks: what was learned, who may use it, what runs, what to do next."""

from collections.abc import Sequence

from fastapi import APIRouter, Response

from app.models import OPEN_STATES
from app.services import generation, profiles
from app.services.events import get_events
from app.services.outlook import outlook
from app.services.profiles import Info
from app.services.spaces import SpaceState, list_spaces
from app.services.workers import Standing
from app.web.cards import accuracy_figures, broken_rows, code_row, job_card, readings, worker_rows
from app.web.contexts import CodeRow, InfoPage, TasksPage
from app.web.frame import FrameDep

router = APIRouter(include_in_schema=False)
RUNNING = 20


@router.get("/info")
def info(frame: FrameDep) -> Response:
    """What Penchant knows of this person. Visitors see what it would show."""
    found = profiles.info(frame.session, person=frame.person) if frame.person is not None else None
    page = InfoPage(
        shell=frame.shell("info"),
        unlocked=found is not None and found.unlocked,
        accuracy=accuracy_figures(found.accuracy) if found is not None else None,
        outlook=outlook(found.profile) if found is not None else "",
        profile=f"{found.profile.name} ({found.profile.public_id})" if found is not None else "",
        default_taste=default_taste(found),
        personalize=found is not None and found.settings.personalize,
        codes=_codes(found, list_spaces(frame.session)),
    )
    return frame.show(page)


@router.get("/tasks")
def tasks(frame: FrameDep) -> Response:
    """What runs, and what is worth doing next."""
    found = profiles.info(frame.session, person=frame.person) if frame.person is not None else None
    running = []
    if frame.person is not None:
        running = generation.list_jobs(frame.session, person=frame.person, limit=RUNNING, states=OPEN_STATES)
    spaces = list_spaces(frame.session)
    standing = get_events().standing() or Standing([], [])
    page = TasksPage(
        shell=frame.shell("tasks"),
        unlocked=found is not None and found.unlocked,
        accuracy=accuracy_figures(found.accuracy) if found is not None else None,
        outlook=outlook(found.profile) if found is not None else "",
        jobs=tuple(job_card(view) for view in running),
        workers=worker_rows(standing.workers),
        broken=broken_rows(standing.broken),
        readings=readings(spaces),
        codes=_codes(found, spaces),
    )
    return frame.show(page, block="workers" if frame.is_htmx else None)


def default_taste(found: Info | None) -> str:
    """What a bare --p means, in words."""
    if found is None:
        return "your own taste"
    if found.default_code is not None:
        return f"the code {found.default_code}"
    return "your own taste as it is at that moment"


def _codes(found: Info | None, spaces: Sequence[SpaceState]) -> tuple[CodeRow, ...]:
    if found is None:
        return ()
    return tuple(code_row(code, default=found.default_code, spaces=spaces) for code in found.codes)
