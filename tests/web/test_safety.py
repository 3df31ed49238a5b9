"""What may be unsafe is blurred on every page, and shown when somebody asks."""

import re

import pytest
from sqlalchemy import update
from sqlmodel import Session

from app.config import Settings
from app.models import Image
from app.safety import Label
from tests.web.conftest import Browser
from tests.web.jobs import finish, newest_job


def blurred(browser: Browser, path: str = "/images") -> str | None:
    """The mildest label that the page blurs."""
    found = re.search(r'<body[^>]* data-blurred="(\w+)"', browser.get(path).text)
    return found[1] if found else None


def painted(browser: Browser, rows: Session, label: Label) -> list[str]:
    """Pages that show an image of this label."""
    browser.get("/create")
    browser.post("/jobs", {"prompt": f"something {label} --n 2"})
    finish(rows, slots=2, label=label)
    job = newest_job(rows).id
    image = re.findall(r'href="/images/(\d+)"', browser.get("/images").text)[0]
    return ["/images", f"/images/{image}", "/jobs", f"/jobs/{job}", f"/jobs/{job}/card"]


def test_an_unsafe_image_is_marked_on_every_page_that_shows_it(adept: Browser, rows: Session) -> None:
    for path in painted(adept, rows, "unsafe"):
        page = adept.get(path).text
        assert page.count('<img data-safety="unsafe"') == page.count('class="reveal unsafe"') >= 1, path
    assert 'class="reveal safe"' not in adept.get("/images").text


def test_a_safe_one_has_nothing_to_reveal(adept: Browser, rows: Session) -> None:
    painted(adept, rows, "safe")
    page = adept.get("/images").text
    assert '<img data-safety="safe"' in page
    assert 'class="reveal' not in page


@pytest.mark.parametrize(("policy", "level"), [("allow", None), ("blur", "unsafe"), ("block", "unsafe")])
def test_the_policy_counts_for_everybody_and_a_person_may_want_more(
    adept: Browser,
    stranger: Browser,
    site: Settings,
    monkeypatch: pytest.MonkeyPatch,
    policy: str,
    level: str | None,
) -> None:
    monkeypatch.setattr(site, "safety", policy)
    assert blurred(adept) == blurred(stranger) == blurred(stranger, "/") == level
    page = adept.get("/settings").text
    assert not re.search(r'name="cautious"[^>]* checked', page)
    adept.post("/settings", {"stylize": "100", "model": "starter", "cautious": "on"})
    assert blurred(adept) == "questionable"
    assert blurred(stranger) == level
    assert re.search(r'name="cautious"[^>]* checked', adept.get("/settings").text)


def test_a_preview_for_other_sites_is_never_one_that_is_blurred(adept: Browser, rows: Session) -> None:
    adept.get("/info")
    code = adept.post("/codes").headers["location"]
    assert 'property="og:image"' in adept.get(code).text
    rows.execute(update(Image).values(safety="unsafe", safety_score=0.9))
    rows.commit()
    page = adept.get(code).text
    assert 'property="og:image"' not in page
    assert 'class="reveal unsafe"' in page
