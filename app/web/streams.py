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
from app.web.cards import waiting_line


def job_stream(request: Request, job_id: UUID, *, person: Person) -> StreamingResponse:
    """Events of a job that is known to be this person's, until it has ended or the listener is gone."""
    return StreamingResponse(
        _events(request, job_id, person),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(request: Request, job_id: UUID, person: Person) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    stands = await run_in_threadpool(_stands, job_id, person)
    yield _event(stands)
    if stands["state"] in FINAL_STATES:
        return
    async for event in events.subscribe(job_id):
        if event:
            yield _event(event)
            if event.get("state") in FINAL_STATES:
                return
            continue
        if await request.is_disconnected():
            return
        stands = await run_in_threadpool(_stands, job_id, person)
        yield _event(stands) if stands["state"] != "running" else ": nothing new\n\n"
        if stands["state"] in FINAL_STATES:
            return


def _stands(job_id: UUID, person: Person) -> events.Event:
    """The job's state and, while it waits, what for."""
    with session_scope() as session:
        try:
            view = generation.get_job(session, person=person, job_id=job_id)
        except NotFound:  # deleted meanwhile, with its owner
            return {"state": "cancelled"}
        waiting = waiting_line(view)
        return {"state": view.job.state, **({"waiting": waiting} if waiting else {})}


def _event(event: events.Event) -> str:
    return f"data: {json.dumps(event)}\n\n"
