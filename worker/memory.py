"""What a worker holds of its machine's memory and its device's."""

import gc
import logging
from collections.abc import Callable
from typing import TypeVar

import psutil
import torch

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class Memory:
    """Compares what is held with what was held when this was made: after the model was loaded."""

    def __init__(self, device: torch.device, *, growth: int) -> None:
        self._device = device
        self._growth = growth
        self._process = psutil.Process()
        self._before = self.held()

    def held(self) -> int:
        """Bytes, of both."""
        on_device = torch.cuda.memory_allocated(self._device) if self._device.type == "cuda" else 0
        return int(self._process.memory_info().rss) + int(on_device)

    def free(self) -> None:
        """Give back what nothing refers to."""
        free(self._device)

    def stays_high(self) -> bool:
        """Whether more than `growth` bytes came on top, and stay when all is given back that can be."""
        if self.held() - self._before <= self._growth:
            return False
        self.free()
        return self.held() - self._before > self._growth


def free(device: torch.device) -> None:
    """Give back what nothing refers to, of the machine's memory and of the device's."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def once_more(device: torch.device, work: Callable[[], Result]) -> Result:
    """What `work` returns. Where the device's memory does not suffice, it is freed and `work` is done again,
    once. Raises torch.OutOfMemoryError where it does not suffice then either."""
    try:
        return work()
    except torch.OutOfMemoryError as error:
        log.warning("out of memory, tried once more: %s", error)
    # Only here is the error gone, and with it what it held of the device.
    free(device)
    return work()
