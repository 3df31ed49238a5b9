"""The create page names the words that the model cannot draw, before anything is painted."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from app.config import REPOSITORY, Settings
from app.presets import load_presets
from tests.web.conftest import PRESETS, Browser
from tests.web.live import PHONE, Screen, serve

HTMX = {"HX-Request": "true"}
DESK = {"viewport": {"width": 1280, "height": 900}}
TOP = "button => button.getBoundingClientRect().top"
ANOTHER = """
[other]
title = "Other"
licence = "MIT"
folder = "."
encoder = "another"
sizes = [[128, 128]]
steps = 4
guidance = 4.0
"""


@pytest.fixture
def worded(site: Settings, tmp_path: Path) -> None:
    """The starter with its vocabulary, beside a model that has none."""
    shutil.copy(REPOSITORY / "starter" / "weights" / "vocabulary.json", tmp_path)
    wordy = PRESETS.replace("guidance = 4.0\n", 'guidance = 4.0\nvocabulary = "vocabulary.json"\n')
    (tmp_path / "presets.toml").write_text(wordy + ANOTHER)
    load_presets.cache_clear()


def said(browser: Browser, prompt: str) -> str:
    """What the page says of a prompt that is being typed."""
    response = browser.post("/create/words", {"prompt": prompt}, headers=HTMX)
    assert response.status_code == 200
    assert "<textarea" not in response.text
    return " ".join(response.text.split())


def test_unknown_words_are_named_with_what_is_nearest(visitor: Browser, worded: None) -> None:
    visitor.get("/create")
    assert said(visitor, "a dinosaur in the rain --ar 3:2 --s 50") == (
        "Starter cannot draw: <strong>dinosaur</strong> (nearest: lizard)"
    )
    assert "knows 40 subjects, 14 media, 16 palettes" in said(visitor, "a castle in the rain")
    many = said(visitor, "a wolf, a robot, a dragon, a bicycle and a piano")
    assert many.count("<strong>") == 3
    assert many.endswith("and 2 more")


def test_parameters_and_options_are_read_as_the_prompt_language_reads_them(
    visitor: Browser, worded: None
) -> None:
    visitor.get("/create")
    assert "dinosaur" not in said(visitor, "a castle --no dinosaur")
    assert "dragon" in said(visitor, "a {castle, dragon} at dusk")
    assert "knows" in said(visitor, "a dinosaur --s")
    assert said(visitor, "a dinosaur --model other") == ""
    assert "<img" not in said(visitor, "<img src=x> a dinosaur")


def test_the_page_lists_what_the_model_knows(visitor: Browser, worded: None) -> None:
    page = visitor.get("/create?prompt=a+dinosaur").text
    assert "<strong>dinosaur</strong> (nearest: lizard)" in page
    assert "temple (pagoda, mosque, greek temple, cathedral, stupa)" in page
    assert 'role="status"' in page


def test_a_model_without_a_vocabulary_says_nothing(visitor: Browser) -> None:
    page = visitor.get("/create?prompt=a+dinosaur").text
    assert "cannot draw" not in page
    assert "/create/words" not in page
    assert said(visitor, "a dinosaur") == ""


@pytest.mark.browser
@pytest.mark.parametrize(
    "options", [{"viewport": {"width": 1280, "height": 900}}, PHONE], ids=["desk", "phone"]
)
def test_a_word_is_named_while_it_is_typed_and_nothing_moves(
    browser: Chromium, gallery: list[int], worded: None, options: dict[str, object]
) -> None:
    with serve() as address:
        screen = Screen(browser, address, **options)
        page = screen.page
        page.goto("/create")
        told, button = page.locator("#composer-words"), page.locator(".composer .button")
        expect(told).to_contain_text("Starter knows 40 subjects")
        place = button.evaluate(TOP)
        page.locator("#prompt").press_sequentially("a dinosaur, a robot and a dragon")
        expect(told).to_have_text(
            "Starter cannot draw: dinosaur (nearest: lizard), robot (nearest: rocket), "
            "dragon (nearest: lizard)"
        )
        assert button.evaluate(TOP) == pytest.approx(place, abs=0.5)
        page.get_by_text("What Starter knows").click()
        expect(page.locator(".vocabulary dl")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.locator("#prompt").fill("a lizard at dusk")
        expect(told).to_contain_text("Starter knows")
        expect(page.locator(".vocabulary dl")).to_be_visible()
        assert screen.complaints == []
        screen.context.close()
