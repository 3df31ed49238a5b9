"""The workers that are there."""

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.services.events import get_events
from app.services.workers import Standing, Worker
from app.web.api.failures import failures
from app.web.api.params import Reader

router = APIRouter()


class WorkerOut(BaseModel):
    """A worker and the model that it holds, or loads."""

    name: str = Field(examples=["studio:4242"])
    model: str
    state: Literal["loading", "ready"]
    since: datetime = Field(description="since when it holds or loads the model")
    device: str
    also: list[str] = Field(description="the models that it would load if jobs waited for them")

    @classmethod
    def of(cls, worker: Worker) -> "WorkerOut":
        return cls(
            name=worker.name,
            model=worker.preset,
            state=worker.state,
            since=datetime.fromtimestamp(worker.since, UTC),
            device=worker.device,
            also=list(worker.also),
        )


class BrokenOut(BaseModel):
    """A model that could not be loaded of late where a worker tried, and why."""

    model: str
    why: str


class Workers(BaseModel):
    items: list[WorkerOut]
    broken: list[BrokenOut] = Field(description="models that could not be loaded in the last ten minutes")


@router.get("/workers", operation_id="listWorkers", tags=["jobs"], responses=failures())
def list_workers(person: Reader) -> Workers:
    """The workers that are there, with the model that each holds or loads; none while the broker is away."""
    standing = get_events().standing() or Standing([], [])
    reasons = dict.fromkeys((one.preset, one.why) for one in standing.broken)
    return Workers(
        items=[WorkerOut.of(worker) for worker in standing.workers],
        broken=[BrokenOut(model=model, why=why) for model, why in reasons],
    )
