"""Valkey, the broker; it speaks the Redis protocol."""

import json
import signal
from typing import ClassVar

import redis

from app.embedded.service import Service
from app.embedded.state import LOOPBACK


class Valkey(Service):
    name = "valkey"
    program = "valkey-server"
    gentle = signal.SIGTERM
    ending = ((signal.SIGTERM, 20.0),)
    start_seconds: ClassVar[float] = 120  # an append-only file left by a full queue takes a while to load

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def clean(self) -> None:
        pass

    def command(self) -> list[str]:
        return [str(self.binary), "-"]

    def stdin(self) -> bytes:
        """The configuration, read from standard input: arguments would show the password to every user."""
        settings = {
            "bind": LOOPBACK,
            "port": str(self.state.port),
            "requirepass": self.state.password,
            "dir": json.dumps(str(self.folder), ensure_ascii=False),
            "appendonly": "yes",
            "save": '""',  # the append-only file has it all
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",  # a queue must refuse rather than forget
            "proc-title-template": f'"{{title}} {self.marker}"',
            "daemonize": "no",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items()).encode()

    def ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url(), socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def url(self) -> str:
        return f"redis://:{self.state.password}@{LOOPBACK}:{self.state.port}/0"
