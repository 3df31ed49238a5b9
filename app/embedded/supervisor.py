"""Starts PostgreSQL and Valkey, starts them again when they die, and takes them along when we end."""

import fcntl
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from app.embedded.binaries import postgres_binary, valkey_binary
from app.embedded.errors import AlreadyRunning, EmbeddedError, HomeUnusable, ServiceNotStarted
from app.embedded.identity import identify
from app.embedded.postgres import Postgres
from app.embedded.service import Service
from app.embedded.state import State, load_state, save_state, usable_port
from app.embedded.valkey import Valkey

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.05
MAX_PAUSE_SECONDS = 5.0
ORPHAN_SECONDS = 30.0


@dataclass(frozen=True)
class Endpoints:
    database_url: str  # postgresql://..., the database exists and `create extension vector` works
    redis_url: str


class Embedded:
    """Both services, with their data, passwords and logs below `home`. A context manager giving `Endpoints`.

    Ports and passwords are picked at the first start and remembered. A service that dies is started again on
    its port. When this process dies, however it dies, the services end too (Linux), and the next start
    recovers what was committed.
    """

    def __init__(self, home: Path) -> None:
        self.home = home.expanduser().resolve()
        self._lock: IO[str] | None = None
        self._stopping = threading.Event()
        self._settled = threading.Event()
        self._failure: BaseException | None = None
        self._endpoints: Endpoints | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Endpoints:
        """Returns when both accept connections. Raises an `EmbeddedError`, with nothing left running."""
        self._lock = self._take_lock()
        self._stopping.clear()
        self._settled.clear()
        self._failure = self._endpoints = None
        # Children are told of the death of the thread that spawned them, so one thread spawns them all.
        self._thread = threading.Thread(target=self._supervise, name="embedded-services", daemon=True)
        self._thread.start()
        try:
            self._settled.wait()
        except BaseException:  # a Ctrl-C while waiting
            self.stop()
            raise
        if self._failure is not None:
            failure = self._failure
            self.stop()
            raise failure
        assert self._endpoints is not None
        return self._endpoints

    def stop(self) -> None:
        """Ends both services in order; committed data are kept. Does nothing if they are not running."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Endpoints:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take_lock(self) -> IO[str]:
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.home / "log").mkdir(mode=0o700, exist_ok=True)
            lock = (self.home / "embedded.lock").open("a+")
        except OSError as error:
            raise HomeUnusable(
                f"{self.home} cannot be written ({error.strerror}). Set PENCHANT_HOME to your own folder."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise AlreadyRunning(
                f"Penchant is already running in {self.home} (process {holder}). Stop it first, or set "
                "PENCHANT_HOME to another folder for a second one."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock

    def _supervise(self) -> None:
        services: list[Service] = []
        try:
            self._endpoints = self._bring_up(services)
            self._settled.set()
            self._watch(services)
        except OSError as error:
            self._failure = HomeUnusable(
                f"{error.filename or self.home} cannot be used ({error.strerror}). Make room, or give "
                "yourself the right to write there, or set PENCHANT_HOME to another folder."
            )
        except BaseException as error:  # handed to the thread that waits in start()
            self._failure = error
        finally:
            for service in reversed(services):
                service.stop()
            self._settled.set()

    def _bring_up(self, services: list[Service]) -> Endpoints:
        binaries = postgres_binary(), valkey_binary()
        identity = identify(self.home, binaries)
        state = load_state(self.home / "embedded.json")
        postgres = Postgres(binary=binaries[0], home=self.home, identity=identity, state=state.postgres)
        valkey = Valkey(binary=binaries[1], home=self.home, identity=identity, state=state.valkey)
        services += [valkey, postgres]
        for service in services:
            service.clear(ORPHAN_SECONDS)  # first: an orphan still holds its port
        for service in services:
            service.prepare()
        for service in services:
            self._open(service, state)
        for service in services:
            while not came_up(service):
                self._open(service, state)
        postgres.create_database()
        return Endpoints(database_url=postgres.url(), redis_url=valkey.url())

    def _open(self, service: Service, state: State) -> None:
        """Starts a service on its port, or on another where that one is taken."""
        service.state.port = usable_port(service.state.port)
        save_state(state, self.home / "embedded.json")
        service.start()

    def _watch(self, services: list[Service]) -> None:
        pause = WATCH_SECONDS
        while not self._stopping.wait(pause):
            dead = [service for service in services if service.died()]
            for service in dead:
                logger.warning("the embedded %s died; starting it again", service.name)
                try:
                    service.clear(0)
                    service.start()
                    service.await_ready()
                except (EmbeddedError, OSError) as error:
                    logger.error("%s", error)
                    pause = min(2 * pause, MAX_PAUSE_SECONDS)
                else:
                    pause = WATCH_SECONDS


def came_up(service: Service) -> bool:
    """Waits until a started service is ready; False if somebody took its port just before it did.

    Between a look for a free port and its use there is always time for others. Raises `ServiceNotStarted`
    for every other reason.
    """
    try:
        service.await_ready()
    except ServiceNotStarted:
        if usable_port(service.state.port) == service.state.port:
            raise
        service.stop()
        return False
    return True
