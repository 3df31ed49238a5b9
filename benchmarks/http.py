"""A small HTTP/1.1 client on raw streams: a heavy client would hide the server's cost behind its own."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass
class Connection:
    """One keep-alive connection. Answers must carry Content-Length."""

    host: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    token: str | None = None

    @classmethod
    async def open(cls, url: str, token: str | None = None) -> Self:
        """Connect to the server at `url`."""
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        return cls(address.netloc, reader, writer, token)

    async def request(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body of one request; `body` is sent as JSON."""
        payload = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", f"Content-Length: {len(payload)}"]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        if payload:
            lines.append("Content-Type: application/json")
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + payload)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        length = next(int(line.split(":")[1]) for line in head if line.lower().startswith("content-length:"))
        return int(head[0].split()[1]), await self.reader.readexactly(length)

    async def close(self) -> None:
        """Close the connection."""
        self.writer.close()
        await self.writer.wait_closed()
