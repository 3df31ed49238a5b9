"""What is remembered between starts: ports and passwords, in one file that only its owner reads."""

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.embedded.errors import HomeUnusable

LOOPBACK = "127.0.0.1"


@dataclass
class ServiceState:
    port: int = 0
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))


@dataclass
class State:
    postgres: ServiceState = field(default_factory=ServiceState)
    valkey: ServiceState = field(default_factory=ServiceState)


def load_state(file: Path) -> State:
    """Reads `file`, or makes new passwords where there is none. Raises `HomeUnusable` when it is damaged."""
    if not file.exists():
        return State()
    try:
        stored = json.loads(file.read_text())
        return State(**{name: ServiceState(**values) for name, values in stored.items()})
    except (ValueError, TypeError, AttributeError) as error:
        raise HomeUnusable(
            f"{file} is damaged ({error}). It holds the database's password: restore it from a backup, "
            f"or move {file.parent} aside to start with an empty one."
        ) from error


def save_state(state: State, file: Path) -> None:
    """Replaces `file` at once and durably: a password that is lost locks the data in."""
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        json.dump(asdict(state), handle, indent=2)
        handle.flush()
        os.fsync(handle.fileno())
    new.replace(file)


def usable_port(port: int) -> int:
    """`port` itself if it can be listened on, or one that the operating system picks."""
    for candidate in (port, 0) if port else (0,):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((LOOPBACK, candidate))
                listener.listen()
            except OSError:
                continue
            return int(listener.getsockname()[1])
    raise HomeUnusable(f"No port on {LOOPBACK} can be listened on. Is the loopback interface up?")
