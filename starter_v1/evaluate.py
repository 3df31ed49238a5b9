"""`python -m starter_v1.evaluate`: does the model obey words, and its adapter a picture?"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from starter_v1 import export, judge, sampler, vision
from starter_v1.attributes import HOW, NAMES, balanced, from_codes
from starter_v1.captions import Speaker
from starter_v1.draw import draw, sheet

SEED = 60_000_000
ORDER = list(NAMES)


def shares(images: np.ndarray, codes: np.ndarray, names: tuple[str, ...]) -> dict[str, float]:
    """Share of images in which the judge sees the wanted class of each attribute."""
    seen = judge.classify(images)
    return {name: round(float((seen[name] == codes[:, ORDER.index(name)]).mean()), 3) for name in names}


def recalls(images: np.ndarray, codes: np.ndarray, name: str) -> dict[str, float]:
    """For each class of an attribute, the share of its images in which the judge sees it."""
    wanted = codes[:, ORDER.index(name)]
    right = judge.classify(images)[name] == wanted
    present = [(i, label) for i, label in enumerate(NAMES[name]) if (wanted == i).any()]
    return {label: round(float(right[wanted == i].mean()), 2) for i, label in present}


def words(
    pipe: StableDiffusionPipeline, count: int, steps: int, guidance: float
) -> tuple[dict[str, float], np.ndarray]:
    """Images from captions that name everything but density; no adapter."""
    codes = balanced(count, SEED)
    speaker = Speaker(np.random.default_rng(SEED))
    prompts = [speaker.say(from_codes(c), ["subject", "medium", "palette", "light"]) for c in codes]
    images = sampler.sample(pipe, prompts, [SEED + i for i in range(count)], steps=steps, guidance=guidance)
    return shares(images, codes, ("subject", "medium", "palette", "light")), images


def adapter(
    pipe: StableDiffusionPipeline, count: int, scales: list[float], steps: int, guidance: float
) -> list[dict[str, float]]:
    """Subject-only prompts with the embedding of a drawn picture of another subject: is its look taken over?

    `subject` is whether the prompt's own subject is still seen, `copied` whether the picture's subject is.
    """
    codes, speaker = balanced(count, SEED + 1), Speaker(np.random.default_rng(SEED + 1))
    shown = codes.copy()
    shown[:, 0] = (codes[:, 0] + 1 + np.arange(count) % 11) % 12
    pictures = np.stack([draw(from_codes(c), SEED + 10_000 + i) for i, c in enumerate(shown)])
    embeds = vision.embed(pipe.image_encoder, pictures)
    prompts = [speaker.plain(from_codes(c))[0] for c in codes]
    rows = []
    for scale in scales:
        images = sampler.sample(
            pipe,
            prompts,
            [SEED + i for i in range(count)],
            embeds=embeds,
            scale=scale,
            steps=steps,
            guidance=guidance,
        )
        row = {"scale": scale, **shares(images, codes, ("subject", *HOW))}
        rows.append({**row, "copied": shares(images, shown, ("subject",))["subject"]})
        print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter_v1.evaluate", description=__doc__)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--adapter-n", type=int, default=100)
    parser.add_argument("--scales", type=float, nargs="*", default=[0.0, 0.25, 0.5, 0.75, 1.0])
    parser.add_argument("--steps", type=int, default=sampler.STEPS)
    parser.add_argument("--guidance", type=float, default=sampler.GUIDANCE)
    parser.add_argument("--weights", type=Path, default=export.WEIGHTS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the result here")
    parser.add_argument("--sheet", type=Path, help="write the first images here")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    pipe = export.load_pipeline(arguments.weights)
    started = time.monotonic()
    told, images = words(pipe, arguments.n, arguments.steps, arguments.guidance)
    result = {"n": arguments.n, "steps": arguments.steps, "guidance": arguments.guidance, "words": told,
              "medium": recalls(images, balanced(arguments.n, SEED), "medium"),
              "seconds_per_image": round((time.monotonic() - started) / arguments.n, 2)}  # fmt: skip
    print(json.dumps(result), flush=True)
    if arguments.sheet:
        Image.fromarray(sheet(list(images[:60]), 12)).save(arguments.sheet)
    if arguments.adapter_n:
        result["adapter"] = adapter(
            pipe, arguments.adapter_n, arguments.scales, arguments.steps, arguments.guidance
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
