"""Cookies, CSRF and signed offers: what protects a browser."""

import json
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session, func, select

from app.main import create_app
from app.models import Person, Rating, WebSession
from app.services import accounts
from app.web.csrf import COOKIE
from tests.api.test_faults import is_problem

HOST = "http://testserver"
ACCOUNT = {"email": "ada@example.com", "password": "correct horse battery"}


@pytest.fixture
def browser(gallery: list[int]) -> Iterator[TestClient]:
    """A browser that keeps cookies."""
    with TestClient(create_app(), follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


def token_of(browser: TestClient) -> dict[str, str]:
    """The CSRF token that the pages give this browser."""
    found = re.search(r'data-csrf="([0-9a-f]+)"', browser.get("/explore").text)
    assert found is not None
    return {"X-CSRF-Token": found.group(1), "Accept": "application/json"}


def offers(browser: TestClient) -> list[dict[str, str]]:
    """The answers "left" to the pairs on the explore page, as its script sends them."""
    page = browser.get("/explore").text
    found = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S)
    assert found is not None, page[:3000]
    pairs = json.loads(found.group(1))
    return [{"pair_id": p["id"], "answer": "left", "offer": p.get("offer", "")} for p in pairs]


def test_a_visitor_becomes_a_guest_at_the_first_rating(browser: TestClient, rows: Session) -> None:
    headers, answers = token_of(browser), offers(browser)
    assert rows.exec(select(func.count()).select_from(Person)).one() == 0
    cookie = browser.cookies[COOKIE]
    for _ in range(2):  # a double click
        reply = browser.post("/ratings", data=answers[0], headers=headers)
        assert reply.status_code == 200, reply.text
        assert reply.json()["rating_count"] == 1
    assert browser.cookies[COOKIE] == cookie  # the page that is open keeps its CSRF token
    rows.rollback()
    assert rows.exec(select(func.count()).select_from(Person)).one() == 1
    assert rows.exec(select(func.count()).select_from(Rating)).one() == 1


def test_a_forged_offer_is_no_offer(browser: TestClient, rows: Session) -> None:
    headers, answers = token_of(browser), offers(browser)
    forged = {**answers[0], "offer": answers[0]["offer"][:-2] + "aa"}
    is_problem(browser.post("/ratings", data=forged, headers=headers), 404, "not_found")
    rows.rollback()
    assert rows.exec(select(func.count()).select_from(Person)).one() == 0  # nothing half done


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRF-Token": "0" * 64},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
    ],
)
def test_a_post_from_elsewhere_is_refused(
    browser: TestClient, rows: Session, headers: dict[str, str]
) -> None:
    good, answers = token_of(browser), offers(browser)
    if "X-CSRF-Token" not in headers and headers:
        headers = {**good, **headers}
    headers = {"Accept": "application/json", **headers}
    is_problem(browser.post("/ratings", data=answers[0], headers=headers), 403, "forbidden")
    is_problem(browser.post("/api/v1/guests", headers=headers), 403, "forbidden")
    rows.rollback()
    assert rows.exec(select(func.count()).select_from(Person)).one() == 0


def test_forms_carry_the_token_in_a_field(browser: TestClient) -> None:
    token = token_of(browser)["X-CSRF-Token"]
    same = {"Origin": HOST, "Sec-Fetch-Site": "same-origin"}
    reply = browser.post("/signup", data={**ACCOUNT, "csrf_token": token}, headers=same)
    assert reply.status_code == 303, reply.text


def test_the_api_takes_the_cookie_with_its_token(browser: TestClient) -> None:
    headers, answers = token_of(browser), offers(browser)
    browser.post("/ratings", data=answers[0], headers=headers)
    assert browser.get("/api/v1/info").json()["profile"]["rating_count"] == 1
    assert browser.post("/api/v1/ratings/undo").status_code == 403
    assert browser.post("/api/v1/ratings/undo", headers=headers).json()["rating_count"] == 0


def test_signing_in_gives_a_new_cookie_and_signing_out_ends_the_old(
    browser: TestClient, rows: Session
) -> None:
    headers = token_of(browser)
    visitor = browser.cookies[COOKIE]
    browser.post("/signup", data=ACCOUNT, headers=headers)
    signed_up = browser.cookies[COOKIE]
    assert signed_up != visitor
    assert browser.post("/signout", headers=headers).status_code == 403  # the page before is of no use now
    assert browser.post("/signout", headers=token_of(browser)).status_code == 303
    assert browser.cookies[COOKIE] not in (visitor, signed_up)
    rows.rollback()
    assert rows.exec(select(func.count()).select_from(WebSession)).one() == 0
    wrong = browser.post("/signin", data={**ACCOUNT, "password": "wrong"}, headers=token_of(browser))
    assert wrong.status_code == 403
    assert browser.post("/signin", data=ACCOUNT, headers=token_of(browser)).status_code == 303
    assert browser.get("/api/v1/info").json()["email"] == ACCOUNT["email"]


def test_a_cookie_that_we_did_not_sign_never_becomes_a_session(browser: TestClient, rows: Session) -> None:
    answers = offers(browser)
    browser.cookies.clear()
    browser.cookies.set(COOKIE, "chosen-by-somebody-else")
    reply = browser.post("/ratings", data=answers[0], headers=token_of(browser))
    assert reply.status_code == 200
    assert re.match(rf"{COOKIE}=[\w-]+\.[0-9a-f]+;", reply.headers["set-cookie"])
    assert accounts.person_of_session(rows, token="chosen-by-somebody-else") is None


def test_the_cookie_is_out_of_reach_of_scripts_and_sites(browser: TestClient) -> None:
    (cookie,) = browser.get("/explore").headers.get_list("set-cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
