"""Submitting, listing, cancelling and running again, on a real PostgreSQL and broker."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select, update
from sqlmodel import Session, col

from app import queue
from app.config import Settings, get_settings
from app.errors import Conflict, IdempotencyMismatch, InvalidPrompt, Locked, NotFound, TooManyRequests
from app.models import Image, Job, Person, PersonSettings
from app.presets import load_presets
from app.queue import get_celery, render_queue
from app.services import generation
from app.services.events import get_events
from tests.gallery import make_gallery, make_image

QUEUE = render_queue("starter")


@pytest.fixture
def person(session: Session, settings: Settings) -> Iterator[Person]:
    for cached in (load_presets, get_events):
        cached.cache_clear()
    person = Person()
    session.add(person)
    session.commit()
    yield person
    for cached in (load_presets, get_events):
        cached.cache_clear()


def submit(session: Session, person: Person, prompt: str, key: str | None = None) -> list[Job]:
    jobs = generation.submit(session, person=person, prompt=prompt, idempotency_key=key)
    session.commit()
    return jobs


def jobs_in(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Job)) or 0


def test_a_prompt_becomes_a_resolved_row_and_a_message(session: Session, person: Person) -> None:
    generation.submit(session, person=person, prompt="never committed")
    session.rollback()
    assert queue.waiting(QUEUE) == 0
    (job,) = submit(session, person, " a cat --ar 16:9 --no dogs ")
    assert queue.waiting(QUEUE) == 1
    view = generation.get_job(session, person=person, job_id=job.id)
    assert (job.state, job.prompt, job.preset) == ("queued", "a cat --ar 16:9 --no dogs", "starter")
    assert (view.spec.size, view.spec.stylize, view.spec.n) == ((320, 192), 100, 4)
    assert view.spec.seed is not None
    assert (view.images, view.ahead) == ([], 0)


def test_a_model_made_for_few_steps_has_no_more(
    session: Session, person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.toml").write_text('[few]\ntitle = "Few"\nbase = "starter"\nsteps = 2\nmax_steps = 4\n')
    monkeypatch.setenv("PENCHANT_PRESETS", str(tmp_path / "own.toml"))
    for cached in (get_settings, load_presets):
        cached.cache_clear()
    with pytest.raises(InvalidPrompt, match="--steps is 1 to 4 on the model few, and 2 where it is left out"):
        submit(session, person, "a cat --model few --steps 5")
    session.rollback()
    submit(session, person, "a cat --model few --steps 4")
    submit(session, person, "a cat --model starter --steps 150")
    monkeypatch.undo()
    get_settings.cache_clear()


def test_permutations_and_repeats_are_jobs_of_their_own(session: Session, person: Person) -> None:
    jobs = submit(session, person, "a {red, blue} cat --repeat 2")
    assert queue.waiting(QUEUE) == len(jobs) == 4
    assert len({job.spec["seed"] for job in jobs}) == 4
    assert {job.spec["text"] for job in jobs} == {"a red cat", "a blue cat"}
    views = generation.list_jobs(session, person=person)
    assert [view.job.id for view in views] == [job.id for job in reversed(jobs)]
    assert [view.ahead for view in views] == [3, 2, 1, 0]


def test_nothing_is_queued_when_one_thing_is_wrong(session: Session, person: Person) -> None:
    for prompt in ("a {red, blue} cat --nosuch 1", "a cat --model nosuch", "a cat --tile", "", "x" * 100_000):
        with pytest.raises(InvalidPrompt):
            generation.submit(session, person=person, prompt=prompt)
        session.rollback()
    with pytest.raises(NotFound):
        generation.submit(session, person=person, prompt="a cat --p nosuchcode")
    session.rollback()
    assert (jobs_in(session), queue.waiting(QUEUE)) == (0, 0)


def test_a_taste_is_locked_before_enough_ratings(session: Session, person: Person) -> None:
    make_gallery(session)
    with pytest.raises(Locked, match="0 of 200"):
        generation.submit(session, person=person, prompt="a cat --p")
    assert person.id is not None
    session.merge(PersonSettings(person_id=person.id, personalize=True, stylize=250))
    session.commit()
    with pytest.raises(Locked):
        generation.submit(session, person=person, prompt="a cat")
    (job,) = submit(session, person, "a cat --p off")
    assert job.spec["stylize"] == 250


def test_an_idempotency_key_gives_the_same_jobs(session: Session, person: Person) -> None:
    first = submit(session, person, "a {red, blue} cat", "key")
    again = submit(session, person, "a {red, blue} cat", "key")
    assert [job.id for job in first] == [job.id for job in again]
    with pytest.raises(IdempotencyMismatch):
        submit(session, person, "a dog", "key")
    session.rollback()
    assert (jobs_in(session), queue.waiting(QUEUE)) == (2, 2)
    other = Person()
    session.add(other)
    session.flush()
    assert submit(session, other, "a dog", "key")


def test_one_key_at_once_makes_one_job(engine: Engine, session: Session, person: Person) -> None:
    found: list[UUID] = []

    def request() -> None:
        with Session(engine, expire_on_commit=False) as own:
            found.append(submit(own, own.get_one(Person, person.id), "a cat", "key")[0].id)

    threads = [threading.Thread(target=request) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == jobs_in(session) == 1


def test_a_person_has_a_limit(session: Session, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENCHANT_MAX_QUEUED_JOBS", "2")
    get_settings.cache_clear()
    submit(session, person, "a cat --repeat 2")
    with pytest.raises(TooManyRequests, match="2 jobs"):
        submit(session, person, "a dog")


def test_without_a_broker_a_submit_is_quick(
    session: Session, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENCHANT_REDIS_URL", "redis://127.0.0.1:1/0")
    for cached in (get_settings, get_celery, get_events):
        cached.cache_clear()
    start = time.monotonic()
    jobs = submit(session, person, "a cat --repeat 10")
    assert time.monotonic() - start < 1.5
    assert {job.state for job in jobs} == {"queued"}


def test_pages_follow_each_other(session: Session, person: Person) -> None:
    jobs = submit(session, person, "a cat --repeat 5")
    first = generation.list_jobs(session, person=person, limit=3)
    rest = generation.list_jobs(session, person=person, limit=3, before=first[-1].job.id)
    assert [view.job.id for view in first + rest] == [job.id for job in reversed(jobs)]
    assert generation.list_jobs(session, person=person, states=["done"]) == []


def test_other_peoples_jobs_and_images_are_not_there(session: Session, person: Person) -> None:
    (job,) = submit(session, person, "a cat")
    private = make_image(session, "jobs/x/0", visibility="private", owner=person.id)
    public = make_image(session, "gallery/y")
    other = Person()
    session.add(other)
    session.flush()
    for call in (generation.get_job, generation.request_cancel, generation.retry, generation.rerun):
        for job_id in (job.id, uuid4()):
            with pytest.raises(NotFound):
                call(session, person=other, job_id=job_id)
    with pytest.raises(NotFound):
        generation.submit(session, person=other, prompt="a cat", parent=job.id)
    for somebody in (other, None):
        with pytest.raises(NotFound):
            generation.get_image(session, person=somebody, image_id=private)
        assert generation.get_image(session, person=somebody, image_id=public).id == public
    assert generation.get_image(session, person=person, image_id=private).id == private
    assert generation.list_images(session, person=other) == []
    for number in (0, -1, 2**63, 2**70):
        with pytest.raises(NotFound):
            generation.get_image(session, person=person, image_id=number)


def test_images_are_found_by_their_prompt(session: Session, person: Person) -> None:
    ids = [make_image(session, f"jobs/x/{n}", visibility="private", owner=person.id) for n in range(3)]
    session.execute(update(Image).where(col(Image.id) == ids[1]).values(prompt="100% Cat"))
    session.commit()
    brought = make_image(session, "uploads/x", visibility="private", owner=person.id)
    session.execute(update(Image).where(col(Image.id) == brought).values(source="upload"))
    assert [image.id for image in generation.list_images(session, person=person)] == ids[::-1]
    assert [image.id for image in generation.list_images(session, person=person, before=ids[1])] == ids[:1]
    for query, hits in (("% cat", [ids[1]]), ("_", []), ("nothing", [])):
        assert [i.id for i in generation.list_images(session, person=person, query=query)] == hits


def test_cancelling_what_waits_ends_it_at_once(session: Session, person: Person) -> None:
    (job,) = submit(session, person, "a cat")
    for _ in range(2):
        assert generation.request_cancel(session, person=person, job_id=job.id).state == "cancelled"
        session.commit()
    assert get_events().latest(job.id) == {"state": "cancelled"}


def test_cancelling_what_runs_asks_its_worker(session: Session, person: Person) -> None:
    (job,) = submit(session, person, "a cat")
    session.execute(update(Job).values(state="running", lease_token=uuid4(), lease_until=func.now()))
    found = generation.request_cancel(session, person=person, job_id=job.id)
    session.commit()
    assert (found.state, found.cancel_requested) == ("running", True)
    assert get_events().cancel_asked(job.id)


def test_what_is_done_can_be_run_again_but_not_cancelled(session: Session, person: Person) -> None:
    (job,) = submit(session, person, "a cat --no dogs, birds --chaos 10")
    session.execute(update(Job).values(state="done", finished_at=func.now()))
    session.commit()
    session.expire_all()
    for call in (generation.request_cancel, generation.retry):
        with pytest.raises(Conflict):
            call(session, person=person, job_id=job.id)
    again = generation.rerun(session, person=person, job_id=job.id)
    assert again.parent_id == job.id
    assert again.spec["seed"] != job.spec["seed"]
    assert {**again.spec, "seed": 0} == {**job.spec, "seed": 0}


def test_a_failed_job_is_retried_as_it_was(session: Session, person: Person) -> None:
    (job,) = submit(session, person, "a cat --seed 4")
    session.execute(update(Job).values(state="failed", finished_at=func.now()))
    session.commit()
    session.expire_all()
    again = generation.retry(session, person=person, job_id=job.id)
    assert (again.spec, again.parent_id, again.state) == (job.spec, job.id, "queued")
