"""One resumable training loop for every stage: AdamW, warm-up and cosine, averaged weights, checkpoints.

The cosine runs over a budget of samples or of minutes, whichever is used up first, so that a stage ends at a
known time on a shared machine. Elapsed time is counted across restarts.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import distributed, nn

from starter.dataset import RUNS
from starter.device import DEVICE
from starter.muon import Both


@dataclass(frozen=True)
class Budget:
    samples: int
    minutes: float = math.inf

    def used(self, samples: int, seconds: float) -> float:
        """Share of the budget that is used, 1 at the end."""
        return max(samples / self.samples, seconds / 60 / self.minutes)


class Average:
    """Exponential moving average of a module's parameters, with a short horizon at the start."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.shadow = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        values = [v for v in module.state_dict().values() if v.dtype.is_floating_point]
        shadows = [v for v in self.shadow.values() if v.dtype.is_floating_point]
        torch._foreach_lerp_(shadows, values, 1 - decay)


def save(state: dict[str, object], path: Path) -> None:
    """Write `state` whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.rename(path)


def on_cpu(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.cpu() for name, value in state.items()}


def rate(progress: float, step: int, warmup: int) -> float:
    return min(1.0, (step + 1) / warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))


def ranks() -> tuple[int, int]:
    """This process's rank and how many train together."""
    return (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)


def share_gradients(parameters: list[nn.Parameter]) -> None:
    """Average gradients over the processes that train together, one message a step.

    They travel in bfloat16, in which most of them were computed: half the bytes.
    """
    present = [p.grad for p in parameters if p.grad is not None]
    buffer = torch.cat([g.flatten().bfloat16() for g in present])
    distributed.all_reduce(buffer)
    buffer /= distributed.get_world_size()
    start = 0
    for gradient in present:
        gradient.copy_(buffer[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()


def agreed(progress: float) -> float:
    """The first process's progress, so that all stop at the same step."""
    if not distributed.is_initialized():
        return progress
    held = torch.tensor([progress], dtype=torch.float64)
    distributed.broadcast(held, 0)
    return float(held)


def fit(
    name: str,
    module: nn.Module,
    loss_of: Callable[[torch.Generator], torch.Tensor],
    *,
    batch: int,
    lr: float,
    budget: Budget,
    seed: int,
    decay: float = 0.999,
    weight_decay: float = 0.01,
    warmup: int = 100,
    every_seconds: float = 120.0,
    inner: Callable[[str, nn.Parameter], bool] | None = None,
    on_checkpoint: Callable[[dict[str, torch.Tensor], int], None] | None = None,
) -> dict[str, torch.Tensor]:
    """Train `module` until the budget is used and return its averaged weights; resumes from runs/NAME.pt.

    The module is trained on DEVICE, where `loss_of` finds it, and comes back to the CPU.

    `batch` counts the samples of all processes; each process's `loss_of` makes its share of them. Parameters
    that are `inner` are trained by Muon, all others by AdamW.
    """
    rank, world = ranks()
    path = RUNS / f"{name}.pt"
    module.to(DEVICE)
    trained = [p for p in module.parameters() if p.requires_grad]
    named = [
        (p, inner is not None and inner(name, p)) for name, p in module.named_parameters() if p.requires_grad
    ]
    optimizer = Both([p for p, a in named if a], [p for p, a in named if not a], lr, weight_decay)
    average = Average(module, decay)
    step, before = 0, 0.0
    if path.exists():
        state = torch.load(path, weights_only=True, map_location=DEVICE)
        module.load_state_dict(state["module"])
        optimizer.load_state_dict(state["optimizer"])
        average.shadow, step, before = state["average"], state["step"], state["seconds"]
    started, saved, running = time.monotonic(), time.monotonic(), 0.0
    module.train()
    first = step

    def checkpoint() -> None:
        save(
            {"module": module.state_dict(), "optimizer": optimizer.state_dict(), "average": average.shadow,
             "step": step, "seconds": before + time.monotonic() - started}, path)  # fmt: skip
        if on_checkpoint is not None:
            on_checkpoint(on_cpu(average.shadow), step)
            module.train()

    while (progress := agreed(budget.used(step * batch, before + time.monotonic() - started))) < 1:
        for group in optimizer.param_groups:
            group["lr"] = lr * rate(progress, step, warmup)
        loss = loss_of(torch.Generator().manual_seed((seed * 1_000_003 + step) * world + rank))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if world > 1:
            share_gradients(trained)
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        step += 1
        average.update(module, step)
        running = loss.item() if step == first + 1 else 0.98 * running + 0.02 * loss.item()
        if step % (50 if batch > 40 else 10) == 0 and rank == 0:
            speed = (step - first) * batch / (time.monotonic() - started)
            print(f"{name} step {step} {progress:.1%} loss {running:.4f} {speed:.0f} samples/s", flush=True)
            with (RUNS / f"{name}.jsonl").open("a") as log:
                log.write(
                    json.dumps({"step": step, "samples": step * batch, "loss": round(running, 4)}) + "\n"
                )
        if rank == 0 and time.monotonic() - saved > every_seconds:
            saved = time.monotonic()
            checkpoint()
    if rank == 0:
        checkpoint()
    module.cpu()
    return on_cpu(average.shadow)
