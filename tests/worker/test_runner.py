"""The runner in this process, on real services: what goes wrong in the middle of painting."""

from collections.abc import Iterator
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
from tests.worker import tiny
from tests.worker.conftest import imagine, job_of, tiny_preset
from tests.worker.tastes import store_code
from worker.painting import NOT_A_NUMBER, OUT_OF_MEMORY
from worker.pipelines import Model, load
from worker.runner import Runner


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


@pytest.fixture
def small_device(own_model: Model) -> Iterator[Model]:
    """A model on a device with room for two images, each with its negative."""

    def refuse(_module: Any, arguments: Any) -> None:
        if len(arguments[0]) > 4:
            raise torch.OutOfMemoryError("simulated")

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
