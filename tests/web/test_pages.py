"""Every page answers for everybody: visitor, guest, somebody with jobs in each state."""

import re

from sqlmodel import Session

from app.services import joblife
from tests.web.conftest import UNLOCK, Browser
from tests.web.jobs import finish, newest_job, paint

PAGES = ("/", "/explore", "/create", "/jobs", "/images", "/info", "/tasks", "/settings", "/signin", "/signup")


def test_a_visitor_sees_every_page(visitor: Browser) -> None:
    for path in PAGES:
        response = visitor.get(path)
        assert response.status_code == 200
        assert f"0</b> <span>/ {UNLOCK}" in response.text
        assert "default-src 'self'" in response.headers["content-security-policy"]


def test_pages_of_somebody_with_jobs_in_every_state(adept: Browser, rows: Session) -> None:
    for prompt in ("first --p --n 2", "second", "third", "fourth", "fifth"):
        adept.get("/create")
        assert adept.post("/jobs", {"prompt": prompt}).status_code == 303
    finish(rows, slots=2)
    joblife.fail(
        rows, claim=paint(rows, slots=0), code="broken", message="The <b>worker</b> broke. Try again."
    )
    joblife.cancelled(rows, claim=paint(rows, slots=1))
    rows.commit()
    paint(rows, slots=1)
    for path in PAGES[1:]:
        assert adept.get(path).status_code == 200
    listed = adept.get("/jobs").text
    assert re.findall(r'data-state="(\w+)"', listed) == ["queued", "running", "cancelled", "failed", "done"]
    assert "The &lt;b&gt;worker&lt;/b&gt; broke. Try again." in listed
    for job in re.findall(r'data-job="([^"]+)"', listed):
        assert adept.get(f"/jobs/{job}").status_code == 200
    assert re.findall(r'data-state="(\w+)"', adept.get("/jobs?state=open").text) == ["queued", "running"]
    assert "unlocked" in adept.get("/info").text


def test_whoever_has_begun_goes_on(visitor: Browser) -> None:
    assert visitor.get("/").status_code == 200
    for number in range(UNLOCK):
        visitor.rate()
        onward = "/create" if number + 1 == UNLOCK else "/explore"
        assert visitor.get("/").headers["location"] == onward


def test_others_see_neither_job_nor_image(adept: Browser, stranger: Browser, rows: Session) -> None:
    adept.get("/create")
    adept.post("/jobs", {"prompt": "a secret garden"})
    finish(rows, slots=4)
    job = newest_job(rows).id
    image = re.findall(r'href="/images/(\d+)"', adept.get("/images").text)[0]
    stranger.rate()
    for path in (f"/jobs/{job}", f"/jobs/{job}/card", f"/jobs/{job}/events", f"/jobs/{job}/preview/0"):
        assert stranger.get(path).status_code == 404
    for path in (f"/images/{image}", f"/images/{image}/file", f"/images/{image}/thumb"):
        assert adept.get(path).status_code == 200
        assert stranger.get(path).status_code == 404
    assert stranger.get(f"/images/{image}/download").status_code == 404
    assert stranger.post(f"/jobs/{job}/cancel").status_code == 404
    assert "secret" not in stranger.get("/images").text


def test_an_error_is_a_page_with_a_way_on(visitor: Browser) -> None:
    response = visitor.get("/nowhere")
    assert response.status_code == 404
    assert "There is nothing at this address." in response.text
    assert 'href="/explore"' in response.text
    assert visitor.get("/images/not-a-number").status_code == 422


def test_a_fragment_is_answered_with_a_fragment(visitor: Browser) -> None:
    response = visitor.get("/nowhere", headers={"HX-Request": "true"})
    assert response.status_code == 404
    assert "<html" not in response.text


def test_gallery_files_are_kept_by_browsers(visitor: Browser, gallery: list[int]) -> None:
    response = visitor.get(f"/images/{gallery[0]}/file")
    assert response.headers["content-type"] == "image/webp"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = visitor.get(f"/images/{gallery[0]}/file", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
