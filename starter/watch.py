"""Looks at the denoiser while it is trained: the judge's scores over time, and a sheet at each look.

Training calls it now and then; `python -m starter.watch` looks at the last checkpoint by hand. Lines go to
`runs/scores.jsonl`, sheets to `runs/sheets/`.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from starter import export, measures, sampler, unet
from starter.attributes import balanced, from_codes
from starter.captions import Speaker
from starter.dataset import RUNS
from starter.draw import sheet

TOLD = ("subject", "medium", "palette", "light")
COUNT = 24
COLUMNS = 8
LOOK_SECONDS = 900.0
SEED = 70_000_000  # prompts and noise of its own: none of the evaluation's


def look(shadow: dict[str, torch.Tensor], step: int, *, runs: Path = RUNS) -> dict[str, float]:
    """Paint COUNT captions of combinations that training leaves out; the shares that the judge sees right."""
    pipe, _ = export.pipeline(shadow)
    pipe.unet = unet.build()
    pipe.unet.load_state_dict(shadow)
    codes = balanced(COUNT, SEED, unseen=True)
    speaker = Speaker(np.random.default_rng(SEED), unseen_rates={})
    prompts = [speaker.say(from_codes(row), list(TOLD)) for row in codes]
    images = sampler.sample(pipe, prompts, [SEED + n for n in range(COUNT)])
    seen, _ = measures.look_at(images)
    scores = measures.shares(seen, codes, TOLD)
    (runs / "sheets").mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet(list(images), COLUMNS)).save(runs / "sheets" / f"{step}.webp", quality=80)
    with (runs / "scores.jsonl").open("a") as log:
        log.write(json.dumps({"step": step, **scores}) + "\n")
    return scores


class Watch:
    """Called at every checkpoint; looks at the first one after each LOOK_SECONDS."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, shadow: dict[str, torch.Tensor], step: int) -> None:
        if time.monotonic() - self.last > LOOK_SECONDS:
            self.last = time.monotonic()
            print("unet: the judge sees", look(shadow, step), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter.watch", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=RUNS / "unet.pt")
    state = torch.load(parser.parse_args().checkpoint, weights_only=True)
    print(json.dumps({"step": state["step"], **look(state["average"], state["step"])}))


if __name__ == "__main__":
    main()
