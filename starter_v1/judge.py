"""An independent judge of attributes: a small CNN trained on drawn pictures only.

It shares no weights with the model it judges.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from starter_v1.attributes import NAMES
from starter_v1.dataset import load
from starter_v1.loop import Budget, fit
from starter_v1.vae import to_tensor
from starter_v1.vision import disturbed

SEED = 14
WEIGHTS = Path(__file__).parent / "judge_weights" / "judge.safetensors"


class Judge(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        widths = (3, 24, 48, 80, 112, 144)
        layers: list[nn.Module] = []
        for narrow, wide in itertools.pairwise(widths):
            layers += [nn.Conv2d(narrow, wide, 3, stride=2, padding=1), nn.GroupNorm(8, wide), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.fine = nn.Conv2d(80, 96, 1)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(2 * 144 + 96, len(names)) for name, names in NAMES.items()}
        )

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        middle = self.body[:9](x)
        top = self.body[9:](middle)
        pooled = torch.cat([top.mean((2, 3)), top.amax((2, 3)), F.relu(self.fine(middle)).mean((2, 3))], 1)
        return {name: head(pooled) for name, head in self.heads.items()}


def train(budget: Budget, *, batch: int = 48, lr: float = 2e-3) -> None:
    torch.manual_seed(SEED)
    images, codes = load()
    targets = torch.from_numpy(codes.astype(np.int64))
    held_out = len(images) - 1000
    judge = Judge()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        index = torch.randint(held_out, (batch,), generator=generator)
        x = to_tensor(np.stack([images[i] for i in index.tolist()]))
        x = torch.cat([x[: batch // 2], disturbed(x[batch // 2 :], generator)])
        with torch.autocast("cpu", torch.bfloat16):
            outs = judge(x)
        losses = [F.cross_entropy(out.float(), targets[index, i]) for i, out in enumerate(outs.values())]
        return torch.stack(losses).sum()

    shadow = fit("judge", judge, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.99)
    WEIGHTS.parent.mkdir(exist_ok=True)
    save_file({name: value.half().contiguous() for name, value in shadow.items()}, WEIGHTS)
    seen = classify(np.asarray(images[held_out:]))
    right = {n: round(float((seen[n] == codes[held_out:, i]).mean()), 3) for i, n in enumerate(NAMES)}
    print("judge: held-out drawn pictures", right, flush=True)


def load_judge(path: Path = WEIGHTS) -> Judge:
    judge = Judge()
    judge.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    judge.eval()
    return judge


@torch.no_grad()
def probabilities(images: np.ndarray, judge: Judge | None = None) -> dict[str, np.ndarray]:
    """Per attribute (n, classes) probabilities, classes in the order of `attributes.NAMES`.

    `images` is (n, 128, 128, 3) uint8; raises ValueError for another shape.
    """
    if images.ndim != 4 or images.shape[1:] != (128, 128, 3) or images.dtype != np.uint8:
        raise ValueError(f"the judge takes (n, 128, 128, 3) uint8 images, not {images.shape} {images.dtype}")
    judge = judge or load_judge()
    outs = [judge(to_tensor(images[i : i + 64])) for i in range(0, len(images), 64)]
    return {name: np.asarray(torch.cat([out[name] for out in outs]).softmax(-1).numpy()) for name in NAMES}


def classify(images: np.ndarray, judge: Judge | None = None) -> dict[str, np.ndarray]:
    """Per attribute (n,) class indices of (n, 128, 128, 3) uint8 images."""
    return {name: p.argmax(-1) for name, p in probabilities(images, judge).items()}
