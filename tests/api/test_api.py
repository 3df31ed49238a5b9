"""The REST API, over the application and a real database."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session

from app.config import Settings, get_settings
from app.presets import load_presets
from app.services import spaces
from tests import second
from tests.api.conftest import UNLOCK

Headers = dict[str, str]
API = "/api/v1"


def rate(client: TestClient, me: Headers, count: int, answer: str = "left") -> list[dict[str, Any]]:
    """Answer `count` pairs as a script would: each reply brings the next pair."""
    replies = []
    pair = client.get(f"{API}/pairs?count=1", headers=me).json()["items"][0]
    for _ in range(count):
        body = {"pair_id": pair["id"], "answer": answer, "next": 1}
        reply = client.post(f"{API}/ratings", json=body, headers=me)
        assert reply.status_code == 201, reply.text
        replies.append(reply.json())
        pair = replies[-1]["pairs"][0]
    return replies


def test_rate_list_undo_and_unlock(app_client: TestClient, me: Headers) -> None:
    replies = rate(app_client, me, UNLOCK)
    assert [reply["rating_count"] for reply in replies] == list(range(1, UNLOCK + 1))
    assert [reply["unlocked"] for reply in replies] == [False] * (UNLOCK - 1) + [True]
    first = app_client.get(f"{API}/ratings?limit=3", headers=me).json()
    rest = app_client.get(f"{API}/ratings?limit=3&before={first['next']}", headers=me).json()
    assert len(first["items"]) == 3
    assert len(rest["items"]) == UNLOCK - 3
    assert rest["next"] is None
    undone = app_client.post(f"{API}/ratings/undo", headers=me).json()
    assert undone["undone"]["id"] == first["items"][0]["id"]
    assert undone["rating_count"] == UNLOCK - 1


def test_freeze_share_and_use(app_client: TestClient, guest: Callable[[], Headers]) -> None:
    owner, friend = guest(), guest()
    profile = app_client.get(f"{API}/profiles", headers=owner).json()["items"][0]["id"]
    locked = app_client.post(f"{API}/profiles/{profile}/codes", headers=owner)
    assert locked.status_code == 403
    assert locked.json()["code"] == "personalization_locked"
    rate(app_client, owner, UNLOCK)
    code = app_client.post(f"{API}/profiles/{profile}/codes", headers=owner).json()["code"]
    assert app_client.post(f"{API}/profiles/{profile}/codes", headers=owner).json()["code"] == code
    private = app_client.get(f"{API}/codes/{code}", headers=friend)
    unknown = app_client.get(f"{API}/codes/aaaaaaaaaaaa", headers=friend)
    assert private.status_code == unknown.status_code == 404
    app_client.patch(f"{API}/codes/{code}", json={"visibility": "unlisted"}, headers=owner)
    shared = app_client.get(f"{API}/codes/{code}", headers=friend).json()
    assert shared["liked"]
    assert not shared["own"]
    used = app_client.post(f"{API}/codes/{code}/use", headers=friend).json()
    assert used["default_code"] == code
    app_client.patch(f"{API}/codes/{code}", json={"revoked": True}, headers=owner)
    assert app_client.get(f"{API}/codes/{code}", headers=friend).status_code == 404


def test_jobs(app_client: TestClient, guest: Callable[[], Headers]) -> None:
    me, other = guest(), guest()
    keyed = {**me, "Idempotency-Key": "one"}
    reply = app_client.post(f"{API}/jobs", json={"prompt": "a lighthouse --n 1"}, headers=keyed)
    assert reply.status_code == 202, reply.text
    job = reply.json()["jobs"][0]
    again = app_client.post(f"{API}/jobs", json={"prompt": "a lighthouse --n 1"}, headers=keyed)
    assert again.json()["jobs"][0]["id"] == job["id"]
    differs = app_client.post(f"{API}/jobs", json={"prompt": "another"}, headers=keyed)
    assert differs.json()["code"] == "idempotency_mismatch"
    assert app_client.get(f"{API}/jobs/{job['id']}", headers=other).status_code == 404
    assert app_client.get(f"{API}/jobs/{job['id']}/events", headers=other).status_code == 404
    assert app_client.post(f"{API}/jobs/{job['id']}/cancel", headers=me).json()["state"] == "cancelled"
    with app_client.stream("GET", f"{API}/jobs/{job['id']}/events", headers=me) as stream:
        assert '"cancelled"' in "".join(stream.iter_text())
    assert [one["id"] for one in app_client.get(f"{API}/jobs", headers=me).json()["items"]] == [job["id"]]


def test_convert_a_code_for_another_model(
    app_client: TestClient,
    me: Headers,
    rows: Session,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "presets.toml"
    path.write_text(second.preset(tmp_path))
    monkeypatch.setattr(get_settings(), "presets", path)
    load_presets.cache_clear()
    rate(app_client, me, UNLOCK)
    profile = app_client.get(f"{API}/profiles", headers=me).json()["items"][0]["id"]
    code = app_client.post(f"{API}/profiles/{profile}/codes", headers=me).json()["code"]

    def convert(model: str) -> Any:
        body = {"model": model}
        return app_client.post(f"{API}/codes/{code}/conversions", json=body, headers=me)

    assert convert(second.NAME).status_code == 503
    (space,) = (one for one in app_client.get(f"{API}/info", headers=me).json()["spaces"] if not one["open"])
    assert (space["models"], space["embedded"], space["images"]) == ([second.NAME], 0, 60)
    second.read_gallery(rows)
    spaces.open_space(rows, encoder=second.SPACE)
    rows.commit()
    made = convert(second.NAME).json()
    assert (made["encoder"], made["rating_count"], made["parent"]) == (second.SPACE, UNLOCK, None)
    assert convert("nothing").status_code == convert("starter").status_code == 422
    load_presets.cache_clear()
