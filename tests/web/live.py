"""The application behind a real socket, and Chromium looking at it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route

from app.main import create_app

PHONE = {"viewport": {"width": 375, "height": 667}, "has_touch": True, "is_mobile": True}


@contextmanager
def serve() -> Iterator[str]:
    """The application on a free port of this machine; gives its address."""
    config = uvicorn.Config(
        create_app(), port=0, loop="asyncio", log_level="warning", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


class Screen:
    """One browser window with its own cookie; whatever its console complains of fails the test."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(
            base_url=address, reduced_motion="reduce", **options
        )
        self.context.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.page = self.tab()

    def tab(self) -> Page:
        """Another tab of the same window."""
        page = self.context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def ring(self) -> int:
        """The number in the header's ring."""
        return int(self.page.locator(".bar [data-count]").inner_text())

    def wait_for_ring(self, count: int) -> None:
        """Wait until the ring shows `count`."""
        self.page.wait_for_function(
            "count => document.querySelector('.bar [data-count]').textContent === String(count)", arg=count
        )

    def pair(self) -> str:
        """The id of the pair that is shown."""
        return self.page.locator("#pair").get_attribute("data-pair") or ""

    def answer(self, key: str) -> None:
        """Press a key once the pair has stood for a moment, and wait for the next one."""
        shown = self.pair()
        self.page.wait_for_timeout(180)
        self.page.keyboard.press(key)
        self.page.wait_for_function("old => document.querySelector('#pair').dataset.pair !== old", arg=shown)


def refuse(route: Route) -> None:
    """What a server that is away does."""
    route.abort("connectionrefused")
