"""`python -m starter_v1.train STAGE`: one resumable command a stage; `all` runs the unfinished in order."""

from __future__ import annotations

import argparse
import datetime
import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import distributed, multiprocessing

from starter_v1 import dataset, export, gallery, judge, taste, text, unet, vae, vision
from starter_v1.loop import Budget

# Samples a stage trains on where no time limit is given.
SAMPLES = {
    "text": 40_000,
    "judge": 60_000,
    "vision": 50_000,
    "vae": 130_000,
    "unet": 400_000,
    "decoder": 60_000,
}
STAGES = ("draw", "text", "vae", "vision", "judge", "unet", "decoder", "export", "taste", "gallery")
FINAL = {
    "draw": dataset.RUNS / "images.npy",
    "text": dataset.RUNS / "text.final.pt",
    "vae": dataset.RUNS / "vae.final.pt",
    "vision": dataset.RUNS / "vision.final.pt",
    "judge": judge.WEIGHTS,
    "unet": dataset.RUNS / "unet.final.pt",
    "decoder": dataset.RUNS / "decoder.final.pt",
}


def train_unet(
    rank: int, world: int, budget: Budget, threads: int, meeting: str, snapshots: Path | None
) -> None:
    """One of `world` processes that train the UNet together over loopback."""
    torch.set_num_threads(threads)
    if world > 1:
        limit = datetime.timedelta(minutes=30)
        distributed.init_process_group(
            "gloo", init_method=f"file://{meeting}", rank=rank, world_size=world, timeout=limit
        )

    def snapshot(shadow: dict[str, torch.Tensor]) -> None:
        if snapshots is not None:
            export.export(shadow, snapshots)

    unet.train(budget, on_checkpoint=snapshot)
    if world > 1:
        distributed.destroy_process_group()


def run_unet(budget: Budget, processes: int, threads: int, snapshots: Path | None) -> None:
    if not (dataset.RUNS / "embeddings.npy").exists():
        unet.cache()
    with tempfile.TemporaryDirectory() as folder:
        arguments = (processes, budget, threads, f"{folder}/meeting", snapshots)
        if processes == 1:
            train_unet(0, *arguments)
        else:
            multiprocessing.spawn(train_unet, arguments, nprocs=processes)


def run(stage: str, arguments: argparse.Namespace) -> None:
    budget = Budget(arguments.samples or SAMPLES.get(stage, 1), arguments.minutes)
    plain: dict[str, Callable[[], None]] = {
        "draw": dataset.build,
        "text": lambda: text.train(budget),
        "vae": lambda: vae.train(budget),
        "vision": lambda: vision.train(budget),
        "judge": lambda: judge.train(budget),
        "unet": lambda: run_unet(budget, arguments.processes, arguments.threads, arguments.snapshots),
        "decoder": lambda: vae.train_decoder(budget),
        "export": lambda: export.export(torch.load(FINAL["unet"], weights_only=True)),
        "gallery": gallery.build,
        "taste": taste.build,
    }
    plain[stage]()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter_v1.train", description=__doc__)
    parser.add_argument("stage", choices=(*STAGES, "all"))
    parser.add_argument("--samples", type=int, help="end the stage after so many samples")
    parser.add_argument(
        "--minutes",
        "--until-minutes",
        type=float,
        default=math.inf,
        help="end it after so many minutes of training",
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of a process")
    parser.add_argument("--processes", type=int, default=2, help="processes that train the UNet together")
    parser.add_argument(
        "--snapshots", type=Path, help="export the averaged weights here at every checkpoint of the UNet"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for stage in STAGES if arguments.stage == "all" else (arguments.stage,):
        if arguments.stage == "all" and stage in FINAL and FINAL[stage].exists():
            continue
        run(stage, arguments)


if __name__ == "__main__":
    main()
