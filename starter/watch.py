"""Looks at the denoiser while it is trained: what the judge sees, how far its guesses are off, and a sheet.

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
from diffusers import UNet2DConditionModel
from PIL import Image

from starter import export, losses, measures, sampler, text, unet
from starter.attributes import TOLD, balanced, from_codes
from starter.captions import Speaker
from starter.dataset import RUNS, SQUARE, load
from starter.device import DEVICE
from starter.draw import sheet

COUNT = 24
COLUMNS = 8
LOOK_SECONDS = 900.0
SHARES = (0.45, 0.6, 0.75, 0.85, 0.95)  # of noise, at which errors are taken
GUESSED = 48  # pictures
SEED = 70_000_000  # prompts and noise of its own: none of the evaluation's


def look(shadow: dict[str, torch.Tensor], step: int, *, runs: Path = RUNS) -> dict[str, float]:
    """Paint COUNT captions of combinations that training leaves out, and guess training pictures.

    Returns the shares that the judge sees right, and the errors.
    """
    pipe, _ = export.pipeline(shadow)
    pipe.unet = unet.build()
    pipe.unet.load_state_dict(shadow)
    codes = balanced(COUNT, SEED, unseen=True)
    prompts = captions(codes)
    images = sampler.sample(pipe, prompts, [SEED + n for n in range(COUNT)])
    seen, _ = measures.look_at(images)
    scores = {**measures.shares(seen, codes, TOLD), **errors(pipe.unet.to(DEVICE))}
    (runs / "sheets").mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet(list(images), COLUMNS)).save(runs / "sheets" / f"{step}.webp", quality=80)
    with (runs / "scores.jsonl").open("a") as log:
        log.write(json.dumps({"step": step, **scores}) + "\n")
    return scores


def captions(codes: np.ndarray) -> list[str]:
    """Of codes (n, 10), each naming TOLD."""
    speaker = Speaker(np.random.default_rng(SEED), unseen_rates={})
    return [speaker.say(from_codes(row), list(TOLD)) for row in codes]


@torch.no_grad()
def errors(model: UNet2DConditionModel) -> dict[str, float]:
    """Mean square error of the guesses of GUESSED training pictures at each of SHARES of noise, always the
    same noise. The latents' variance is 1."""
    unet.set_scale(model, 0.0)
    picked = np.sort(np.random.default_rng(SEED).choice(len(load(SQUARE)), GUESSED, replace=False)).tolist()
    x = unet.bucket(SQUARE).take(picked)
    words = text.hidden(*text.trained(), captions(load(SQUARE).codes[picked]))
    nothing = torch.zeros(GUESSED, model.encoder_hid_proj.image_projection_layers[0].image_embeds.in_features)
    found = {}
    for share in SHARES:
        generator = torch.Generator().manual_seed(SEED)
        times = torch.full((GUESSED,), losses.time_of(share))
        made = losses.guess(model, x, words, nothing, generator, times)
        found[f"error at {share}"] = round(float((made.made - made.x).square().mean()), 4)
    return found


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
