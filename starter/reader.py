"""A CNN that reads the attributes off latents, so that the denoiser can be held to what the caption says.

A square error asks for the right numbers in every place and hardly minds whether a horse can be told from a
dog. The reader does: the denoiser's guess must be read as what was asked for, and have the features of the
picture meant (Berrada et al. 2024 compare features in the compressor's decoder). It is trained on latents of
drawn pictures and shares nothing with the judge, which looks at pixels.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from starter import vae
from starter.attributes import NAMES
from starter.dataset import RUNS, SQUARE, home, load
from starter.device import DEVICE, here, narrow
from starter.loop import Budget, fit, ranks

SEED = 16
WIDTHS = (96, 144, 208)  # at 16x16, 8x8 and 4x4
NOISE = 0.5  # most that training adds; the latents' deviation is about 1
SHIFT = 2  # places
HELD_OUT = 1000
# Of subject, medium, palette and light, and of the rest of NAMES.
WEIGHTS = torch.tensor([1.0] * 4 + [0.3] * (len(NAMES) - 4))


def same(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1),
        nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1),
    )  # fmt: skip


class Reader(nn.Module):
    """Three levels of one residual block each over latents folded 2x2."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(4 * vae.CHANNELS, WIDTHS[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Conv2d(narrow, wide, 3, stride=2, padding=1) for narrow, wide in itertools.pairwise(WIDTHS)
        )
        self.same = nn.ModuleList(same(width) for width in WIDTHS)
        self.norms = nn.ModuleList(nn.GroupNorm(8, width) for width in WIDTHS)
        self.heads = nn.ModuleList(nn.Linear(2 * sum(WIDTHS[1:]) + WIDTHS[0], len(n)) for n in NAMES.values())

    def forward(self, x: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Features at each level and logits of each attribute of latents (n, 8, h, w)."""
        x = self.first(F.pixel_unshuffle(x, 2))
        features = []
        for number, (block, norm) in enumerate(zip(self.same, self.norms, strict=True)):
            x = x + block(x)
            features.append(F.silu(norm(x)))
            if number < len(self.down):
                x = self.down[number](features[-1])
        pooled = [f.mean((2, 3)) for f in features] + [f.amax((2, 3)) for f in features[1:]]
        return features, [head(torch.cat(pooled, 1)) for head in self.heads]


def disturbed(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Latents made as uncertain as a guess is: softened, noisy, moved a little."""
    draw = torch.rand((len(x), 2, 1, 1, 1), generator=generator)
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    x = torch.lerp(x, soft, (1.5 * draw[:, 0] - 0.5).clamp(min=0))
    x = x + torch.randn(x.shape, generator=generator) * (NOISE * (1.5 * draw[:, 1] - 0.5)).clamp(min=0)
    dy, dx = torch.randint(-SHIFT, SHIFT + 1, (2,), generator=generator).tolist()
    h, w = x.shape[-2:]
    x = F.pad(x, (SHIFT, SHIFT, SHIFT, SHIFT), mode="replicate")
    return x[..., SHIFT + dy : SHIFT + dy + h, SHIFT + dx : SHIFT + dx + w]


def misread(logits: list[torch.Tensor], codes: torch.Tensor) -> torch.Tensor:
    """(n, 9) cross-entropies of logits against codes (n, 9 or more)."""
    return torch.stack(
        [F.cross_entropy(out.float(), codes[:, i], reduction="none") for i, out in enumerate(logits)], 1
    )


def train(budget: Budget, *, batch: int = 64, lr: float = 2e-3) -> None:
    torch.manual_seed(SEED)
    latents = np.load(home(SQUARE) / "latents.npy", mmap_mode="r")
    codes = torch.from_numpy(load(SQUARE).codes.astype(np.int64))
    reader = Reader()
    rank, world = ranks()
    weights = WEIGHTS.to(DEVICE)

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        index = torch.randint(len(codes) - HELD_OUT, (batch // world,), generator=generator)
        index = index.sort().values
        x = torch.from_numpy(latents[index.numpy()].astype(np.float32))
        x, wanted = here(disturbed(x, generator), codes[index])
        with narrow():
            _, logits = reader(x)
        return (misread(logits, wanted).mean(0) * weights).sum()

    shadow = fit("reader", reader, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.99)
    if rank == 0:
        torch.save(shadow, RUNS / "reader.final.pt")
        report(latents[-HELD_OUT:], codes[-HELD_OUT:])


@torch.no_grad()
def report(latents: np.ndarray, codes: torch.Tensor) -> None:
    """Print the share read right of each attribute, over latents that training did not show."""
    reader = trained()
    x = torch.from_numpy(latents.astype(np.float32))
    parts = [reader(part)[1] for part in x.split(100)]
    right = {
        name: round(float((torch.cat([p[i] for p in parts]).argmax(1) == codes[:, i]).float().mean()), 3)
        for i, name in enumerate(NAMES)
    }
    print("reader: held-out latents", right, flush=True)


def trained() -> Reader:
    reader = Reader()
    reader.load_state_dict(torch.load(RUNS / "reader.final.pt", weights_only=True))
    reader.eval().requires_grad_(False)
    return reader
