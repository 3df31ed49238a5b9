"""A model is added whole or not at all: gathered in a folder beside, checked, then moved into its place."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from app.errors import Conflict, CorruptFile, NotFound, OperatorError
from app.presets import MANIFEST, Preset, Source
from app.weights.check import refuse_executables, verify
from app.weights.hub import TAKEN, Hub, RemoteFile, Snapshot, bytes_of, plain_name, select
from app.weights.manifest import (
    CHUNK,
    Advance,
    Manifest,
    Origin,
    check_hashes,
    read_manifest,
    record,
    write_manifest,
)

INCOMING = ".incoming"
COPIED, REPLACED = ".copied", ".replaced"  # behind a model's name in there
PINNED = "revisions.txt"  # beside what is being downloaded: what it is of, for the next attempt
SPARE_BYTES = 500_000_000


class Progress(Protocol):
    """What follows a long work: named parts, each of so many bytes."""

    def part(self, name: str, size: int) -> Advance: ...


def add_from_hub(preset: Preset, *, hub: Hub, progress: Progress, again: bool = False) -> Manifest:
    """Download a preset's own files, check them, and put them in their place. An interrupted download is
    gone on with the next time. With `again` they take the place of those that are there.

    Raises Conflict, NotFound, OperatorError, Unavailable.
    """
    check_addable(preset, again=again)
    stage = _made(_stage_of(preset))
    snapshots = _pinned(preset, stage, hub)
    files = [(snapshot, file) for snapshot in snapshots for file in snapshot.files]
    _stay_below(stage, files=[stage / file.target for _, file in files])
    _need_room(stage, sum(_lacking(file, stage / file.target) for _, file in files))
    for snapshot, file in files:
        _fetch(hub, snapshot, file, stage / file.target, progress)
    for path in set(_files(stage)) - {stage / file.target for _, file in files}:
        path.unlink()  # of an older revision
    _rename_pieces(preset, stage)
    return _finish(preset, stage, [Origin(repo=s.repo, revision=s.revision) for s in snapshots], progress)


def add_from_folder(preset: Preset, *, folder: Path, progress: Progress, again: bool = False) -> Manifest:
    """Copy a preset's own files from a folder laid out as the installed model is: the diffusers layout, with
    the encoder in image_encoder/ and the adapter where the preset says. Those are copied that a download
    would bring, in the one precision that the preset names. Where the folder has a manifest, it says which
    files there are, and every one must be what it says. With `again` they take the place of those that are
    there.

    Raises Conflict, NotFound, OperatorError.
    """
    check_addable(preset, again=again)
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder. Name one that holds the files of {preset.name}.")
    stage = _beside(preset, COPIED)
    for passing in (stage, _stage_of(preset)):
        if folder.resolve().is_relative_to(passing.resolve()):
            raise Conflict(f"{passing} is emptied when a model is added. Move the files elsewhere first.")
    refuse_executables(folder)
    known = read_manifest(folder / MANIFEST) if (folder / MANIFEST).is_file() else None
    wanted = _wanted(preset, folder, known)
    if not wanted:
        raise NotFound(
            f"{folder} holds none of the files that {preset.name} is made of. Name the model's own folder."
        )
    if stage.is_dir():  # of a copy that was interrupted
        shutil.rmtree(stage)
    _need_room(_made(stage), sum(path.stat().st_size for path in wanted.values()))
    for name, path in wanted.items():
        _copy(path, stage / name, progress.part(name, path.stat().st_size))
    origins = [Origin(repo=str(folder.resolve()))]
    if known is not None:
        origins = list(known.origins)
        check_hashes(known, stage, progress.part("checksums", _bytes(known)))
    else:
        _rename_pieces(preset, stage)
    return _finish(preset, stage, origins, progress)


def verify_installed(preset: Preset, *, progress: Progress) -> None:
    """Check every byte of an installed preset. Raises OperatorError."""
    verify(preset)
    for manifest in preset.needs.values():
        known = read_manifest(manifest)
        check_hashes(known, manifest.parent, progress.part(known.preset, _bytes(known)))


def remove(preset: Preset, *, presets: Iterable[Preset]) -> None:
    """Delete a preset's own files, also those of a download or a copy that was not finished.

    Raises Conflict where another installed preset uses them, NotFound where there is nothing to remove.
    """
    if not preset.sources:
        raise NotFound(f"The files of {preset.name} were not added with `penchant models add`: delete them.")
    users = sorted(
        one.name for one in presets if one is not preset and preset.name in one.needs and not one.missing
    )
    if users:
        raise Conflict(f"{', '.join(users)} use the files of {preset.name}. Remove them first.")
    stage = _stage_of(preset)
    passing = (stage, _beside(preset, COPIED), _beside(preset, REPLACED))
    there = [folder for folder in (*passing, preset.own) if folder.is_dir()]
    if not there:
        raise NotFound(f"The model {preset.name} is not installed.")
    for folder in there:
        # Without its manifest it is no longer installed, however far the rest comes.
        (folder / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(folder)


def check_addable(preset: Preset, *, again: bool = False) -> None:
    """Raise Conflict where there is nothing to add, unless it is to be added `again`, or something else has
    to be added first."""
    if not preset.sources:
        raise Conflict(f"The model {preset.name} needs nothing added: its files are in {preset.folder}.")
    if preset.name not in preset.missing and not again:
        raise Conflict(
            f"The model {preset.name} is installed. `penchant models verify {preset.name}` looks whether "
            f"it is whole, `penchant models add {preset.name} --again` takes its files once more."
        )
    others = [name for name in preset.missing if name != preset.name]
    if others:
        raise Conflict(f"{preset.name} is made of {others[0]}. Run `penchant models add {others[0]}` first.")


def _stage_of(preset: Preset) -> Path:
    return preset.own.parent / INCOMING / preset.name


def _beside(preset: Preset, what: str) -> Path:
    return preset.own.parent / INCOMING / f"{preset.name}{what}"


def _made(stage: Path) -> Path:
    try:
        stage.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OperatorError(
            f"{stage} cannot be made ({error.strerror}). Set PENCHANT_MODELS to a folder that can be written."
        ) from error
    return stage


def _pinned(preset: Preset, stage: Path, hub: Hub) -> list[Snapshot]:
    """Each source at its commit. One that the preset leaves open stays what it was at the first attempt."""
    kept = stage / PINNED
    earlier = dict(line.split() for line in kept.read_text().splitlines()) if kept.is_file() else {}
    snapshots = []
    for source in preset.sources:
        pinned = source.revision or earlier.get(source.repo)
        snapshots.append(hub.resolve(source.model_copy(update={"revision": pinned})))
    kept.write_text("".join(f"{one.repo} {one.revision}\n" for one in snapshots))
    return snapshots


def _stay_below(stage: Path, *, files: Iterable[Path]) -> None:
    """Raise Conflict where a link among what an earlier attempt left leads a file elsewhere."""
    for path in files:
        if not path.resolve().is_relative_to(stage.resolve()):
            raise Conflict(f"{path} leads out of {stage}, through a link. Take the link away.")


def _lacking(file: RemoteFile, path: Path) -> int:
    """How many bytes of a file are still to be downloaded."""
    if path.is_file():
        return 0
    return max(0, file.size - bytes_of(path.with_name(f"{path.name}.part")))


def _fetch(hub: Hub, snapshot: Snapshot, file: RemoteFile, path: Path, progress: Progress) -> None:
    """Download a file unless it is there, and check it. What fails the check is thrown away."""
    advance = progress.part(file.target, file.size)
    if path.is_file() and _is(file, path):
        advance(file.size)
        return
    hub.download(snapshot, file, path, advance)
    if not _is(file, path):
        path.unlink()
        raise CorruptFile(
            f"{file.path} of {snapshot.repo} arrived damaged (its checksum differs). Run the command again."
        )


def _is(file: RemoteFile, path: Path) -> bool:
    size = path.stat().st_size
    if size != file.size:
        return False
    with path.open("rb") as data:
        if file.sha256 is not None:
            return hashlib.file_digest(data, "sha256").hexdigest() == file.sha256
        blob = hashlib.sha1(b"blob %d\0" % size)  # how git names what it stores
        while chunk := data.read(CHUNK):
            blob.update(chunk)
    return file.blob is None or blob.hexdigest() == file.blob


def _copy(source: Path, target: Path, advance: Advance) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as data, target.open("wb") as out:
        while chunk := data.read(CHUNK):
            out.write(chunk)
            advance(len(chunk))


def _rename_pieces(preset: Preset, stage: Path) -> None:
    """Weights in several pieces are found by the names in their index: these lose the variant too, as the
    pieces have."""
    variants = [source.variant for source in preset.sources if source.variant is not None]
    for path in stage.rglob("*.safetensors.index.json") if variants else ():
        try:
            index = json.loads(path.read_text("utf-8"))
            named = index["weight_map"]
            for variant in variants:
                named = {weight: plain_name(piece, variant) for weight, piece in named.items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # `verify` tells what is wrong with it
        if named != index["weight_map"]:
            path.write_text(json.dumps(index | {"weight_map": named}), "utf-8")


def _finish(preset: Preset, stage: Path, origins: list[Origin], progress: Progress) -> Manifest:
    """Check what was gathered as if it were in its place, write the manifest, and move it there."""
    (stage / PINNED).unlink(missing_ok=True)
    paths = _files(stage)
    with _as_it_is_told(stage):
        verify(_staged(preset, stage))
    advance = progress.part("checksums", sum(path.stat().st_size for path in paths))
    manifest = Manifest(
        preset=preset.name,
        licence=preset.licence,
        origins=tuple(origins),
        files=record(stage, paths, advance),
    )
    write_manifest(manifest, stage)
    before = _beside(preset, REPLACED)
    if before.exists():  # of a replacement that was interrupted
        shutil.rmtree(before)
    if preset.own.exists():  # put aside, or an end just here would leave half of it
        os.replace(preset.own, before)
    os.replace(stage, preset.own)
    for folder in (before, _stage_of(preset)):  # what was, and a download that is not needed any more
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def _staged(preset: Preset, stage: Path) -> Preset:
    needs = {name: path for name, path in preset.needs.items() if name != preset.name}
    folder = preset.folder if preset.base is not None else stage
    return preset.model_copy(update={"own": stage, "folder": folder, "needs": needs})


@contextmanager
def _as_it_is_told(stage: Path) -> Iterator[None]:
    """What is wrong with the gathered files is told by their names below the model's folder. What is wrong
    with those of a base is told as it is: no file that could be gathered mends it."""
    try:
        yield
    except OperatorError as error:
        if f"{stage}{os.sep}" not in error.message:
            raise type(error)(f"{error.message} Nothing was added.") from error
        name = error.message.replace(f"{stage}{os.sep}", "")
        head, _, _ = name.partition(" Restore ")
        raise type(error)(
            f"{head} Nothing was added. Complete the folder, and run the command again."
        ) from error


def _wanted(preset: Preset, folder: Path, known: Manifest | None) -> dict[str, Path]:
    """The files of a folder that are the preset's, by where they go: what the manifest names or, without one,
    what a download would pick of a repository that is laid out like this."""
    there = {path.relative_to(folder).as_posix(): path for path in _files(folder) if path.suffix in TAKEN}
    if known is not None:
        return {name: path for name, path in there.items() if name in known.files}
    told = [{"rfilename": name, "size": path.stat().st_size} for name, path in there.items()]
    return {
        file.target: there[file.path]
        for source in preset.sources
        for file in select(_laid_out(source), told)
        if file.target != MANIFEST
    }


def _laid_out(source: Source) -> Source:
    """The source with patterns of where its files lie in the model's folder."""
    moved = (f"{folder}/{PurePosixPath(pattern).name}" for pattern, folder in source.into.items())
    return source.model_copy(update={"files": (*source.files, *moved), "into": {}})


def _need_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + SPARE_BYTES:
        raise OperatorError(
            f"{size / 1e9:.1f} GB are needed in {folder} and {free / 1e9:.1f} are free. Make room, or set "
            "PENCHANT_MODELS to a folder on a larger disk."
        )


def _files(folder: Path) -> list[Path]:
    """The files of a model below a folder; what begins with a dot is not of it, nor a part of a download."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix != ".part"
        and path.name != PINNED
        and not any(part.startswith(".") for part in PurePosixPath(path.relative_to(folder)).parts)
    )


def _bytes(manifest: Manifest) -> int:
    return sum(file.size for file in manifest.files.values())
