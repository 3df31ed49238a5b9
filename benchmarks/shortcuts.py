"""What the starter's images cost and how they change under each shortcut that a preset may opt into.

Run as `python -m benchmarks.shortcuts`. Seconds are of processor time, so that what else the machine does is
left out; ways are timed in turn within each round. The difference is of pixels, from 0 to 255.
"""

import argparse
import os
import statistics
import time
from dataclasses import replace
from importlib.util import find_spec

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in the worker, before torch is imported

import numpy as np
from numpy.typing import NDArray

from app.presets import get_preset
from worker.pipelines import Conditioning, Model, Shot, load

Pixels = NDArray[np.int16]
WAYS: dict[str, dict[str, object]] = {
    "as it is": {},
    "fuse": {"fuse": True},
    "quantize int8": {"quantize": "int8"},
    "quantize fp8": {"quantize": "fp8"},
    "compile": {"compile": True},
}
PROMPTS = ("a lighthouse at dusk", "a red fox in snow", "a city street in the rain", "a bowl of fruit")


def shots(model: Model, images: int) -> list[Shot]:
    """Images of several prompts, every second one with a taste."""
    preset = model.preset
    width, height = preset.sizes[0]
    plain = Shot(PROMPTS[0], "", (1,), width, height, preset.steps, preset.guidance)
    size = model.encoder.images(model.render(replace(plain, steps=2))).shape[1]
    towards, away = np.random.default_rng(0).standard_normal((2, size))
    taste = Conditioning(towards, away, 0.5)
    return [
        replace(plain, text=PROMPTS[n % len(PROMPTS)], seeds=(n,), conditioning=taste if n % 2 else None)
        for n in range(images)
    ]


def paint(model: Model, shot: Shot) -> tuple[Pixels, float]:
    """The pixels of one image, and its seconds."""
    start = time.process_time()
    (picture,) = model.render(shot)
    return np.asarray(picture, dtype=np.int16), time.process_time() - start


def main(given: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What shortcuts cost.")
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--ways", nargs="*", choices=sorted(WAYS), help="only these")
    arguments = parser.parse_args(given)
    wanted = [name for name in WAYS if not arguments.ways or name in arguments.ways]
    if find_spec("torchao") is None:
        wanted = [name for name in wanted if not name.startswith("quantize")]
    names = ["as it is", *(name for name in wanted if name != "as it is")]
    starter = get_preset("starter")
    models = {name: load(starter.model_copy(update=WAYS[name]), device="cpu") for name in names}
    asked = shots(models["as it is"], arguments.images)
    for model in models.values():
        model.render(replace(asked[0], steps=2))
    found: dict[str, list[tuple[Pixels, float]]] = {name: [] for name in names}
    for shot in asked:
        for name in names:
            found[name].append(paint(models[name], shot))
    report(found)


def report(found: dict[str, list[tuple[Pixels, float]]]) -> None:
    """Print what each way took, and how far its images are from those of the first."""
    whole = [pixels for pixels, _ in found["as it is"]]
    print(f"| {len(whole)} images | processor s an image, median | range | pixels differ by, mean | most |")
    print("|---|---|---|---|---|")
    for name, painted in found.items():
        seconds = [spent for _, spent in painted]
        apart = [float(np.abs(a - b).mean()) for (a, _), b in zip(painted, whole, strict=True)]
        spread = f"{min(seconds):.2f}..{max(seconds):.2f}"
        cells = (name, f"{statistics.median(seconds):.2f}", spread, f"{statistics.mean(apart):.3f}")
        print(f"| {' | '.join(cells)} | {max(apart):.3f} |")


if __name__ == "__main__":
    main()
