"""Which workers there are and what each holds or loads: they say so themselves, over Valkey, and are
forgotten soon after they stop. Beside it, which models a place could not load of late, and why."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import redis

NAMES = "penchant:workers"  # a set: looking for keys by a pattern would read those of every job
PREFIX = "penchant:worker:"
REFUSED = "penchant:refused:"


@dataclass(frozen=True)
class Worker:
    """One worker: its name (host:pid), the preset that it holds or loads, and what it computes on.

    `since` is when it began to, in Unix time; `also` are the presets that it would load if jobs waited for
    them.
    """

    name: str
    preset: str
    device: str
    state: Literal["loading", "ready"] = "ready"
    since: float = 0.0
    also: tuple[str, ...] = ()

    def serves(self, preset: str) -> bool:
        """Whether jobs of that preset need no other worker than this, now or later."""
        return preset == self.preset or preset in self.also


def announce(client: redis.Redis, worker: Worker, *, seconds: float) -> None:
    """Say that the worker is there, for so long. Raises RedisError."""
    with client.pipeline() as pipe:
        pipe.set(PREFIX + worker.name, json.dumps(asdict(worker)), px=round(1000 * seconds))
        pipe.sadd(NAMES, worker.name)
        pipe.execute()


def leave(client: redis.Redis, worker: Worker) -> None:
    """Say that the worker is gone. Raises RedisError."""
    client.delete(PREFIX + worker.name)


def present(client: redis.Redis) -> list[Worker]:
    """The workers that are there, by name. Raises RedisError."""
    names = sorted(name.decode() for name in client.sscan_iter(NAMES))
    found = dict(zip(names, client.mget([PREFIX + name for name in names]), strict=True)) if names else {}
    if gone := [name for name, data in found.items() if data is None]:
        client.srem(NAMES, *gone)  # one that comes back says so again
    return [_worker(data) for data in found.values() if data is not None]


def refuse(client: redis.Redis, place: str, preset: str, why: str, *, seconds: float) -> None:
    """Remember for so long that the preset cannot be loaded at that place. Raises RedisError."""
    client.set(f"{REFUSED}{place}:{preset}", why, px=round(1000 * seconds))


def forgive(client: redis.Redis, place: str, preset: str) -> None:
    """Forget what `refuse` said. Raises RedisError."""
    client.delete(f"{REFUSED}{place}:{preset}")


def refused(client: redis.Redis, place: str, presets: Sequence[str]) -> dict[str, str]:
    """Why presets cannot be loaded at that place, for those that cannot. Raises RedisError."""
    found = client.mget([f"{REFUSED}{place}:{preset}" for preset in presets]) if presets else []
    return {
        preset: why.decode() for preset, why in zip(presets, found, strict=True) if isinstance(why, bytes)
    }


def _worker(data: bytes) -> Worker:
    fields = json.loads(data)
    return Worker(**{**fields, "also": tuple(fields.get("also", ()))})
