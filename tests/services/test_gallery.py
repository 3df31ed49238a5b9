"""The gallery: seeded whole and once, and an operator's folder with whatever lies in it."""

import io
import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from sqlalchemy import Engine, func
from sqlmodel import Session, select

from app import queue
from app.config import Settings
from app.errors import CorruptFile, InvalidInput, OperatorError
from app.models import Embedding, EncoderSpace, Image
from app.presets import load_presets
from app.queue import embed_queue
from app.services import gallery
from app.storage import get_storage
from app.taste.space import dump_space, fit_space
from tests.gallery import make_gallery

ENCODER = "starter-v2"
COUNT = 40


def picture(seed: int, size: tuple[int, int] = (32, 24)) -> Picture.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Picture.fromarray(pixels)


def encoded(image: Picture.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A gallery as the repository has it."""
    folder = tmp_path / "starter" / "gallery"
    folder.mkdir(parents=True)
    lines = []
    for n in range(COUNT):
        (folder / f"{n:04}.webp").write_bytes(encoded(picture(n), "WEBP"))
        lines.append({"file": f"{n:04}.webp", "prompt": f"picture {n}", "width": 32, "height": 24, "more": n})
    (folder / "index.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    vectors = np.random.default_rng(1).standard_normal((COUNT, 8)).astype(np.float32)
    np.savez(folder / "embeddings.npz", image=vectors, text=vectors[:, :3], encoder=np.array(ENCODER))
    space = fit_space(vectors.astype(np.float64), 4, encoder=ENCODER, version=1)
    (folder.parent / "taste_space.npz").write_bytes(dump_space(space))
    return folder


def count(session: Session, table: type) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


@pytest.mark.usefixtures("settings")
def test_the_gallery_is_seeded_once(session: Session, shipped: Path) -> None:
    assert gallery.seed_gallery(session, folder=shipped) == gallery.SeedReport(added=COUNT)
    session.commit()
    start = time.monotonic()
    assert gallery.seed_gallery(session, folder=shipped) == gallery.SeedReport(present=COUNT)
    session.commit()
    assert time.monotonic() - start < 1
    assert [count(session, table) for table in (Image, Embedding, EncoderSpace)] == [COUNT, COUNT, 1]
    image = session.exec(select(Image).where(Image.prompt == "picture 0")).one()
    assert (image.visibility, image.source, image.width) == ("public", "gallery", 32)
    assert get_storage().get(image.thumbnail_key) == (shipped / "0000.webp").read_bytes()


@pytest.mark.usefixtures("settings")
def test_a_gallery_that_lacks_something_is_refused_whole(session: Session, shipped: Path) -> None:
    (shipped / "0003.webp").unlink()
    with pytest.raises(OperatorError, match=r"0003\.webp"):
        gallery.seed_gallery(session, folder=shipped)
    (shipped / "embeddings.npz").write_bytes(b"PK nothing")
    with pytest.raises(CorruptFile, match=r"embeddings\.npz"):
        gallery.seed_gallery(session, folder=shipped)
    (shipped / "index.jsonl").write_text('{"file": "../../etc/passwd"}')
    with pytest.raises(CorruptFile, match=r"index\.jsonl"):
        gallery.seed_gallery(session, folder=shipped)
    session.rollback()
    assert count(session, Image) == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An operator's folder: three images, one of them twice, and five files that are none."""
    folder = tmp_path / "mine"
    (folder / "below").mkdir(parents=True)
    (folder / "a.png").write_bytes(encoded(picture(1), "PNG"))
    (folder / "below" / "again.png").write_bytes(encoded(picture(1), "PNG"))
    (folder / "large.jpg").write_bytes(encoded(picture(2, (2000, 1000)), "JPEG"))
    (folder / "clear.png").write_bytes(encoded(Picture.new("RGBA", (40, 40), (255, 0, 0, 0)), "PNG"))
    (folder / "cut.png").write_bytes(encoded(picture(3, (200, 200)), "PNG")[:5000])
    (folder / "bomb.png").write_bytes(encoded(Picture.new("1", (30_000, 30_000)), "PNG"))
    (folder / "notes.txt").write_text("not an image")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "script.svg").write_text("<svg onload='x()'/>")
    return folder


@pytest.mark.usefixtures("settings")
def test_an_operators_folder_goes_in_and_bad_files_are_named(
    session: Session, folder: Path, settings: Settings
) -> None:
    load_presets.cache_clear()
    report = gallery.add_folder(session, folder=folder)
    session.commit()
    assert (report.added, report.present) == (3, 0)
    reasons = dict(report.skipped)
    assert sorted(reasons) == ["bomb.png", "cut.png", "empty.jpg", "notes.txt", "script.svg"]
    assert "pixels" in reasons["bomb.png"]
    assert "damaged" in reasons["cut.png"]
    assert "not an image" in reasons["notes.txt"]
    assert queue.waiting(embed_queue(ENCODER)) == 1
    again = gallery.add_folder(session, folder=folder)
    assert (again.added, again.present) == (0, 3)
    sizes = sorted((image.width, image.height) for image in session.exec(select(Image)))
    assert sizes == [(32, 24), (40, 40), (1024, 512)]
    large = session.exec(select(Image).where(Image.width == 1024)).one()
    small = Picture.open(io.BytesIO(get_storage().get(large.thumbnail_key)))
    assert max(small.size) == 320
    clear = session.exec(select(Image).where(Image.width == 40)).one()
    assert Picture.open(io.BytesIO(get_storage().get(clear.key))).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.usefixtures("settings")
def test_images_wait_until_they_are_embedded(session: Session, folder: Path) -> None:
    gallery.add_folder(session, folder=folder)
    waiting = gallery.unembedded(session, encoder="e", limit=2)
    assert len(waiting) == 2
    ids = [image.id for image in waiting if image.id is not None]
    for _ in range(2):
        gallery.store_embeddings(
            session,
            encoder="e",
            image_ids=ids,
            image_vectors=np.ones((2, 4), dtype=np.float32),
            text_vectors=[None, np.ones(2, dtype=np.float32)],
        )
    assert len(gallery.unembedded(session, encoder="e")) == 1
    assert count(session, Embedding) == 2


def test_two_readers_read_different_images(engine: Engine, session: Session) -> None:
    ids = make_gallery(session, count=5)
    session.commit()
    with Session(engine) as other:
        assert [row.id for row in gallery.unembedded(session, encoder="e", limit=2)] == ids[:2]
        assert [row.id for row in gallery.unembedded(other, encoder="e", limit=2)] == ids[2:4]
        assert [row.id for row in gallery.unembedded(other, encoder="another", limit=2)] == ids[:2]
        session.rollback()  # a reader that died
        assert [row.id for row in gallery.unembedded(other, encoder="e", limit=9)] == ids


def test_a_folder_that_is_none_is_named(session: Session, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is no folder"):
        gallery.add_folder(session, folder=tmp_path / "nowhere")
