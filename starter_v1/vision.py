"""The image encoder: a small CLIP vision tower whose embedding tells looks, not content."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from starter_v1.attributes import HOW, NAMES
from starter_v1.dataset import RUNS, load
from starter_v1.loop import Budget, fit
from starter_v1.vae import to_tensor

SEED = 13
WIDTH = 64  # of the embedding
NORM = 8.0  # what training pulls the length of an embedding to
ORDER = [list(NAMES).index(name) for name in HOW]


def build() -> CLIPVisionModelWithProjection:
    torch.manual_seed(SEED)
    config = CLIPVisionConfig(
        hidden_size=192, intermediate_size=768, num_hidden_layers=4, num_attention_heads=4,
        image_size=128, patch_size=16, projection_dim=WIDTH,
    )  # fmt: skip
    return CLIPVisionModelWithProjection(config)


class Reverse(torch.autograd.Function):
    """Identity forward, negated gradient backward (Ganin and Lempitsky 2015)."""

    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: object, gradient: torch.Tensor) -> torch.Tensor:
        return -0.3 * gradient


class Seer(nn.Module):
    """The encoder, linear heads on its direction, and an adversary that looks for the subject."""

    def __init__(self, encoder: CLIPVisionModelWithProjection) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleList(nn.Linear(WIDTH, len(NAMES[name])) for name in HOW)
        self.subject = nn.Sequential(nn.Linear(WIDTH, 128), nn.GELU(), nn.Linear(128, len(NAMES["subject"])))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor], torch.Tensor]:
        embeds = self.encoder(pixel_values=x).image_embeds
        direction = NORM * F.normalize(embeds.float(), dim=-1)
        return embeds, [head(direction) for head in self.heads], self.subject(Reverse.apply(direction))


def disturbed(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Light blur, noise, brightness and shifts, so that generated pictures are read like drawn ones."""
    n = len(x)
    draw = torch.rand((n, 4), generator=generator)
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    blur = (draw[:, 0] * 1.6 - 0.6).clamp(0, 1)[:, None, None, None]
    x = x * (1 - blur) + soft * blur
    x = (
        x
        + torch.randn(x.shape, generator=generator) * (draw[:, 1] * 0.12 - 0.04).clamp(0)[:, None, None, None]
    )
    x = x * (0.94 + 0.12 * draw[:, 2])[:, None, None, None] + (draw[:, 3] * 0.08 - 0.04)[:, None, None, None]
    dy, dx = torch.randint(-4, 5, (2,), generator=generator).tolist()
    if float(torch.rand((), generator=generator)) < 0.5:
        x = x.flip(-1)
    return F.pad(x, (4, 4, 4, 4), mode="replicate")[..., 4 + dy : 132 + dy, 4 + dx : 132 + dx].clamp(-1, 1)


def train(budget: Budget, *, batch: int = 48, lr: float = 1.2e-3) -> None:
    images, codes = load()
    targets = torch.from_numpy(codes.astype(np.int64))
    again = RUNS / "reconstructed.npy"
    reconstructed = np.load(again) if again.exists() else images[:0]
    held_out = len(images) - 1000
    seer = Seer(build())

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        index = torch.randint(held_out, (batch,), generator=generator)
        if len(reconstructed):
            index[: batch // 3] %= len(reconstructed)
        taken = [
            reconstructed[i] if k < batch // 3 and len(reconstructed) else images[i]
            for k, i in enumerate(index.tolist())
        ]
        x, y = disturbed(to_tensor(np.stack(taken)), generator), targets[index]
        with torch.autocast("cpu", torch.bfloat16):
            embeds, outs, subject = seer(x)
        how = sum(
            F.cross_entropy(out.float(), y[:, i], label_smoothing=0.03)
            for i, out in zip(ORDER, outs, strict=True)
        )
        length = (embeds.float().norm(dim=-1) / NORM - 1).square().mean()
        return how + 0.2 * length + 0.1 * F.cross_entropy(subject.float(), y[:, 0])

    shadow = fit("vision", seer, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.99)
    seer.load_state_dict(shadow)
    torch.save(seer.encoder.state_dict(), RUNS / "vision.final.pt")
    report(seer.eval(), images[held_out:], targets[held_out:])


@torch.no_grad()
def report(seer: Seer, images: np.ndarray, targets: torch.Tensor) -> None:
    """Print held-out accuracy of the heads and of a fresh least-squares probe for the subject."""
    embeds, outs, _ = seer(to_tensor(np.asarray(images)))
    right = {
        n: round(float((o.argmax(-1) == targets[:, i]).float().mean()), 3)
        for n, i, o in zip(HOW, ORDER, outs, strict=True)
    }
    subject = F.one_hot(targets[:, 0], len(NAMES["subject"])).float()
    x = torch.cat([embeds, torch.ones(len(embeds), 1)], 1)
    half = len(x) // 2
    weights = torch.linalg.lstsq(x[:half], subject[:half]).solution
    leak = float(((x[half:] @ weights).argmax(-1) == targets[half:, 0]).float().mean())
    norm = float(embeds.norm(dim=-1).mean())
    print(f"vision: held-out {right}, linear subject probe {leak:.3f}, norm {norm:.2f}", flush=True)


def trained() -> CLIPVisionModelWithProjection:
    encoder = build()
    encoder.load_state_dict(torch.load(RUNS / "vision.final.pt", weights_only=True))
    return encoder.eval().requires_grad_(False)


@torch.no_grad()
def embed(encoder: CLIPVisionModelWithProjection, images: np.ndarray, size: int = 64) -> np.ndarray:
    """(n, WIDTH) float32 raw image embeddings of (n, 128, 128, 3) uint8 pictures."""
    parts = [
        encoder(pixel_values=to_tensor(np.asarray(images[i : i + size]))).image_embeds
        for i in range(0, len(images), size)
    ]
    return np.asarray(torch.cat(parts).numpy())
