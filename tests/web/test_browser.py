"""The pages in a real browser: rating by key and by thumb, undo, unlocking, sharing, settings."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update
from sqlmodel import Session, col, select

from app.models import Image, Rating
from tests.web.conftest import UNLOCK
from tests.web.live import PHONE, Screen, refuse, serve

pytestmark = pytest.mark.browser
OpenScreen = Callable[..., Screen]


@pytest.fixture
def address(gallery: list[int]) -> Iterator[str]:
    """Where the application answers."""
    with serve() as address:
        yield address


@pytest.fixture
def open_screen(browser: Browser, address: str) -> Iterator[OpenScreen]:
    """Opens windows, each with its own cookie."""
    screens: list[Screen] = []

    def open_one(**options: Any) -> Screen:
        screens.append(Screen(browser, address, **options))
        return screens[-1]

    yield open_one
    for screen in screens:
        screen.context.close()
    assert [complaint for screen in screens for complaint in screen.complaints] == []


def ratings(rows: Session) -> list[str]:
    """All answers so far, oldest first."""
    rows.expire_all()
    return list(rows.exec(select(Rating.answer).order_by(col(Rating.id))))


def test_rating_by_key(open_screen: OpenScreen, rows: Session) -> None:
    screen = open_screen()
    screen.page.goto("/explore")
    for key in ("1", "ArrowRight", "4", "5", " "):
        screen.answer(key)
    screen.wait_for_ring(4)
    last = screen.pair()
    expect(screen.page.locator("[data-undo]")).to_be_enabled()
    screen.page.keyboard.press("u")  # takes the skip back
    screen.page.wait_for_function("old => document.querySelector('#pair').dataset.pair !== old", arg=last)
    screen.answer("2")
    screen.wait_for_ring(5)
    assert ratings(rows) == ["left", "right", "tie", "both_bad", "right"]
    words = screen.page.locator(".pick .words").first
    expect(words).to_be_hidden()
    screen.page.keyboard.press("i")
    expect(words).to_be_visible()
    expect(words).to_contain_text("picture gallery")
    screen.page.reload()
    assert screen.ring() == 5


def test_a_held_key_and_a_double_click_are_one_answer(open_screen: OpenScreen, rows: Session) -> None:
    screen = open_screen()
    screen.page.goto("/explore")
    screen.page.wait_for_timeout(200)
    for _ in range(6):
        screen.page.keyboard.down("1")  # the second and later ones are repeats
    screen.page.keyboard.up("1")
    screen.wait_for_ring(1)
    screen.page.wait_for_timeout(600)
    screen.page.locator(".pick").first.dblclick()
    screen.wait_for_ring(2)
    screen.page.wait_for_timeout(300)
    assert ratings(rows) == ["left", "left"]


def test_rating_with_a_thumb(open_screen: OpenScreen, rows: Session) -> None:
    screen = open_screen(**PHONE)
    screen.page.goto("/explore")
    for target in (*screen.page.locator(".pick").all(), *screen.page.locator("#answers button").all()):
        box = target.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 375
        assert box["y"] + box["height"] <= 667
        assert box["height"] >= 44
    screen.page.wait_for_timeout(200)
    screen.page.locator(".pick").nth(1).tap()
    screen.wait_for_ring(1)
    screen.page.wait_for_timeout(450)
    screen.page.get_by_role("button", name="Tie").tap()
    screen.wait_for_ring(2)
    screen.page.get_by_role("button", name="Undo").tap()
    screen.wait_for_ring(1)
    assert ratings(rows) == ["right"]
    assert screen.page.evaluate("document.documentElement.scrollWidth") == 375


def test_answers_survive_a_server_that_is_away(open_screen: OpenScreen, rows: Session) -> None:
    screen = open_screen()
    screen.page.goto("/explore")
    first = screen.pair()
    screen.context.route("**/ratings", refuse)
    screen.answer("1")
    screen.answer("2")
    expect(screen.page.locator("#trouble")).to_contain_text("cannot be reached", timeout=20_000)
    assert screen.pair() == first  # here it is again
    screen.context.unroute("**/ratings", refuse)
    screen.complaints.clear()  # the refused connections
    screen.answer("2")
    screen.wait_for_ring(1)
    expect(screen.page.locator("#trouble")).to_be_hidden()
    assert ratings(rows) == ["right"]


def test_unlocking_in_two_tabs(open_screen: OpenScreen, rows: Session) -> None:
    screen = open_screen()
    screen.page.goto("/explore")
    screen.answer("1")
    screen.wait_for_ring(1)
    other = screen.tab()
    for tab in (screen.page, other):  # both begin with the same open pairs
        tab.goto("/explore")
    for key in ("1", "2"):
        screen.answer(key)
    screen.wait_for_ring(3)
    other.wait_for_timeout(200)
    other.keyboard.press("2")  # the pair that the first tab has answered: one rating still
    expect(other.locator(".bar [data-count]")).to_have_text("3")
    while screen.ring() < UNLOCK:
        wanted = screen.ring() + 1
        screen.answer("1")
        screen.wait_for_ring(wanted)
    expect(screen.page.locator(".toast")).to_contain_text("Personalization is unlocked.")
    assert len(ratings(rows)) == UNLOCK


def test_when_every_pair_was_seen(open_screen: OpenScreen, rows: Session) -> None:
    keep = select(Image.id).order_by(col(Image.id)).limit(2)
    rows.exec(update(Image).where(col(Image.id).not_in(keep)).values(visibility="private"))
    rows.commit()
    screen = open_screen()
    screen.page.goto("/explore")
    screen.page.wait_for_timeout(200)
    screen.page.keyboard.press("1")
    expect(screen.page.locator("#done")).to_contain_text("You have seen every pair there is")
    screen.wait_for_ring(1)
    screen.page.reload()
    expect(screen.page.locator("#done")).to_be_visible()


def test_without_scripts(open_screen: OpenScreen, rows: Session) -> None:
    screen = open_screen(java_script_enabled=False)
    screen.page.goto("/explore")
    screen.page.locator(".pick").first.click()
    screen.page.get_by_role("button", name="Both bad").click()
    assert screen.ring() == 2
    screen.page.get_by_role("button", name="Undo").click()
    assert screen.ring() == 1
    screen.page.goto("/create")
    screen.page.locator("#prompt").fill("a tree")
    screen.page.get_by_role("button", name="Paint").click()
    expect(screen.page.locator(".job .state")).to_have_text("queued")
    assert ratings(rows) == ["left"]


def unlock(page: Page) -> None:
    """Rate through the forms of the page, quickly."""
    page.goto("/explore")
    page.evaluate(
        """async (count) => {
            const form = document.querySelector("#pair");
            let pairs = JSON.parse(document.querySelector("#pairs").textContent);
            for (let n = 0; n < count; n += 1) {
                const fields = {pair_id: pairs[0].id, answer: "left", offer: pairs[0].offer};
                const body = new URLSearchParams({...fields, csrf_token: form.elements.csrf_token.value});
                const headers = {Accept: "application/json"};
                const reply = await fetch("/ratings", {method: "POST", body, headers});
                pairs = (await reply.json()).pairs;
            }
        }""",
        UNLOCK,
    )


def test_sharing_a_taste(open_screen: OpenScreen) -> None:
    owner, friend = open_screen(), open_screen()
    unlock(owner.page)
    owner.page.goto("/info")
    owner.page.get_by_role("button", name="Freeze a code now").click()
    owner.page.wait_for_url("**/p/*")
    link = owner.page.url
    code = link.rsplit("/", 1)[1]
    owner.page.goto("/info")
    with owner.page.expect_navigation():
        owner.page.get_by_label(f"Who may use {code}").select_option("unlisted")
    friend.page.goto(link)
    expect(friend.page.locator("#code-text")).to_have_value(f"--p {code}")
    expect(friend.page.locator('meta[property="og:image"]')).to_have_attribute(
        "content", re.compile(r"/images/\d+/file$")
    )
    friend.page.get_by_role("button", name="Use this taste").click()
    expect(friend.page.get_by_role("button", name="In use")).to_be_disabled()
    owner.page.on("dialog", lambda dialog: dialog.accept())
    with owner.page.expect_navigation():
        owner.page.get_by_role("button", name="Revoke").click()
    assert friend.page.goto(link).status == 404  # type: ignore[union-attr]
    friend.complaints.clear()  # the browser logs the 404


def test_settings_and_the_controls_of_a_prompt(open_screen: OpenScreen) -> None:
    screen = open_screen()
    page = screen.page
    unlock(page)
    page.goto("/settings")
    page.get_by_label("Personalization: --p by default").check()
    page.get_by_label("Strength, --s").fill("250")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Create a token").click()
    expect(page.locator("#secret")).to_have_value(re.compile("^pnc_"))
    page.goto("/create?prompt=a+tree")
    prompt = page.locator("#prompt")
    on = page.locator('[data-parameter="p"] [data-value="on"]')
    page.locator('[data-parameter="p"] [data-value="off"]').click()
    expect(on).to_have_attribute("aria-pressed", "false")
    page.locator('[data-parameter="n"] [data-value="2"]').click()
    page.locator("#stylize").fill("400")
    expect(prompt).to_have_value("a tree --p off --n 2 --s 400")
    on.click()
    expect(on).to_have_attribute("aria-pressed", "true")
    page.locator("#seed").fill("7")
    expect(prompt).to_have_value("a tree --n 2 --s 400 --seed 7")
    prompt.fill("a tree —s 90 --chaos 15")
    expect(page.locator("#stylize")).to_have_value("90")
    expect(page.locator("#chaos")).to_have_value("15")
    page.locator("#stylize").fill("250")
    expect(prompt).to_have_value("a tree --chaos 15")
    prompt.fill("a tree --sylize 4")
    page.get_by_role("button", name="Paint").click()
    expect(page.locator("#composer-error")).to_contain_text("--stylize")
    expect(prompt).to_have_value("a tree --sylize 4")
    prompt.fill("a tree --s 255 --seed -1")
    expect(page.locator("#composer-error")).to_be_empty()
    expect(page.locator('output[for="stylize"]')).to_have_text("255")
    page.get_by_role("button", name="Paint").click()
    expect(page.locator("#composer-error")).to_contain_text("--seed")
    screen.complaints.clear()  # the browser logs the 422
