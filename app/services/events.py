"""A job's progress over Valkey: best effort, never the truth. The truth is the job's row.

An event is a dict: {"state": "running", "step": 4, "steps": 16, "previews": [{"slot": 0, "step": 4}], ...};
the last one of a job has a final state, and "error" when it failed. The latest is kept, so that who comes
late sees where the job stands. Preview bytes (WebP) are kept beside it and fetched with `preview`.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import redis
import redis.asyncio
from redis.exceptions import RedisError

from app.config import get_settings
from app.models import FINAL_STATES
from app.services import workers
from app.services.workers import Standing, Worker

log = logging.getLogger(__name__)

Event = dict[str, Any]
Answer = TypeVar("Answer")
KEEP_SECONDS = 3600
TIMEOUT_SECONDS = 0.25
PAUSE_SECONDS = 2.0
IDLE_SECONDS = 2.0


class Events:
    """One process's way to the broker. After a failure it is left alone for PAUSE_SECONDS, so that a broker
    that is away costs a job nothing."""

    def __init__(self, redis_url: str) -> None:
        self._client = redis.Redis.from_url(
            redis_url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
        self._paused_until = 0.0

    def publish(self, job_id: UUID, event: Event, *, previews: dict[int, bytes] | None = None) -> None:
        """Keep `event` as the job's latest and tell the subscribers; `previews` maps slots to WebP bytes."""
        text = json.dumps(event)

        def send(client: redis.Redis) -> None:
            with client.pipeline(transaction=False) as pipe:
                for slot, data in (previews or {}).items():
                    pipe.set(_preview_key(job_id, slot), data, ex=KEEP_SECONDS)
                pipe.set(_latest_key(job_id), text, ex=KEEP_SECONDS)
                pipe.publish(_channel(job_id), text)
                pipe.execute()

        self._try(send, None)

    def latest(self, job_id: UUID) -> Event | None:
        """The job's latest event, or None when there is none or the broker is away."""
        data = self._get(_latest_key(job_id))
        return json.loads(data) if data is not None else None

    def preview(self, job_id: UUID, slot: int) -> bytes | None:
        """The newest preview (WebP) of one slot, or None."""
        return self._get(_preview_key(job_id, slot))

    def ask_cancel(self, job_id: UUID) -> None:
        """Tell the worker at once; the flag in the row is what counts and is found a little later."""
        self._try(lambda client: client.set(_cancel_key(job_id), b"1", ex=KEEP_SECONDS), None)

    def cancel_asked(self, job_id: UUID) -> bool:
        """Whether `ask_cancel` was heard."""
        return self._get(_cancel_key(job_id)) is not None

    def announce(self, worker: Worker, *, seconds: float) -> None:
        """Say that a worker is there; it is forgotten when it has not said so for that long."""
        self._try(lambda client: workers.announce(client, worker, seconds=seconds), None)

    def leave(self, worker: Worker) -> None:
        """Say that a worker is gone."""
        self._try(lambda client: workers.leave(client, worker), None)

    def workers(self) -> list[Worker]:
        """The workers that are there; none while the broker is away."""
        return self._try(workers.present, [])

    def attempt(self, place: str, preset: str, why: str, *, seconds: float) -> None:
        """The preset is about to be loaded at that place: it is refused until it is told how that ended."""
        self._try(lambda client: workers.attempt(client, place, preset, why, seconds=seconds), None)

    def attempts(self, place: str, preset: str) -> int:
        """How often in a row nobody told how loading the preset at that place ended."""
        return self._try(lambda client: workers.attempts(client, place, preset), 0)

    def refuse(self, place: str, preset: str, why: str, *, seconds: float) -> None:
        """Remember for so long that the preset cannot be loaded at that place."""
        self._try(lambda client: workers.refuse(client, place, preset, why, seconds=seconds), None)

    def forgive(self, place: str, preset: str) -> None:
        """Forget what `refuse` and `attempt` said."""
        self._try(lambda client: workers.forgive(client, place, preset), None)

    def refused(self, place: str, presets: Sequence[str]) -> dict[str, str]:
        """Why presets cannot be loaded at that place, for those that cannot."""
        return self._try(lambda client: workers.refused(client, place, presets), {})

    def take_reading(self, encoder: str, *, seconds: float) -> bool:
        """Whether no worker was sent to read the gallery for the encoder in so long: this one is now."""
        return self._try(lambda client: workers.take_reading(client, encoder, seconds=seconds), False)

    def standing(self) -> Standing | None:
        """The workers that are there and what could not be loaded of late; None while the broker is away."""
        return self._try(workers.standing, None)

    def forget(self, job_id: UUID, *, slots: int) -> None:
        """Remove what is kept of a job whose owner is gone."""
        keys = [_latest_key(job_id), _cancel_key(job_id), *(_preview_key(job_id, n) for n in range(slots))]
        with suppress(RedisError, OSError):
            self._client.delete(*keys)

    def _get(self, key: str) -> bytes | None:
        data = self._try(lambda client: client.get(key), None)
        return data if isinstance(data, bytes) else None

    def _try(self, ask: Callable[[redis.Redis], Answer], otherwise: Answer) -> Answer:
        """What the broker answers, or `otherwise` while it is away."""
        if self._paused():
            return otherwise
        try:
            return ask(self._client)
        except (RedisError, OSError) as error:
            self._pause(error)
            return otherwise

    def _paused(self) -> bool:
        return time.monotonic() < self._paused_until

    def _pause(self, error: Exception) -> None:
        log.warning("no progress for %.0f s, the broker is away: %s", PAUSE_SECONDS, error)
        self._paused_until = time.monotonic() + PAUSE_SECONDS


@lru_cache
def get_events() -> Events:
    """The process's way to the broker."""
    return Events(get_settings().redis)


async def subscribe(job_id: UUID) -> AsyncIterator[Event]:
    """The job's latest event and all that follow, until one has a final state.

    After IDLE_SECONDS without news an empty dict comes, so that the caller can look whether the listener is
    still there and ask the row, also while the broker is away. Holds no database session.
    """
    client = redis.asyncio.Redis.from_url(get_settings().redis, socket_connect_timeout=TIMEOUT_SECONDS)
    try:
        while True:
            try:
                async for event in _listen(client, job_id):
                    yield event
                    if event.get("state") in FINAL_STATES:
                        return
            except (RedisError, OSError):
                await asyncio.sleep(IDLE_SECONDS)
                yield {}
    finally:
        await client.aclose()


async def _listen(client: redis.asyncio.Redis, job_id: UUID) -> AsyncIterator[Event]:
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    try:
        await pubsub.subscribe(_channel(job_id))
        latest = await client.get(_latest_key(job_id))
        if latest is not None:
            yield json.loads(latest)
        while True:
            message = await pubsub.get_message(timeout=IDLE_SECONDS)
            yield json.loads(message["data"]) if message is not None else {}
    finally:
        await pubsub.aclose()  # type: ignore[no-untyped-call]


def _latest_key(job_id: UUID) -> str:
    return f"penchant:job:{job_id}:latest"


def _preview_key(job_id: UUID, slot: int) -> str:
    return f"penchant:job:{job_id}:preview:{slot}"


def _cancel_key(job_id: UUID) -> str:
    return f"penchant:job:{job_id}:cancel"


def _channel(job_id: UUID) -> str:
    return f"penchant:job:{job_id}"
