"""A browser without scripts on the test's own database: it keeps its cookie and its form's token."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image as Pil
from sqlmodel import Session, col, select

from app.config import Settings, get_settings
from app.db import session_scope
from app.main import create_app
from app.models import Image
from app.presets import load_presets
from app.services.events import get_events
from app.storage import get_storage
from tests.gallery import ENCODER, make_gallery

UNLOCK = 5
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"|data-csrf="([0-9a-f]+)"')
PRESETS = f"""
[starter]
title = "Starter"
licence = "Apache-2.0"
folder = "."
encoder = "{ENCODER}"
sizes = [[128, 128], [192, 128]]
steps = 4
guidance = 4.0
[starter.adapter]
"""


@pytest.fixture
def site(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings under which a few ratings unlock --p, with a preset whose space is the test gallery's."""
    presets = tmp_path / "presets.toml"
    presets.write_text(PRESETS)
    monkeypatch.setenv("PENCHANT_PRESETS", str(presets))
    monkeypatch.setenv("PENCHANT_UNLOCK_RATINGS", str(UNLOCK))
    for cached in (get_settings, load_presets, get_events):
        cached.cache_clear()
    yield get_settings()
    for cached in (get_settings, load_presets, get_events):
        cached.cache_clear()


@pytest.fixture
def gallery(site: Settings) -> list[int]:
    """Images that can be rated, with their files; their ids."""
    return fill_gallery()


def fill_gallery(count: int = 24) -> list[int]:
    """Store images in plain colours, each another, with embeddings."""
    with session_scope() as session:
        ids = make_gallery(session, count=count)
        for place, image in enumerate(session.exec(select(Image).where(col(Image.id).in_(ids)))):
            data = picture_bytes(((place * 37) % 256, (place * 91) % 256, (place * 53) % 256))
            get_storage().put(image.key, data, content_type="image/webp")
            get_storage().put(image.thumbnail_key, data, content_type="image/webp")
        return ids


def picture_bytes(colour: tuple[int, int, int]) -> bytes:
    """A WebP of one colour, 128 pixels wide and high."""
    file = io.BytesIO()
    Pil.new("RGB", (128, 128), colour).save(file, "WEBP")
    return file.getvalue()


class Browser:
    """Follows links and sends forms as a browser without scripts does."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.page = ""

    def get(self, path: str, *, headers: dict[str, str] | None = None) -> Any:
        response = self.client.get(path, headers=headers)
        if TOKEN.search(response.text):
            self.page = response.text
        return response

    @property
    def token(self) -> str:
        """The CSRF token of the page last seen."""
        if not self.page:
            self.get("/signin")
        found = TOKEN.search(self.page)
        assert found is not None
        return found[1] or found[2]

    def post(
        self, path: str, fields: dict[str, Any] | None = None, *, headers: dict[str, str] | None = None
    ) -> Any:
        """Send a form with the token of the page last seen."""
        response = self.client.post(path, data={"csrf_token": self.token, **(fields or {})}, headers=headers)
        if TOKEN.search(response.text):
            self.page = response.text
        return response

    def hidden(self, name: str) -> str:
        """The value of a hidden field of the page last seen."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        assert found is not None, name
        return found[1]

    def rate(self, answer: str = "left") -> Any:
        """Answer the pair that Explore shows."""
        self.get("/explore")
        fields = {"pair_id": self.hidden("pair_id"), "offer": self.hidden("offer"), "answer": answer}
        return self.post("/ratings", fields)


@pytest.fixture
def visitor(gallery: list[int]) -> Iterator[Browser]:
    """A visitor's browser that does not follow redirects."""
    with TestClient(create_app(), follow_redirects=False) as client:
        yield Browser(client)


@pytest.fixture
def stranger(gallery: list[int]) -> Iterator[Browser]:
    """Somebody else's browser."""
    with TestClient(create_app(), follow_redirects=False) as client:
        yield Browser(client)


@pytest.fixture
def adept(visitor: Browser) -> Browser:
    """A browser whose guest has unlocked --p."""
    for number in range(UNLOCK):
        visitor.rate("left" if number % 2 else "right")
    return visitor


@pytest.fixture
def rows(site: Settings) -> Iterator[Session]:
    """A session to look at what the pages committed."""
    with session_scope() as session:
        yield session
