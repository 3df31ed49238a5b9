"""Images of several jobs in one call, in every family: each is what it is alone, and too little memory makes
the batches smaller."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import torch
from sqlalchemy import Engine, select
from sqlmodel import Session, col

from app.config import Settings
from app.images import decode
from app.models import Image, JobImage, Person
from app.services.events import get_events
from app.storage import get_storage
from tests.worker import families, tiny
from tests.worker.conftest import forget, imagine, job_of, with_preset
from tests.worker.tastes import store_code
from worker.pipelines import Conditioning, Model, Shot
from worker.runner import Runner

# Of a pixel's value, from 0 to 1. A batch is to keep within one step of a byte. On the CPU the rounding of
# sums comes to a five hundredth of a step; what is mixed up comes to more than one.
STEP = 1 / 255
ROUNDING = STEP / 20
SCALES = (1.0, 0.5, 4.0)


@pytest.fixture(params=families.NAMES)
def model(request: pytest.FixtureRequest, toys: families.Toys) -> Model:
    """One family after the other, loaded."""
    return toys.model(request.param)


@pytest.fixture(params=families.ADAPTED)
def adapted(request: pytest.FixtureRequest, toys: families.Toys) -> Model:
    """The same for those that have an image adapter."""
    return toys.model(request.param)


def several(model: Model) -> list[Shot]:
    """Shots that differ in all that a batch need not share: words, what to avoid, seeds and how many."""
    preset = model.preset
    asked = zip(
        ("a lighthouse", "a cat at dusk", "rain"),
        ("people", "text, dogs", "snow") if preset.avoids else ("", "", ""),
        ((1, 2), (3,), (1,)),
        strict=True,
    )
    size = families.SIZE
    return [Shot(*one, size, size, preset.steps, preset.guidance) for one in asked]


def personal(shots: list[Shot]) -> list[Shot]:
    """The same under tastes that differ, and in strength too."""
    tastes = np.random.default_rng(5).standard_normal((len(shots), 2, tiny.WIDTH))
    return [
        replace(shot, conditioning=Conditioning(towards, away, scale))
        for shot, (towards, away), scale in zip(shots, tastes, SCALES, strict=True)
    ]


def painted(model: Model, *shots: Shot) -> np.ndarray:
    """The pixels (n, 3, h, w) of shots painted in one call, from 0 to 1, before anything rounds them."""
    seen: list[torch.Tensor] = []
    decoder = model._plain.vae.decoder
    handle = decoder.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    model.render_together(shots)
    handle.remove()
    return np.asarray(torch.cat(seen).float().numpy() / 2 + 0.5)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return float(np.abs(one - other).max())


def test_shots_painted_together_are_those_painted_alone(model: Model) -> None:
    shots = several(model)
    together = painted(model, *shots)
    alone = np.concatenate([painted(model, shot) for shot in shots])
    assert apart(together, alone) < ROUNDING
    # With another's words an image would be another.
    mixed = [replace(shots[1], text=shots[2].text)]
    if model.preset.avoids:
        mixed.append(replace(shots[1], negative=shots[2].negative))
    for image in painted(model, *mixed):
        assert apart(image, alone[2]) > STEP


def test_tastes_painted_together_are_those_painted_alone(adapted: Model) -> None:
    shots = personal(several(adapted))
    together = painted(adapted, *shots)
    alone = np.concatenate([painted(adapted, shot) for shot in shots])
    assert apart(together, alone) < ROUNDING
    # With another's taste, or another's strength, an image would be another.
    own, beside = shots[1].conditioning, shots[2].conditioning
    assert own is not None
    assert beside is not None
    mixed = [replace(own, positive=beside.positive), replace(own, scale=beside.scale)]
    if adapted.preset.avoids:
        mixed.append(replace(own, negative=beside.negative))
    for image in painted(adapted, *(replace(shots[1], conditioning=other) for other in mixed)):
        assert apart(image, alone[2]) > STEP


def test_a_grid_beside_others_is_the_grid(adapted: Model) -> None:
    first, second, _ = personal(several(adapted))
    single = [painted(adapted, replace(first, seeds=(seed,))) for seed in first.seeds]
    assert apart(painted(adapted, first, second)[:2], np.concatenate(single)) < ROUNDING


@pytest.fixture(params=["sd15", "sdxl", "sd35-large", "flux-schnell", "flux-dev", "ssd-1b"])
def installed(
    request: pytest.FixtureRequest,
    toys: families.Toys,
    studio: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Model]:
    """An installation with one family's tiny model, which paints up to four images at once."""
    model = toys.model(request.param)
    file = tmp_path / "presets.toml"
    file.write_text(families.table(model.preset))
    monkeypatch.setenv("PENCHANT_PRESETS", str(file))
    monkeypatch.setenv("PENCHANT_MODEL", request.param)
    monkeypatch.setenv("PENCHANT_LEASE_SECONDS", "60")
    forget()
    yield with_preset(model, max_batch=4)
    forget()


class Device:
    """Memory that is too little for more than `room` rows of a network's batch; it counts those asked for."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.asked: list[int] = []

    def refuse(self, _module: Any, inputs: tuple[torch.Tensor, ...], named: dict[str, Any]) -> None:
        self.asked.append(len(inputs[0] if inputs else named["hidden_states"]))
        if self.asked[-1] > self.room:
            raise torch.OutOfMemoryError("simulated")


def run(engine: Engine, model: Model, device: Device) -> Runner:
    """Paint what waits, on that device."""
    networks = [model.family.network(one) for one in (model._plain, model._adapted) if one is not None]
    handles = [one.register_forward_pre_hook(device.refuse, with_kwargs=True) for one in networks]
    runner = Runner(engine, get_storage(), get_events(), model)
    runner.start()
    runner.render()
    runner.stop()
    for handle in handles:
        handle.remove()
    return runner


def stored(engine: Engine, jobs: list[UUID]) -> list[np.ndarray]:
    """The pictures of jobs that are done."""
    assert [job_of(engine, job_id).state for job_id in jobs] == ["done"] * len(jobs)
    with Session(engine) as session:
        keys = session.scalars(
            select(col(Image.key))
            .join(JobImage, col(JobImage.image_id) == col(Image.id))
            .where(col(JobImage.job_id).in_(jobs))
            .order_by(col(JobImage.slot))
        ).all()
    return [np.asarray(decode(get_storage().get(key)), dtype=np.int16) for key in keys]


def test_too_little_memory_halves_the_batches_of_every_family(
    engine: Engine, session: Session, person: Person, installed: Model
) -> None:
    """The two jobs have tastes and strengths of their own, where the model has an adapter."""
    tastes = [store_code(session, person, code, seed=n) for n, code in enumerate(("tiny01", "tiny02"))]
    asked = ("a cat --seed 1 --n 2", "rain at dusk --seed 3 --n 2")
    if installed.preset.adapter is not None:
        asked = (f"{asked[0]} --p {tastes[0]}", f"{asked[1]} --s 700 --p {tastes[1]}")
    apiece = 2 if installed.preset.avoids and installed.preset.pipeline != "FluxPipeline" else 1

    def paint(room: int) -> tuple[Device, Runner, list[np.ndarray]]:
        jobs = [imagine(engine, person, prompt) for prompt in asked]
        device = Device(room * apiece)
        runner = run(engine, installed, device)
        return device, runner, stored(engine, jobs[:1]) + stored(engine, jobs[1:])

    whole, _, expected = paint(4)
    halved, runner, found = paint(2)
    assert set(whole.asked) == {4 * apiece}
    assert halved.asked == [4 * apiece] + [2 * apiece] * 2 * len(whole.asked)
    assert runner._painter.limit((families.SIZE, families.SIZE)) == 2
    assert len(found) == len(expected) == 4
    for one, other in zip(found, expected, strict=True):
        # Stored pictures are compressed; the tests above compare the pixels themselves.
        assert np.abs(one - other).mean() < 0.5
