"""`python -m starter.evaluate`: does the model obey words, its adapter a picture, and its encoder see looks?

All wanted combinations of attributes hold a pair of values that training never showed together. The judge was
trained on drawn pictures only and has another architecture than the model's encoders.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from safetensors.numpy import load_file

from starter import alignment, export, judge, latents, measures, sampler, vision
from starter.attributes import HOW, NAMES, TOLD, balanced, from_codes
from starter.captions import Speaker
from starter.draw import draw, sheet
from starter.pixels import to_images, to_tensor

SEED = 60_000_000
SUBJECTS = len(NAMES["subject"])


@dataclass(frozen=True)
class Setting:
    pipe: StableDiffusionPipeline
    weights: Path
    steps: int
    guidance: float

    def paint(self, prompts: list[str], seed: int, **options: Any) -> np.ndarray:
        """One picture a prompt, of consecutive seeds."""
        seeds = [seed + i for i in range(len(prompts))]
        options |= {"steps": self.steps, "guidance": self.guidance}
        return np.asarray(sampler.sample(self.pipe, prompts, seeds, **options))


def speaking(seed: int) -> Speaker:
    """Speaks of what the model knows; the words it was never told are another matter."""
    return Speaker(np.random.default_rng(seed), unseen_rates={})


def drawings(codes: np.ndarray, seed: int) -> np.ndarray:
    return np.stack([draw(from_codes(row), seed + i) for i, row in enumerate(codes)])


def words(setting: Setting, count: int) -> tuple[dict[str, Any], np.ndarray]:
    """Images of captions that name subject, medium, palette and light, no adapter, beside drawings."""
    codes = balanced(count, SEED, unseen=True)
    codes[:, 5:9] = [names.index(plain) for names, plain in PLAIN]
    speaker = speaking(SEED)
    prompts = [speaker.say(from_codes(row), list(TOLD)) for row in codes]
    started = time.monotonic()
    images = setting.paint(prompts, SEED)
    seconds = (time.monotonic() - started) / count
    seen, found = measures.look_at(images)
    twice = np.concatenate([codes, codes])
    told, real = measures.look_at(drawings(twice, SEED + 1_000_000))
    aligned = (
        alignment.of_images(setting.pipe.image_encoder, setting.weights, images),
        alignment.of_texts(setting.pipe.tokenizer, setting.pipe.text_encoder, setting.weights, prompts),
    )
    return {
        "seen": measures.shares(seen, codes, TOLD),
        "seen in drawings": measures.shares(told, twice, TOLD),
        "medium": measures.recalls(seen, codes, "medium"),
        "subject": measures.recalls(seen, codes, "subject"),
        "mistakes": [m for name in TOLD for m in measures.confusions(seen, codes, name, 5)],
        "frechet to drawings": round(measures.frechet(found, real[:count]), 2),
        "frechet between drawings": round(measures.frechet(real[:count], real[count:]), 2),
        "retrieval of generated": measures.retrieval(*aligned),
        "seconds an image": round(seconds, 2),
    }, images


PLAIN = [(NAMES[n], v) for n, v in (("weather", "clear"), ("season", "any season"), ("framing", "medium"),
                                    ("symmetry", "free"))]  # fmt: skip


def encoder(setting: Setting, count: int = 4000, tested: int = 1000) -> dict[str, Any]:
    """Linear probes of the taste embedding of fresh drawings, and retrieval of drawings by their captions."""
    codes = balanced(count, SEED + 3)
    images = drawings(codes, SEED + 3_000_000)
    embeds = vision.embed(setting.pipe.image_encoder, images).astype(np.float64)
    cut = count - tested
    probes = {}
    for name in ("subject", *HOW):
        classes = codes[:, measures.ORDER.index(name)].astype(int)
        probes[name] = round(measures.probe((embeds[:cut], classes[:cut]), (embeds[cut:], classes[cut:])), 3)
    speaker = speaking(SEED + 3)
    captions = [speaker.say(from_codes(row), ["subject", *HOW]) for row in codes[cut:]]
    aligned = (
        alignment.of_images(setting.pipe.image_encoder, setting.weights, images[cut:]),
        alignment.of_texts(setting.pipe.tokenizer, setting.pipe.text_encoder, setting.weights, captions),
    )
    return {
        "probes": probes,
        "chance of subject": round(1 / SUBJECTS, 3),
        "retrieval of drawings": measures.retrieval(*aligned),
    }


@torch.no_grad()
def compressor(setting: Setting, count: int = 280) -> dict[str, dict[str, float]]:
    """What the judge sees in drawings, in what the decoder paints of their latents, and in what it paints of
    those that the encoder finds."""
    codes = balanced(count, SEED + 6, unseen=True)
    images, vae = drawings(codes, SEED + 6_000_000), setting.pipe.vae
    known = load_file(setting.weights / latents.FILE)
    exact = [
        latents.latents(from_codes(row), SEED + 6_000_000 + i, images[i], known)
        for i, row in enumerate(codes)
    ]
    painted, again = [], []
    for part in np.array_split(np.arange(count), max(count // 4, 1)):
        given = torch.from_numpy(np.stack([exact[i] for i in part]))
        painted.append(to_images(vae.decode(given).sample))
        again.append(to_images(vae.decode(vae.encode(to_tensor(images[part])).latent_dist.mean).sample))
    return {
        name: measures.shares(measures.look_at(pictures)[0], codes, TOLD)
        for name, pictures in (
            ("drawings", images),
            ("painted of latents", np.concatenate(painted)),
            ("encoded and painted", np.concatenate(again)),
        )
    }


def diversity(setting: Setting, prompts: int = 12, seeds: int = 8) -> dict[str, float]:
    """How much eight seeds of one prompt differ, beside eight drawings of what it names."""
    codes = balanced(prompts, SEED + 4)
    speaker = speaking(SEED + 4)
    made, real = [], []
    for number, row in enumerate(codes):
        prompt = speaker.say(from_codes(row), list(TOLD))
        images = setting.paint([prompt] * seeds, SEED + 4_000_000 + 100 * number)
        made.append(measures.spread(judge.features(images)))
        rows = balanced(seeds, SEED + 5 + number)
        rows[:, : len(TOLD)] = row[: len(TOLD)]
        rows[:, len(NAMES)] = row[len(NAMES)]
        real.append(measures.spread(judge.features(drawings(rows, SEED + 5_000_000 + 100 * number))))
    generated, drawn = float(np.mean(made)), float(np.mean(real))
    return {"generated": round(generated, 3), "drawn": round(drawn, 3), "ratio": round(generated / drawn, 2)}


def adapter(setting: Setting, count: int, scales: list[float]) -> list[dict[str, float]]:
    """Subject-only prompts with the embedding of a drawing of another subject: is its look taken over?

    `subject` is whether the prompt's own subject is still seen, `copied` whether the drawing's is.
    """
    codes, speaker = balanced(count, SEED + 1), speaking(SEED + 1)
    shown = codes.copy()
    shown[:, 0] = (codes[:, 0] + 1 + np.arange(count) % (SUBJECTS - 1)) % SUBJECTS
    shown[:, len(NAMES)] = 0
    embeds = vision.embed(setting.pipe.image_encoder, drawings(shown, SEED + 2_000_000))
    prompts = [speaker.plain(from_codes(row))[0] for row in codes]
    rows = []
    for scale in scales:
        seen, _ = measures.look_at(setting.paint(prompts, SEED, embeds=embeds, scale=scale))
        row = {"scale": scale, **measures.shares(seen, codes, ("subject", *HOW))}
        rows.append({**row, "copied": measures.shares(seen, shown, ("subject",))["subject"]})
        print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m starter.evaluate", description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="prompts of held-out combinations")
    parser.add_argument("--adapter-n", type=int, default=80, help="prompts with a picture, a scale")
    parser.add_argument("--scales", type=float, nargs="*", default=[0.0, 0.3, 0.6, 1.0])
    parser.add_argument("--steps", type=int, default=sampler.STEPS)
    parser.add_argument("--guidance", type=float, default=sampler.GUIDANCE)
    parser.add_argument("--weights", type=Path, default=export.WEIGHTS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--words-only", action="store_true", help="leave out compressor, encoder, diversity and adapter"
    )
    parser.add_argument("--json", type=Path, help="write the result here")
    parser.add_argument("--sheet", type=Path, help="write the first images here")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    pipe = export.load_pipeline(arguments.weights)
    setting = Setting(pipe, arguments.weights, arguments.steps, arguments.guidance)
    told, images = words(setting, arguments.n)
    result: dict[str, Any] = {
        "n": arguments.n,
        "steps": arguments.steps,
        "guidance": arguments.guidance,
        **told,
    }
    print(json.dumps(result, indent=1), flush=True)
    if arguments.sheet:
        Image.fromarray(sheet(list(images[:60]), 10)).save(arguments.sheet)
    if not arguments.words_only:
        for name, part in (("compressor", compressor), ("encoder", encoder), ("diversity", diversity)):
            result[name] = part(setting)
            print(json.dumps({name: result[name]}), flush=True)
        result["adapter"] = adapter(setting, arguments.adapter_n, arguments.scales)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
