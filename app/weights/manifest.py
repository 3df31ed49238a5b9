"""What `penchant models add` writes down of a model: where each file came from, and its checksum."""

import hashlib
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.errors import CorruptFile
from app.presets import MANIFEST

CHUNK = 1 << 20
Advance = Callable[[int], object]


class Origin(BaseModel):
    """A repository of the hub and the commit that was taken; `repo` is a folder's path for --from."""

    model_config = ConfigDict(frozen=True)

    repo: str
    revision: str | None = None


class FileRecord(BaseModel):
    """One file of the model as it was when it was added."""

    model_config = ConfigDict(frozen=True)

    sha256: str = Field(pattern=r"\A[0-9a-f]{64}\z")
    size: int = Field(ge=0)


class Manifest(BaseModel):
    """The file penchant.json of an added model. `files` are by path below its folder."""

    model_config = ConfigDict(frozen=True)

    preset: str
    licence: str
    accepted_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    origins: tuple[Origin, ...]
    files: dict[str, FileRecord]


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write the manifest of a folder; it is there whole or not at all."""
    temporary = folder / f".{MANIFEST}"
    temporary.write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    os.replace(temporary, folder / MANIFEST)


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file. Raises CorruptFile."""
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        name = path.parent.name
        raise CorruptFile(f"{path} cannot be read. Run `penchant models add {name} --again`.") from error


def record(folder: Path, paths: Iterable[Path], advance: Advance) -> dict[str, FileRecord]:
    """Hash files below a folder."""
    found = {}
    for path in sorted(paths):
        digest = sha256_of(path, advance)
        found[path.relative_to(folder).as_posix()] = FileRecord(sha256=digest, size=path.stat().st_size)
    return found


def sha256_of(path: Path, advance: Advance) -> str:
    """The file's checksum; `advance` is told of the bytes as they are read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest()


def check_sizes(manifest: Manifest, folder: Path) -> None:
    """Raise CorruptFile where a file is gone or has another size: looked at each time a model is loaded."""
    for name, known in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise CorruptFile(f"{path} is gone. {_again(manifest)}")
        if path.stat().st_size != known.size:
            raise CorruptFile(f"{path} is damaged (its size differs). {_again(manifest)}")


def check_hashes(manifest: Manifest, folder: Path, advance: Advance) -> None:
    """Raise CorruptFile where a file is not what was added, byte by byte."""
    check_sizes(manifest, folder)
    for name, known in manifest.files.items():
        if sha256_of(folder / name, advance) != known.sha256:
            raise CorruptFile(f"{folder / name} is damaged (its checksum differs). {_again(manifest)}")


def _again(manifest: Manifest) -> str:
    return f"Run `penchant models add {manifest.preset} --again`."
