"""`penchant doctor`: each thing that must be right, looked at, with what to do when it is not."""

import importlib.metadata
import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.cli import instance
from app.config import Settings
from app.db import make_engine
from app.errors import PenchantError
from app.presets import load_presets
from app.services import workers
from app.vocabulary import read_vocabulary

MIN_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    name: str
    ok: bool
    says: str


def examine(settings: Settings) -> list[Finding]:
    """Look at everything that can be looked at; a check that breaks is a finding, not a crash."""
    return [_guarded(name, check, settings) for name, check in _checks()]


def _checks() -> Iterator[tuple[str, Callable[[Settings], Finding]]]:
    yield "python", _python
    yield "torch", _torch
    yield "disk", _disk
    yield "models", _models
    yield "database", _database
    yield "broker", _broker
    yield "workers", _workers


def _guarded(name: str, check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return check(settings)
    except (PenchantError, RuntimeError, OSError) as error:
        return Finding(name, False, str(error))


def _python(settings: Settings) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", sys.version_info >= (3, 11), f"{version} at {sys.executable}")


def _torch(settings: Settings) -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("torch", False, "not installed; `make run` picks the right one for this machine")
    return Finding("torch", True, importlib.metadata.version("torch"))


def _disk(settings: Settings) -> Finding:
    folder = settings.home if settings.home.exists() else settings.home.anchor or "/"
    free = shutil.disk_usage(folder).free
    says = f"{free / 1e9:.1f} GB free for {settings.home}"
    return Finding(
        "disk", free > MIN_FREE_BYTES, says if free > MIN_FREE_BYTES else f"only {says}; make room"
    )


def _models(settings: Settings) -> Finding:
    known = load_presets()
    absent = known[settings.model].missing if settings.model in known else ()
    if absent:
        return Finding(
            "models", False, f"{settings.model} is not installed; run `penchant models add {absent[0]}`"
        )
    presets = {name: preset for name, preset in known.items() if not preset.missing}
    missing = [name for name, preset in presets.items() if not (preset.folder / "model_index.json").is_file()]
    if missing:
        return Finding(
            "models", False, f"weights are missing for {', '.join(missing)}; check the clone is whole"
        )
    for preset in presets.values():
        if preset.vocabulary is not None:
            read_vocabulary(preset.folder / preset.vocabulary)
    return Finding("models", True, ", ".join(presets))


def _addresses(settings: Settings) -> tuple[str | None, str | None]:
    state = instance.running(settings.home) or {}
    return (
        settings.database_url or state.get("database_url"),
        settings.redis_url or state.get("redis_url"),
    )


def _database(settings: Settings) -> Finding:
    url, _ = _addresses(settings)
    if url is None:
        return Finding("database", True, "embedded; starts with `penchant up`")
    engine = make_engine(url, pool_size=1)
    try:
        with engine.connect() as connection:
            version = connection.scalar(text("show server_version"))
            vector = connection.scalar(text("select extversion from pg_extension where extname = 'vector'"))
    except SQLAlchemyError as error:
        return Finding("database", False, f"does not answer: {str(error).splitlines()[0]}")
    finally:
        engine.dispose()
    if vector is None:
        return Finding("database", False, f"PostgreSQL {version} without pgvector; run `penchant migrate`")
    return Finding("database", True, f"PostgreSQL {version}, pgvector {vector}")


def _broker(settings: Settings) -> Finding:
    _, url = _addresses(settings)
    if url is None:
        return Finding("broker", True, "embedded; starts with `penchant up`")
    try:
        with redis.Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=2.0) as client:
            client.ping()
    except redis.RedisError as error:
        return Finding("broker", False, f"does not answer: {error}")
    return Finding("broker", True, "answers")


def _workers(settings: Settings) -> Finding:
    _, url = _addresses(settings)
    if url is None:
        return Finding("workers", True, "start with `penchant up`")
    try:
        with redis.Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=2.0) as client:
            standing = workers.standing(client)
    except redis.RedisError:
        return Finding("workers", False, "unknown while the broker does not answer")
    found, does = standing.workers, {"loading": "loads", "ready": "holds"}
    says = [f"{worker.name} {does[worker.state]} {worker.preset} on {worker.device}" for worker in found]
    if all(worker.preset != settings.model for worker in found):
        says.append(f"none holds {settings.model}, so its jobs wait: start one, or look into its log")
    says += [f"{refusal.place} could not load {refusal.preset}: {refusal.why}" for refusal in standing.broken]
    return Finding("workers", not standing.broken, ", ".join(says))
