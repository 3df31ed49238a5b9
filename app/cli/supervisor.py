"""`penchant up`: the services, the web server and the workers of one machine, under one process."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import httpx

from app.cli import instance
from app.cli.cards import for_card
from app.cli.children import LAST_BROKEN_SECONDS, Child
from app.cli.errands import Errand
from app.config import DEVELOPMENT_SECRET, REPOSITORY, Settings
from app.db import make_engine, session_scope, upgrade
from app.embedded import Embedded
from app.errors import OperatorError
from app.services import gallery
from app.services.workers import EXIT_BROKEN
from app.storage import make_storage

READY_SECONDS = 60.0
WATCH_SECONDS = 0.2
REFIT_SECONDS = 3600.0  # how often it is asked whether the population prior is due


@dataclass(frozen=True)
class Addresses:
    """Where this run's parts are."""

    database_url: str
    redis_url: str
    web_url: str


@contextmanager
def services(settings: Settings) -> Iterator[tuple[str, str]]:
    """The database's and the broker's address; the embedded ones run inside the block where none is set."""
    if settings.database_url and settings.redis_url:
        yield settings.database_url, settings.redis_url
        return
    with Embedded(settings.home) as endpoints:
        yield settings.database_url or endpoints.database_url, settings.redis_url or endpoints.redis_url


def prepare(settings: Settings, database_url: str) -> gallery.SeedReport:
    """Migrate, and load the gallery that comes with Penchant where it is not there yet."""
    upgrade(database_url)
    engine = make_engine(database_url, pool_size=1)
    try:
        with session_scope(engine) as session:
            return gallery.seed_gallery(session, storage=make_storage(settings))
    finally:
        engine.dispose()


def environment_of(settings: Settings, addresses: Addresses) -> dict[str, str]:
    """What the children need to find each other."""
    secret = settings.secret_key
    if secret == DEVELOPMENT_SECRET:
        secret = instance.kept_secret(settings.home)
    return _workers_environment(settings, addresses.database_url, addresses.redis_url) | {
        "PENCHANT_SECRET_KEY": secret,
        "PENCHANT_PUBLIC_URL": settings.public_url or addresses.web_url,
    }


def _workers_environment(settings: Settings, database_url: str, redis_url: str) -> dict[str, str]:
    return os.environ | {
        # BLAS threads fight over two cores: a refit measured 20 times slower with them.
        "OPENBLAS_NUM_THREADS": "1",
        "PENCHANT_HOME": str(settings.home),
        "PENCHANT_DATABASE_URL": database_url,
        "PENCHANT_REDIS_URL": redis_url,
    }


def free_port(host: str, port: int) -> int:
    """`port`, or a free one when it is 0. Raises OperatorError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OperatorError(
                f"Port {port} on {host} cannot be used ({error.strerror}). "
                "Choose another with `penchant up --port N` or PENCHANT_PORT, or 0 for any free one."
            ) from error
        return int(probe.getsockname()[1])


def children_of(
    settings: Settings, environment: dict[str, str], *, port: int, workers: int, cards: Sequence[str] = ()
) -> list[Child]:
    """The web server and the workers, not started yet: one worker for each card, or `workers` of them."""
    logs = settings.home / "log"
    web = [sys.executable, "-m", "uvicorn", "app.main:create_app", "--factory", "--host", settings.host]
    web += ["--port", str(port), "--no-server-header", "--log-level", settings.log_level.lower()]
    web += ["--timeout-graceful-shutdown", "5"]
    return [
        Child("web", web, environment, logs / "web.log"),
        *workers_of(settings, environment, workers=workers, cards=cards),
    ]


def workers_of(
    settings: Settings,
    environment: dict[str, str],
    *,
    workers: int,
    cards: Sequence[str] = (),
    called: str = "worker",
) -> list[Child]:
    """One worker for each card, or `workers` of them, not started yet."""
    render = [sys.executable, "-m", "worker.main", "--preset", settings.model, "--also", "all"]
    own: list[dict[str, str]] = [for_card(card) for card in cards] or [{}] * workers
    names = [f"{called}-{number}" for number in range(1, len(own) + 1)]
    return [
        Child(name, render, environment | more, settings.home / "log" / f"{name}.log")
        for name, more in zip(names, own, strict=True)
    ]


def errands_of(settings: Settings, environment: dict[str, str]) -> list[Errand]:
    """What is done now and then."""
    refit = [sys.executable, "-m", "app.cli", "taste", "refit", "--due"]
    child = Child("refit", refit, environment, settings.home / "log" / "refit.log")
    return [Errand(child, REFIT_SECONDS)] if settings.renew_hours else []


class Supervisor:
    """Runs the children until a signal asks it to stop."""

    def __init__(self, children: list[Child], errands: list[Errand]) -> None:
        self.children = children
        self.errands = errands
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """The children run inside the block; they are asked to stop, together, when it ends."""
        previous = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            for child in self.children:
                child.start()
            yield
        finally:
            everybody = [*self.children, *(errand.child for errand in self.errands)]
            for child in everybody:
                child.ask_to_stop()
            for child in everybody:
                child.stop()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def add(self, children: Sequence[Child]) -> None:
        """Start more children."""
        for child in children:
            self.children.append(child)
            child.start()

    def wait_until_ready(self, url: str) -> None:
        """Return when the web server answers. Raises OperatorError when it dies instead."""
        web = self.children[0]
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and not self._stop.is_set():
            if web.process is None or web.process.poll() is not None:
                break
            try:
                if httpx.get(f"{url}/ping", timeout=2.0).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        if not self._stop.is_set():
            raise OperatorError(f"The web server did not start. The end of {web.log}:\n{web.last_lines()}")

    def watch(self, log: logging.Logger) -> None:
        """Restart whoever dies, and run the errands, until a signal."""
        while not self._stop.wait(WATCH_SECONDS):
            for errand in self.errands:
                errand.watch()
            for child in self.children:
                status = child.watch()
                if status is not None:
                    tell_end(child, status, log)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()


def tell_end(child: Child, status: int, log: logging.Logger) -> None:
    """Say that a child died. What is broken, and stays so however often it is tried, is said once."""
    lines = child.last_lines()
    if status != EXIT_BROKEN:
        child.told = ""
        log.warning("%s ended with status %s and is started again:\n%s", child.name, status, lines)
        return
    why = lines.splitlines()[-1] if lines else ""
    if why != child.told:
        log.error(
            "%s cannot work: %s\n"
            "It is tried again ever more seldom, up to every %.0f s, until that is mended. %s tells more.",
            child.name,
            why,
            LAST_BROKEN_SECONDS,
            child.log,
        )
    child.told = why


@contextmanager
def instance_running(
    settings: Settings, *, workers: int, cards: Sequence[str] = ()
) -> Iterator[tuple[Supervisor, Addresses]]:
    """A whole Penchant on this machine, ready to answer, inside the block."""
    if not (REPOSITORY / "templates").is_dir():
        raise OperatorError("Penchant runs from its repository; install it with `pip install -e .` there.")
    with ExitStack() as stack:
        port = free_port(settings.host, settings.port)
        database_url, redis_url = stack.enter_context(services(settings))
        prepare(settings, database_url)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        addresses = Addresses(database_url, redis_url, f"http://{host}:{port}")
        environment = environment_of(settings, addresses)
        web, *others = children_of(settings, environment, port=port, workers=workers, cards=cards)
        supervisor = Supervisor([web], errands_of(settings, environment))
        stack.enter_context(supervisor.running())
        supervisor.wait_until_ready(addresses.web_url)
        # Now, not beside it: what they import takes long, and would hold up the first page.
        supervisor.add(others)
        instance.write_running(
            settings.home, url=addresses.web_url, database_url=database_url, redis_url=redis_url
        )
        stack.callback(instance.clear_running, settings.home)
        yield supervisor, addresses


@contextmanager
def workers_running(settings: Settings, *, workers: int, cards: Sequence[str] = ()) -> Iterator[Supervisor]:
    """Workers of a Penchant whose database, broker and images are elsewhere, inside the block."""
    environment = _workers_environment(settings, settings.database, settings.redis)
    # `penchant up` may run in the same home, with logs of its own.
    children = workers_of(settings, environment, workers=workers, cards=cards, called="more")
    supervisor = Supervisor(children, [])
    with supervisor.running():
        yield supervisor


def log_folder(home: Path) -> Path:
    """Where the children write."""
    return home / "log"
