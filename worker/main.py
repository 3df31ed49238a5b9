"""A worker process: `python -m worker.main --preset starter`. Loads its model once, then listens."""

import argparse
import logging
import os
import sys
import warnings
from typing import Any, NoReturn

import torch
from celery import signals
from celery.exceptions import SecurityWarning
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from app.config import get_settings
from app.db import get_engine
from app.errors import PenchantError
from app.presets import Preset, usable_preset
from app.queue import embed_queue, get_celery, render_queue
from app.services.events import get_events
from app.services.gallery import wake_encoder
from app.storage import get_storage
from worker.pipelines import load
from worker.runner import Runner
from worker.tasks import register

log = logging.getLogger(__name__)

EXIT_BROKEN = 2


def main(arguments: list[str] | None = None) -> int:
    """Run until told to stop. Returns the exit status: 2 when the installation is broken."""
    parser = argparse.ArgumentParser(prog="worker.main", description="Renders the jobs of one preset.")
    parser.add_argument("--preset", default=None, help="the model to load (default: PENCHANT_MODEL)")
    parser.add_argument(
        "--also", action="append", default=[], metavar="PRESET", help="a model to load when jobs wait for it"
    )
    options = parser.parse_args(arguments)
    settings = get_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    if settings.torch_threads:
        torch.set_num_threads(settings.torch_threads)
    try:
        preset = usable_preset(options.preset or settings.model)
        others = [usable_preset(name).name for name in options.also if name != preset.name]
        model = load(preset, device=settings.device)
    except PenchantError as error:
        print(error.message, file=sys.stderr)
        return EXIT_BROKEN
    runner = Runner(get_engine(), get_storage(), get_events(), model, others=others)
    status = _listen(preset, runner)
    if runner.wanted is not None:
        _become(runner.wanted, [preset.name, *(name for name in others if name != runner.wanted)])
    return status


def _become(preset: str, others: list[str]) -> NoReturn:
    """Go on as a worker with another model. A new process image is the surest way to give back all memory."""
    also = [word for name in others for word in ("--also", name)]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "worker.main", "--preset", preset, *also])


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
