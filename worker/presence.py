"""A worker says, again and again, which model it loads or holds, so that others know and people see."""

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from app.config import get_settings
from app.services.events import Events
from app.services.workers import Worker
from worker.devices import device_name

SWEEPS_MISSED = 5  # after so many, a worker is taken to be gone
# One that loads may be silent for longer: the process begins anew, and reading weights may hold up its
# threads. When it dies meanwhile, its model is taken to be loading for as long.
LOADING_SECONDS = 120.0


def own_name() -> str:
    """What this process is called among the workers. It keeps the name when it is started anew."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Presence:
    """Announces this process from `start` to `stop`: it loads `preset`, until `ready` says that it holds
    it. `also` gives the presets that it would load if jobs waited for them."""

    def __init__(
        self, events: Events, *, preset: str, device: str, also: Callable[[], Sequence[str]]
    ) -> None:
        self._events = events
        self._also = also
        self._worker = Worker(
            own_name(), preset, device_name(torch.device(device)), "loading", since=time.time()
        )
        self._one_at_a_time = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Say it, and go on saying it. It is said before this returns: what is then tried to load is known
        to be in the making."""
        self._say()
        self._thread.start()

    def stop(self) -> None:
        """Say that it is gone."""
        self._ended.set()
        self._thread.join()
        self._events.leave(self._worker)

    def ready(self, preset: str | None = None) -> None:
        """The model is loaded; `preset`, where another was about to be."""
        preset = preset or self._worker.preset
        self._say(replace(self._worker, preset=preset, state="ready", since=time.time()))

    def loading(self, preset: str) -> None:
        """This process is about to load that preset instead."""
        self._say(replace(self._worker, preset=preset, state="loading", since=time.time()))

    def _run(self) -> None:
        while not self._ended.wait(get_settings().sweep_seconds):
            self._say()

    def _say(self, changed: Worker | None = None) -> None:
        also = tuple(self._also())
        with self._one_at_a_time:  # or else the thread could say what was true before
            self._worker = replace(changed or self._worker, also=also)
            loading = self._worker.state == "loading"
            seconds = LOADING_SECONDS if loading else SWEEPS_MISSED * get_settings().sweep_seconds
            self._events.announce(self._worker, seconds=seconds)
