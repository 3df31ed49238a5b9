"""Worker processes on real services: what holds when they are killed, paused, stopped and starved."""

from collections.abc import Callable

from sqlalchemy import Engine, func, select
from sqlmodel import Session, col

from app.models import Embedding, Image, JobImage, Person
from app.services.events import get_events
from app.storage import get_storage
from tests.worker.conftest import Worker, imagine, wait_for_state

StartWorker = Callable[[], Worker]


def count(engine: Engine, table: type) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_prompt_becomes_a_stored_grid(engine: Engine, person: Person, start_worker: StartWorker) -> None:
    worker = start_worker().ready()
    job_id = imagine(engine, person, "a lighthouse at dusk --n 2 --seed 4294967295")
    job = wait_for_state(engine, job_id, "done", "failed", seconds=20, worker=worker)
    assert (job.state, job.attempts, job.lease_token) == ("done", 1, None)
    with Session(engine) as session:
        slots = session.scalars(select(JobImage).order_by(col(JobImage.slot))).all()
        image = session.scalars(select(Image)).first()
    assert [slot.seed for slot in slots] == [4294967295, 0]
    assert slots[0].details["scale"] == 0
    assert count(engine, Embedding) == 2
    assert image is not None
    assert (image.visibility, image.owner_id, image.prompt) == ("private", person.id, "a lighthouse at dusk")
    assert get_storage().get(image.key)[8:12] == b"WEBP"
    assert get_events().latest(job_id) == {"state": "done"}
