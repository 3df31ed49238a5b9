"""The Hugging Face hub over plain HTTP: which files a repository has at a commit, and the files themselves.

`huggingface_hub` throws away what an interrupted download had; here the next one goes on where it ended.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import httpx

from app.errors import NotFound, OperatorError, Unavailable
from app.presets import Source
from app.weights.manifest import Advance

ENDPOINT = "https://huggingface.co"
TAKEN = (".safetensors", ".json", ".txt")
CHUNK = 1 << 20
ATTEMPTS = 5  # in a row that brought nothing
PAUSE_SECONDS = 1.0  # after the first of them, and twice as long after each further one
LONGEST_PAUSE_SECONDS = 60.0  # that a hub may ask for
PIECE = re.compile(r"(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$")  # how the names of weights end


@dataclass(frozen=True)
class RemoteFile:
    """A file at a commit: its name there, where it goes below the model's folder, and what it must be.

    `sha256` is known of large files, `blob` (git's own checksum) of the others.
    """

    path: str
    target: str
    size: int
    sha256: str | None
    blob: str | None


@dataclass(frozen=True)
class Snapshot:
    """What a source comes to: a commit and the files taken of it."""

    repo: str
    revision: str
    files: tuple[RemoteFile, ...]


class Hub:
    """A connection to the hub, with the token in HF_TOKEN if there is one."""

    def __init__(self, *, endpoint: str | None = None, token: str | None = None) -> None:
        token = token or os.environ.get("HF_TOKEN")
        self.endpoint = (endpoint or os.environ.get("HF_ENDPOINT") or ENDPOINT).rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(30.0, connect=10.0)
        self._client = httpx.Client(headers=headers, timeout=timeout, follow_redirects=True)

    def close(self) -> None:
        self._client.close()

    def resolve(self, source: Source) -> Snapshot:
        """The commit of a source and its files. Raises NotFound, OperatorError (gated), Unavailable."""
        url = f"{self.endpoint}/api/models/{source.repo}/revision/{source.revision or 'main'}"
        with _explained(source.repo, self.endpoint):
            answer = self._client.get(url, params={"blobs": "true"})
            _check(answer, source.repo, self.endpoint)
            told = answer.json()
        files = select(source, told["siblings"])
        if not files:
            raise NotFound(f"{source.repo} has none of the files that the preset names. Check its `files`.")
        return Snapshot(source.repo, str(told["sha"]), files)

    def download(self, snapshot: Snapshot, file: RemoteFile, path: Path, advance: Advance) -> None:
        """Bring a file to `path`. What an earlier attempt left beside it, as .part, is gone on with.

        Raises what `resolve` raises. The caller checks that the file is what it must be.
        """
        part = path.with_name(path.name + ".part")
        path.parent.mkdir(parents=True, exist_ok=True)
        url = f"{self.endpoint}/{snapshot.repo}/resolve/{snapshot.revision}/{file.path}"
        most = bytes_of(part)
        advance(most)
        in_vain = 0
        while True:
            try:
                with _explained(snapshot.repo, self.endpoint):
                    self._continue(url, part, file.size, snapshot.repo, advance)
                break
            except Unavailable as error:
                # Compared with the most there was: a hub that begins anew each time would never be given up.
                in_vain = 0 if bytes_of(part) > most else in_vain + 1
                most = max(most, bytes_of(part))
                if in_vain == ATTEMPTS:
                    raise
                time.sleep(_pause(error, in_vain))
        os.replace(part, path)

    def _continue(self, url: str, part: Path, size: int, repo: str, advance: Advance) -> None:
        there = bytes_of(part)
        if there > size:
            part.unlink()
            advance(-there)
            there = 0
        if there == size and part.is_file():
            return
        # Compression would make the bytes counted here others than the bytes asked for.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={there}-"} if there else {})
        with self._client.stream("GET", url, headers=headers) as answer:
            _check(answer, repo, self.endpoint)
            again = there > 0 and answer.status_code != httpx.codes.PARTIAL_CONTENT
            if again:
                advance(-there)
            with part.open("wb" if again or not there else "ab") as out:
                for chunk in answer.iter_bytes(CHUNK):
                    out.write(chunk)
                    advance(len(chunk))
        if part.stat().st_size < size:
            raise httpx.ReadError("the connection ended early")


def bytes_of(path: Path) -> int:
    """The size of a file, 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0


def select(source: Source, siblings: list[dict[str, Any]]) -> tuple[RemoteFile, ...]:
    """The files of a source among a repository's, in one precision: safetensors, JSON and text only.

    Raises OperatorError where a name leads out of the model's folder.
    """
    taken: dict[str, RemoteFile] = {}
    for told in sorted(siblings, key=lambda told: _is_variant(source, told["rfilename"])):
        path = told["rfilename"]
        target = _target(source, path)
        if target is not None and PurePosixPath(path).suffix in TAKEN:
            if not _is_inside(path) or not _is_inside(target):
                raise OperatorError(
                    f"{source.repo} names a file outside of itself ({path!r}). Nothing of it is taken; look "
                    "whether HF_ENDPOINT is the hub that you mean."
                )
            large = told.get("lfs") or {}
            taken[target] = RemoteFile(
                path,
                target,
                int(told["size"]),
                large.get("sha256"),
                told.get("blobId") if not large else None,
            )
    there = {_weights(target) for target, file in taken.items() if _is_variant(source, file.path)}
    return tuple(
        taken[target]
        for target in sorted(taken)
        if _weights(target) not in there - {None} or _is_variant(source, taken[target].path)
    )


def plain_name(name: str, variant: str) -> str:
    """What a file of a variant is called without it: model.fp16.safetensors, model.fp16-00001-of-00002... and
    model-00001-of-00002.fp16... are what their names are without the fp16."""
    return name.replace(f".{variant}.", ".").replace(f".{variant}-", "-")


def _target(source: Source, path: str) -> str | None:
    """Where a file goes; None where the source does not take it."""
    name = plain_name(path, source.variant) if source.variant else path
    if any(fnmatchcase(name, pattern) for pattern in source.files):
        return name
    for pattern, folder in source.into.items():
        if fnmatchcase(name, pattern):
            return f"{folder}/{PurePosixPath(name).name}"
    return None


def _is_inside(name: str) -> bool:
    """Whether a name is one of a file below a folder, in the only way to write it."""
    return not {"", ".", ".."} & set(name.split("/")) and "\\" not in name and "\0" not in name


def _is_variant(source: Source, path: str) -> bool:
    return source.variant is not None and plain_name(path, source.variant) != path


def _weights(target: str) -> str | None:
    """What a file holds a piece of, or the index; None where that is no weights."""
    return PIECE.sub("", target) if PIECE.search(target) else None


def _pause(error: Unavailable, in_vain: int) -> float:
    """Seconds until the next attempt: the longer the more came to nothing, or what the hub asks for where
    that is more."""
    own = PAUSE_SECONDS * 2.0 ** max(0, in_vain - 1)
    cause = error.__cause__
    asked = cause.response.headers.get("Retry-After", "") if isinstance(cause, httpx.HTTPStatusError) else ""
    if asked.isdecimal():
        return max(own, min(float(asked), LONGEST_PAUSE_SECONDS))
    return own


@contextmanager
def _explained(repo: str, endpoint: str) -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise Unavailable(
            f"{repo} could not be fetched from {endpoint} ({str(error) or type(error).__name__}). Run the "
            "command again, it goes on where it ended; or add the model from a folder with --from."
        ) from error


def _check(answer: httpx.Response, repo: str, endpoint: str) -> None:
    """Raise what a status that is no success means."""
    if answer.is_success:
        return
    if answer.status_code in (401, 403):
        raise OperatorError(
            f"{repo} is gated, or private. Sign in at {endpoint}/{repo}, read and accept its terms there, "
            "make a token with read access in your settings there, and run this again with it in HF_TOKEN."
        )
    if answer.status_code == 404:
        raise NotFound(f"{repo} is not there at this revision. Check `repo`, `revision` and the file names.")
    answer.raise_for_status()
