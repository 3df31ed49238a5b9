"""The prompt form: what is accepted, and how it says what is wrong."""

import io
import json
import re

from PIL import Image as Pil
from sqlmodel import Session, func, select

from app.models import Job
from tests.web.conftest import UNLOCK, Browser
from tests.web.jobs import finish, newest_job, paint

HTMX = {"HX-Request": "true"}


def count_jobs(rows: Session) -> int:
    return rows.exec(select(func.count()).select_from(Job)).one()


WRONG = {
    "a tree --stylise 5": "--stylize",
    "a tree --s 2000": "1000",
    "a tree --tile": "not supported by the model starter yet",
    "a tree --p nosuchcode99": "no taste",
    "   ": "",
    "x" * 100_000: "",
}


def test_a_wrong_prompt_is_explained_beside_the_box(visitor: Browser, rows: Session) -> None:
    visitor.get("/create")
    for prompt, said in WRONG.items():
        page = visitor.post("/jobs", {"prompt": prompt})
        assert 400 <= page.status_code < 500
        assert 'class="note bad"' in page.text
        assert said in page.text
        assert prompt.strip() in page.text
        fragment = visitor.post("/jobs", {"prompt": prompt}, headers=HTMX)
        assert fragment.status_code == page.status_code
        assert said in fragment.text
        assert "<textarea" not in fragment.text
    assert count_jobs(rows) == 0


def test_locked_says_how_far_it_is(visitor: Browser) -> None:
    visitor.rate()
    visitor.get("/create")
    page = visitor.post("/jobs", {"prompt": "a tree --p"})
    assert page.status_code == 403
    sentence = f"Personalization is locked: 1 of {UNLOCK} ratings. Rate {UNLOCK - 1} more on /explore."
    assert sentence in page.text
    assert '<a href="/explore">Rate now</a>' in page.text


def test_a_script_in_a_prompt_is_shown_as_text(visitor: Browser, rows: Session) -> None:
    prompt = '<script>alert(1)</script> & "><img src=x onerror=alert(1)>'
    visitor.get("/create")
    visitor.post("/jobs", {"prompt": prompt})
    finish(rows, slots=4)
    job = newest_job(rows).id
    image = re.findall(r'href="/images/(\d+)"', visitor.get("/images").text)[0]
    for path in (f"/jobs/{job}", "/jobs", "/images", f"/images/{image}", "/create", f"/create?remix={job}"):
        page = visitor.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in visitor.get(f"/jobs/{job}").text
    assert "<script>alert" not in visitor.get("/create?prompt=<script>alert(1)</script>").text


def test_a_double_click_makes_one_set_of_jobs(visitor: Browser, rows: Session) -> None:
    visitor.get("/create")
    fields = {"prompt": "{red, blue} kites", "key": visitor.hidden("key")}
    first, second = (visitor.post("/jobs", fields, headers=HTMX) for _ in range(2))
    found = re.findall(r'data-job="([^"]+)"', first.text)
    assert len(found) == 2
    assert re.findall(r'data-job="([^"]+)"', second.text) == found
    assert count_jobs(rows) == 2
    assert visitor.post("/jobs", fields).headers["location"] == "/jobs"


def test_cancel_and_rerun(visitor: Browser, rows: Session) -> None:
    visitor.get("/create")
    visitor.post("/jobs", {"prompt": "a tree --seed 7"})
    job = newest_job(rows).id
    card = visitor.post(f"/jobs/{job}/cancel", headers=HTMX)
    assert 'data-state="cancelled"' in card.text
    again = visitor.post(f"/jobs/{job}/rerun")
    assert again.status_code == 303
    rows.expire_all()
    assert newest_job(rows).parent_id == job
    paint(rows, slots=1)
    card = visitor.post(f"/jobs/{newest_job(rows).id}/cancel", headers=HTMX)
    assert "Cancelling" in card.text


def test_remix_and_prompt_fill_the_box(visitor: Browser, rows: Session) -> None:
    visitor.get("/create")
    visitor.post("/jobs", {"prompt": "a tree --s 50"})
    assert ">a tree --s 50</textarea>" in visitor.get(f"/create?remix={newest_job(rows).id}").text
    assert ">two trees</textarea>" in visitor.get("/create?prompt=two+trees").text


def test_a_png_carries_its_spec(adept: Browser, rows: Session) -> None:
    adept.get("/create")
    adept.post("/jobs", {"prompt": "a tree --p --seed 7 --n 2"})
    finish(rows, slots=2)
    image = re.findall(r'href="/images/(\d+)"', adept.get("/images").text)[0]
    file = adept.get(f"/images/{image}/download?format=png")
    with Pil.open(io.BytesIO(file.content)) as picture:
        picture.load()
        spec = json.loads(picture.info["spec"])
    assert (spec["seed"], spec["n"], spec["text"]) == (8, 1, "a tree")
    assert file.headers["content-disposition"].startswith("attachment")
    assert adept.get(f"/images/{image}/download?format=webp").headers["content-type"] == "image/webp"


def test_images_scroll_by_position(visitor: Browser, rows: Session) -> None:
    for _ in range(7):
        visitor.get("/create")
        visitor.post("/jobs", {"prompt": "many --n 8"})
        finish(rows, slots=8)
    first = visitor.get("/images").text
    older = re.findall(r'hx-get="([^"]+)"', first)[0]
    assert len(re.findall(r'<a href="/images/\d+"', first)) == 48
    fragment = visitor.get(older, headers=HTMX).text
    assert len(re.findall(r'<a href="/images/\d+"', fragment)) == 8
    assert "<html" not in fragment
    assert "hx-get" not in fragment
    assert ">Newest<" in visitor.get(older).text


def test_events_end_with_the_job(visitor: Browser, rows: Session) -> None:
    visitor.get("/create")
    visitor.post("/jobs", {"prompt": "a tree"})
    finish(rows, slots=4)
    stream = visitor.get(f"/jobs/{newest_job(rows).id}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.text.splitlines()[2] == 'data: {"state": "done"}'
