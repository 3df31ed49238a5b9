"""What a preset's images cost, and how they change, under each shortcut that it may opt into.

Run as `python -m benchmarks.shortcuts [--preset NAME]`. Seconds are of processor time on a CPU, so that what
else the machine does is left out, and of the clock on a card; ways are timed in turn within each round. How
far an image is from the one of the same prompt and seed without the shortcut is told by pixels (0 to 255) and
by the cosine of what the preset's own encoder sees in the two. With the starter, `--judged N` also counts in
how many of N images its judge sees what the caption asks for.
"""

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in the worker, before torch is imported

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from app.presets import Preset, get_preset
from app.presets.schema import OFFERED
from starter import measures
from starter.attributes import TOLD, balanced, from_codes
from starter.captions import Speaker
from worker.pipelines import Conditioning, Model, Shot, load

Pixels = NDArray[np.int16]
AS_IT_IS = "as it is"
WAYS: dict[str, dict[str, object]] = {
    AS_IT_IS: {},
    "fuse": {"fuse": True},
    "cache": {"cache": 0.05},
    "quantize int8": {"quantize": "int8"},
    "quantize fp8": {"quantize": "fp8"},
    "compile": {"compile": True},
}
PROMPTS = ("a lighthouse at dusk", "a red fox in snow", "a city street in the rain", "a bowl of fruit")


@dataclass(frozen=True)
class Painted:
    picture: Image.Image
    seconds: float


def offered(preset: Preset, wanted: list[str] | None) -> list[str]:
    """The ways that the preset may go, the plain one first; of these only what is wanted, if anything is."""
    names = [name for name in WAYS if not wanted or name in wanted or name == AS_IT_IS]
    if find_spec("torchao") is None:
        names = [name for name in names if not name.startswith("quantize")]
    return [name for name in names if preset.pipeline in OFFERED.get(name, (preset.pipeline,))]


def shots(model: Model, images: int) -> list[Shot]:
    """Images of several prompts, every second one with a taste if the preset has an adapter."""
    preset = model.preset
    width, height = preset.sizes[0]
    plain = Shot(PROMPTS[0], "", (1,), width, height, preset.steps, preset.guidance)
    taste = None
    if preset.adapter is not None:
        size = model.encoder.images(model.render(replace(plain, steps=2))).shape[1]
        towards, away = np.random.default_rng(0).standard_normal((2, size))
        taste = Conditioning(towards, away, 0.5)
    return [
        replace(plain, text=PROMPTS[n % len(PROMPTS)], seeds=(n,), conditioning=taste if n % 2 else None)
        for n in range(images)
    ]


def paint(model: Model, shot: Shot, device: str) -> Painted:
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    (picture,) = model.render(shot)
    if device == "cuda":
        torch.cuda.synchronize()
    return Painted(picture, clock() - start)


def main(given: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What shortcuts cost.")
    parser.add_argument("--preset", default="starter")
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--ways", nargs="*", choices=sorted(WAYS), help="only these")
    parser.add_argument("--judged", type=int, default=0, metavar="N", help="with the starter only")
    arguments = parser.parse_args(given)
    preset, device = get_preset(arguments.preset), "cuda" if torch.cuda.is_available() else "cpu"
    names = offered(preset, arguments.ways)
    models = {name: load(preset.model_copy(update=WAYS[name]), device=device) for name in names}
    asked = shots(models[AS_IT_IS], arguments.images)
    for model in models.values():
        model.render(replace(asked[0], steps=2))
    found: dict[str, list[Painted]] = {name: [] for name in names}
    for shot in asked:
        for name in names:
            found[name].append(paint(models[name], shot, device))
    print("\n".join(table(models[AS_IT_IS], found)))
    if arguments.judged:
        print("\n".join(["", *judged(models, arguments.judged)]))


def table(model: Model, found: dict[str, list[Painted]]) -> Iterator[str]:
    """What each way took, and how far its images are from those of the first."""
    whole = [np.asarray(painted.picture, dtype=np.int16) for painted in found[AS_IT_IS]]
    known = directions(model, found[AS_IT_IS])
    columns = ("s an image, median", "range", "pixels differ by, mean", "most", "cosine, mean", "least")
    yield f"| {len(whole)} images | {' | '.join(columns)} |"
    yield f"|---|{'---|' * len(columns)}"
    for name, painted in found.items():
        seconds = [one.seconds for one in painted]
        apart = [
            float(np.abs(np.asarray(one.picture, dtype=np.int16) - pixels).mean())
            for one, pixels in zip(painted, whole, strict=True)
        ]
        alike = (directions(model, painted) * known).sum(1)
        cells = (
            name,
            f"{statistics.median(seconds):.2f}",
            f"{min(seconds):.2f}..{max(seconds):.2f}",
            f"{statistics.mean(apart):.3f}",
            f"{max(apart):.3f}",
            f"{alike.mean():.4f}",
            f"{alike.min():.4f}",
        )
        yield f"| {' | '.join(cells)} |"


def directions(model: Model, painted: list[Painted]) -> NDArray[np.float64]:
    """(n, d) what the preset's encoder sees in images, each brought to length 1."""
    seen = np.asarray(model.encoder.images([one.picture for one in painted]), dtype=np.float64)
    return np.asarray(seen / np.linalg.norm(seen, axis=1, keepdims=True))


def judged(models: dict[str, Model], count: int) -> Iterator[str]:
    """Shares of `count` images, the same captions and seeds for each way, in which the starter's judge sees
    what was asked for."""
    if models[AS_IT_IS].preset.name != "starter":
        raise SystemExit("the judge knows the starter's pictures only: drop --judged")
    codes, speaker = balanced(count, 1), Speaker(np.random.default_rng(1), unseen_rates={})
    captions = [speaker.say(from_codes(row), list(TOLD)) for row in codes]
    yield f"| of {count} images, % | {' | '.join(TOLD)} |"
    yield f"|---|{'---|' * len(TOLD)}"
    for name, model in models.items():
        preset = model.preset
        width, height = preset.sizes[0]
        made = [
            np.asarray(model.render(Shot(text, "", (n,), width, height, preset.steps, preset.guidance))[0])
            for n, text in enumerate(captions)
        ]
        seen, _ = measures.look_at(np.stack(made))
        shares = measures.shares(seen, codes, TOLD)
        yield f"| {name} | {' | '.join(f'{100 * shares[told]:.1f}' for told in TOLD)} |"


if __name__ == "__main__":
    main()
