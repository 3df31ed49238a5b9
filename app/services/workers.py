"""Which workers there are and what each holds or loads: they say so themselves, over Valkey, and are
forgotten soon after they stop. Beside it, which models a place could not load of late, and why."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import redis
from redis.client import Pipeline

NAMES = "penchant:workers"  # a set: looking for keys by a pattern would read those of every job
PREFIX = "penchant:worker:"
REFUSED = "penchant:refused:"
REFUSALS = "penchant:refusals"  # a set too
TRIES = "penchant:tries:"
SENT = "penchant:sent:"
EXIT_BROKEN = 2  # a worker's exit status where it cannot work before somebody mends something


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


@dataclass(frozen=True)
class Refusal:
    """A preset that a place (machine, device and cards) could not load of late, and why."""

    place: str
    preset: str
    why: str


@dataclass(frozen=True)
class Standing:
    """How things stand at one moment: the workers there are, and what could not be loaded of late."""

    workers: list[Worker]
    refusals: list[Refusal]

    @property
    def broken(self) -> list[Refusal]:
        """The refusals that stand: none of a preset that a worker loads now, again or elsewhere."""
        loading = {worker.preset for worker in self.workers if worker.state == "loading"}
        return [refusal for refusal in self.refusals if refusal.preset not in loading]

    def loads(self, preset: str) -> bool:
        """Whether a worker loads the preset, and none holds it yet."""
        return {worker.state for worker in self.workers if worker.preset == preset} == {"loading"}

    def lacks(self, preset: str) -> str | None:
        """Why jobs of the preset wait although nothing is before them; None where a worker serves it."""
        if any(worker.serves(preset) for worker in self.workers):
            return None
        reasons = [refusal.why for refusal in self.refusals if refusal.preset == preset]
        return reasons[0] if reasons else f"No worker serves the model {preset} now."


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


def attempt(client: redis.Redis, place: str, preset: str, why: str, *, seconds: float) -> None:
    """The preset is about to be loaded at that place. Until `refuse` or `forgive` tells how that ended, it is
    refused for `why`: the process may not live to say it. Raises RedisError."""
    tries = f"{TRIES}{place}:{preset}"
    with client.pipeline() as pipe:
        _refuse(pipe, place, preset, why, seconds=seconds)
        pipe.incr(tries)
        pipe.pexpire(tries, round(1000 * seconds))
        pipe.execute()


def attempts(client: redis.Redis, place: str, preset: str) -> int:
    """How often in a row nobody told how loading the preset at that place ended. Raises RedisError."""
    return int(client.get(f"{TRIES}{place}:{preset}") or 0)


def refuse(client: redis.Redis, place: str, preset: str, why: str, *, seconds: float) -> None:
    """Remember for so long that the preset cannot be loaded at that place. Raises RedisError."""
    with client.pipeline() as pipe:
        _refuse(pipe, place, preset, why, seconds=seconds)
        pipe.delete(f"{TRIES}{place}:{preset}")
        pipe.execute()


def _refuse(pipe: Pipeline, place: str, preset: str, why: str, *, seconds: float) -> None:
    pipe.set(f"{REFUSED}{place}:{preset}", why, px=round(1000 * seconds))
    pipe.sadd(REFUSALS, json.dumps([place, preset]))


def forgive(client: redis.Redis, place: str, preset: str) -> None:
    """Forget what `refuse` and `attempt` said. Raises RedisError."""
    client.delete(f"{REFUSED}{place}:{preset}", f"{TRIES}{place}:{preset}")


def refused(client: redis.Redis, place: str, presets: Sequence[str]) -> dict[str, str]:
    """Why presets cannot be loaded at that place, for those that cannot. Raises RedisError."""
    found = client.mget([f"{REFUSED}{place}:{preset}" for preset in presets]) if presets else []
    return {
        preset: why.decode() for preset, why in zip(presets, found, strict=True) if isinstance(why, bytes)
    }


def take_reading(client: redis.Redis, encoder: str, *, seconds: float) -> bool:
    """Whether no worker was sent to read the gallery for the encoder in so long. Raises RedisError."""
    return client.set(SENT + encoder, b"1", nx=True, px=round(1000 * seconds)) is not None


def standing(client: redis.Redis) -> Standing:
    """How things stand now. Raises RedisError."""
    return Standing(present(client), _refusals(client))


def _refusals(client: redis.Redis) -> list[Refusal]:
    members = sorted(client.sscan_iter(REFUSALS))
    pairs = [(str(place), str(preset)) for place, preset in map(json.loads, members)]
    found = client.mget([f"{REFUSED}{place}:{preset}" for place, preset in pairs]) if pairs else []
    if gone := [member for member, why in zip(members, found, strict=True) if why is None]:
        client.srem(REFUSALS, *gone)
    return [
        Refusal(place, preset, why.decode())
        for (place, preset), why in zip(pairs, found, strict=True)
        if isinstance(why, bytes)
    ]


def _worker(data: bytes) -> Worker:
    fields = json.loads(data)
    return Worker(**{**fields, "also": tuple(fields.get("also", ()))})
