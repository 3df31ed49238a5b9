"""What a running `penchant up` leaves for the other commands: its address, and its user's token."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from app.errors import OperatorError


def _write_private(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file)
    partial.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _state_file(home: Path) -> Path:
    return home / "run" / "instance.json"


def write_running(home: Path, *, url: str, database_url: str, redis_url: str) -> None:
    """Record a running instance; readable by its owner only, for the addresses hold passwords."""
    _write_private(
        _state_file(home),
        {"url": url, "pid": os.getpid(), "database_url": database_url, "redis_url": redis_url},
    )


def kept_secret(home: Path) -> str:
    """The key that signs this home's cookies, drawn at the first start."""
    path = home / "secret.json"
    kept = _read(path)
    if kept is None:
        kept = {"secret_key": secrets.token_urlsafe(32)}
        _write_private(path, kept)
    return str(kept["secret_key"])


def clear_running(home: Path) -> None:
    """Forget the instance when it stops."""
    _state_file(home).unlink(missing_ok=True)


def running(home: Path) -> dict[str, Any] | None:
    """The instance running in `home`: url, pid, database_url, redis_url. None when there is none."""
    state = _read(_state_file(home))
    if state is None:
        return None
    try:
        os.kill(state["pid"], 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return state


def running_or_error(home: Path) -> dict[str, Any]:
    """The running instance. Raises OperatorError when there is none."""
    state = running(home)
    if state is None:
        raise OperatorError(
            f"No Penchant is running in {home}. Start one with `penchant up`, or give --url and --token."
        )
    return state


def saved_token(home: Path, url: str) -> str | None:
    """The token this machine's user got from `url` earlier."""
    tokens = _read(home / "cli-tokens.json") or {}
    token = tokens.get(url)
    return token if isinstance(token, str) else None


def save_token(home: Path, url: str, token: str | None) -> None:
    """Keep (or, with None, forget) the token for `url`, readable by its owner only."""
    tokens = _read(home / "cli-tokens.json") or {}
    tokens.pop(url, None)
    if token is not None:
        tokens[url] = token
    _write_private(home / "cli-tokens.json", tokens)
