"""Images a second: the service, storing and embedding included, against a bare loop around the pipeline.

Run as `python -m benchmarks.service_vs_loop`. Both paint the same prompt at the same steps, one image a job,
in turn within each round. The service's time runs from its first job's claim to its last job's end.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in the worker, before torch is imported

import torch
from diffusers import StableDiffusionPipeline

from app.config import get_settings
from app.presets import Preset, get_preset
from benchmarks.painting import imagine, wait_for, worker_running

JOB_SECONDS = (0.25, 0.5, 1.0)
JOBS = 12
ROUNDS = 5
TEXT = "a lighthouse at dusk"


class Loop:
    """What one would write with diffusers alone: the pipeline, called again and again."""

    def __init__(self, preset: Preset) -> None:
        self.preset = preset
        self.pipeline = StableDiffusionPipeline.from_pretrained(
            preset.folder, dtype=torch.float32, local_files_only=True
        )
        self.pipeline.set_progress_bar_config(disable=True)
        if get_settings().torch_threads:
            torch.set_num_threads(get_settings().torch_threads)

    def seconds(self, jobs: int, steps: int) -> float:
        """Seconds for that many images."""
        width, height = self.preset.sizes[0]
        start = time.perf_counter()
        for seed in range(jobs):
            self.pipeline(
                TEXT,
                width=width,
                height=height,
                num_inference_steps=steps,
                guidance_scale=self.preset.guidance,
                generator=torch.Generator().manual_seed(seed),
            )
        return time.perf_counter() - start


def service_seconds(jobs: int, steps: int) -> float:
    """Seconds the worker takes for that many jobs, all waiting before the first is claimed or soon after."""
    done = wait_for(imagine(f"{TEXT} --n 1 --steps {steps}", jobs))
    started = [job.started_at.timestamp() for job in done if job.started_at]
    finished = [job.finished_at.timestamp() for job in done if job.finished_at]
    return max(finished) - min(started)


def steps_for(loop: Loop, seconds: float) -> int:
    """How many steps a job of that length has."""
    loop.seconds(1, 2)
    few, many = (min(loop.seconds(1, steps) for _ in range(5)) for steps in (2, 12))
    return max(1, min(150, round(2 + (seconds - few) / max((many - few) / 10, 1e-6))))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Service against bare loop.")
    parser.add_argument("--preset", default="starter")
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    with worker_running(arguments.preset):
        loop = Loop(get_preset(arguments.preset))
        print(f"{arguments.jobs} jobs of one image, {arguments.rounds} interleaved rounds")
        print(f"{'job s':>6}{'steps':>7}{'loop /s':>9}{'service /s':>12}{'ratio':>8}{'min..max':>16}")
        for length in JOB_SECONDS:
            steps = steps_for(loop, length)
            bare, service = [], []
            for _ in range(arguments.rounds):
                bare.append(arguments.jobs / loop.seconds(arguments.jobs, steps))
                service.append(arguments.jobs / service_seconds(arguments.jobs, steps))
            ratios = [b / a for a, b in zip(bare, service, strict=True)]
            print(
                f"{length:6.2f}{steps:7d}{statistics.median(bare):9.2f}{statistics.median(service):12.2f}"
                f"{statistics.median(ratios):8.3f}{f'{min(ratios):.3f}..{max(ratios):.3f}':>16}",
                flush=True,
            )


if __name__ == "__main__":
    main()
