"""What a device makes of each model: images a second, what batches, tastes and previews cost or gain, memory.

Run as `python -m benchmarks.gpu`. Every preset is painted as it ships, with its own weights where they are
installed and else with random ones of the same sizes (benchmarks/architectures.py), which the table says. On
a card, presets that it has too little memory for are left out; on the CPU, those without weights that
--preset does not name. `--tiny` takes a toy of each family on the CPU, in two minutes or three.

What is compared is measured in turn within each round; figures are medians over the rounds, with the range.
On the CPU seconds are of processor time, so that what else the machine does is left out.
"""

import argparse
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in the worker, before torch is imported

import numpy as np
import torch

from app.config import get_settings
from app.presets import Preset, load_presets
from app.presets.schema import OFFERED
from app.services.events import Event, Events
from app.services.joblife import Claim
from benchmarks.architectures import ARCHITECTURES, TOYS, Architecture
from benchmarks.device import StepClock, bf16_peak, card_memory, forget_peak, peak_memory, work
from benchmarks.random_models import load_random
from worker.devices import device_name
from worker.keeper import Held
from worker.pipelines import Conditioning, Model, Shot, load, pick_device
from worker.progress import Progress
from worker.safety import get_classifier

BATCH = 8
ROUNDS = 5
TOY_SIZE = (64, 64)
TOY_STEPS = 4


class Unheard(Events):
    """Progress that nobody is told of: the drawing of previews is measured, not the broker."""

    def publish(self, job_id: UUID, event: Event, *, previews: dict[int, bytes] | None = None) -> None:
        """Tell nobody."""

    def cancel_asked(self, job_id: UUID) -> bool:
        """Nobody asks."""
        return False


@dataclass(frozen=True)
class Subject:
    """A preset to measure, with random weights of an architecture, or without one with its own."""

    preset: Preset
    architecture: Architecture | None

    def load(self, device: str) -> Model:
        """The model. Raises OperatorError."""
        if self.architecture is None:
            return load(self.preset, device=device)
        with tempfile.TemporaryDirectory(prefix="penchant-bench-") as folder:
            return load_random(self.preset, self.architecture, Path(folder), device=device)


@dataclass(frozen=True)
class Way:
    """One of the things that are timed: it paints `images` images."""

    images: int
    paint: Callable[[], object]


def subjects(arguments: argparse.Namespace, device: str) -> Iterator[Subject]:
    """What to measure; a line for each preset that is left out."""
    for subject in toys() if arguments.tiny else shipped():
        name = subject.preset.name
        if arguments.preset and name not in arguments.preset:
            continue
        if why := _left_out(subject, device, named=bool(arguments.preset), tiny=arguments.tiny):
            print(f"\n{name}: left out, {why}")
            continue
        yield subject
        if arguments.compile and subject.preset.pipeline in OFFERED["compile"]:
            # Only the size that is painted has to be compiled for.
            changes = {"compile": True, "sizes": subject.preset.sizes[:1], "ratios": ()}
            yield replace(subject, preset=subject.preset.model_copy(update=changes))
        elif arguments.compile:
            print(f"\n{name}: not compiled, a {subject.preset.pipeline} has no `compile`")


def toys() -> Iterator[Subject]:
    """The shipped presets, painting small images by toys of their families."""
    for name, (base, architecture) in TOYS.items():
        small = {"name": name, "sizes": (TOY_SIZE,), "ratios": (), "steps": TOY_STEPS}
        yield Subject(load_presets()[base].model_copy(update=small), architecture)


def shipped() -> Iterator[Subject]:
    """Every preset there is; one without weights has an architecture only if it is shipped."""
    for name, preset in load_presets().items():
        yield Subject(preset, ARCHITECTURES.get(name) if preset.missing else None)


def _left_out(subject: Subject, device: str, *, named: bool, tiny: bool) -> str | None:
    preset, total = subject.preset, card_memory(device)
    if subject.architecture is None:
        if preset.missing:
            return "its weights are not installed and its sizes not known"
    elif total is None and not named and not tiny:
        return "its weights are not installed; on the CPU name it with --preset for random ones"
    if total is not None and preset.memory_gb is not None and preset.memory_gb * 1e9 > total:
        return f"it needs {preset.memory_gb:g} GB and the card has {total / 1e9:.0f}"
    return None


def plain_shot(preset: Preset, steps: int | None) -> Shot:
    """One image as the preset paints it, without a taste."""
    width, height = preset.sizes[0]
    return Shot("a lighthouse at dusk", "", (1,), width, height, steps or preset.steps, preset.guidance)


def personal_shot(model: Model, plain: Shot) -> Shot:
    """The same image with a taste."""
    size = model.encoder.images(model.render(replace(plain, steps=min(2, plain.steps)))).shape[1]
    sides = np.random.default_rng(0).standard_normal((2, size))
    return replace(plain, conditioning=Conditioning(sides[0], sides[1], 0.5))


def ways(model: Model, plain: Shot) -> dict[str, Way]:
    """What is timed, by name. Where images of a batch would depend on each
    other, none are painted together."""
    others = several(plain)
    found = {
        "one": Way(1, lambda: model.render(plain)),
        "previews": Way(1, lambda: model.render(plain, _progress(model, plain).step)),
    }
    if model.together:
        found["together"] = Way(BATCH, lambda: model.render_together(others))
    if model.preset.adapter is not None:
        personal = personal_shot(model, plain)
        found["personal"] = Way(1, lambda: model.render(personal))
    return found


def several(plain: Shot) -> list[Shot]:
    """What is painted together: each with a prompt and a seed of its own."""
    return [replace(plain, text=f"{plain.text}, {n}", seeds=(n,)) for n in range(BATCH)]


def apart(model: Model, plain: Shot) -> int:
    """The largest difference of a pixel, of 255, between images painted together and each alone."""
    shots = several(plain)
    alone = [model.render(shot)[0] for shot in shots]
    together = [picture for picture in model.render_together(shots) if picture is not None]
    pixels = (np.stack([np.asarray(p, dtype=np.int16) for p in pictures]) for pictures in (alone, together))
    return int(np.abs(np.subtract(*pixels)).max())


def _progress(model: Model, shot: Shot) -> Progress:
    claim = Claim(UUID(int=0), UUID(int=0), 0, {}, model.preset.name, shot.text, 1, frozenset())
    progress = Progress(Held(claim), Unheard("redis://127.0.0.1"), model, get_classifier())
    progress.steps = shot.steps
    progress.begin((0,))
    return progress


def fitting(found: dict[str, Way]) -> dict[str, Way]:
    """The ways that the device has memory for. Each is gone once, before any is timed."""
    kept = {}
    for name, way in found.items():
        if _fits(way):
            kept[name] = way
        else:
            gc.collect()
            torch.cuda.empty_cache()
    return kept


def _fits(way: Way) -> bool:
    try:
        way.paint()
    except torch.OutOfMemoryError:
        return False
    return True


def measure(found: dict[str, Way], rounds: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds an image of each way, round by round. Each paints BATCH images a round, single ones in turn:
    what a batch leaves in the caches is then nobody's advantage."""
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


def measure_steps(model: Model, found: dict[str, Way], rounds: int) -> dict[str, list[float]]:
    """Seconds an image spends in its steps, alone and together, round by round."""
    clock = StepClock(model)
    seconds: dict[str, list[float]] = {name: [] for name in ("one", "together") if name in found}
    for _ in range(rounds):
        for name, spent in seconds.items():
            with clock.running():
                found[name].paint()
            spent.append(clock.seconds() / found[name].images)
    return seconds


def attempt(subject: Subject, arguments: argparse.Namespace, device: str) -> None:
    """Report on one model if the device has memory for it, and leave nothing of it behind."""
    try:
        report(subject, arguments, device)
    except torch.OutOfMemoryError as error:
        print(f"\n{subject.preset.name}: left out, {error}")
    finally:
        if subject.preset.compile:
            torch.compiler.reset()
        gc.collect()


def report(subject: Subject, arguments: argparse.Namespace, device: str) -> None:
    """Measure one model and print its table."""
    preset = subject.preset
    plain = plain_shot(preset, arguments.steps)
    forget_peak(device)
    start = time.perf_counter()
    model = subject.load(device)
    loaded = time.perf_counter() - start
    start = time.perf_counter()
    model.render(plain)
    first = time.perf_counter() - start
    alone = peak_memory(device)
    on_cpu = device == "cpu"
    clock, unit = (time.process_time, "processor second") if on_cpu else (time.perf_counter, "second")
    all_ways = ways(model, plain)
    found = fitting(all_ways)
    seconds = measure(found, arguments.rounds, clock)
    _heading(subject, model, plain, arguments.rounds)
    rate = {way: [1 / value for value in values] for way, values in seconds.items()}
    _row(f"images a {unit}, one at a time", rate["one"])
    if "together" in rate:
        _row(f"images a {unit}, {BATCH} together", rate["together"])
        _row(f"{BATCH} together / one by one", _ratios(rate["together"], rate["one"]))
        print(
            f"| a pixel's largest difference, {BATCH} together and alone, of 255 | {apart(model, plain)} | |"
        )
    else:
        why = "out of memory" if "together" in all_ways else "not batched: painted one by one"
        print(f"| {BATCH} together / one by one | {why} | |")
    if "personal" in seconds:
        _row("time with a taste / without", _ratios(seconds["personal"], seconds["one"]))
    decoder = type(model.preview_decoder).__name__
    _row(f"time with previews by {decoder} / without", _ratios(seconds["previews"], seconds["one"]))
    _steps(model, plain, measure_steps(model, found, arguments.rounds))
    came = "load" if subject.architecture is None else "make and load"
    print(f"| {came}{' and compile' if preset.compile else ''} | {loaded:.1f} s | |")
    print(f"| first image after that | {first:.2f} s | |")
    print(f"| most memory held, until the first image | {alone} | |")
    print(f"| most memory held, all of this | {peak_memory(device)} | |", flush=True)


def _heading(subject: Subject, model: Model, plain: Shot, rounds: int) -> None:
    weights = "its own" if subject.architecture is None else "random"
    size = f"{plain.width} x {plain.height}, {plain.steps} steps"
    how = ", compiled" if subject.preset.compile else ""
    device = f"{device_name(model.device)}, {model.dtype}"
    print(f"\n{subject.preset.name}, {weights} weights, {device}, {size}{how}\n")
    print(f"| {rounds} rounds | median | range |\n|---|---|---|")


def _steps(model: Model, plain: Shot, seconds: dict[str, list[float]]) -> None:
    """What the denoiser's steps are made of, text encoders and decoder left out of count and time."""
    counted = work(model, plain)
    print(f"| TFLOP an image, denoiser in {plain.steps} steps | {counted.denoiser / 1e12:.4g} | |")
    print(f"| TFLOP an image, text encoders and decoder | {counted.rest / 1e12:.4g} | |")
    top = bf16_peak(model.device)
    for way, values in seconds.items():
        name = "one at a time" if way == "one" else f"{BATCH} together"
        _row(f"TFLOP a second in the steps, {name}", [counted.denoiser / value / 1e12 for value in values])
        if top is not None:
            share = [counted.denoiser / value / top for value in values]
            _row(f"share of the dense bf16 peak in the steps, {name}", share)


def _ratios(above: list[float], below: list[float]) -> list[float]:
    return [a / b for a, b in zip(above, below, strict=True)]


def _row(name: str, values: list[float]) -> None:
    print(f"| {name} | {statistics.median(values):.3f} | {min(values):.3f}..{max(values):.3f} |", flush=True)


def main(given: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="What a device makes of each model.")
    parser.add_argument("--tiny", action="store_true", help="a toy of each family on the CPU")
    parser.add_argument("--preset", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--compile", action="store_true", help="measure UNets compiled as well")
    parser.add_argument("--steps", type=int, help="instead of the preset's")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default: {ROUNDS}")
    arguments = parser.parse_args(given)
    known = TOYS if arguments.tiny else load_presets()
    if unknown := set(arguments.preset or ()) - set(known):
        parser.error(f"there is no {', '.join(sorted(unknown))}, only {', '.join(known)}")
    device = "cpu" if arguments.tiny else pick_device(get_settings().device)
    for subject in subjects(arguments, device):
        attempt(subject, arguments, device)


if __name__ == "__main__":
    main()
