"""Pictures as arrays and as tensors, and the small disturbances that training lays over them."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """(n, h, w, 3) uint8 to (n, 3, h, w) in [-1, 1]."""
    return (torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous()


def to_images(tensor: torch.Tensor) -> np.ndarray:
    """(n, 3, h, w) in [-1, 1] to (n, h, w, 3) uint8."""
    scaled = ((tensor.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return np.asarray(scaled.permute(0, 2, 3, 1).contiguous().numpy())


def disturbed(x: torch.Tensor, generator: torch.Generator, *, shift: int = 6) -> torch.Tensor:
    """Light blur, noise, brightness and shifts, so that generated pictures are read like drawn ones."""
    draw = torch.rand((len(x), 4), generator=generator)
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    blur = (draw[:, 0] * 1.6 - 0.6).clamp(0, 1)[:, None, None, None]
    x = x * (1 - blur) + soft * blur
    grain = (draw[:, 1] * 0.12 - 0.04).clamp(0)[:, None, None, None]
    x = x + torch.randn(x.shape, generator=generator) * grain
    x = x * (0.94 + 0.12 * draw[:, 2])[:, None, None, None] + (draw[:, 3] * 0.08 - 0.04)[:, None, None, None]
    if float(torch.rand((), generator=generator)) < 0.5:
        x = x.flip(-1)
    dy, dx = torch.randint(-shift, shift + 1, (2,), generator=generator).tolist()
    h, w = x.shape[-2:]
    x = F.pad(x, (shift, shift, shift, shift), mode="replicate")
    return x[..., shift + dy : shift + dy + h, shift + dx : shift + dx + w].clamp(-1, 1)
