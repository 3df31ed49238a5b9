"""A worker process: `python -m worker.main --preset starter`. Loads its model once, then listens."""

import argparse
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import torch
from celery import signals
from celery.exceptions import SecurityWarning
from diffusers.utils import logging as diffusers_logging
from sqlalchemy.exc import SQLAlchemyError
from transformers.utils import logging as transformers_logging

from app.config import Settings, get_settings
from app.db import get_engine
from app.errors import PenchantError
from app.models import MAX_ATTEMPTS
from app.presets import Preset, get_preset, usable_preset
from app.queue import embed_queue, get_celery, render_queue
from app.services.events import get_events
from app.services.gallery import wake_encoder
from app.services.workers import EXIT_BROKEN
from app.storage import get_storage
from worker.devices import card_bytes
from worker.endings import tell
from worker.memory import keep_few_arenas
from worker.pipelines import Model, load, pick_device
from worker.presence import Presence
from worker.reach import ALL, Reach
from worker.runner import Runner
from worker.switching import Switching, end_own
from worker.tasks import register

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run until told to stop. Returns the exit status: 2 when the installation is broken."""
    keep_few_arenas()
    options = make_parser().parse_args(arguments)
    settings = get_settings()
    _set_up_logs(settings)
    if settings.torch_threads:
        torch.set_num_threads(settings.torch_threads)
    try:
        preset = get_preset(options.preset or settings.model).name
        also = list(dict.fromkeys([preset, *(_known(name) for name in options.also)]))
    except PenchantError as error:
        print(error.message, file=sys.stderr)
        return EXIT_BROKEN
    device = pick_device(settings.device)
    reach = Reach(get_events(), options.also, device=device, memory=card_bytes(device))
    presence = Presence(get_events(), preset=preset, device=device, also=reach.offered)
    presence.start()
    try:
        if options.instead is None and reach.killed(preset) >= MAX_ATTEMPTS:
            _end_jobs(preset, reach)
        model = _load(preset, device, reach)
        if isinstance(model, Model):
            switching = Switching(get_engine(), get_events(), preset, presence, reach)
            runner = Runner(get_engine(), get_storage(), get_events(), model, switching=switching)
            presence.ready()
            status = _listen(model.preset, runner)
            if runner.wanted is not None:
                _become(runner.wanted, also, instead=preset)
            return status
        if options.instead is None:
            _end_jobs(preset, reach)
        print(model, file=sys.stderr)  # the last line of all: `penchant up` repeats it
        if options.instead is not None:
            presence.loading(options.instead)
            _become(options.instead, also)
        return EXIT_BROKEN
    finally:
        presence.stop()


def _load(preset: str, device: str, reach: Reach) -> Model | str:
    """The model, or in one line why it cannot be loaded; that is remembered."""
    try:
        with _ended_by_sigterm(), reach.trying(preset):
            return load(usable_preset(preset), device=device)
    except PenchantError as error:
        return " ".join(error.message.split())
    except Exception as error:
        log.exception("%s could not be loaded", preset)
        return " ".join(f"The model {preset} could not be loaded ({error!r}).".split())


def _end_jobs(preset: str, reach: Reach) -> None:
    """Fail the jobs that have waited long for a model that does not load, unless another worker serves it."""
    try:
        ended = end_own(get_engine(), get_events(), preset, reach)
    except SQLAlchemyError as error:
        log.warning("its jobs wait on, the database is away: %s", error)
        return
    for job_id, n, why in ended:
        tell(get_engine(), get_storage(), get_events(), job_id, n, state="failed", why=why)


def _known(name: str) -> str:
    return name if name == ALL else get_preset(name).name


def make_parser() -> argparse.ArgumentParser:
    """What the command line takes."""
    parser = argparse.ArgumentParser(prog="worker.main", description="Renders the jobs of one preset.")
    parser.add_argument("--preset", default=None, help="the model to load (default: PENCHANT_MODEL)")
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="PRESET",
        help=f"a model to load when jobs wait for it; {ALL}: every installed one",
    )
    parser.add_argument("--instead", metavar="PRESET", help="the model to load when the first does not load")
    return parser


def _set_up_logs(settings: Settings) -> None:
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Inside the block SIGTERM is an exception, which tells an end that was asked for from a death."""
    previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _become(preset: str, also: list[str], *, instead: str | None = None) -> NoReturn:
    """Go on as a worker with another model. A new process image is the surest way to give back all memory."""
    command = [sys.executable, "-m", "worker.main", "--preset", preset]
    command += [word for name in also for word in ("--also", name)]
    command += ["--instead", instead] if instead is not None else []
    sys.stdout.flush()
    os.execv(sys.executable, command)


def _listen(preset: Preset, runner: Runner) -> int:
    celery = get_celery()
    register(celery, runner)

    def stop(**_: Any) -> None:
        runner.stopping.set()

    signals.worker_shutting_down.connect(stop)
    # Celery warns root of unpickling; messages here are JSON ids only.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker = celery.Worker(
        pool="solo",
        concurrency=1,
        queues=[render_queue(preset.name), embed_queue(preset.encoder)],
        loglevel=get_settings().log_level,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    runner.start()
    wake_encoder(preset.encoder)
    log.info("%s is ready", preset.name)
    try:
        worker.start()
    finally:
        runner.stop()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main())
