"""Bad input, missing parts and other people's things: the right status, a sentence, and nothing half done."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, func, select

from app.config import Settings
from app.db import get_engine
from app.models import Job, Rating
from app.web.headers import SMALL_BODY_BYTES
from tests.api.conftest import UNLOCK
from tests.api.test_api import API, Headers, rate


def is_problem(reply: Any, status: int, code: str) -> str:
    """Assert that a reply is problem+json of this kind and return its sentence."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    body = reply.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"]
    return str(body["detail"])


def test_no_token_a_wrong_one_and_a_revoked_one(app_client: TestClient, me: Headers) -> None:
    is_problem(app_client.get(f"{API}/info"), 401, "not_signed_in")
    for value in ("Bearer pnc_wrong", "Bearer ", "Basic x"):
        is_problem(app_client.get(f"{API}/info", headers={"Authorization": value}), 401, "not_signed_in")
    (token,) = app_client.get(f"{API}/tokens", headers=me).json()["items"]
    assert app_client.delete(f"{API}/tokens/{token['id']}", headers=me).status_code == 204
    is_problem(app_client.get(f"{API}/info", headers=me), 401, "not_signed_in")


def test_scopes_are_enforced_and_cannot_be_widened(app_client: TestClient, me: Headers) -> None:
    body = {"name": "reader", "scopes": ["read"]}
    reader = app_client.post(f"{API}/tokens", json=body, headers=me).json()["token"]
    bearer = {"Authorization": f"Bearer {reader}"}
    assert app_client.get(f"{API}/info", headers=bearer).status_code == 200
    for method, path in (("GET", "pairs"), ("POST", "ratings/undo"), ("GET", "tokens"), ("POST", "jobs")):
        reply = app_client.request(method, f"{API}/{path}", headers=bearer, json={"prompt": "x"})
        assert "lacks the scope" in is_problem(reply, 403, "forbidden")
    keeper = app_client.post(f"{API}/tokens", json={"name": "k", "scopes": ["account"]}, headers=me).json()
    wider = app_client.post(
        f"{API}/tokens",
        json={"name": "w", "scopes": ["generate"]},
        headers={"Authorization": f"Bearer {keeper['token']}"},
    )
    is_problem(wider, 403, "forbidden")


def test_a_pair_that_was_not_shown(
    app_client: TestClient, guest: Callable[[], Headers], rows: Session
) -> None:
    mine, theirs = guest(), guest()
    pair = app_client.get(f"{API}/pairs", headers=theirs).json()["items"][0]["id"]
    for pair_id in (pair, str(uuid4())):
        reply = app_client.post(f"{API}/ratings", json={"pair_id": pair_id, "answer": "left"}, headers=mine)
        sentence = is_problem(reply, 404, "not_found")
        assert sentence == "This pair was not shown to you. Reload /explore."
    assert rows.exec(select(func.count()).select_from(Rating)).one() == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "bad_request"),
        (b'{"pair_id": "\xff"}', 400, "bad_request"),
        (b"[]", 422, "invalid_input"),
        (b'{"pair_id": 1, "answer": "up"}', 422, "invalid_input"),
        (b'{"\\ud800": "\\ud800"}', 422, "invalid_input"),
        (b"[" * 100_000, 400, "bad_request"),
        (b" " * (SMALL_BODY_BYTES + 1), 413, "too_large"),
    ],
)
def test_unreadable_bodies(app_client: TestClient, me: Headers, body: bytes, status: int, code: str) -> None:
    headers = {**me, "Content-Type": "application/json"}
    is_problem(app_client.post(f"{API}/ratings", content=body, headers=headers), status, code)


def test_a_body_that_grows_while_it_arrives_is_cut_off(app_client: TestClient, me: Headers) -> None:
    def endless() -> Any:
        for _ in range(1000):
            yield b" " * 10_000

    headers = {**me, "Content-Type": "application/json"}
    is_problem(app_client.post(f"{API}/ratings", content=endless(), headers=headers), 413, "too_large")


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "x" * 100_000,
        "a --p unknowncode12",
        "a --stilize 5",
        "a\x00b",
        "a --s 9999",
        "a --sref https://x.org/a",
    ],
)
def test_prompts_that_are_refused_queue_nothing(
    app_client: TestClient, me: Headers, rows: Session, prompt: str
) -> None:
    reply = app_client.post(f"{API}/jobs", json={"prompt": prompt}, headers=me)
    assert reply.status_code in (404, 422)
    assert len(is_problem(reply, reply.status_code, reply.json()["code"])) < 2000
    assert rows.exec(select(func.count()).select_from(Job)).one() == 0


def test_personalisation_is_locked_until_enough_ratings(app_client: TestClient, me: Headers) -> None:
    reply = app_client.post(f"{API}/jobs", json={"prompt": "a boat --p"}, headers=me)
    sentence = is_problem(reply, 403, "personalization_locked")
    assert sentence == f"Personalization is locked: 0 of {UNLOCK} ratings. Rate {UNLOCK} more on /explore."
    rate(app_client, me, UNLOCK)
    job = app_client.post(f"{API}/jobs", json={"prompt": "a boat --p"}, headers=me).json()["jobs"][0]
    assert [taste["normalised"] for taste in job["tastes"]] == [1.0]


def test_numbers_out_of_range_and_unknown_addresses(app_client: TestClient, me: Headers) -> None:
    for path in (
        "ratings?limit=0",
        "ratings?limit=101",
        f"ratings?before={2**63}",
        "pairs?count=21",
        "jobs?before=x",
    ):
        is_problem(app_client.get(f"{API}/{path}", headers=me), 422, "invalid_input")
    for path in (f"images/{2**70}", "codes/a%00b", "images?query=%00", "profiles/" + "x" * 50):
        is_problem(app_client.get(f"{API}/{path}", headers=me), 422, "invalid_input")
    for path in (f"images/{2**62}", "codes/unknown", "profiles/unknown", f"jobs/{uuid4()}", "nowhere"):
        is_problem(app_client.get(f"{API}/{path}", headers=me), 404, "not_found")
    is_problem(app_client.put(f"{API}/ratings", headers=me), 405, "method_not_allowed")


def test_other_peoples_things_do_not_exist(
    app_client: TestClient, guest: Callable[[], Headers], rows: Session
) -> None:
    mine, theirs = guest(), guest()
    rating = rate(app_client, theirs, 1)[0]["rating"]["id"]
    job = app_client.post(f"{API}/jobs", json={"prompt": "a boat"}, headers=theirs).json()["jobs"][0]["id"]
    token = app_client.get(f"{API}/tokens", headers=theirs).json()["items"][0]["id"]
    profile = app_client.get(f"{API}/profiles", headers=theirs).json()["items"][0]["id"]
    for method, path in (
        ("DELETE", f"ratings/{rating}"),
        ("GET", f"jobs/{job}"),
        ("POST", f"jobs/{job}/cancel"),
        ("POST", f"jobs/{job}/retry"),
        ("POST", f"jobs/{job}/rerun"),
        ("GET", f"jobs?before={job}"),
        ("DELETE", f"tokens/{token}"),
        ("GET", f"profiles/{profile}"),
        ("POST", f"profiles/{profile}/codes"),
    ):
        is_problem(app_client.request(method, f"{API}/{path}", headers=mine), 404, "not_found")
    assert rows.exec(select(func.count()).select_from(Job)).one() == 1


def test_every_reply_carries_the_security_headers(app_client: TestClient) -> None:
    for path in ("/ping", f"{API}/info", "/nowhere", f"{API}/nowhere"):
        headers = app_client.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_a_broken_route_says_so_without_details(
    app_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("app.services.accounts.create_guest", break_down)
    reply = app_client.post(f"{API}/guests")
    is_problem(reply, 500, "internal_error")
    assert "secret" not in reply.text
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_without_the_database_the_reply_is_503_and_soon(
    app_client: TestClient, me: Headers, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"postgresql://a:b@127.0.0.1:{nobody.getsockname()[1]}/x"
    with monkeypatch.context() as patch:
        patch.setattr(settings, "database_url", away)
        forget_engine()
        started = time.monotonic()
        reply = app_client.get(f"{API}/info", headers=me)
        is_problem(reply, 503, "unavailable")
        assert reply.headers["retry-after"]
        assert app_client.get("/healthz").status_code == 503
        assert time.monotonic() - started < 10
        assert app_client.get("/ping").text == "pong"
    forget_engine()
    assert app_client.get(f"{API}/info", headers=me).status_code == 200


def forget_engine() -> None:
    get_engine().dispose()
    get_engine.cache_clear()


def test_an_exhausted_pool_answers_503_and_recovers(
    app_client: TestClient, me: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_engine().pool, "_timeout", 0.2)
    held = []
    with suppress(PoolTimeout):
        while True:
            held.append(get_engine().connect())
    is_problem(app_client.get(f"{API}/info", headers=me), 503, "unavailable")
    for connection in held:
        connection.close()
    assert app_client.get(f"{API}/info", headers=me).status_code == 200


def test_the_document_is_complete(app_client: TestClient) -> None:
    document = app_client.get(f"{API}/openapi.json").json()
    ids = []
    for path, methods in document["paths"].items():
        assert path.startswith(API)
        for operation in methods.values():
            ids.append(operation["operationId"])
            assert operation["description"]
            assert {"401", "403", "422", "503"} <= set(operation["responses"])
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert set(response["content"]) == {"application/problem+json"}
    assert len(ids) == len(set(ids))
    references = set(json.dumps(document).split('"#/components/schemas/')[1:])
    names = {reference.split('"')[0] for reference in references}
    assert names <= set(document["components"]["schemas"])
