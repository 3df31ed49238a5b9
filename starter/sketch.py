"""The colours of a place, told from its latents alone: what people see of a picture before it is finished.

Latents say apart what is where and how it looks, so no linear map tells colours from them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from starter import latents
from starter.dataset import RUNS, SQUARE, home, load
from starter.pixels import to_tensor

FILE = "sketch.safetensors"
SEED = 20
HIDDEN = 96
PARTS = 2  # along a side of a place
PICTURES = 2000
STEPS, BATCH = 1500, 8192
NOISE = 0.2  # of the guesses that sketches are made of


class Glance(nn.Module):
    """Two layers, in the layout of `worker/sketch.py`."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(SEED)
        self.first = nn.Linear(latents.CHANNELS, HIDDEN)
        self.second = nn.Linear(HIDDEN, 3 * PARTS**2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, latents.CHANNELS) to colours (n, 3 PARTS^2) in [-1, 1], in the order of pixel_shuffle."""
        out: torch.Tensor = self.second(F.silu(self.first(x)))
        return out


def build(path: Path = RUNS / FILE) -> None:
    """Train on drawn pictures and write the file; a minute."""
    known = np.load(home(SQUARE) / "latents.npy", mmap_mode="r")[:PICTURES]
    x = torch.from_numpy(known.astype(np.float32)).movedim(1, -1).flatten(0, 2)
    parts = [
        F.pixel_unshuffle(F.avg_pool2d(to_tensor(images), latents.FACTOR // PARTS), PARTS)
        for images in np.array_split(load().images[:PICTURES], 100)
    ]
    y = torch.cat(parts).movedim(1, -1).flatten(0, 2)
    glance, generator = Glance(), torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.AdamW(glance.parameters(), lr=5e-3)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for step in range(STEPS):
        index = torch.randint(len(x), (BATCH,), generator=generator)
        seen = x[index] + NOISE * torch.randn((BATCH, latents.CHANNELS), generator=generator)
        loss = (glance(seen) - y[index]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rates.step()
        if step % 300 == 0:
            print(f"sketch step {step} loss {loss.item():.4f}", flush=True)
    save_file(glance.state_dict(), path)
    print(f"sketch loss {loss.item():.4f}; the colours' variance {float(y.var()):.3f}")
