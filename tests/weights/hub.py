"""A small hub on this machine: the two kinds of address that Penchant asks, and the ways they fail."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

LARGE = 100_000  # bytes from which a file has a SHA-256, as large files have on the hub


@dataclass
class Repository:
    """Files at one commit. Of `cut` ones only half arrives; `damaged` ones arrive with another first byte. So
    many requests for files as `busy` says are asked to come again in as many seconds as `after` says. While
    there are `shares`, a file begins anew at each request, and the next of these shares of it arrives."""

    files: dict[str, bytes]
    revision: str = "1" * 40
    gated: bool = False
    busy: int = 0
    after: str = "1"
    shares: list[float] = field(default_factory=list)
    cut: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)


@dataclass
class LocalHub:
    """The server's address, what it holds, and what it was asked: (path, Range, Authorization)."""

    url: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)


@contextmanager
def serve() -> Iterator[LocalHub]:
    """A hub inside the block, holding nothing yet."""
    hub = LocalHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self._note()
            name, _, revision = path.removeprefix("/api/models/").partition("/revision/")
            repository, _, rest = path.removeprefix("/").partition("/resolve/")
            if path.startswith("/api/models/") and revision:
                self._describe(name, revision)
            elif "/" in rest:
                self._send_file(repository, *rest.split("/", 1))
            else:
                self._answer(404, b"")

        def do_HEAD(self) -> None:
            """What the libraries begin with. Penchant does not ask so."""
            self._note()
            self._answer(404, b"")

        def _note(self) -> str:
            path = urlsplit(self.path).path
            hub.asked.append((path, self.headers.get("Range"), self.headers.get("Authorization")))
            return path

        def _describe(self, name: str, revision: str) -> None:
            repository = self._repository(name)
            if repository is None or (revision not in ("main", repository.revision)):
                self._answer(404 if repository is not None or name not in hub.repositories else 401, b"")
                return
            siblings = [_sibling(path, data) for path, data in repository.files.items()]
            self._answer(200, json.dumps({"sha": repository.revision, "siblings": siblings}).encode())

        def _send_file(self, name: str, revision: str, path: str) -> None:
            repository = self._repository(name)
            if repository is None or revision != repository.revision or path not in repository.files:
                self._answer(404, b"")
                return
            if repository.busy:
                repository.busy -= 1
                self._answer(429, b"", Retry_After=repository.after)
                return
            data = repository.files[path]
            if path in repository.damaged:
                data = bytes([data[0] ^ 1]) + data[1:]
            share = repository.shares.pop(0) if repository.shares else None
            start = 0 if share is not None else int((self.headers.get("Range") or "bytes=0-")[6:-1])
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            rest = data[start:]
            if share is None:
                share = 0.5 if path in repository.cut else 1.0
            self.wfile.write(rest[: int(len(rest) * share)])
            self.close_connection = share < 1

        def _repository(self, name: str) -> Repository | None:
            found = hub.repositories.get(name)
            if found is not None and found.gated and not self.headers.get("Authorization"):
                return None
            return found

        def _answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: what was asked is kept in `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _sibling(path: str, data: bytes) -> dict[str, Any]:
    told: dict[str, Any] = {"rfilename": path, "size": len(data)}
    if len(data) >= LARGE:
        return told | {"lfs": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}}
    return told | {"blobId": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()}
