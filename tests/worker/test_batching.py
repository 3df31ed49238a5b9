"""Jobs painted together: each is what it is alone, and what happens to one is nothing to the others."""

import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import torch
from sqlalchemy import Engine, delete, select, update
from sqlmodel import Session, col

from app.images import decode
from app.models import Code, Image, Job, JobImage, Person
from app.services.events import get_events
from app.storage import get_storage
from tests.worker import tiny
from tests.worker.conftest import forget, imagine, job_of, tiny_preset, with_preset
from tests.worker.tastes import store_code
from worker import progress
from worker.batching import Part, batches, by_job, images
from worker.painting import NOT_A_NUMBER
from worker.pipelines import Conditioning, Model, Shot, load
from worker.runner import Runner

ROOM = 4
WINDOW_SLACK_SECONDS = 1.0  # between the window's end and the first step, on a busy machine
PROMPTS = ("a cat --seed 1", "a lighthouse at dusk --seed 2", "rain --seed 3")


@pytest.fixture(autouse=True)
def _long_leases(studio: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENCHANT_LEASE_SECONDS", "60")
    forget()


@pytest.fixture(scope="module")
def own(presets: Any) -> Model:
    """The tiny model, for hooks of this module, painting up to ROOM images at once."""
    return with_preset(load(tiny_preset(presets), device="cpu"), max_batch=ROOM)


@pytest.fixture
def calls(own: Model) -> Iterator[list[int]]:
    """How many images each pass of the denoiser had, each counted with its negative."""
    seen: list[int] = []
    handles = [
        pipeline.unet.register_forward_pre_hook(lambda _module, inputs: seen.append(len(inputs[0]) // 2))
        for pipeline in (own._plain, own._adapted)
        if pipeline is not None
    ]
    yield seen
    for handle in handles:
        handle.remove()


def run(engine: Engine, model: Model, *, times: int = 1) -> Runner:
    runner = Runner(engine, get_storage(), get_events(), model)
    runner.start()
    for _ in range(times):
        runner.render()
    runner.stop()
    return runner


def submit(engine: Engine, person: Person, prompts: tuple[str, ...] = PROMPTS, n: int = 1) -> list[UUID]:
    return [imagine(engine, person, f"{prompt} --n {n}") for prompt in prompts]


def painted(engine: Engine, job_id: UUID) -> list[np.ndarray]:
    with Session(engine) as session:
        keys = session.scalars(
            select(col(Image.key))
            .join(JobImage, col(JobImage.image_id) == col(Image.id))
            .where(col(JobImage.job_id) == job_id)
            .order_by(col(JobImage.slot))
        ).all()
    return [np.asarray(decode(get_storage().get(key)), dtype=np.int16) for key in keys]


def states(engine: Engine, jobs: list[UUID]) -> list[str]:
    return [job_of(engine, job_id).state for job_id in jobs]


def test_parts_that_share_what_a_call_shares_fill_batches_in_order() -> None:
    plain = Shot("a", "", (1, 2, 3), 64, 64, 4, 4.0)
    sides = Conditioning(np.zeros(2), np.zeros(2), 0.5)
    parts = [
        Part(0, (0, 1, 2), plain),
        Part(1, (0,), Shot("b", "", (9,), 64, 64, 4, 3.0)),
        Part(2, (1, 2), Shot("c", "", (5, 6), 64, 64, 4, 4.0)),
        Part(3, (0,), Shot("c", "no", (5,), 64, 64, 4, 4.0)),
        Part(4, (0,), Shot("c", "", (5,), 64, 64, 4, 4.0, sides)),
    ]
    found = batches(parts, lambda part: 4)
    assert [[(part.job, part.slots) for part in batch] for batch in found] == [
        [(0, (0, 1, 2)), (2, (1,))],
        [(2, (2,))],
        [(1, (0,))],
        [(3, (0,))],
        [(4, (0,))],
    ]
    assert [part.shot.seeds for part in found[0]] == [(1, 2, 3), (5,)]
    assert [images(batch) for batch in batches(found[0], lambda part: 2)] == [2, 2]
    assert [len(mine) for mine in by_job(found[0])] == [1, 1]


def test_jobs_painted_together_are_those_painted_alone(
    engine: Engine, session: Session, person: Person, own: Model, calls: list[int]
) -> None:
    """Of two people with two tastes, whose strengths differ, and each with a seed and a prompt."""
    other = Person()
    session.add(other)
    session.commit()
    codes = [store_code(session, person, "tiny01", seed=4), store_code(session, other, "tiny02", seed=9)]

    def ask() -> list[UUID]:
        asked = (f"a cat --seed 1 --p {codes[0]}", f"rain at dusk --seed 2 --s 700 --p {codes[1]}")
        return submit(engine, person, asked[:1]) + submit(engine, other, asked[1:], n=2)

    together = ask()
    run(engine, own)
    assert calls == [3] * 4
    alone = ask()
    run(engine, with_preset(own, max_batch=1), times=2)
    assert calls == [3] * 4 + [1] * 12
    assert states(engine, together + alone) == ["done"] * 4
    for one, same in zip(together, alone, strict=True):
        for picture, expected in zip(painted(engine, one), painted(engine, same), strict=True):
            # Stored pictures are compressed; test_pipelines compares the pixels themselves.
            assert np.abs(picture - expected).mean() < 0.5
    with Session(engine) as session:
        rows = session.scalars(select(JobImage).where(col(JobImage.job_id).in_(together))).all()
    assert len({row.details["scale"] for row in rows}) == 2
    assert all(get_events().latest(job_id) == {"state": "done"} for job_id in together)


def test_a_grid_of_drawn_tastes_is_one_batch(
    engine: Engine, session: Session, person: Person, own: Model, calls: list[int]
) -> None:
    code = store_code(session, person)
    (job_id,) = submit(engine, person, (f"a cat --seed 1 --chaos 60 --p {code}",), n=4)
    run(engine, own)
    assert calls == [4] * 4
    assert len(painted(engine, job_id)) == 4


def test_what_a_call_cannot_share_is_not_painted_together(
    engine: Engine, session: Session, person: Person, own: Model, calls: list[int]
) -> None:
    code = store_code(session, person)
    more = ("", "--no dogs", "--steps 5", "--ar 3:2", f"--p {code}", "--chaos 50")
    jobs = submit(engine, person, tuple(f"a cat {one}" for one in more))
    run(engine, own, times=len(jobs))
    assert set(calls) == {1}
    assert states(engine, jobs) == ["done"] * len(jobs)


def test_a_job_that_was_tried_before_is_painted_alone(
    engine: Engine, session: Session, person: Person, own: Model, calls: list[int]
) -> None:
    """Its worker may have died of it."""
    jobs = submit(engine, person)
    for first, times in ((jobs[0], 1), (jobs[1], 2)):
        session.execute(update(Job).where(col(Job.id) == first).values(attempts=1))
        session.commit()
        run(engine, own, times=times)
    assert set(calls) == {1}
    assert states(engine, jobs) == ["done"] * 3
    assert [job_of(engine, job_id).attempts for job_id in jobs] == [2, 2, 1]


def cancel_at(own: Model, step: int, *jobs: UUID) -> Any:
    """Ask for the jobs to be cancelled when the denoiser begins its `step`-th pass."""
    passes: list[int] = []

    def ask(_module: Any, _inputs: Any) -> None:
        passes.append(1)
        if len(passes) == step:
            for job_id in jobs:
                get_events().ask_cancel(job_id)

    return own._plain.unet.register_forward_pre_hook(ask)


def test_cancelling_one_of_a_batch_leaves_the_others_bit_for_bit(
    engine: Engine, person: Person, own: Model, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "ASK_SECONDS", 0.0)
    before = submit(engine, person)
    run(engine, own)
    jobs = submit(engine, person)
    handle = cancel_at(own, 2, jobs[1])
    run(engine, own)
    handle.remove()
    assert calls == [3] * 8
    assert states(engine, jobs) == ["done", "cancelled", "done"]
    assert painted(engine, jobs[1]) == []
    for place in (0, 2):
        assert np.array_equal(painted(engine, jobs[place]), painted(engine, before[place]))


def test_a_batch_that_nobody_wants_any_more_ends(
    engine: Engine, person: Person, own: Model, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "ASK_SECONDS", 0.0)
    jobs = submit(engine, person)
    handle = cancel_at(own, 2, *jobs)
    run(engine, own)
    handle.remove()
    assert calls == [3] * 2
    assert states(engine, jobs) == ["cancelled"] * 3


def test_not_a_number_fails_the_one_it_befalls(engine: Engine, person: Person, own: Model) -> None:
    before = submit(engine, person)
    run(engine, own)

    def break_second(_module: Any, _inputs: Any, output: Any) -> None:
        output[0][[1, 4]] = torch.nan

    jobs = submit(engine, person)
    handle = own._plain.unet.register_forward_hook(break_second)
    run(engine, own)
    handle.remove()
    assert states(engine, jobs) == ["done", "failed", "done"]
    assert job_of(engine, jobs[1]).error == NOT_A_NUMBER
    assert painted(engine, jobs[1]) == []
    for place in (0, 2):
        assert np.array_equal(painted(engine, jobs[place]), painted(engine, before[place]))


def test_a_taste_that_is_gone_fails_its_own_job(
    engine: Engine, session: Session, person: Person, own: Model
) -> None:
    codes = [store_code(session, person, name) for name in ("tiny01", "tiny02")]
    jobs = submit(engine, person, tuple(f"a cat --p {code}" for code in codes))
    session.execute(delete(Code).where(col(Code.code) == codes[0]))
    session.commit()
    run(engine, own)
    assert states(engine, jobs) == ["failed", "done"]
    assert job_of(engine, jobs[0]).error_code == "not_found"


def test_too_little_memory_halves_the_batch_and_is_remembered(
    engine: Engine, person: Person, own: Model, calls: list[int]
) -> None:
    def refuse(_module: Any, inputs: Any) -> None:
        if len(inputs[0]) > 4:
            raise torch.OutOfMemoryError("simulated")

    handle = own._plain.unet.register_forward_pre_hook(refuse)
    jobs = submit(engine, person, n=2)
    runner = run(engine, own, times=2)
    handle.remove()
    assert states(engine, jobs) == ["done"] * 3
    assert calls == [4] + [2] * 12
    assert runner._painter.limit((tiny.SIZE, tiny.SIZE)) == 2
    assert runner._painter.limit((tiny.SIZE + 32, tiny.SIZE)) == ROOM


def test_an_error_of_several_jobs_is_looked_for_in_each(
    engine: Engine, person: Person, own: Model, calls: list[int]
) -> None:
    noise = torch.randn((4, tiny.SIZE // 8, tiny.SIZE // 8), generator=torch.Generator().manual_seed(2))

    def refuse(_module: Any, inputs: Any) -> None:
        if any(torch.equal(row, noise) for row in inputs[0]):
            raise RuntimeError("simulated")

    handle = own._plain.unet.register_forward_pre_hook(refuse)
    jobs = submit(engine, person)
    run(engine, own)
    handle.remove()
    assert states(engine, jobs) == ["done", "failed", "done"]
    assert job_of(engine, jobs[1]).error_code == "internal_error"
    assert calls == [3] + [1] * 9


def test_a_job_waits_for_others_no_longer_than_the_window(
    engine: Engine, person: Person, own: Model, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENCHANT_BATCH_WINDOW_SECONDS", "30")
    forget()
    (first,) = submit(engine, person, PROMPTS[:1])
    painting = threading.Thread(target=run, args=(engine, with_preset(own, max_batch=2)))
    painting.start()
    (second,) = submit(engine, person, PROMPTS[1:2])
    painting.join()
    assert calls == [2] * 4
    assert states(engine, [first, second]) == ["done"] * 2


@pytest.mark.parametrize("window", [0.0, 1.0])
def test_a_lone_job_starts_when_the_window_ends(
    engine: Engine, person: Person, own: Model, monkeypatch: pytest.MonkeyPatch, window: float
) -> None:
    """From its claim to the first pass of the denoiser; before it, the text is encoded. What is slow only the
    first time is done before."""
    submit(engine, person, PROMPTS[:1])
    run(engine, own)
    monkeypatch.setenv("PENCHANT_BATCH_WINDOW_SECONDS", str(window))
    forget()
    passes: list[float] = []
    handle = own._plain.unet.register_forward_pre_hook(lambda _module, _inputs: passes.append(time.time()))
    (lone,) = submit(engine, person, PROMPTS[2:])
    run(engine, own)
    handle.remove()
    job = job_of(engine, lone)
    assert job.state == "done"
    assert job.started_at is not None
    assert window <= passes[0] - job.started_at.timestamp() < window + WINDOW_SLACK_SECONDS
