"""What a device makes of each model: images a second, what batches, tastes and previews cost or gain, memory.

Run as `python -m benchmarks.gpu`: every preset whose weights are there, and with --random also the
architectures of benchmarks/random_models.py at full size. `--tiny` takes a toy model on the CPU, in seconds.
What is compared is measured in turn within each round; figures are medians over the rounds, with the range.
On the CPU seconds are of processor time, so that what else the machine does is left out.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in the worker, before torch is imported

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from app.config import get_settings
from app.presets import Preset, load_presets
from app.services.events import Event, Events
from app.services.joblife import Claim
from benchmarks.random_models import ARCHITECTURES, build
from worker.devices import device_name
from worker.keeper import Held
from worker.pipelines import Conditioning, Model, Shot, load
from worker.progress import Progress
from worker.safety import get_classifier

BATCH = 8
ROUNDS = 5
# Dense bf16 TFLOP/s that the makers state, by a part of the card's name; the first that fits.
PEAKS = {
    "H200": 989,
    "H100 PCIe": 756,
    "H100": 989,
    "A100": 312,
    "L40S": 362,
    "L4": 121,
    "4090": 165,
    "3090": 71,
}


class Unheard(Events):
    """Progress that nobody is told of: the drawing of previews is measured, not the broker."""

    def publish(self, job_id: UUID, event: Event, *, previews: dict[int, bytes] | None = None) -> None:
        """Tell nobody."""

    def cancel_asked(self, job_id: UUID) -> bool:
        """Nobody asks."""
        return False


@dataclass(frozen=True)
class Way:
    """One of the things that are timed: it paints `images` images."""

    images: int
    paint: Callable[[], object]


@contextmanager
def models(arguments: argparse.Namespace) -> Iterator[list[tuple[Preset, str]]]:
    """The presets to measure, and whether their weights are real."""
    names = ["tiny"] if arguments.tiny else arguments.random
    with tempfile.TemporaryDirectory(prefix="penchant-bench-") as folder:
        found = []
        for name in names:
            (Path(folder) / name).mkdir()
            found.append((build(name, Path(folder) / name), "random"))
        if not arguments.tiny:
            found += [(preset, "real") for preset in load_presets().values() if not preset.missing]
        yield [item for item in found if not arguments.preset or item[0].name in arguments.preset]


def shots(model: Model, steps: int | None) -> tuple[Shot, Shot]:
    """One image, without a taste and with one."""
    preset = model.preset
    width, height = preset.sizes[0]
    plain = Shot("a lighthouse at dusk", "", (1,), width, height, steps or preset.steps, preset.guidance)
    size = model.encoder.images(model.render(replace(plain, steps=2))).shape[1]
    sides = np.random.default_rng(0).standard_normal((2, size))
    return plain, replace(plain, conditioning=Conditioning(sides[0], sides[1], 0.5))


def ways(model: Model, plain: Shot, personal: Shot) -> dict[str, Way]:
    """What is timed, by name."""
    others = [replace(plain, text=f"{plain.text}, {n}", seeds=(n,)) for n in range(BATCH)]
    found = {
        "one": Way(1, lambda: model.render(plain)),
        "previews": Way(1, lambda: model.render(plain, _progress(model, plain).step)),
        "together": Way(BATCH, lambda: model.render_together(others)),
        "one by one": Way(BATCH, lambda: [model.render(shot) for shot in others]),
    }
    if model.preset.adapter is not None:
        found["personal"] = Way(1, lambda: model.render(personal))
    return found


def _progress(model: Model, shot: Shot) -> Progress:
    claim = Claim(UUID(int=0), UUID(int=0), 0, {}, model.preset.name, shot.text, 1, frozenset())
    progress = Progress(Held(claim), Unheard("redis://127.0.0.1"), model, get_classifier())
    progress.steps = shot.steps
    progress.begin((0,))
    return progress


def measure(found: dict[str, Way], rounds: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds an image of each way, round by round. Each paints BATCH images a round, single ones in turn:
    what a batch leaves in the caches is then nobody's advantage."""
    for way in found.values():
        way.paint()
    seconds: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(rounds):
        spent = dict.fromkeys(found, 0.0)
        for turn in range(BATCH):
            for name, way in found.items():
                if turn % way.images == 0:
                    start = clock()
                    way.paint()
                    spent[name] += clock() - start
        for name, total in spent.items():
            seconds[name].append(total / BATCH)
    return seconds


def flops(model: Model, shot: Shot) -> float:
    """Floating-point operations of one image in the denoiser, as torch counts them."""
    with FlopCounterMode(display=False) as counter:
        model.render(replace(shot, steps=2))
    return float(counter.get_total_flops()) / 2 * shot.steps


def peak(device: torch.device) -> float | None:
    """The card's dense bf16 operations a second, where they are known."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((1e12 * value for part, value in PEAKS.items() if part in name), None)


def memory(device: torch.device) -> str:
    """The most that was held."""
    if device.type == "cuda":
        return f"{torch.cuda.max_memory_allocated(device) / 1e9:.1f} GB of the device"
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB"


def report(preset: Preset, weights: str, arguments: argparse.Namespace) -> None:
    """Measure one model and print its table."""
    start = time.perf_counter()
    model = load(preset, device="cpu" if arguments.tiny else get_settings().device)
    plain, personal = shots(model, arguments.steps)
    model.render(plain)
    first = time.perf_counter() - start
    device = model.device
    on_cpu = device.type == "cpu"
    clock, unit = (time.process_time, "processor second") if on_cpu else (time.perf_counter, "second")
    seconds = measure(ways(model, plain, personal), arguments.rounds, clock)
    size = f"{plain.width} x {plain.height}, {plain.steps} steps"
    print(f"\n{preset.name}, {weights} weights, {device_name(device)}, {model.dtype}, {size}\n")
    print(f"| {arguments.rounds} rounds | median | range |\n|---|---|---|")
    rate = {way: [1 / value for value in values] for way, values in seconds.items()}
    _row(f"images a {unit}, one at a time", rate["one"])
    _row(f"images a {unit}, {BATCH} together", rate["together"])
    _row(f"{BATCH} together / one by one", _ratios(rate["together"], rate["one by one"]))
    if "personal" in seconds:
        _row("time with a taste / without", _ratios(seconds["personal"], seconds["one"]))
    _row("time with previews / without", _ratios(seconds["previews"], seconds["one"]))
    top = peak(device)
    if top is not None:
        work = flops(model, plain)
        for way in ("one", "together"):
            _row(f"share of the bf16 peak, {way}", [work * value / top for value in rate[way]])
    print(f"| load and first image | {first:.1f} s | |\n| most memory held | {memory(device)} | |")


def _ratios(above: list[float], below: list[float]) -> list[float]:
    return [a / b for a, b in zip(above, below, strict=True)]


def _row(name: str, values: list[float]) -> None:
    print(f"| {name} | {statistics.median(values):.3f} | {min(values):.3f}..{max(values):.3f} |", flush=True)


def main(given: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="What a device makes of each model.")
    parser.add_argument("--tiny", action="store_true", help="a toy model on the CPU")
    parser.add_argument("--random", nargs="*", default=[], choices=sorted(ARCHITECTURES), metavar="NAME")
    parser.add_argument("--preset", nargs="*", help="only these")
    parser.add_argument("--steps", type=int, help="instead of the preset's")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args(given)
    with models(arguments) as found:
        for preset, weights in found:
            report(preset, weights, arguments)


if __name__ == "__main__":
    main()
