"""What tells drawings from paintings and one medium from another, and learns as the decoder does.

Where latents leave open how an edge runs or a stroke falls, errors of pixels are least for the mean of all
ways, which is a blur and no medium at all. A discriminator takes that for what it is (Goodfellow et al.
2014). This one sees places of pictures (Isola et al. 2017) and says which medium each was drawn in, or that
it was not drawn (Salimans et al. 2016): so the decoder is asked for a certain medium, not for any.
"""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from starter.attributes import NAMES
from starter.device import narrow

WIDTHS = (3, 32, 64, 96, 128)
PAINTED = len(NAMES["medium"])  # the class after the media


class Discriminator(nn.Module):
    """Classes of places of 78 pixels, every 16 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(narrow, wide, 4, stride=2, padding=1) for narrow, wide in itertools.pairwise(WIDTHS)
        )
        self.layers.append(nn.Conv2d(WIDTHS[-1], WIDTHS[-1], 3, padding=1))
        self.head = nn.Conv2d(WIDTHS[-1], PAINTED + 1, 1)

    def features(self, x: torch.Tensor) -> list[torch.Tensor]:
        """What each layer makes of pictures (n, 3, h, w) in [-1, 1], at 1/2 to 1/16 of the size."""
        found = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            found.append(x)
        return found

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, PAINTED + 1, h / 16, w / 16) logits."""
        logits: torch.Tensor = self.head(self.features(x)[-1])
        return logits


def doubt(discriminator: Discriminator, made: torch.Tensor, media: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of pictures (n, 3, h, w) to their media (n,): what the decoder is to make small.

    The discriminator learns nothing from it.
    """
    held = {name: value.detach() for name, value in discriminator.named_parameters()}
    with narrow():
        logits: torch.Tensor = functional_call(discriminator, held, made)
    return places(logits, media)


def lesson(
    discriminator: Discriminator, made: torch.Tensor, drawn: torch.Tensor, media: torch.Tensor
) -> torch.Tensor:
    """Mean cross-entropy of drawings to their media and of paintings to PAINTED."""
    with narrow():
        logits = discriminator(torch.cat([drawn, made.detach()]))
    return places(logits, torch.cat([media, torch.full_like(media, PAINTED)]))


def places(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of logits (n, c, h, w), every place being of its picture's class (n,)."""
    return F.cross_entropy(logits.float(), classes[:, None, None].expand(-1, *logits.shape[2:]))
