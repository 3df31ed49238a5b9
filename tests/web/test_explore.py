"""Rating with plain forms and as the script does it."""

import html
import json
import re
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, func, select

from app.models import Pair, Person, Rating
from tests.web.conftest import UNLOCK, Browser

JSON = {"Accept": "application/json"}


def offered(visitor: Browser) -> list[dict[str, Any]]:
    """The pairs that the page hands to its script."""
    page = visitor.get("/explore").text
    found = re.search(r'id="pairs">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    pairs: list[dict[str, Any]] = json.loads(html.unescape(found[1]))
    return pairs


def send(
    visitor: Browser, pair: dict[str, Any], answer: str, *, waiting: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    offers = [shown["offer"] for shown in (pair, *waiting)]
    fields = {"pair_id": pair["id"], "offer": offers, "answer": answer}
    response = visitor.post("/ratings", fields, headers=JSON)
    assert response.status_code == 200
    reply: dict[str, Any] = response.json()
    return reply


def count(rows: Session, table: type) -> int:
    return rows.exec(select(func.count()).select_from(table)).one()


def test_looking_stores_nothing(visitor: Browser, rows: Session) -> None:
    visitor.get("/explore")
    assert (count(rows, Person), count(rows, Pair)) == (0, 0)


def test_a_visitor_becomes_a_guest_at_the_first_rating(visitor: Browser, rows: Session) -> None:
    first, second, *rest = offered(visitor)
    reply = send(visitor, first, "left", waiting=[second, *rest])
    assert (reply["rating_count"], reply["remaining"]) == (1, f"{UNLOCK - 1} more unlock --p.")
    assert send(visitor, second, "right")["rating_count"] == 2  # preloaded while still a visitor
    assert (count(rows, Person), count(rows, Rating)) == (1, 2)
    assert f"data-count>2</b> <span>/ {UNLOCK}" in visitor.get("/explore").text


def test_a_replay_makes_one_rating_and_another_answer_replaces_it(visitor: Browser, rows: Session) -> None:
    pair = offered(visitor)[0]
    for answer in ("left", "left", "right"):
        assert send(visitor, pair, answer)["rating_count"] == 1
    assert rows.exec(select(Rating.answer)).all() == ["right"]


def test_the_same_next_pairs_are_offered_again(visitor: Browser) -> None:
    visitor.rate()
    assert {pair["id"] for pair in offered(visitor)} == {pair["id"] for pair in offered(visitor)}


def test_undo_offers_the_pair_again(visitor: Browser) -> None:
    pair = offered(visitor)[0]
    assert send(visitor, pair, "tie")["can_undo"] is True
    reply = visitor.post("/ratings/undo", headers=JSON).json()
    assert (reply["pair"]["id"], reply["rating_count"], reply["can_undo"]) == (pair["id"], 0, False)
    assert visitor.post("/ratings/undo", headers=JSON).json()["pair"] is None


def test_what_more_rating_would_add_is_said_now_and_then(visitor: Browser) -> None:
    said = [str(send(visitor, offered(visitor)[0], "left").get("standing")) for _ in range(UNLOCK)]
    assert said[:-1] == ["None"] * (UNLOCK - 1)
    assert "50 more ratings should add about" in said[-1]
    assert said[-1] in visitor.get("/explore").text
    assert "50 more ratings should add about" in visitor.get("/info").text


def test_a_skip_is_no_point(visitor: Browser) -> None:
    assert send(visitor, offered(visitor)[0], "skip")["rating_count"] == 0


def test_unlocking_is_said_once(visitor: Browser) -> None:
    pairs: list[dict[str, Any]] = offered(visitor)
    said = []
    for _ in range(UNLOCK + 1):
        pair = pairs.pop(0)
        reply = send(visitor, pair, "left")
        said.append(reply["just_unlocked"])
        pairs = reply["pairs"]
    assert said == [False] * (UNLOCK - 1) + [True, False]


def test_plain_forms_work(visitor: Browser) -> None:
    response = visitor.rate("both_bad")
    assert (response.status_code, response.headers["location"]) == (303, "/explore")
    visitor.get("/explore")
    assert visitor.post("/ratings/undo").headers["location"] == "/explore"


def test_a_pair_that_was_not_shown_is_refused(visitor: Browser, rows: Session) -> None:
    for offer in ("", "forged", "eyJ9.forged.signature"):
        fields = {"pair_id": "9c0f3f0e-2f4c-4a6e-9a38-08c1a9ab8c2f", "offer": offer, "answer": "left"}
        response = visitor.post("/ratings", fields, headers=JSON)
        assert response.status_code == 404
        assert "was not shown to you" in response.json()["detail"]
    assert (count(rows, Rating), count(rows, Person)) == (0, 0)


def test_somebody_elses_pair_is_refused(visitor: Browser, stranger: Browser) -> None:
    visitor.rate()
    pair = offered(visitor)[0]
    fields = {"pair_id": pair["id"], "answer": "left"}
    assert stranger.post("/ratings", fields, headers=JSON).status_code == 404


def test_an_unknown_answer_is_refused(visitor: Browser) -> None:
    pair = offered(visitor)[0]
    fields = {"pair_id": pair["id"], "offer": pair["offer"], "answer": "maybe"}
    assert visitor.post("/ratings", fields, headers=JSON).status_code == 422


def test_a_form_from_elsewhere_is_refused(visitor: Browser, rows: Session) -> None:
    pair = offered(visitor)[0]
    fields = {"pair_id": pair["id"], "offer": pair["offer"], "answer": "left"}
    assert visitor.client.post("/ratings", data=fields).status_code == 403
    elsewhere = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert visitor.post("/ratings", fields, headers=elsewhere).status_code == 403
    assert count(rows, Rating) == 0
