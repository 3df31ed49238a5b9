"""A client that talks to the application in this process, on the test's own database and broker."""

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session

from app.config import Settings, get_settings
from app.db import session_scope
from app.main import create_app
from tests.gallery import make_gallery

UNLOCK = 5


@pytest.fixture
def unlocked_after(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> int:
    """So few ratings unlock --p in these tests."""
    monkeypatch.setattr(get_settings(), "unlock_ratings", UNLOCK)
    return UNLOCK


@pytest.fixture
def gallery(unlocked_after: int) -> list[int]:
    """Sixty images that can be rated; their ids."""
    with session_scope() as session:
        return make_gallery(session)


@pytest.fixture
def app_client(gallery: list[int]) -> Iterator[TestClient]:
    """A browser without cookies that does not follow redirects."""
    with TestClient(create_app(), follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def guest(app_client: TestClient) -> Callable[[], dict[str, str]]:
    """Makes a new person through the API and gives the headers to act as that person."""

    def make() -> dict[str, str]:
        return {"Authorization": f"Bearer {app_client.post('/api/v1/guests').json()['token']}"}

    return make


@pytest.fixture
def me(guest: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Headers of one person."""
    return guest()


@pytest.fixture
def rows(settings: Settings) -> Iterator[Session]:
    """A session to look at what the application committed."""
    with session_scope() as session:
        yield session
