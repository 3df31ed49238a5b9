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
from starter.dataset import Pictures, load
from starter.loop import Budget, fit, ranks
from starter.pixels import disturbed, to_tensor

SEED = 14
WEIGHTS = Path(__file__).parent / "judge_weights" / "judge.safetensors"
WIDTHS = (3, 24, 48, 80, 112, 144, 176)
FINE = 3  # the layer whose mean tells textures
HELD_OUT = 1000


class Judge(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for narrow, wide in itertools.pairwise(WIDTHS):
            layers += [nn.Conv2d(narrow, wide, 3, stride=2, padding=1), nn.GroupNorm(8, wide), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.fine = nn.Conv2d(WIDTHS[FINE], 96, 1)
        width = 2 * WIDTHS[-1] + 96
        self.heads = nn.ModuleDict({name: nn.Linear(width, len(names)) for name, names in NAMES.items()})

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 448): mean and maximum of the last layer, and the mean of textures."""
        middle = self.body[: 3 * FINE](x)
        top = self.body[3 * FINE :](middle)
        return torch.cat([top.mean((2, 3)), top.amax((2, 3)), F.relu(self.fine(middle)).mean((2, 3))], 1)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        pooled = self.features(x)
        return {name: head(pooled) for name, head in self.heads.items()}


def train(budget: Budget, *, batch: int = 48, lr: float = 2e-3) -> None:
    torch.manual_seed(SEED)
    pictures = load()
    targets = torch.from_numpy(pictures.codes.astype(np.int64))
    held_out = len(pictures) - HELD_OUT
    judge = Judge()
    rank, world = ranks()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        index = torch.randint(held_out, (batch // world,), generator=generator)
        x = to_tensor(np.stack([pictures.images[i] for i in index.tolist()]))
        half = len(x) // 2
        x = torch.cat([x[:half], disturbed(x[half:], generator, shift=16)])
        with torch.autocast("cpu", torch.bfloat16):
            outs = judge(x)
        losses = [F.cross_entropy(out.float(), targets[index, i]) for i, out in enumerate(outs.values())]
        return torch.stack(losses).sum()

    shadow = fit("judge", judge, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.99)
    if rank == 0:
        WEIGHTS.parent.mkdir(exist_ok=True)
        save_file({name: value.half().contiguous() for name, value in shadow.items()}, WEIGHTS)
        report(pictures, held_out)


def report(pictures: Pictures, start: int) -> None:
    """Print the share seen right of each attribute, over drawn pictures that training did not show."""
    seen = classify(np.asarray(pictures.images[start:]))
    right = {n: round(float((seen[n] == pictures.codes[start:, i]).mean()), 3) for i, n in enumerate(NAMES)}
    print("judge: held-out drawn pictures", right, flush=True)


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
    """(n, 448) features under the judge's heads, for the Frechet distance between sets of images."""
    judge = judge or load_judge()
    return np.asarray(torch.cat([judge.features(x) for x in batches(images)]).numpy())


def classify(images: np.ndarray, judge: Judge | None = None) -> dict[str, np.ndarray]:
    """Per attribute (n,) class indices of (n, h, w, 3) uint8 images."""
    return {name: p.argmax(-1) for name, p in probabilities(images, judge).items()}
