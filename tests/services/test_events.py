"""Progress over a real Valkey: heard, kept, and harmless when it is away."""

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest

from app.config import Settings, get_settings
from app.services.events import Event, Events, subscribe

Result = TypeVar("Result")


@pytest.fixture
def events(settings: Settings) -> Events:
    return Events(settings.redis)


def test_the_latest_event_and_previews_are_kept(events: Events) -> None:
    job_id = uuid4()
    assert events.latest(job_id) is None
    events.publish(job_id, {"state": "running", "step": 1}, previews={2: b"webp"})
    assert events.latest(job_id) == {"state": "running", "step": 1}
    assert events.preview(job_id, 2) == b"webp"
    assert events.preview(job_id, 0) is None
    events.forget(job_id, slots=4)
    assert events.latest(job_id) is None
    assert events.preview(job_id, 2) is None


def test_a_cancellation_is_heard(events: Events) -> None:
    job_id = uuid4()
    assert not events.cancel_asked(job_id)
    events.ask_cancel(job_id)
    assert events.cancel_asked(job_id)


def in_a_loop(work: Coroutine[Any, Any, Result]) -> Result:
    """What the coroutine gives, from a thread of its own: this one may hold the loop of a browser's tests."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def collect(events: Events, job_id: UUID, later: list[Event]) -> list[Event]:
    heard: list[Event] = []
    async for event in subscribe(job_id):
        heard.append(event)
        if later:
            await asyncio.to_thread(events.publish, job_id, later.pop(0))
    return heard


def test_a_subscriber_gets_the_latest_and_what_follows_until_the_end(events: Events) -> None:
    job_id = uuid4()
    events.publish(job_id, {"state": "running", "step": 1})
    later: list[Event] = [{"state": "running", "step": 2}, {"state": "done"}]
    heard = in_a_loop(collect(events, job_id, list(later)))
    assert [event for event in heard if event] == [{"state": "running", "step": 1}, *later]


def test_who_comes_after_the_end_hears_of_it(events: Events) -> None:
    job_id = uuid4()
    events.publish(job_id, {"state": "failed", "error": "why"})
    assert in_a_loop(collect(events, job_id, [])) == [{"state": "failed", "error": "why"}]


def test_a_broker_that_is_away_costs_nothing() -> None:
    events = Events("redis://127.0.0.1:1/0")
    start = time.monotonic()
    for _ in range(100):
        events.publish(uuid4(), {"state": "running"})
        assert not events.cancel_asked(uuid4())
        assert events.latest(uuid4()) is None
    assert time.monotonic() - start < 1


@pytest.mark.usefixtures("settings")
def test_a_subscriber_without_a_broker_gets_empty_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENCHANT_REDIS_URL", "redis://127.0.0.1:1/0")
    get_settings.cache_clear()

    async def first() -> Event:
        stream = subscribe(uuid4())
        event = await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        return event

    assert in_a_loop(first()) == {}
