"""Where the stages train: on the GPU if there is one, else on the CPU.

What is random is drawn on the CPU, so that a seed means the same everywhere.
"""

from __future__ import annotations

import torch

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
# Whether bfloat16 pays: three to four times as fast on CPUs with matrix units (AMX), slower than single
# precision on those without (measured: kernels of 3x3 at 0.5 to 0.75 of its speed).
NARROW = DEVICE.type != "cpu" or bool(torch.cpu.get_capabilities().get("amx_bf16"))
PRECISION = torch.bfloat16 if NARROW else torch.float32


def narrow() -> torch.autocast:
    """Matrices and kernels in bfloat16 where that is faster."""
    return torch.autocast(DEVICE.type, torch.bfloat16, enabled=NARROW)


def here(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Tensors where the stages train."""
    return tuple(tensor.to(DEVICE, non_blocking=True) for tensor in tensors)
