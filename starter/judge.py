"""An independent judge of attributes: a small CNN trained on drawn pictures only.

It shares no weights and no architecture with the encoders of the model that it judges.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from starter.attributes import NAMES
from starter.dataset import Pictures, load, load_unseen
from starter.device import here, narrow
from starter.loop import Budget, fit, ranks
from starter.pixels import disturbed, to_tensor

SEED = 14
WEIGHTS = Path(__file__).parent / "judge_weights" / "judge.safetensors"
WIDTHS = (32, 64, 96, 128, 192)
HELD_OUT = 1000
UNSEEN = 1 / 3  # share of training pictures that hold a pair of values the model itself is never shown


def block(narrow: int, wide: int, *, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(narrow, wide, 3, stride=stride, padding=1), nn.GroupNorm(8, wide), nn.ReLU()
    )


class Judge(nn.Module):
    """Convolutions over pictures at half their size; a second one on each of three middle levels."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            block(narrow, wide, stride=2) for narrow, wide in itertools.pairwise((3, *WIDTHS))
        )
        self.same = nn.ModuleList(block(wide, wide, stride=1) for wide in WIDTHS[1:4])
        self.fine = nn.Conv2d(WIDTHS[1], 96, 1)
        width = 2 * WIDTHS[-1] + WIDTHS[3] + 96
        self.heads = nn.ModuleDict({name: nn.Linear(width, len(names)) for name, names in NAMES.items()})

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 608): means and maxima of the last layer, maxima of the one before, the mean of textures."""
        x = F.avg_pool2d(x, 2)
        levels = []
        for number, down in enumerate(self.down):
            x = down(x)
            if 0 < number < 4:
                x = x + self.same[number - 1](x)
            levels.append(x)
        textures = F.relu(self.fine(levels[1])).mean((2, 3))
        return torch.cat([x.mean((2, 3)), x.amax((2, 3)), levels[3].amax((2, 3)), textures], 1)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        pooled = self.features(x)
        return {name: head(pooled) for name, head in self.heads.items()}


def train(budget: Budget, *, batch: int = 24, lr: float = 1.5e-3) -> None:
    """Learn from all drawings. Unlike the model, its judge may know every pair of values: a measure that is
    unsure of them would be blamed on the model. Goes on from the weights that are there."""
    torch.manual_seed(SEED)
    both = [load(), load_unseen()]
    judge = load_judge() if WEIGHTS.exists() else Judge()
    rank, world = ranks()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        chosen = both[int(torch.rand((), generator=generator) < UNSEEN)]
        index = torch.randint(len(chosen) - HELD_OUT, (batch // world,), generator=generator).tolist()
        targets = torch.from_numpy(chosen.codes[index].astype(np.int64))
        x = to_tensor(np.stack([chosen.images[i] for i in index]))
        half = len(x) // 2
        x = torch.cat([x[:half], disturbed(x[half:], generator, shift=16)])
        x, wanted = here(x, targets)
        with narrow():
            outs = judge(x)
        losses = [F.cross_entropy(out.float(), wanted[:, i]) for i, out in enumerate(outs.values())]
        # Of the rest only the four that evaluation asks for matter.
        return torch.stack(losses[:4]).sum() + 0.3 * torch.stack(losses[4:]).sum()

    shadow = fit("judge", judge, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.99)
    if rank == 0:
        WEIGHTS.parent.mkdir(exist_ok=True)
        save_file({name: value.half().contiguous() for name, value in shadow.items()}, WEIGHTS)
        for pictures, of in zip(both, ("seen", "unseen"), strict=True):
            report(pictures, of)


def report(pictures: Pictures, of: str) -> None:
    """Print the share seen right of each attribute, over drawn pictures that training did not show."""
    images, codes = np.asarray(pictures.images[-HELD_OUT:]), pictures.codes[-HELD_OUT:]
    seen = classify(images)
    right = {n: round(float((seen[n] == codes[:, i]).mean()), 3) for i, n in enumerate(NAMES)}
    print(f"judge: held-out drawn pictures of {of} combinations", right, flush=True)


def load_judge(path: Path = WEIGHTS) -> Judge:
    judge = Judge()
    judge.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    judge.eval()
    return judge


def batches(images: np.ndarray, size: int = 32) -> list[torch.Tensor]:
    """Images as tensors, `size` at a time; raises ValueError unless they are (n, h, w, 3) uint8."""
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ValueError(f"the judge takes (n, h, w, 3) uint8 images, not {images.shape} {images.dtype}")
    return [to_tensor(images[i : i + size]) for i in range(0, len(images), size)]


@torch.no_grad()
def probabilities(images: np.ndarray, judge: Judge | None = None) -> dict[str, np.ndarray]:
    """Per attribute (n, classes) probabilities, classes in the order of `attributes.NAMES`.

    `images` is (n, h, w, 3) uint8, trained on 256x256.
    """
    judge = judge or load_judge()
    outs = [judge(x) for x in batches(images)]
    return {name: np.asarray(torch.cat([out[name] for out in outs]).softmax(-1).numpy()) for name in NAMES}


@torch.no_grad()
def features(images: np.ndarray, judge: Judge | None = None) -> np.ndarray:
    """(n, 608) features under the judge's heads, for the Frechet distance between sets of images."""
    judge = judge or load_judge()
    return np.asarray(torch.cat([judge.features(x) for x in batches(images)]).numpy())


def classify(images: np.ndarray, judge: Judge | None = None) -> dict[str, np.ndarray]:
    """Per attribute (n,) class indices of (n, h, w, 3) uint8 images."""
    return {name: p.argmax(-1) for name, p in probabilities(images, judge).items()}
