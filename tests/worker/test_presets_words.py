"""A model without an adapter: a taste speaks to it in words, and keeps the best of several images."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from app.config import Settings
from app.errors import InvalidPrompt
from app.images import decode
from app.models import Image, JobImage, Person
from app.presets import get_preset
from app.services.events import get_events
from app.storage import get_storage
from app.taste.errors import IncompatibleTastes
from app.taste.words import rank
from tests.worker import families, tiny
from tests.worker.conftest import forget, imagine, job_of, tiny_preset
from tests.worker.tastes import make_space, make_taste, store_code
from worker.pipelines import Model, load
from worker.runner import Runner
from worker.words import PHRASES, Words

PRESETS = """
[bare]
title = "Bare"
licence = "Apache-2.0"
folder = "ssd-1b"
pipeline = "StableDiffusionXLPipeline"
encoder = "tiny-1"
alignment = "native"
best_of = {candidates = 2, floor = 0.0}
sizes = [[64, 64]]
steps = 3
guidance = 5.0

[hurried]
title = "Hurried"
base = "bare"
guidance = 0.0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model and a presets file naming it."""
    root = tmp_path_factory.mktemp("bare")
    families.build("ssd-1b", root / "ssd-1b")
    (root / "presets.toml").write_text(PRESETS)
    return root


@pytest.fixture
def bare(folder: Path, studio: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installation whose model has no adapter."""
    monkeypatch.setenv("PENCHANT_PRESETS", str(folder / "presets.toml"))
    monkeypatch.setenv("PENCHANT_MODEL", "bare")
    forget()
    yield
    forget()


@pytest.fixture(scope="module")
def loaded() -> dict[str, Model]:
    """The model, loaded once."""
    return {}


@pytest.fixture
def model(bare: None, loaded: dict[str, Model]) -> Model:
    if not loaded:
        loaded["bare"] = load(get_preset("bare"), device="cpu")
    return loaded["bare"]


def run(engine: Engine, model: Model, job_id: UUID) -> tuple[dict[str, Any], np.ndarray]:
    """Paint the waiting job; what its first image's row says, and its pixels."""
    runner = Runner(engine, get_storage(), get_events(), model)
    runner.start()
    runner.render()
    runner.stop()
    assert job_of(engine, job_id).state == "done", job_of(engine, job_id).error
    with Session(engine) as session:
        row, key = session.execute(
            select(JobImage, col(Image.key))
            .join(Image, col(Image.id) == col(JobImage.image_id))
            .where(col(JobImage.job_id) == job_id, col(JobImage.slot) == 0)
        ).one()
        return row.details, np.asarray(decode(get_storage().get(key)), dtype=np.int16)


def test_a_taste_adds_words_and_keeps_the_best(
    engine: Engine, session: Session, model: Model, person: Person
) -> None:
    code = store_code(session, person)
    prompt = "a cat --n 1 --seed 5"
    plain, expected = run(engine, model, imagine(engine, person, prompt))
    zero, same = run(engine, model, imagine(engine, person, f"{prompt} --p {code} --s 0"))
    much, other = run(engine, model, imagine(engine, person, f"{prompt} --p {code} --s 1000"))
    assert np.array_equal(expected, same)
    assert not np.array_equal(expected, other)
    assert not {"words", "candidates"} & (plain.keys() | zero.keys())
    assert much["candidates"] == 2
    assert set(much["words"]) <= set(PHRASES)
    assert much["words"]


def test_the_stronger_the_more_words_and_the_same_ones_first(model: Model) -> None:
    taste, space = make_taste(make_space()), make_space()
    said = [model.words.of(taste, space, strength) for strength in (0.1, 0.4, 1.0)]
    assert 0 < len(said[0]) < len(said[1]) < len(said[2])
    for fewer, more in pairwise(said):
        assert more[: len(fewer)] == fewer
    assert model.words.of(make_taste(space, seed=9), space, 1.0) != said[2]


def test_a_model_whose_prompts_lie_elsewhere_says_nothing(presets: Path) -> None:
    model = load(tiny_preset(presets), device="cpu")
    assert Words(model.encoder).of(make_taste(make_space()), make_space(), 1.0) == ()


@pytest.mark.usefixtures("bare")
def test_what_would_do_nothing_is_refused(engine: Engine, session: Session, person: Person) -> None:
    code = store_code(session, person)
    with pytest.raises(InvalidPrompt, match=r"--raw leaves nothing of --p"):
        imagine(engine, person, f"a cat --p {code} --raw")
    with pytest.raises(InvalidPrompt, match=r"--no does nothing on the model hurried"):
        imagine(engine, person, "a cat --no dogs --model hurried")
    with pytest.raises(InvalidPrompt, match=r"not installed.*penchant models add sdxl"):
        imagine(engine, person, "a cat --model sdxl")


def test_phrases_rank_by_the_direction_of_a_taste() -> None:
    space, taste = make_space(), make_taste(make_space())
    towards = space.components.T @ (space.scales * taste.posterior.weights)
    noise = np.random.default_rng(0).standard_normal((40, tiny.WIDTH)) + 5.0
    noise[7] += 3.0 * towards / np.linalg.norm(towards) * np.sqrt(tiny.WIDTH)
    noise[8] -= 3.0 * towards / np.linalg.norm(towards) * np.sqrt(tiny.WIDTH)
    values = rank(taste, space, noise)
    assert [int(values.argmax()), int(values.argmin())] == [7, 8]
    assert (values.mean(), values.std()) == pytest.approx((0.0, 1.0), abs=1e-9)
    assert np.array_equal(rank(taste, space, np.ones((3, tiny.WIDTH))), np.zeros(3))
    with pytest.raises(IncompatibleTastes):
        rank(taste, make_space("another"), noise)
