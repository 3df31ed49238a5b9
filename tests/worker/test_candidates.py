"""Best of several: what is kept, what is seen meanwhile, and when no choice is made."""

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import torch
from PIL import Image as Picture
from safetensors.numpy import save_file
from sqlalchemy import Engine, select
from sqlmodel import Session, col

from app.config import Settings
from app.errors import CorruptFile, OperatorError
from app.images import decode
from app.models import Embedding, Image, JobImage, Person
from app.presets import NATIVE, BestOf, Preset
from app.prompt.errors import UnsupportedParameter
from app.services.events import get_events
from app.spec import MAX_SEED
from app.storage import get_storage
from app.taste.best_of import choose, values
from app.weights.check import verify
from tests.worker import tiny
from tests.worker.conftest import forget, imagine, job_of, tiny_preset, with_preset
from tests.worker.tastes import make_space, make_taste, store_code
from worker import progress
from worker.candidates import seed
from worker.pipelines import Model, load
from worker.runner import Runner

CANDIDATES = 3
PICTURE = Picture.new("RGB", (40, 40), (200, 30, 30))


@pytest.fixture
def choosy(studio: Settings, presets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Preset:
    """The tiny preset, with a choice among three."""
    path = tmp_path / "presets.toml"
    path.write_text(
        presets.read_text() + f"\n[{tiny.NAME}.best_of]\ncandidates = {CANDIDATES}\nfloor = 0.5\n"
    )
    monkeypatch.setenv("PENCHANT_PRESETS", str(path))
    monkeypatch.setenv("PENCHANT_LEASE_SECONDS", "60")
    forget()
    return tiny_preset(path)


@pytest.fixture
def code(person: Person, session: Session) -> str:
    """A code in the tiny model's space."""
    return store_code(session, person)


@pytest.fixture
def choosing(model: Model) -> Model:
    """The tiny model with a choice among three."""
    return with_preset(model, best_of=BestOf(candidates=CANDIDATES, floor=0.5))


def run(engine: Engine, model: Model, job_id: UUID) -> list[tuple[JobImage, np.ndarray]]:
    """Paint the waiting job; its images' rows and pixels, slot by slot."""
    runner = Runner(engine, get_storage(), get_events(), model)
    runner.start()
    runner.render()
    runner.stop()
    assert job_of(engine, job_id).state == "done"
    with Session(engine) as session:
        rows = session.execute(
            select(JobImage, col(Image.key))
            .join(Image, col(Image.id) == col(JobImage.image_id))
            .where(col(JobImage.job_id) == job_id)
            .order_by(col(JobImage.slot))
        ).all()
        return [(row, np.asarray(decode(get_storage().get(key)), dtype=np.int16)) for row, key in rows]


def test_candidates_have_seeds_of_their_own() -> None:
    drawn = [seed(slot, number) for slot in range(100, 108) for number in range(8)]
    assert len(set(drawn)) == 64
    assert all(0 <= value <= MAX_SEED for value in drawn)
    assert [seed(100, number) for number in range(3)] == [100, seed(100, 1), seed(100, 2)]


@pytest.mark.usefixtures("choosy")
def test_the_kept_image_is_the_most_valued_and_the_same_each_time(
    engine: Engine, session: Session, person: Person, model: Model, choosing: Model, code: str
) -> None:
    prompt = f"a cat --n 4 --seed 5 --s 500 --p {code}"
    chosen = run(engine, choosing, imagine(engine, person, prompt))
    again = run(engine, choosing, imagine(engine, person, prompt))
    first = run(engine, model, imagine(engine, person, prompt))
    kept = [row.details["kept"] for row, _ in chosen]
    assert any(kept), "no slot kept another than its first: this test would show nothing"
    for (row, pixels), (_, same), (plain, before) in zip(chosen, again, first, strict=True):
        assert np.array_equal(pixels, same)
        assert row.seed == plain.seed
        assert "candidates" not in plain.details
        assert len(row.details["values"]) == row.details["candidates"] == CANDIDATES
        assert row.details["values"][row.details["kept"]] == max(row.details["values"])
        assert np.array_equal(pixels, before) == (row.details["kept"] == 0)
    stored = [session.get(Embedding, (row.image_id, tiny.ENCODER)) for row, _ in chosen]
    vectors = np.array([row.image_vector for row in stored if row is not None], dtype=np.float64)
    worth = values(make_taste(make_space()), make_space(), vectors)
    assert worth == pytest.approx([max(row.details["values"]) for row, _ in chosen], abs=1e-3)


@pytest.mark.usefixtures("choosy")
def test_one_image_alone_is_the_one_of_the_grid(
    engine: Engine, person: Person, choosing: Model, code: str
) -> None:
    """Under the seed that its row tells, an image is painted and chosen again."""
    grid = run(engine, choosing, imagine(engine, person, f"a cat --n 3 --seed 5 --s 500 --p {code}"))
    alone = run(engine, choosing, imagine(engine, person, f"a cat --n 1 --seed 7 --s 500 --p {code}"))
    assert grid[2][0].seed == alone[0][0].seed
    assert np.abs(grid[2][1] - alone[0][1]).mean() < 1.0


@pytest.mark.usefixtures("choosy")
@pytest.mark.parametrize("asked", ["--s 0 --p {}", "--p off", "--raw --p {}"])
def test_nothing_is_chosen_without_a_taste_or_under_raw(
    engine: Engine, person: Person, model: Model, choosing: Model, code: str, asked: str
) -> None:
    prompt = f"a cat --n 2 --seed 5 {asked.format(code)}"
    bare = run(engine, model, imagine(engine, person, prompt))
    chosen = run(engine, choosing, imagine(engine, person, prompt))
    for (plain, before), (row, pixels) in zip(bare, chosen, strict=True):
        assert np.array_equal(before, pixels)
        assert row.details == plain.details


@pytest.mark.usefixtures("studio")
def test_raw_is_refused_where_it_would_do_nothing(engine: Engine, person: Person) -> None:
    with pytest.raises(UnsupportedParameter, match="--raw"):
        imagine(engine, person, "a cat --raw")


@pytest.mark.usefixtures("choosy")
def test_progress_counts_every_candidate_and_shows_what_would_be_kept(
    engine: Engine,
    person: Person,
    choosing: Model,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "PREVIEW_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(progress, "EVENT_SECONDS", 0.0)
    events: list[dict[str, Any]] = []
    publish = get_events().publish

    def record(job_id: UUID, event: dict[str, Any], **more: Any) -> None:
        events.append(event)
        publish(job_id, event, **more)

    monkeypatch.setattr(get_events(), "publish", record)
    job_id = imagine(engine, person, f"a cat --n 2 --seed 5 --s 500 --p {code}")
    images = run(engine, choosing, job_id)
    running = [event for event in events if event["state"] == "running"]
    steps = [event["step"] for event in running]
    assert {event["steps"] for event in running} == {4 * CANDIDATES}
    assert steps == sorted(steps)
    assert steps[-1] == 4 * CANDIDATES
    for row, pixels in images:
        data = get_events().preview(job_id, row.slot)
        assert data is not None
        assert np.abs(np.asarray(decode(data), dtype=np.int16) - pixels).mean() < 20


@pytest.fixture
def small_device(choosing: Model, presets: Path) -> Model:
    """The same on a device with room for one image and its negative."""
    own = load(tiny_preset(presets), device="cpu")
    own.preset = choosing.preset

    def refuse(_module: Any, arguments: Any) -> None:
        if len(arguments[0]) > 2:
            raise torch.OutOfMemoryError("simulated")

    for pipeline in (own._plain, own._adapted):
        assert pipeline is not None
        pipeline.unet.register_forward_pre_hook(refuse)
    return own


@pytest.mark.usefixtures("choosy")
def test_too_little_memory_changes_no_choice(
    engine: Engine, person: Person, choosing: Model, small_device: Model, code: str
) -> None:
    prompt = f"a cat --n 3 --seed 5 --s 500 --p {code}"
    roomy = run(engine, choosing, imagine(engine, person, prompt))
    small = run(engine, small_device, imagine(engine, person, prompt))
    assert [row.details["kept"] for row, _ in roomy] == [row.details["kept"] for row, _ in small]


@pytest.fixture
def aligned(presets: Path, tmp_path: Path) -> Preset:
    """The tiny preset with a file that aligns its encoders."""
    preset = tiny_preset(presets)
    maps = np.random.default_rng(0).standard_normal((2, 16, tiny.WIDTH)).astype(np.float16)
    # Links, so that the file alone is new.
    folder = tmp_path / "weights"
    folder.mkdir()
    for path in preset.folder.iterdir():
        (folder / path.name).symlink_to(path)
    save_file({"image": maps[0], "text": maps[1]}, folder / "alignment.safetensors")
    return preset.model_copy(update={"folder": folder, "alignment": "alignment.safetensors"})


def test_images_and_prompts_meet_in_the_space_that_a_file_maps_to(aligned: Preset, model: Model) -> None:
    verify(aligned)
    encoder = load(aligned, device="cpu").encoder
    seen = encoder.look([PICTURE, PICTURE.rotate(45)])
    texts = encoder.aligned_texts(["a cat", "a dog"])
    assert np.array_equal(seen.raw, model.encoder.images([PICTURE, PICTURE.rotate(45)]))
    assert seen.aligned is not None
    assert texts is not None
    assert seen.aligned.shape == texts.shape == (2, 16)
    for vectors in (seen.aligned, texts):
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0)
    assert model.encoder.look([PICTURE]).aligned is None
    assert model.encoder.aligned_texts(["a cat"]) is None


@pytest.mark.usefixtures("choosy")
def test_the_floor_holds_what_follows_the_prompt(
    engine: Engine, person: Person, aligned: Preset, code: str
) -> None:
    strict = load(
        aligned.model_copy(update={"best_of": BestOf(candidates=CANDIDATES, floor=1.0)}), device="cpu"
    )
    rows = [
        row for row, _ in run(engine, strict, imagine(engine, person, f"a cat --n 4 --seed 5 --p {code}"))
    ]
    for row in rows:
        alignments = row.details["alignments"]
        assert len(alignments) == CANDIDATES
        assert row.details["kept"] == choose(np.array(row.details["values"]), np.array(alignments), floor=1.0)


def test_an_alignment_that_does_not_fit_is_refused(aligned: Preset) -> None:
    path = aligned.folder / "alignment.safetensors"
    save_file({"image": np.ones((16, 7), np.float32), "text": np.ones((16, tiny.WIDTH), np.float32)}, path)
    with pytest.raises(CorruptFile, match="does not fit"):
        load(aligned, device="cpu")
    save_file({"image": np.ones((16, tiny.WIDTH), np.float32)}, path)
    with pytest.raises(CorruptFile, match="cannot be used"):
        load(aligned, device="cpu")
    path.unlink()
    with pytest.raises(OperatorError, match="lacks"):
        load(aligned, device="cpu")


def test_a_pipeline_without_a_clip_pair_has_no_native_alignment(presets: Path) -> None:
    """Stable Diffusion's text encoder ends before the projection that CLIP compares in."""
    with pytest.raises(OperatorError, match="No text encoder"):
        load(tiny_preset(presets).model_copy(update={"alignment": NATIVE}), device="cpu")
