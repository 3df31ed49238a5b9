"""A job's progress as server-sent events. A stream holds no database session."""

import json
from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from app.db import session_scope
from app.errors import NotFound
from app.models import FINAL_STATES, Person
from app.services import events, generation


def job_stream(request: Request, job_id: UUID, *, person: Person) -> StreamingResponse:
    """Events of a job that is known to be this person's, until it has ended or the listener is gone."""
    return StreamingResponse(
        _events(request, job_id, person),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(request: Request, job_id: UUID, person: Person) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    state = await run_in_threadpool(_state, job_id, person)
    yield _event({"state": state})
    if state in FINAL_STATES:
        return
    async for event in events.subscribe(job_id):
        if event:
            yield _event(event)
            if event.get("state") in FINAL_STATES:
                return
            continue
        if await request.is_disconnected():
            return
        state = await run_in_threadpool(_state, job_id, person)
        yield _event({"state": state}) if state in FINAL_STATES else ": nothing new\n\n"
        if state in FINAL_STATES:
            return


def _state(job_id: UUID, person: Person) -> str:
    with session_scope() as session:
        try:
            return generation.get_job(session, person=person, job_id=job_id).job.state
        except NotFound:  # deleted meanwhile, with its owner
            return "cancelled"


def _event(event: events.Event) -> str:
    return f"data: {json.dumps(event)}\n\n"
