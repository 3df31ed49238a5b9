"""`python -m starter.train STAGE`: one resumable command a stage; `all` runs the unfinished ones in order."""

from __future__ import annotations

import argparse
import datetime
import math
import os
import tempfile
from collections.abc import Callable

import torch
from torch import distributed, multiprocessing

from starter import (
    critic,
    dataset,
    export,
    gallery,
    guesses,
    inventions,
    judge,
    latents,
    restore,
    sharpen,
    taste,
    text,
    unet,
    vae,
    vision,
    watch,
)
from starter.device import DEVICE
from starter.loop import Budget

Learn = Callable[[Budget], None]
LEARN: dict[str, Learn] = {
    "text": text.train, "critic": critic.train, "vision": vision.train, "judge": judge.train,
    "decoder": vae.train_decoder, "repaint": vae.train_repaint, "encoder": vae.train_encoder,
    "sharpen": sharpen.train,
    "unet": lambda budget: unet.train(budget, on_checkpoint=watch.Watch()),
}  # fmt: skip
# Samples a stage trains on where no time limit is given.
SAMPLES = {
    "text": 60_000, "critic": 40_000, "vision": 90_000, "judge": 60_000, "decoder": 30_000,
    "repaint": 10_000, "encoder": 10_000, "unet": 200_000, "sharpen": 50_000,
}  # fmt: skip


def guess_again() -> None:
    guesses.build()
    inventions.build()


PLAIN: dict[str, Callable[[], None]] = {
    "draw": dataset.draw_all,
    "latents": latents.build,
    "inventions": inventions.build,
    "guesses": guess_again,
    "export": lambda: export.export(unet.trained()),
    "gallery": gallery.build,
    "taste": taste.build,
    "restore": restore.build,
}
STAGES = (
    "draw", "text", "critic", "vision", "judge", "latents", "decoder", "encoder", "unet",
    "inventions", "sharpen", "guesses", "repaint", "export", "taste", "gallery",
)  # fmt: skip
FINAL = {
    **{stage: dataset.RUNS / f"{stage}.final.pt" for stage in LEARN if stage != "judge"},
    "judge": judge.WEIGHTS,
}


def learn(rank: int, world: int, stage: str, budget: Budget, threads: int, meeting: str) -> None:
    """One of `world` processes that train a stage together over loopback."""
    torch.set_num_threads(threads)
    if world > 1:
        limit = datetime.timedelta(minutes=30)
        distributed.init_process_group(
            "gloo", init_method=f"file://{meeting}", rank=rank, world_size=world, timeout=limit
        )
    LEARN[stage](budget)
    if world > 1:
        distributed.destroy_process_group()


def run(stage: str, arguments: argparse.Namespace) -> None:
    if stage in PLAIN:
        PLAIN[stage]()
        return
    budget = Budget(arguments.samples or SAMPLES[stage], arguments.minutes)
    # Keep freed memory: giving it back and taking it again costs more than the arithmetic of small models.
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(1 << 30))
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(1 << 34))
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with tempfile.TemporaryDirectory() as folder:
        together = (arguments.processes, stage, budget, arguments.threads, f"{folder}/meeting")
        multiprocessing.spawn(learn, together, nprocs=arguments.processes)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter.train", description=__doc__)
    parser.add_argument("stage", choices=(*STAGES, "restore", "all"))
    parser.add_argument("--samples", type=int, help="end the stage after so many samples")
    parser.add_argument("--minutes", type=float, default=math.inf, help="end it after so many minutes")
    parser.add_argument("--threads", type=int, default=1, help="threads of a process")
    parser.add_argument(
        "--processes", type=int, default=2 if DEVICE.type == "cpu" else 1, help="that train together"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for stage in STAGES if arguments.stage == "all" else (arguments.stage,):
        if arguments.stage == "all" and stage in FINAL and FINAL[stage].exists():
            continue
        run(stage, arguments)


if __name__ == "__main__":
    main()
