"""The row's life: claims, fences, ends and sweeps on a real PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from app.config import Settings
from app.models import MAX_ATTEMPTS, Embedding, Image, Job, JobImage, Person
from app.safety import Verdict
from app.services import joblife
from app.services.joblife import Claim, LeaseLost, SlotImage, storage_keys
from app.spec import Spec

PRESET = "starter"
Submit = Callable[..., UUID]


def empty(_preset: str) -> int:
    return 0


@pytest.fixture
def add_job(session: Session, settings: Settings) -> Submit:
    """Inserts jobs, each a little later than the one before."""
    person = Person()
    session.add(person)
    session.flush()
    start = datetime.now(UTC) - timedelta(minutes=1)
    made: list[UUID] = []

    def add(**values: Any) -> UUID:
        fields: dict[str, Any] = {
            "id": uuid4(),
            "person_id": person.id,
            "prompt": "a cat",
            "spec": {"text": "a cat", "n": 2},
            "preset": PRESET,
            "created_at": start + timedelta(seconds=len(made)),
            "sent_at": start,
            **values,
        }
        job = Job(**fields)
        session.add(job)
        session.commit()
        made.append(job.id)
        return job.id

    return add


def claim(session: Session) -> Claim | None:
    found = joblife.claim(session, preset=PRESET, worker="w")
    session.commit()
    return found


def must_claim(session: Session) -> Claim:
    found = claim(session)
    assert found is not None
    return found


def expire(session: Session, job_id: UUID) -> None:
    session.execute(
        update(Job).where(col(Job.id) == job_id).values(lease_until=datetime.now(UTC) - timedelta(seconds=1))
    )
    session.commit()


def image(slot: int, job_id: UUID) -> SlotImage:
    key, thumbnail_key = storage_keys(job_id, slot)
    vector = np.ones(4, dtype=np.float32)
    verdict = Verdict("safe", 0.01)
    details = {"scale": 0.5}
    return SlotImage(slot, slot, key, thumbnail_key, bytes(32), 64, 64, "e", vector, vector, verdict, details)


def state(session: Session, job_id: UUID) -> Job:
    session.expire_all()
    return session.get_one(Job, job_id)


def test_the_longest_waiting_job_of_the_preset_is_claimed_first(session: Session, add_job: Submit) -> None:
    add_job(preset="other")
    first, second = add_job(), add_job()
    assert [must_claim(session).job_id for _ in range(2)] == [first, second]
    assert claim(session) is None
    row = state(session, first)
    assert (row.state, row.attempts, row.worker) == ("running", 1, "w")


def test_two_claims_at_once_take_two_jobs(session: Session, engine: Engine, add_job: Submit) -> None:
    first, second = add_job(), add_job()
    with Session(engine) as other:
        one = joblife.claim(session, preset=PRESET, worker="a")
        two = joblife.claim(other, preset=PRESET, worker="b")
        assert joblife.claim(other, preset=PRESET, worker="c") is None
        assert one is not None
        assert two is not None
        assert {one.job_id, two.job_id} == {first, second}
        other.commit()
    session.commit()


def test_an_expired_job_is_claimed_again_and_the_first_worker_is_fenced(
    session: Session, add_job: Submit
) -> None:
    job_id = add_job()
    late = must_claim(session)
    expire(session, job_id)
    now = must_claim(session)
    assert (now.attempt, now.job_id) == (2, job_id)
    assert joblife.heartbeat(session, claim=late).lost
    assert joblife.look(session, claim=late).lost
    writes: list[Callable[[], None]] = [
        lambda: joblife.store(session, claim=late, images=[image(0, job_id)]),
        lambda: joblife.finish(session, claim=late),
        lambda: joblife.fail(session, claim=late, code="x", message="y"),
        lambda: joblife.cancelled(session, claim=late),
        lambda: joblife.hand_back(session, claim=late),
    ]
    for write in writes:
        with pytest.raises(LeaseLost):
            write()
        session.rollback()
    assert not joblife.heartbeat(session, claim=now).lost
    joblife.finish(session, claim=now)
    session.commit()
    assert state(session, job_id).state == "done"


def test_a_slot_is_stored_once_and_seen_by_the_next_attempt(session: Session, add_job: Submit) -> None:
    job_id = add_job()
    first = must_claim(session)
    joblife.store(session, claim=first, images=[image(0, job_id)])
    session.commit()
    expire(session, job_id)
    second = must_claim(session)
    assert second.stored == {0}
    joblife.store(session, claim=second, images=[image(0, job_id), image(1, job_id)])
    joblife.finish(session, claim=second)
    session.commit()
    assert session.exec(select(JobImage.slot).order_by(col(JobImage.slot))).all() == [0, 1]
    assert len(session.exec(select(Embedding)).all()) == len(session.exec(select(Image)).all()) == 2


def test_a_heartbeat_renews_and_hears_of_cancellation(session: Session, add_job: Submit) -> None:
    job_id = add_job()
    held = must_claim(session)
    expire(session, job_id)
    session.execute(update(Job).where(col(Job.id) == job_id).values(cancel_requested=True))
    assert joblife.heartbeat(session, claim=held) == joblife.Beat(lost=False, cancel=True)
    session.commit()
    until = state(session, job_id).lease_until
    assert until is not None
    assert until > datetime.now(UTC)


def test_handing_back_costs_no_attempt(session: Session, add_job: Submit) -> None:
    job_id = add_job()
    joblife.hand_back(session, claim=must_claim(session))
    session.commit()
    row = state(session, job_id)
    assert (row.state, row.attempts, row.lease_token) == ("queued", 0, None)


def test_a_sweep_queues_expired_jobs_and_fails_those_that_killed_too_often(
    session: Session, add_job: Submit
) -> None:
    job_id = add_job()
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert must_claim(session).attempt == attempt
        expire(session, job_id)
        swept = joblife.sweep(session, waiting=empty)
        session.commit()
        assert swept is not None
        if attempt < MAX_ATTEMPTS:
            assert (swept.send, swept.ended) == ([(job_id, PRESET)], [])
        else:
            assert (swept.send, swept.ended) == ([], [(job_id, 2, "failed")])
    row = state(session, job_id)
    assert (row.state, row.error_code, row.error) == ("failed", "worker_died", joblife.GAVE_UP)
    assert claim(session) is None


def test_an_expired_job_that_was_to_be_cancelled_is(session: Session, add_job: Submit) -> None:
    job_id = add_job()
    must_claim(session)
    session.execute(update(Job).where(col(Job.id) == job_id).values(cancel_requested=True))
    expire(session, job_id)
    swept = joblife.sweep(session, waiting=empty)
    session.commit()
    assert swept == joblife.Swept(send=[], ended=[(job_id, 2, "cancelled")])


def test_only_rows_whose_queue_is_empty_are_sent_again_and_not_at_once(
    session: Session, add_job: Submit
) -> None:
    lost = add_job()
    add_job(sent_at=datetime.now(UTC))
    add_job(preset="busy")
    waiting = {PRESET: 0, "busy": 3}
    for send in ([(lost, PRESET)], []):
        swept = joblife.sweep(session, waiting=waiting.get)
        session.commit()
        assert swept is not None
        assert swept.send == send
    unreachable = joblife.sweep(session, waiting=lambda _preset: None)
    assert unreachable is not None
    assert unreachable.send == []


def test_one_sweeps_at_a_time(session: Session, engine: Engine, add_job: Submit) -> None:
    add_job()
    assert joblife.sweep(session, waiting=empty) is not None
    with Session(engine) as other:
        assert joblife.sweep(other, waiting=empty) is None


def test_unused_keys_are_those_of_an_ended_job_without_a_row(session: Session, add_job: Submit) -> None:
    job_id = add_job()
    held = must_claim(session)
    joblife.store(session, claim=held, images=[image(0, job_id)])
    assert joblife.unused_keys(session, job_id=job_id, n=2) == []
    joblife.cancelled(session, claim=held)
    session.commit()
    session.expire_all()
    assert joblife.unused_keys(session, job_id=job_id, n=2) == list(storage_keys(job_id, 1))
    gone = uuid4()
    assert len(joblife.unused_keys(session, job_id=gone, n=2)) == 4


def resolved(**asked: Any) -> dict[str, Any]:
    """A spec as the web stores it."""
    values: dict[str, Any] = {
        "seed": 1,
        "stylize": 100,
        "model": PRESET,
        "steps": 4,
        "size": (64, 96),
        "tastes": (),
    }
    values |= {name: asked.pop(name) for name in list(asked) if name in values}
    return Spec(text="a cat", n=1, **asked).resolve(**values).model_dump(mode="json")


@pytest.mark.parametrize(
    ("asked", "joins"),
    [
        ({}, True),
        ({"seed": 9, "stylize": 700}, True),
        ({"steps": 5}, False),
        ({"size": (96, 64)}, False),
        ({"chaos": 10}, False),
        ({"raw": True}, False),
        ({"negative": ("dogs",)}, False),
        ({"tastes": (("tiny01", 1.0),)}, False),
        ({"tastes": (("tiny01", 1.0),), "stylize": 0}, True),
    ],
)
def test_a_job_joins_another_where_a_batch_allows_it(
    add_job: Submit, session: Session, asked: dict[str, Any], joins: bool
) -> None:
    add_job(spec=resolved())
    other = add_job(spec=resolved(**asked))
    first = must_claim(session)
    found = joblife.claim(session, preset=PRESET, worker="w", beside=first, room=1)
    assert (found.job_id if found is not None else None) == (other if joins else None)


def test_no_job_joins_that_is_too_large_or_was_tried_before(add_job: Submit, session: Session) -> None:
    add_job(spec=resolved())
    first = must_claim(session)
    add_job(spec=resolved() | {"n": 3})
    add_job(spec=resolved(), attempts=1)
    assert joblife.claim(session, preset=PRESET, worker="w", beside=first, room=2) is None
    joined = joblife.claim(session, preset=PRESET, worker="w", beside=first, room=3)
    assert joined is not None
    assert joined.spec["n"] == 3


def test_presets_tell_how_long_their_first_job_waits(add_job: Submit, session: Session) -> None:
    add_job()
    for preset in ("second", "second", "third"):
        add_job(preset=preset)
    must_claim(session)
    found = joblife.waiting(session, presets=[PRESET, "second"])
    assert found.keys() == {"second"}
    assert 50 < found["second"] < 70
