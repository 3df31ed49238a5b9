"""The runner in this process, on real services: what goes wrong in the middle of painting."""

import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import torch
from obstore.store import LocalStore
from PIL import Image as Picture
from sqlalchemy import Engine, delete, select
from sqlmodel import Session, col

from app import queue
from app.errors import Unavailable
from app.images import webp
from app.models import Code, Embedding, Image, Job, JobImage, Person
from app.services import gallery, spaces
from app.services.events import get_events
from app.services.tastes import load_space
from app.storage import Storage, get_storage
from tests.gallery import make_gallery
from tests.worker import tiny
from tests.worker.conftest import forget, imagine, job_of, tiny_preset, wait_until, with_preset
from tests.worker.tastes import store_code
from worker.painting import NOT_A_NUMBER
from worker.pipelines import Model, load
from worker.runner import Runner
from worker.storing import OUT_OF_MEMORY


@pytest.fixture(autouse=True)
def _long_leases(studio: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here is about leases, and one must not run out where the machine is busy."""
    monkeypatch.setenv("PENCHANT_LEASE_SECONDS", "60")
    forget()


@pytest.fixture
def own_model(presets: Path) -> Model:
    """A model that a test may break."""
    return load(tiny_preset(presets), device="cpu")


def run(engine: Engine, model: Model, *, storage: Storage | None = None, times: int = 1) -> None:
    """Paint that many waiting jobs and wait until all is stored."""
    runner = Runner(engine, storage or get_storage(), get_events(), model)
    runner.start()
    for _ in range(times):
        runner.render()
    runner.stop()


def slots(engine: Engine, job_id: UUID) -> list[int]:
    with Session(engine) as session:
        return sorted(session.scalars(select(col(JobImage.slot)).where(col(JobImage.job_id) == job_id)))


def files() -> set[str]:
    found = get_storage()._store.list().collect()
    return {entry["path"] for entry in found}


# How memory that is short is spoken of: by torch, by a library of the driver's, by the driver.
SHORT = (
    torch.OutOfMemoryError("simulated"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    torch.AcceleratorError("CUDA error: out of memory"),
)


@pytest.fixture(params=SHORT, ids=["torch", "cublas", "driver"])
def small_device(own_model: Model, request: pytest.FixtureRequest) -> Iterator[Model]:
    """A model on a device with room for two images, each with its negative."""

    def refuse(_module: Any, arguments: Any) -> None:
        if len(arguments[0]) > 4:
            raise request.param

    handle = own_model._plain.unet.register_forward_pre_hook(refuse)
    yield own_model
    handle.remove()


def test_out_of_memory_makes_smaller_batches(engine: Engine, person: Person, small_device: Model) -> None:
    job_id = imagine(engine, person, "a cat --n 4")
    run(engine, small_device)
    assert job_of(engine, job_id).state == "done"
    assert slots(engine, job_id) == [0, 1, 2, 3]


def test_a_device_too_small_for_one_image_fails_the_job_only(
    engine: Engine, person: Person, own_model: Model
) -> None:
    def refuse(_module: Any, arguments: Any) -> None:
        if arguments[0].shape[-1] > tiny.SIZE // 8:
            raise torch.OutOfMemoryError("simulated")

    own_model._plain.unet.register_forward_pre_hook(refuse)
    wide, square = imagine(engine, person, "a cat --ar 3:2"), imagine(engine, person, "a cat --n 1")
    run(engine, own_model, times=2)
    failed = job_of(engine, wide)
    assert (failed.state, failed.error_code, failed.error) == ("failed", "out_of_memory", OUT_OF_MEMORY)
    assert job_of(engine, square).state == "done"


@pytest.mark.parametrize(
    "error",
    [
        torch.AcceleratorError("CUDA error: device-side assert triggered"),
        RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx( handle`"),
    ],
    ids=["driver", "cublas"],
)
@pytest.mark.parametrize("part", ["unet", "image_encoder"])  # of painting, and of storing
def test_a_broken_device_costs_nobody_his_job_and_the_process_its_life(
    engine: Engine, person: Person, own_model: Model, error: Exception, part: str
) -> None:
    def refuse(*_: Any) -> None:
        raise error

    getattr(own_model._plain, part).register_forward_pre_hook(refuse)
    jobs = [imagine(engine, person, f"{what} --n 1") for what in ("a cat", "a dog")]
    later = imagine(engine, person, "a cat --ar 3:2")
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    runner = Runner(engine, get_storage(), get_events(), own_model)
    runner.start()
    runner.render()
    wait_until(runner.stopping.is_set, seconds=20)  # where storing finds it, a sweep tells
    runner.render()
    runner.stop()
    signal.signal(signal.SIGTERM, before)
    assert told == [signal.SIGTERM]
    for job_id in jobs:  # whoever comes next tries them again, for the second time
        assert (job_of(engine, job_id).state, job_of(engine, job_id).attempts) == ("running", 1)
    assert (job_of(engine, later).state, job_of(engine, later).attempts) == ("queued", 0)


class Scarce:
    """Memory that lacks for the first `times` uses of a part of a model that `concerns` speaks of."""

    def __init__(self, part: torch.nn.Module, times: int, concerns: Callable[[torch.Tensor], bool]) -> None:
        self.uses = 0
        self._times = times
        self._concerns = concerns
        part.register_forward_pre_hook(self._refuse)

    def _refuse(self, _module: Any, arguments: Any) -> None:
        if self._concerns(arguments[0]):
            self.uses += 1
            if self.uses <= self._times:
                raise torch.OutOfMemoryError("simulated")


def of_text(model: Model, text: str) -> Callable[[torch.Tensor], bool]:
    """Whether a text encoder is given that text."""
    tokenizer = model._plain.tokenizer
    tokens = tokenizer(text, padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt")
    return lambda given: any(torch.equal(row, tokens.input_ids[0]) for row in given)


def everything(_given: torch.Tensor) -> bool:
    return True


@pytest.mark.parametrize(("times", "state"), [(1, "done"), (2, "failed")])
def test_one_image_is_tried_again_with_the_memory_freed(
    engine: Engine, person: Person, own_model: Model, times: int, state: str
) -> None:
    Scarce(own_model._plain.unet, times, everything)
    first, second = (imagine(engine, person, f"{prompt} --n 1") for prompt in ("a cat", "a dog"))
    run(engine, with_preset(own_model, max_batch=1), times=2)
    assert [job_of(engine, job_id).state for job_id in (first, second)] == [state, "done"]
    assert slots(engine, first) == ([0] if state == "done" else [])


def test_a_text_that_is_too_much_once_is_encoded_again(
    engine: Engine, person: Person, own_model: Model
) -> None:
    scarce = Scarce(own_model._plain.text_encoder, 1, of_text(own_model, "a cat"))
    job_id = imagine(engine, person, "a cat --n 2")
    run(engine, own_model)
    assert scarce.uses > 1
    assert job_of(engine, job_id).state == "done"
    assert slots(engine, job_id) == [0, 1]


def test_a_text_that_is_too_much_ends_its_own_job_and_none_beside_it(
    engine: Engine, person: Person, own_model: Model
) -> None:
    scarce = Scarce(own_model._plain.text_encoder, 2, of_text(own_model, "a dog"))
    jobs = [imagine(engine, person, f"{prompt} --n 1") for prompt in ("a cat", "a dog", "rain")]
    run(engine, own_model)
    ends = [job_of(engine, job_id) for job_id in jobs]
    assert [job.state for job in ends] == ["done", "failed", "done"]
    assert (ends[1].error_code, ends[1].error) == ("out_of_memory", OUT_OF_MEMORY)
    assert scarce.uses == 2
    again = imagine(engine, person, "a dog --n 1")
    run(engine, own_model)
    assert job_of(engine, again).state == "done"


def test_an_image_whose_embedding_is_too_much_once_is_stored(
    engine: Engine, person: Person, own_model: Model
) -> None:
    scarce = Scarce(own_model._plain.image_encoder, 1, everything)
    job_id = imagine(engine, person, "a cat --n 2")
    run(engine, own_model)
    assert scarce.uses == 2
    assert job_of(engine, job_id).state == "done"
    assert slots(engine, job_id) == [0, 1]


def test_an_image_whose_embedding_is_too_much_fails_its_job_with_that_reason(
    engine: Engine, person: Person, own_model: Model
) -> None:
    Scarce(own_model._plain.image_encoder, 2, everything)
    first, second = (imagine(engine, person, f"{prompt} --n 2") for prompt in ("a cat", "a dog"))
    run(engine, own_model, times=2)
    job = job_of(engine, first)
    assert (job.state, job.error_code, job.error) == ("failed", "out_of_memory", OUT_OF_MEMORY)
    assert get_events().latest(first) == {"state": "failed", "error": OUT_OF_MEMORY}
    assert slots(engine, first) == []
    assert job_of(engine, second).state == "done"
    assert files()
    assert all(str(second) in path for path in files())


def test_not_a_number_fails_the_job_and_leaves_no_picture(
    engine: Engine, person: Person, own_model: Model
) -> None:
    with torch.no_grad():
        own_model._plain.unet.conv_out.bias.fill_(float("nan"))
    job_id = imagine(engine, person, "a cat --n 1")
    run(engine, own_model)
    job = job_of(engine, job_id)
    assert (job.state, job.error_code, job.error) == ("failed", "unusable_image", NOT_A_NUMBER)
    assert get_events().latest(job_id) == {"state": "failed", "error": NOT_A_NUMBER}
    assert slots(engine, job_id) == []
    assert files() == set()


class Full(Storage):
    """A store whose disk is full after some files."""

    def __init__(self, room: int, folder: Path) -> None:
        super().__init__(LocalStore(prefix=str(folder)))
        self.room = room

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        if not self.room:
            raise Unavailable("The image store refused a write; is its disk full?")
        self.room -= 1
        super().put(key, data, content_type=content_type)


def test_a_full_disk_fails_the_job_and_leaves_no_file(
    engine: Engine, person: Person, model: Model, tmp_path: Path
) -> None:
    job_id = imagine(engine, person, "a cat --n 3")
    store = Full(2, tmp_path)
    run(engine, model, storage=store)
    store.room = 9
    other = imagine(engine, person, "a dog --n 1")
    run(engine, model, storage=store)
    job = job_of(engine, job_id)
    assert (job.state, job.error_code) == ("failed", "unavailable")
    assert "disk full" in str(job.error)
    assert slots(engine, job_id) == []
    assert job_of(engine, other).state == "done"
    assert sorted(path.name for path in tmp_path.rglob("*.webp")) == ["0.webp"]


def test_a_taste_that_is_gone_fails_the_job_with_its_name(
    engine: Engine, session: Session, person: Person, model: Model
) -> None:
    code = store_code(session, person)
    job_id = imagine(engine, person, f"a cat --p {code}")
    session.execute(delete(Code))
    session.commit()
    run(engine, model)
    job = job_of(engine, job_id)
    assert (job.state, job.error_code) == ("failed", "not_found")
    assert code in str(job.error)


def test_an_account_deleted_in_mid_job_leaves_nothing(
    engine: Engine, session: Session, person: Person, own_model: Model
) -> None:
    def leave(_module: Any, _arguments: Any) -> None:
        with Session(engine) as other:
            other.execute(delete(Person))
            other.commit()

    imagine(engine, person, "a cat --n 2")
    own_model._plain.unet.register_forward_pre_hook(leave)
    run(engine, own_model)
    for table in (Job, JobImage, Image, Embedding):
        assert session.scalars(select(table)).all() == []
    assert files() == set()


def test_the_gallerys_images_are_embedded(
    engine: Engine, session: Session, person: Person, model: Model, tmp_path: Path
) -> None:
    for n in range(3):
        (tmp_path / f"{n}.webp").write_bytes(webp(Picture.new("RGB", (50, 40), (80 * n, 0, 0))))
    gallery.add_folder(session, folder=tmp_path)
    session.commit()
    runner = Runner(engine, get_storage(), get_events(), model)
    first = session.scalars(select(Image).order_by(col(Image.id))).first()
    assert first is not None
    get_storage().delete(first.key)
    for _ in range(2):
        runner.embed()
    rows = session.scalars(select(Embedding)).all()
    assert {(row.encoder, len(row.image_vector)) for row in rows} == {(tiny.ENCODER, tiny.WIDTH)}
    assert len(rows) == 2
    assert queue.waiting(queue.embed_queue(tiny.ENCODER)) == 3


def refused_by(own_model: Model, refuses: Callable[[torch.Tensor], bool]) -> list[int]:
    """Let the image encoder's memory lack for what `refuses` speaks of; how many images it was given at
    once."""
    given: list[int] = []

    def refuse(_module: Any, arguments: Any) -> None:
        given.append(len(arguments[0]))
        if refuses(arguments[0]):
            raise torch.OutOfMemoryError("simulated")

    own_model._plain.image_encoder.register_forward_pre_hook(refuse)
    return given


def add_greys(session: Session, folder: Path, *levels: int) -> None:
    """Images of one grey each for the gallery, in that order."""
    for n, level in enumerate(levels):
        (folder / f"{n}.webp").write_bytes(webp(Picture.new("RGB", (40, 40), (level,) * 3)))
    gallery.add_folder(session, folder=folder)
    session.commit()


def test_the_gallery_is_read_in_smaller_batches_where_memory_lacks(
    engine: Engine, session: Session, person: Person, own_model: Model, tmp_path: Path
) -> None:
    given = refused_by(own_model, lambda pixels: len(pixels) > 2)
    add_greys(session, tmp_path, *range(0, 250, 50))
    runner = Runner(engine, get_storage(), get_events(), own_model)
    runner.embed()
    assert given == [5, 2, 2, 1]
    assert len(session.scalars(select(Embedding)).all()) == 5


def test_an_image_that_is_too_much_to_embed_is_left_out_with_the_reason(
    engine: Engine,
    session: Session,
    person: Person,
    own_model: Model,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = refused_by(own_model, lambda pixels: bool((pixels.amin(dim=(1, 2, 3)) > 1.5).any()))
    add_greys(session, tmp_path, 0, 50, 255, 100)
    white = session.scalars(select(col(Image.id)).order_by(col(Image.id)).offset(2).limit(1)).one() or 0
    runner = Runner(engine, get_storage(), get_events(), own_model)
    runner.embed()
    runner.embed(after=white)  # and is not tried for ever
    assert given == [4, 2, 2, 1, 1, 1]
    assert len(session.scalars(select(Embedding)).all()) == 3
    assert f"image {white} cannot be embedded: the device has too little memory" in caplog.text
    assert queue.waiting(queue.embed_queue(tiny.ENCODER)) == 2  # of the folder, and of the first batch


def test_a_new_encoder_reads_the_gallery_in_batches_and_opens_its_space(
    engine: Engine, session: Session, person: Person, model: Model, tmp_path: Path
) -> None:
    """Interrupted after the first batch, and taken up again by the next worker."""
    rng = np.random.default_rng(2)
    for n in range(gallery.BATCH + 8):
        pixels = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        (tmp_path / f"{n}.webp").write_bytes(webp(Picture.fromarray(pixels).resize((40, 40))))
    gallery.add_folder(session, folder=tmp_path)
    session.commit()
    stopped = Runner(engine, get_storage(), get_events(), model)
    stopped.embed()
    stopped.stopping.set()
    stopped.embed()
    states = {state.encoder: state for state in spaces.list_spaces(session)}
    assert (states[tiny.ENCODER].embedded, states[tiny.ENCODER].images) == (gallery.BATCH, gallery.BATCH + 8)
    session.rollback()
    runner = Runner(engine, get_storage(), get_events(), model)
    for _ in range(2):
        runner.embed()
    space = load_space(session, encoder=tiny.ENCODER)
    assert (space.version, len(space.centre), len(space.scales)) == (1, tiny.WIDTH, 5)


def test_a_space_is_not_opened_while_another_worker_still_reads(
    engine: Engine, session: Session, model: Model, studio: object
) -> None:
    ids = make_gallery(session, count=2 * gallery.BATCH)
    session.commit()
    runner = Runner(engine, get_storage(), get_events(), model)
    with Session(engine) as other:
        theirs = gallery.unembedded(other, encoder=tiny.ENCODER)
        assert [row.id for row in theirs] == ids[: gallery.BATCH]
        with Session(engine) as before:
            _store(before, ids[gallery.BATCH :])
            before.commit()
        runner.embed(after=ids[-1])
        runner.embed()
        assert tiny.ENCODER not in spaces.open_spaces(session)
        _store(other, ids[: gallery.BATCH])
        other.commit()
    session.rollback()
    runner.embed(after=ids[gallery.BATCH - 1])
    assert tiny.ENCODER in spaces.open_spaces(session)
    fitted = load_space(session, encoder=tiny.ENCODER)
    assert len(fitted.scales) == spaces.components(2 * gallery.BATCH, 16)


def _store(session: Session, image_ids: Sequence[int]) -> None:
    rng = np.random.default_rng(image_ids[0])
    gallery.store_embeddings(
        session,
        encoder=tiny.ENCODER,
        image_ids=image_ids,
        image_vectors=rng.standard_normal((len(image_ids), 16)).astype(np.float32),
        text_vectors=[None] * len(image_ids),
    )
