"""What a device is asked for and holds: floating-point operations, the time of the steps, memory."""

import re
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from worker.pipelines import Model, Shot

# Dense bf16 TFLOP/s that the makers state, by a part of the card's name; the first that fits.
PEAKS = {
    "H200": 989,
    "H100 PCIe": 756,
    "H100": 989,
    "A100": 312,
    "L40S": 362,
    "L40": 181,
    "L4": 121,
    "4090": 165,
    "3090": 71,
}
PROCESS = Path("/proc/self")


def bf16_peak(device: torch.device) -> float | None:
    """The card's dense bf16 operations a second, where they are known."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((1e12 * value for part, value in PEAKS.items() if part in name), None)


@dataclass(frozen=True)
class Work:
    """Floating-point operations of one image: the denoiser's in all steps, and those of everything else,
    which are the text encoders' and the decoder's, once."""

    denoiser: float
    rest: float


def work(model: Model, shot: Shot) -> Work:
    """Count the operations of an image while it is painted, as torch counts them: two for a multiplication
    and an addition, none for what is done element by element. What is compiled is counted uncompiled."""
    spent = 0
    before = 0

    def enter(*_: Any) -> None:
        nonlocal before
        before = counter.get_total_flops()

    def leave(*_: Any) -> None:
        nonlocal spent
        spent += counter.get_total_flops() - before

    eager = torch.compiler.set_stance("force_eager") if model.preset.compile else nullcontext()
    with eager, flop_counter() as counter, _hooked(model, enter, leave):
        model.render(shot)
    return Work(float(spent), float(counter.get_total_flops() - spent))


def flop_counter() -> Any:
    """torch's counter, which also counts the CPU's fused attention: by itself it leaves that out."""
    attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu

    def count(query: Any, key: Any, value: Any, *_: Any, **_named: Any) -> int:
        return int(sdpa_flop_count(query, key, value))

    return FlopCounterMode(display=False, custom_mapping={attention: count})


class StepClock:
    """The seconds of an image's steps: from the denoiser's first call to the end of its last, with what the
    scheduler does between them. Of the device's time, or on the CPU of processor time."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._device = model.device
        self._first: Any = None
        self._last: Any = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Time the one call of the model that is made within."""
        self._first = None
        with _hooked(self._model, self._enter, self._leave):
            yield

    def seconds(self) -> float:
        """Of the last call."""
        if self._device.type == "cuda":
            self._last.synchronize()
            return float(self._first.elapsed_time(self._last)) / 1000
        return float(self._last - self._first)

    def _enter(self, *_: Any) -> None:
        if self._first is None:
            self._first = self._mark()

    def _leave(self, *_: Any) -> None:
        self._last = self._mark()

    def _mark(self) -> Any:
        if self._device.type == "cpu":
            return time.process_time()
        if self._device.type != "cuda":
            torch.accelerator.synchronize(self._device)
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event


@contextmanager
def _hooked(model: Model, enter: Any, leave: Any) -> Iterator[None]:
    """Call `enter` before and `leave` after each call of the denoiser without the adapter."""
    hooks = (
        model.network.register_forward_pre_hook(enter),
        model.network.register_forward_hook(leave),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def card_memory(device: str) -> int | None:
    """Bytes that the card has in all; None where there is none."""
    return int(torch.cuda.mem_get_info(device)[1]) if device.startswith("cuda") else None


def forget_peak(device: str) -> None:
    """Begin anew with the most that is held. The CPU's peak is the process's, which Linux lets it reset;
    elsewhere it only grows."""
    if device.startswith("cuda"):
        torch.cuda.init()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    elif (PROCESS / "clear_refs").exists():
        (PROCESS / "clear_refs").write_text("5")


def peak_memory(device: str) -> str:
    """The most that was held since `forget_peak`."""
    if device.startswith("cuda"):
        return f"{torch.cuda.max_memory_allocated(device) / 1e9:.1f} GB of the device"
    if not (PROCESS / "clear_refs").exists():
        return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB, former models included"
    found = re.search(r"VmHWM:\s+(\d+) kB", (PROCESS / "status").read_text())
    assert found is not None
    return f"{int(found[1]) * 1024 / 1e9:.2f} GB of the process"
