"""The gallery: the images that come with Penchant, and folders that an operator adds."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Integer, cast, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from app import images, queue
from app.config import REPOSITORY
from app.errors import CorruptFile, InvalidInput, OperatorError
from app.models import Embedding, EncoderSpace, Image, MoodboardImage
from app.presets import load_presets
from app.services.outbox import after_commit
from app.storage import Storage, get_storage
from app.taste.space import dump_space, load_space

SHIPPED = REPOSITORY / "starter" / "gallery"
BATCH = 32
READERS = 16  # workers that read for one encoder, each another batch; more wait for their turn
MAX_FILE_BYTES = 60_000_000

# pg_locks shows the two numbers of an advisory lock without their signs, with objsubid 2.
_BEING_READ = text("""
    select exists (
        select from pg_locks
        where locktype = 'advisory' and objsubid = 2 and pid <> pg_backend_pid()
            and database = (select oid from pg_database where datname = current_database())
            and classid::bigint = hashtext(:name)::bigint & 4294967295
    )
""")


@dataclass(frozen=True)
class SeedReport:
    """What went in: how many images, how many were there already, and files left out with the reason."""

    added: int = 0
    present: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Entry:
    """One file that may go into the gallery."""

    data: bytes
    sha256: bytes
    width: int
    height: int
    prompt: str
    thumbnail: bytes | None = None


def seed_gallery(session: Session, *, folder: Path = SHIPPED, storage: Storage | None = None) -> SeedReport:
    """Load the gallery that comes with the repository: images, embeddings and their space. Idempotent.

    `folder` holds index.jsonl (one object a line: file, prompt, width, height), the files, and embeddings.npz
    (image (n, d), text (n, t), encoder); taste_space.npz lies beside the folder. Raises OperatorError.
    """
    lines = _read_index(folder)
    image_vectors, text_vectors, encoder = _read_embeddings(folder / "embeddings.npz", len(lines))
    _add_space(session, folder.parent / "taste_space.npz", encoder)
    data = [_read_file(folder, str(line["file"])) for line in lines]
    digests = [hashlib.sha256(item).digest() for item in data]
    ids = _ids_by_digest(session, digests)
    entries = {
        digest: _Entry(item, digest, int(line["width"]), int(line["height"]), str(line["prompt"]))
        for digest, item, line in zip(digests, data, lines, strict=True)
        if digest not in ids
    }
    ids |= _add(session, storage or get_storage(), list(entries.values()))
    rows = [
        {"image_id": ids[digest], "encoder": encoder, "image_vector": vector, "text_vector": text}
        for digest, vector, text in zip(digests, image_vectors, text_vectors, strict=True)
    ]
    _add_missing_embeddings(session, encoder, rows)
    return SeedReport(added=len(entries), present=len(lines) - len(entries))


def add_folder(session: Session, *, folder: Path, storage: Storage | None = None) -> SeedReport:
    """Add an operator's images to the gallery. Files that cannot be read are skipped, each with its reason.

    The images can be rated once a worker has embedded them. Raises InvalidInput when there is no such folder.
    """
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is no folder. Name one that holds images.")
    skipped: list[tuple[str, str]] = []
    added = present = 0
    for chunk in _chunks(sorted(path for path in folder.rglob("*") if path.is_file())):
        entries, there = _decode(session, folder, chunk, skipped)
        added += len(_add(session, storage or get_storage(), entries))
        present += there
    if added:
        after_commit(session, wake_encoders)
    return SeedReport(added=added, present=present, skipped=skipped)


def _decode(
    session: Session, folder: Path, paths: Sequence[Path], skipped: list[tuple[str, str]]
) -> tuple[list[_Entry], int]:
    sources: dict[bytes, tuple[Path, bytes]] = {}
    for path in paths:
        try:
            data = _read_limited(path)
        except (OSError, InvalidInput) as error:
            skipped.append((str(path.relative_to(folder)), str(error)))
            continue
        sources.setdefault(hashlib.sha256(data).digest(), (path, data))
    known = _ids_by_digest(session, list(sources))
    entries = []
    for digest, (path, data) in sources.items():
        if digest in known:
            continue
        try:
            picture = images.within(images.decode(data), images.MAX_SIDE)
        except InvalidInput as error:
            skipped.append((str(path.relative_to(folder)), error.message))
            continue
        entries.append(
            _Entry(images.webp(picture), digest, *picture.size, "", thumbnail=images.thumbnail(picture))
        )
    return entries, len(known)


def wake_encoder(encoder: str, *, after: int = 0) -> None:
    """Ask a worker with `encoder` to embed a batch of images beyond the id `after`, and then the next."""
    queue.send(queue.EMBED_TASK, after, queue=queue.embed_queue(encoder))


def wake_encoders() -> None:
    """Tell the workers of every installed model's encoder that there may be images to embed."""
    installed = [preset for preset in load_presets().values() if not preset.missing]
    for encoder in sorted({preset.encoder for preset in installed}):
        wake_encoder(encoder)


def unembedded(session: Session, *, encoder: str, after: int = 0, limit: int = BATCH) -> list[Image]:
    """Images beyond the id `after` that are public or in a moodboard and that `encoder` has not seen, the
    oldest first. They are this transaction's until it ends: another that asks meanwhile gets the next ones.
    """
    missing = (
        ~select(Embedding)
        .where(col(Embedding.image_id) == col(Image.id), col(Embedding.encoder) == encoder)
        .exists()
    )
    collected = select(MoodboardImage).where(col(MoodboardImage.image_id) == col(Image.id)).exists()
    next_ones = (
        select(col(Image.id))
        .where(or_(col(Image.visibility) == "public", collected), col(Image.id) > after, missing)
        .order_by(col(Image.id))
        .limit(READERS * limit)
        .cte()
        .prefix_with("materialized", dialect="postgresql")  # or locks are taken of images that are not given
    )
    free = func.pg_try_advisory_xact_lock(_lock(encoder), cast(next_ones.c.id, Integer))
    claimed = select(next_ones.c.id).where(free).limit(limit)
    ids = session.scalars(claimed).all()
    query = select(Image).where(col(Image.id).in_(ids), missing).order_by(col(Image.id))
    return list(session.scalars(query))


def being_read(session: Session, *, encoder: str) -> bool:
    """Whether another transaction has images that `unembedded` gave it for this encoder."""
    return bool(session.execute(_BEING_READ, {"name": _lock_name(encoder)}).scalar())


def _lock(encoder: str) -> Any:
    return func.hashtext(_lock_name(encoder))


def _lock_name(encoder: str) -> str:
    return f"penchant:embed:{encoder}"


def store_embeddings(
    session: Session,
    *,
    encoder: str,
    image_ids: Sequence[int],
    image_vectors: NDArray[np.float32],
    text_vectors: Sequence[NDArray[np.float32] | None],
) -> None:
    """Insert embeddings (n, d), and (t,) for each image with a prompt; those there already stay as they
    are."""
    rows = [
        {"image_id": image_id, "encoder": encoder, "image_vector": vector, "text_vector": text}
        for image_id, vector, text in zip(image_ids, image_vectors, text_vectors, strict=True)
    ]
    if rows:
        session.execute(insert(Embedding).on_conflict_do_nothing(), rows)


def _add(session: Session, storage: Storage, entries: Sequence[_Entry]) -> dict[bytes, int]:
    """Files first, then rows: a row never lacks its file."""
    for entry in entries:
        storage.put(_key(entry), entry.data, content_type="image/webp")
        if entry.thumbnail is not None:
            storage.put(_thumbnail_key(entry), entry.thumbnail, content_type="image/webp")
    if not entries:
        return {}
    rows = [
        {
            "source": "gallery",
            "visibility": "public",
            "key": _key(entry),
            "thumbnail_key": _thumbnail_key(entry),
            "sha256": entry.sha256,
            "width": entry.width,
            "height": entry.height,
            "prompt": entry.prompt,
        }
        for entry in entries
    ]
    session.execute(insert(Image).on_conflict_do_nothing(), rows)
    return _ids_by_digest(session, [entry.sha256 for entry in entries])


def _key(entry: _Entry) -> str:
    return f"gallery/{entry.sha256.hex()}.webp"


def _thumbnail_key(entry: _Entry) -> str:
    return _key(entry) if entry.thumbnail is None else f"gallery/{entry.sha256.hex()}.thumb.webp"


def _ids_by_digest(session: Session, digests: Sequence[bytes]) -> dict[bytes, int]:
    query = select(col(Image.sha256), col(Image.id)).where(
        col(Image.source) == "gallery", col(Image.sha256).in_(digests)
    )
    return {bytes(digest): int(image_id) for digest, image_id in session.execute(query)}


def _add_missing_embeddings(session: Session, encoder: str, rows: list[dict[str, Any]]) -> None:
    ids = [row["image_id"] for row in rows]
    there = select(func.count()).where(col(Embedding.encoder) == encoder, col(Embedding.image_id).in_(ids))
    if session.scalar(there) != len(set(ids)):
        session.execute(insert(Embedding).on_conflict_do_nothing(), rows)


def _add_space(session: Session, path: Path, encoder: str) -> None:
    try:
        space = load_space(path)
    except ValueError as error:
        raise CorruptFile(f"{path} cannot be used ({error}). Restore it from the repository.") from error
    if space.encoder != encoder:
        raise CorruptFile(f"{path} belongs to {space.encoder}, the gallery to {encoder}.")
    values = {"encoder": encoder, "version": space.version, "data": dump_space(space)}
    session.execute(insert(EncoderSpace).values(values).on_conflict_do_nothing())


def _read_index(folder: Path) -> list[dict[str, Any]]:
    path = folder / "index.jsonl"
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
    except (OSError, ValueError) as error:
        raise OperatorError(f"The gallery's {path} cannot be read ({error}). Restore it.") from error
    if not all(
        isinstance(line, dict) and {"file", "prompt", "width", "height"} <= line.keys() for line in lines
    ):
        raise CorruptFile(f"{path} lacks a file, prompt, width or height. Restore it from the repository.")
    return lines


def _read_embeddings(path: Path, n: int) -> tuple[NDArray[np.float32], NDArray[np.float32], str]:
    try:
        with np.load(path, allow_pickle=False) as data:
            image, text = (np.asarray(data[name], dtype=np.float32) for name in ("image", "text"))
            encoder = str(data["encoder"][()])
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise CorruptFile(f"{path} cannot be used ({error}). Restore it from the repository.") from error
    if len(image) != n or len(text) != n or not (np.isfinite(image).all() and np.isfinite(text).all()):
        raise CorruptFile(f"{path} does not fit the gallery's index. Restore both from the repository.")
    return image, text, encoder


def _read_file(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise CorruptFile(f"The gallery's index names {name}, outside its folder.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise OperatorError(f"The gallery's {path} cannot be read ({error}). Restore it.") from error


def _read_limited(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InvalidInput(f"is larger than {MAX_FILE_BYTES:,} bytes")
    return path.read_bytes()


def _chunks(paths: list[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(paths), BATCH):
        yield paths[start : start + BATCH]
