"""Create in a real browser, with a real worker and a tiny model."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from app.config import Settings
from tests.web.conftest import fill_gallery
from tests.web.live import Screen, serve
from tests.worker.conftest import Worker, presets, start_worker, studio

__all__ = ["presets", "start_worker", "studio"]  # fixtures of the worker's tests, used here too
pytestmark = pytest.mark.browser


@pytest.fixture
def screen(browser: Browser, studio: Settings) -> Iterator[Screen]:
    """A window on an instance with the tiny model."""
    fill_gallery()
    with serve() as address:
        screen = Screen(browser, address)
        yield screen
        screen.context.close()
    assert screen.complaints == []


@pytest.mark.timeout(300)
def test_a_grid_appears_live_and_can_be_cancelled(screen: Screen, start_worker: Callable[[], Worker]) -> None:
    worker = start_worker()
    page = screen.page
    page.goto("/create")
    page.locator("#prompt").fill("a lighthouse --n 4 --steps 12")
    page.get_by_role("button", name="Paint").click()
    card = page.locator("#results .job").first
    expect(card.locator(".slot")).to_have_count(4)
    worker.ready()
    expect(card.locator("[data-progress]")).to_have_text(re.compile(r"Step \d+ of 12"), timeout=60_000)
    expect(card).to_have_attribute("data-state", "done", timeout=90_000)
    expect(card.locator(".slot a img")).to_have_count(4)
    page.locator("#prompt").fill("{red, blue} kites --n 4 --steps 150")
    page.get_by_role("button", name="Paint").click()
    expect(page.locator("#results .job")).to_have_count(3)
    running = page.locator('#results .job[data-live]:has([data-progress]:text("Step"))').first
    expect(running).to_be_visible(timeout=60_000)
    for job in [job.get_attribute("id") for job in page.locator("#results .job[data-live]").all()]:
        page.locator(f"#{job}").get_by_role("button", name="Cancel").click()
    expect(page.locator('#results .job[data-state="cancelled"]')).to_have_count(2, timeout=60_000)
    card = page.locator('#results .job[data-state="done"]')
    card.locator(".slot a").first.click()
    expect(page.get_by_role("link", name="Download PNG")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("a lighthouse")
