"""What a worker holds of its machine's memory and its device's."""

import ctypes
import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import psutil
import torch

log = logging.getLogger(__name__)
Result = TypeVar("Result")
ARENA_MAX = -8  # mallopt's number for it
ARENAS = 2
# How drivers and their libraries say that memory is short, where torch does not call it by its own name.
SHORT = ("out of memory", "ALLOC_FAILED")
# How libraries say it that meet a device which another error has broken.
BROKEN = ("CUDA error", "_STATUS_EXECUTION_FAILED", "_STATUS_INTERNAL_ERROR")


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


def keep_few_arenas() -> None:
    """Have glibc hold freed memory in few places, not in one for each thread: a worker's threads paint and
    store in turn, so what one freed the others can use. Measured: 957 MB instead of 1,022, no slower. Other
    C libraries have no such places."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(ARENA_MAX, ARENAS)


def free(device: torch.device) -> None:
    """Give back what nothing refers to, of the machine's memory and of the device's."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


@contextmanager
def called_by_name() -> Iterator[None]:
    """What goes wrong in the block because memory is short is a torch.OutOfMemoryError, whoever says it."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        if any(words in str(error) for words in SHORT):
            raise torch.OutOfMemoryError(str(error)) from error
        raise


def is_broken(error: BaseException) -> bool:
    """Whether the device answers with this error to whatever it is asked from now on, for as long as the
    process lives. (An illegal address, a failed assertion; one that is short of memory goes on.)"""
    if not isinstance(error, RuntimeError) or any(words in str(error) for words in SHORT):
        return False
    return isinstance(error, torch.AcceleratorError) or any(words in str(error) for words in BROKEN)


def once_more(device: torch.device, work: Callable[[], Result]) -> Result:
    """What `work` returns. Where the device's memory does not suffice, it is freed and `work` is done again,
    once. Raises torch.OutOfMemoryError where it does not suffice then either."""
    try:
        with called_by_name():
            return work()
    except torch.OutOfMemoryError as error:
        log.warning("out of memory, tried once more: %s", error)
    # Only here is the error gone, and with it what it held of the device.
    free(device)
    with called_by_name():
        return work()
