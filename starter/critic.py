"""A small classifier of media whose features tell the compressor how far off its textures are.

It plays the part that VGG plays in perceptual losses (Johnson et al. 2016), trained on drawn pictures since
nothing else is at hand. It shares nothing with the judge.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from starter.attributes import NAMES
from starter.dataset import RUNS, load
from starter.device import here, narrow
from starter.loop import Budget, fit, ranks
from starter.pixels import disturbed, to_tensor

SEED = 10
CROP = 96
WIDTHS = (3, 24, 40, 64, 96)


class Critic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(narrow, wide, 5 if narrow == 3 else 3, stride=2, padding=2 if narrow == 3 else 1)
            for narrow, wide in itertools.pairwise(WIDTHS)
        )
        self.head = nn.Linear(sum(WIDTHS[2:]), len(NAMES["medium"]))

    def features(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Activations after each layer, at 1/2, 1/4, 1/8 and 1/16 of the size."""
        found = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.1)
            found.append(x)
        return found

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([f.mean((2, 3)) for f in self.features(x)[1:]], 1))


def train(budget: Budget, *, batch: int = 48, lr: float = 2e-3) -> None:
    torch.manual_seed(SEED)
    pictures = load()
    media = torch.from_numpy(pictures.codes[:, 1].astype(np.int64))
    critic = Critic()
    rank, world = ranks()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        index = torch.randint(len(pictures), (batch // world,), generator=generator)
        places = torch.randint(256 - CROP, (len(index), 2), generator=generator).tolist()
        rows = zip(index.tolist(), places, strict=True)
        x = to_tensor(np.stack([pictures.images[i, y : y + CROP, x : x + CROP] for i, (y, x) in rows]))
        x = torch.cat([x[: len(x) // 2], disturbed(x[len(x) // 2 :], generator)])
        x, wanted = here(x, media[index])
        with narrow():
            out = critic(x)
        return F.cross_entropy(out.float(), wanted)

    shadow = fit("critic", critic, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.99)
    if rank == 0:
        torch.save(shadow, RUNS / "critic.final.pt")


def trained() -> Critic:
    critic = Critic()
    critic.load_state_dict(torch.load(RUNS / "critic.final.pt", weights_only=True))
    critic.eval().requires_grad_(False)
    return critic


def distance(critic: Critic, made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Difference of features, place by place, and of their mean size over neighbourhoods.

    The second part asks for as much texture of the right kind even where its phase cannot be known.
    """
    with torch.no_grad():
        targets = critic.features(wanted)
    total = made.new_zeros(())
    for f, g in zip(critic.features(made), targets, strict=True):
        f, g = f.float(), g.float()
        scale = g.square().mean().sqrt() + 1e-3
        total = total + (f - g).abs().mean() / scale
        if f.shape[-1] >= 12:
            total = total + (F.avg_pool2d(f.abs(), 4) - F.avg_pool2d(g.abs(), 4)).abs().mean() / scale
    return total / 7


def disagreement(critic: Critic, made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the medium that the critic sees in pictures to what it sees in the wanted ones."""
    with torch.no_grad():
        target = critic(wanted).float().softmax(1)
    return F.cross_entropy(critic(made).float(), target)
