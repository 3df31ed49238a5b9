"""Real services for the tests: one PostgreSQL and one Valkey a test process, one fresh database a test."""

import gc
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import redis
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine
from sqlmodel import Session

from app.config import Settings, get_settings
from app.db import get_engine, upgrade
from app.embedded import Embedded, Endpoints
from app.queue import get_celery
from app.storage import get_storage
from tests.worker.forking import Zygote

# Tests run in as many processes as there are cores, and models as small as theirs gain nothing by threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

TEMPLATE = "penchant_template"
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 1_000_000_000


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported lives as long as the process: it is not searched for garbage again and again."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


@pytest.fixture(scope="session")
def services() -> Iterator[Endpoints]:
    """Embedded PostgreSQL and Valkey in a temporary home."""
    with (
        tempfile.TemporaryDirectory(prefix="penchant-", dir=memory()) as home,
        Embedded(Path(home)) as endpoints,
    ):
        yield endpoints


@pytest.fixture(scope="session")
def template(services: Endpoints) -> str:
    """The name of a database that the real migrations built and nothing is connected to."""
    run_sql(services, f"create database {TEMPLATE}")
    upgrade(database_address(services, TEMPLATE))
    run_sql(services, f"alter database {TEMPLATE} allow_connections false")
    return TEMPLATE


@pytest.fixture
def database_url(services: Endpoints, template: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    name = f"test_{uuid4().hex}"
    run_sql(services, f"create database {name} template {template} strategy file_copy")
    yield database_address(services, name)
    run_sql(services, f"drop database {name} with (force)")


@pytest.fixture
def empty_database_url(services: Endpoints) -> Iterator[str]:
    """A database of the test's own without any table."""
    name = f"test_{uuid4().hex}"
    run_sql(services, f"create database {name}")
    yield database_address(services, name)
    run_sql(services, f"drop database {name} with (force)")


@pytest.fixture
def redis_url(services: Endpoints) -> str:
    """The broker, emptied."""
    with redis.Redis.from_url(services.redis_url) as client:
        client.flushall()
    return services.redis_url


@pytest.fixture
def settings(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Settings on the real services, with a home of the test's own. Subprocesses inherit them."""
    for name, value in {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(f"PENCHANT_{name}", value)
    forget()
    yield get_settings()
    get_engine().dispose()
    get_celery().close()
    forget()


@pytest.fixture
def engine(settings: Settings) -> Engine:
    """The process's engine, on the test's database."""
    return get_engine()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session on the test's database. Only what the test commits is seen by others."""
    with Session(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Forks workers that have torch imported."""
    zygote = Zygote()
    yield zygote
    zygote.end()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """A Chromium on PATH. Without one the test is skipped, or fails if PENCHANT_REQUIRE_BROWSER=1."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    if os.environ.get("PENCHANT_REQUIRE_BROWSER") == "1":
        pytest.fail("PENCHANT_REQUIRE_BROWSER=1, and no Chromium is on PATH: apt-get install chromium")
    pytest.skip("no Chromium on PATH")


@pytest.fixture(scope="session")
def browser(chromium: Path) -> Iterator[Browser]:
    """A headless browser; a test opens a page or context of its own in it."""
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not run as root; the pages opened here are ours.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


def forget() -> None:
    """Clears what the process keeps of its settings."""
    for cached in (get_settings, get_engine, get_celery, get_storage):
        cached.cache_clear()


def memory() -> Path | None:
    """A folder in memory, where syncs cost nothing, if there is one with room."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_BYTES
    return MEMORY if roomy else None


def run_sql(services: Endpoints, statement: str) -> None:
    with psycopg.connect(services.database_url, autocommit=True) as connection:
        connection.execute(statement.encode())


def database_address(services: Endpoints, name: str) -> str:
    return services.database_url.rsplit("/", 1)[0] + f"/{name}"
