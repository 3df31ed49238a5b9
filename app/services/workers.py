"""Which workers there are and what each holds: they say so themselves, over Valkey, and are forgotten soon
after they stop."""

import json
from dataclasses import asdict, dataclass

import redis

PREFIX = "penchant:worker:"


@dataclass(frozen=True)
class Worker:
    """One worker: its name (host:pid), the preset that it has loaded, and what it computes on."""

    name: str
    preset: str
    device: str


def announce(client: redis.Redis, worker: Worker, *, seconds: float) -> None:
    """Say that the worker is there, for so long. Raises RedisError."""
    client.set(PREFIX + worker.name, json.dumps(asdict(worker)), px=round(1000 * seconds))


def present(client: redis.Redis) -> list[Worker]:
    """The workers that are there, by name. Raises RedisError."""
    found = [client.get(key) for key in sorted(client.scan_iter(f"{PREFIX}*"))]
    return [Worker(**json.loads(data)) for data in found if isinstance(data, bytes)]
