"""The moodboard pages, and their REST API, as a browser without scripts and a script use them."""

import io
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image as Pil
from sqlmodel import Session, select

from app.models import Image, Job
from tests.gallery import make_gallery
from tests.web.conftest import Browser, picture_bytes

API = "/api/v1"


def png() -> bytes:
    data = io.BytesIO()
    Pil.new("RGB", (300, 200), (20, 90, 160)).save(data, "PNG")
    return data.getvalue()


@pytest.fixture
def board(visitor: Browser) -> str:
    """The address of a new moodboard of a visitor, who becomes a guest by it."""
    visitor.get("/moodboards")
    reply = visitor.post("/moodboards", {"name": "Quiet <b>winters</b>"})
    assert reply.status_code == 303
    return str(reply.headers["location"])


def test_a_moodboard_from_an_empty_page_to_a_prompt(
    visitor: Browser, board: str, gallery: list[int], rows: Session
) -> None:
    assert "Quiet &lt;b&gt;winters&lt;/b&gt;" in visitor.get(board).text
    assert visitor.post(f"{board}/add", {"image_id": gallery[0]}).status_code == 303
    assert visitor.post(f"{board}/add", {"links": f"/images/{gallery[1]}"}).status_code == 303
    page = visitor.get(board).text
    assert "2 images" in page
    identity = board.rsplit("/", 1)[1]
    assert f"--p {identity}" in page
    assert "2 images" in visitor.get("/moodboards").text
    assert visitor.post("/jobs", {"prompt": f"a cat --p {identity}::2 --n 1"}).status_code in (200, 303)
    (job,) = rows.exec(select(Job)).all()
    (taste,) = job.spec["personalize"]["tastes"]
    assert (taste["weight"], taste["normalised"]) == (2.0, 1.0)
    assert "from 2 images" in visitor.get(f"/p/{taste['code']}").text
    assert visitor.post(f"{board}/remove", {"image_id": gallery[0]}).status_code == 303
    assert "one image" in visitor.get(board).text
    assert visitor.post(f"{board}/delete").status_code == 303
    assert visitor.get(board).status_code == 404


def test_offers_stay_where_they_are_until_others_are_asked_for(
    visitor: Browser, board: str, rows: Session
) -> None:
    make_gallery(rows, count=40, seed=8)
    rows.commit()

    def offered(page: str) -> list[str]:
        return re.findall(r'name="image_id" value="(\d+)" aria-label="Add', page)

    page = visitor.get(board).text
    first = offered(page)
    start = re.search(r'name="start" value="([\d.]+)"', page)
    other = re.search(r'href="(/moodboards/[^"]+)#more">Other images', page)
    assert start is not None
    assert other is not None
    reply = visitor.post(f"{board}/add", {"image_id": first[3], "start": start[1]})
    again = offered(visitor.get(reply.headers["location"]).text)
    assert again[:-1] == [image for image in first if image != first[3]]
    assert not set(offered(visitor.get(other[1]).text)[1:]) & set(first)


def test_pictures_from_the_disk(visitor: Browser, board: str, rows: Session) -> None:
    visitor.get(board)
    files = [("files", ("a.png", png(), "image/png")), ("files", ("b.webp", picture_bytes((9, 9, 9)), ""))]
    reply = visitor.client.post(f"{board}/upload", data={"csrf_token": visitor.token}, files=files)
    assert reply.status_code == 303
    uploads = rows.exec(select(Image).where(Image.source == "upload")).all()
    assert {(image.width, image.visibility) for image in uploads} == {(300, "private"), (128, "private")}
    assert visitor.get(f"/images/{uploads[0].id}/file").status_code == 200
    bad = visitor.client.post(
        f"{board}/upload", data={"csrf_token": visitor.token}, files=[("files", ("x.png", b"no", ""))]
    )
    assert bad.status_code == 422
    assert "This file is not an image" in bad.text
    nothing = visitor.client.post(f"{board}/upload", data={"csrf_token": visitor.token})
    assert nothing.status_code == 422
    refused = visitor.client.post(f"{board}/upload", files=files)
    assert refused.status_code == 403


def test_an_image_is_collected_on_its_page(visitor: Browser, board: str, gallery: list[int]) -> None:
    page = visitor.get(f"/images/{gallery[3]}").text
    assert "Add to the moodboard" in page
    reply = visitor.post(f"/images/{gallery[3]}/collect", {"board": board.rsplit("/", 1)[1]})
    assert reply.headers["location"] == board
    assert f'href="/images/{gallery[3]}"' in visitor.get(board).text
    assert "Your images" in visitor.get(f"{board}?offer=own").text


def test_nobody_else_sees_or_changes_it(
    visitor: Browser, stranger: Browser, board: str, gallery: list[int]
) -> None:
    stranger.get("/moodboards")
    stranger.post("/moodboards", {"name": "Mine"})
    assert stranger.get(board).status_code == 404
    for action, fields in (("add", {"image_id": gallery[0]}), ("remove", {"image_id": 1}), ("delete", {})):
        assert stranger.post(f"{board}/{action}", fields).status_code == 404
    assert visitor.get(board).status_code == 200


def test_a_name_that_is_taken_is_said_so(visitor: Browser, board: str) -> None:
    again = visitor.post("/moodboards", {"name": "Quiet <b>winters</b>"})
    assert again.status_code == 409
    assert "already" in again.text


def test_scripts_do_the_same(visitor: Browser, gallery: list[int]) -> None:
    client: TestClient = visitor.client
    client.cookies.clear()
    me = {"Authorization": f"Bearer {client.post(f'{API}/guests').json()['token']}"}

    def call(method: str, path: str, status: int = 200, **more: Any) -> Any:
        reply = client.request(method, f"{API}{path}", headers=me, **more)
        assert reply.status_code == status, reply.text
        return reply.json() if reply.content else None

    made = call("POST", "/moodboards", 201, json={"name": "Old posters"})
    place = f"/moodboards/{made['id']}"
    held = call("POST", f"{place}/images", json={"image_ids": gallery[:2]})
    assert (held["image_count"], len(held["images"])) == (2, 2)
    first = call("POST", f"/profiles/{made['id']}/codes")
    assert (first["rating_count"], first["image_count"]) == (0, 2)
    call("POST", f"{place}/images", json={"image_ids": [gallery[2]]})
    call("DELETE", f"{place}/images/{gallery[2]}")
    assert call("POST", f"/profiles/{made['id']}/codes")["code"] == first["code"]
    uploaded = call("POST", f"{place}/uploads", files={"file": ("a.png", png(), "image/png")})
    assert uploaded["image_count"] == 3
    waiting = call("POST", f"/profiles/{made['id']}/codes", 503)
    assert "not yet looked at 1 of the 3" in waiting["detail"]
    assert (
        call("POST", f"{place}/uploads", 422, files={"file": ("a.png", b"no", "")})["code"] == "invalid_input"
    )
    (listed,) = call("GET", "/moodboards")["items"]
    assert listed["id"] == made["id"]
    assert {row["is_moodboard"] for row in call("GET", "/profiles")["items"]} == {True, False}
    assert call("GET", f"/profiles/{made['id']}")["unlocked"]
    call("DELETE", place, 204)
    call("GET", place, 404)
