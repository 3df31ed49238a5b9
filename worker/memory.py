"""What a worker holds of its machine's memory and its device's."""

import gc

import psutil
import torch


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
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def stays_high(self) -> bool:
        """Whether more than `growth` bytes came on top, and stay when all is given back that can be."""
        if self.held() - self._before <= self._growth:
            return False
        self.free()
        return self.held() - self._before > self._growth
