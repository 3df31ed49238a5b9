"""The image encoder: a small CLIP vision tower whose embedding tells looks, not content.

Inside, the tower sees both. Its projection, which makes the embedding that tastes and the adapter use, keeps
medium, palette, light and density, and an adversary drives the subject out of it. A second projection
(`Aligner`) meets the text encoder's in a joint space, as CLIP's do, and there the subject counts.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from starter import text
from starter.attributes import HOW, NAMES, from_codes
from starter.captions import Speaker
from starter.dataset import RUNS, Pictures, load
from starter.loop import Budget, fit, ranks
from starter.pixels import disturbed, to_tensor

SEED = 13
WIDTH = 64  # of the embedding
JOINT = 96  # of the space shared with texts
HIDDEN = 192
NORM = 8.0  # what training pulls the length of an embedding to
SIDE = 256
ORDER = [list(NAMES).index(name) for name in HOW]
CONTENT = [number for number in range(len(NAMES)) if number not in ORDER]
HELD_OUT = 1000


def build() -> CLIPVisionModelWithProjection:
    torch.manual_seed(SEED)
    config = CLIPVisionConfig(
        hidden_size=HIDDEN, intermediate_size=640, num_hidden_layers=4, num_attention_heads=4,
        image_size=SIDE, patch_size=32, projection_dim=WIDTH,
    )  # fmt: skip
    return CLIPVisionModelWithProjection(config)


class Reverse(torch.autograd.Function):
    """Identity forward, negated gradient backward (Ganin and Lempitsky 2015)."""

    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: object, gradient: torch.Tensor) -> torch.Tensor:
        return -gradient


class Aligner(nn.Module):
    """Linear maps of the towers' pooled outputs into one space, compared by cosine (Radford et al. 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Linear(HIDDEN, JOINT, bias=False)
        self.text = nn.Linear(text.HIDDEN, JOINT, bias=False)
        self.temperature = nn.Parameter(torch.tensor(2.7))

    def forward(self, images: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """(n, m) scaled cosines of pooled images (n, HIDDEN) and pooled texts (m, text.HIDDEN)."""
        a, b = F.normalize(self.image(images), dim=-1), F.normalize(self.text(texts), dim=-1)
        return a.float() @ b.float().mT * self.temperature.clamp(max=4.0).exp()


class Seer(nn.Module):
    """The encoder, heads on its embedding, an adversary that looks for the subject, the aligner."""

    def __init__(self, encoder: CLIPVisionModelWithProjection) -> None:
        super().__init__()
        self.encoder = encoder
        self.looks = nn.ModuleList(nn.Linear(WIDTH, len(NAMES[name])) for name in HOW)
        self.contents = nn.ModuleList(nn.Linear(HIDDEN, len(names)) for names in self.of(CONTENT))
        self.subject = nn.Sequential(nn.Linear(WIDTH, 160), nn.GELU(), nn.Linear(160, len(NAMES["subject"])))
        self.aligner = Aligner()

    @staticmethod
    def of(columns: list[int]) -> list[tuple[str, ...]]:
        return [list(NAMES.values())[column] for column in columns]

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pooled (n, HIDDEN) and embeddings (n, WIDTH)."""
        pooled = self.encoder.vision_model(pixel_values=x).pooler_output
        return pooled, self.encoder.visual_projection(pooled)


def resized(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A random square of the batch, brought to the encoder's size, as other sizes of picture are."""
    side = int(torch.randint(11, 16, (1,), generator=generator)) * 16
    y, left = torch.randint(SIDE - side + 1, (2,), generator=generator).tolist()
    part = x[..., y : y + side, left : left + side]
    return F.interpolate(part, size=(SIDE, SIDE), mode="bicubic", antialias=True).clamp(-1, 1)


class Lesson:
    """One step's loss: what the heads read, what the adversary finds, which caption is whose."""

    def __init__(self, seer: Seer, pictures: Pictures) -> None:
        self.seer = seer
        self.pictures = pictures
        self.targets = torch.from_numpy(pictures.codes.astype(np.int64))
        self.tokenizer, self.reader = text.trained()

    def loss(self, generator: torch.Generator, batch: int) -> torch.Tensor:
        index = torch.randint(len(self.pictures) - HELD_OUT, (batch,), generator=generator)
        x = to_tensor(np.stack([self.pictures.images[i] for i in index.tolist()]))
        y = self.targets[index]
        x = disturbed(x, generator, shift=16)
        if float(torch.rand((), generator=generator)) < 0.25:
            x = resized(x, generator)
        words = self.captions(index, generator)
        with torch.autocast("cpu", torch.bfloat16):
            pooled, embeds = self.seer(x)
            direction = NORM * F.normalize(embeds.float(), dim=-1)
            # The adversary moves the projection only: the tower must go on seeing what there is.
            blind = self.seer.encoder.visual_projection(pooled.detach())
            found = self.seer.subject(Reverse.apply(NORM * F.normalize(blind.float(), dim=-1)))
            match = self.seer.aligner(pooled, words)
        own = torch.arange(batch)
        total = 0.3 * F.cross_entropy(found.float(), y[:, 0])
        total = total + 0.2 * (embeds.float().norm(dim=-1) / NORM - 1).square().mean()
        total = total + 0.25 * (F.cross_entropy(match, own) + F.cross_entropy(match.mT, own))
        for head, column in zip(self.seer.looks, ORDER, strict=True):
            total = total + F.cross_entropy(head(direction), y[:, column], label_smoothing=0.03)
        for head, column in zip(self.seer.contents, CONTENT, strict=True):
            total = total + 0.25 * F.cross_entropy(head(pooled.float()), y[:, column])
        return total

    def captions(self, index: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        speaker = Speaker(np.random.default_rng(generator.initial_seed()))
        said = [speaker.free(from_codes(self.pictures.codes[i]))[0] for i in index.tolist()]
        return torch.from_numpy(text.pooled(self.tokenizer, self.reader, said))


def train(budget: Budget, *, batch: int = 48, lr: float = 1e-3) -> None:
    pictures = load()
    seer = Seer(build())
    rank, world = ranks()
    lesson = Lesson(seer, pictures)

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        return lesson.loss(generator, batch // world)

    shadow = fit("vision", seer, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.99)
    if rank == 0:
        seer.load_state_dict(shadow)
        seer.eval()
        erase(seer, pictures)
        torch.save(seer.encoder.state_dict(), RUNS / "vision.final.pt")
        torch.save(seer.aligner.state_dict(), RUNS / "aligner.final.pt")
        report(seer, pictures)


@torch.no_grad()
def looked(seer: Seer, images: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Pooled outputs and embeddings of pictures (n, 256, 256, 3)."""
    parts = [seer(to_tensor(images[i : i + 50])) for i in range(0, len(images), 50)]
    return torch.cat([p for p, _ in parts]), torch.cat([e for _, e in parts])


@torch.no_grad()
def erase(seer: Seer, pictures: Pictures, count: int = 4000, keep: float = 1e-4) -> None:
    """Take what a linear reader could learn of the subject out of the projection.

    Least-squares concept erasure (Belrose et al. 2023): after it no linear reader does better than a constant
    one, and the embedding moves as little as possible. It is folded into the projection's weights.
    """
    codes = pictures.codes[:count]
    pooled = looked(seer, pictures.images[:count])[0].double()
    centred = pooled - pooled.mean(0)
    subjects = F.one_hot(torch.from_numpy(codes[:, 0].astype(np.int64))).double()
    cross = centred.mT @ (subjects - subjects.mean(0)) / count
    values, vectors = torch.linalg.eigh(centred.mT @ centred / count)
    values = values.clamp(min=keep * float(values.max()))
    whiten = vectors @ torch.diag(values.rsqrt()) @ vectors.mT
    colour = vectors @ torch.diag(values.sqrt()) @ vectors.mT
    left, strength, _ = torch.linalg.svd(whiten @ cross, full_matrices=False)
    left = left[:, strength > 0.02 * strength[0]]
    eraser = torch.eye(HIDDEN, dtype=torch.double) - colour @ left @ left.mT @ whiten
    weight = seer.encoder.visual_projection.weight
    weight.copy_((weight.double() @ eraser).float())


@torch.no_grad()
def report(seer: Seer, pictures: Pictures) -> None:
    """Print linear probes of the embedding and retrieval, on pictures that training did not show."""
    start = len(pictures) - HELD_OUT
    pooled, embeds = looked(seer, np.asarray(pictures.images[start:]))
    codes = torch.from_numpy(pictures.codes[start:].astype(np.int64))
    found = {name: round(probe(embeds, codes[:, list(NAMES).index(name)]), 3) for name in ("subject", *HOW)}
    tokenizer, reader = text.trained()
    speaker = Speaker(np.random.default_rng(SEED + 1))
    said = [speaker.say(from_codes(c), ["subject", *HOW]) for c in pictures.codes[start : start + 100]]
    match = seer.aligner(pooled[:100], torch.from_numpy(text.pooled(tokenizer, reader, said)))
    own = torch.arange(100)
    recall = [float((m.argmax(-1) == own).float().mean()) for m in (match, match.mT)]
    norm = float(embeds.norm(dim=-1).mean())
    print(f"vision: linear probes {found}, recall of 100 {recall}, norm {norm:.2f}", flush=True)


def probe(features: torch.Tensor, classes: torch.Tensor, ridge: float = 1e-3) -> float:
    """Accuracy on the second half of a ridge classifier fitted on the first half."""
    x = torch.cat([features - features.mean(0), torch.ones(len(features), 1)], 1).double()
    y = F.one_hot(classes).double()
    half = len(x) // 2
    gram = x[:half].mT @ x[:half] + ridge * half * torch.eye(x.shape[1], dtype=torch.double)
    weights = torch.linalg.solve(gram, x[:half].mT @ y[:half])
    return float(((x[half:] @ weights).argmax(-1) == classes[half:]).double().mean())


def trained() -> CLIPVisionModelWithProjection:
    encoder = build()
    encoder.load_state_dict(torch.load(RUNS / "vision.final.pt", weights_only=True))
    return encoder.eval().requires_grad_(False)


def square(images: np.ndarray) -> torch.Tensor:
    """What the feature extractor makes of pictures (n, h, w, 3): the middle square at the encoder's size."""
    x = to_tensor(images)
    h, w = x.shape[-2:]
    if (h, w) == (SIDE, SIDE):
        return x
    scale = SIDE / min(h, w)
    x = F.interpolate(x, size=(round(h * scale), round(w * scale)), mode="bicubic", antialias=True)
    top, left = (x.shape[-2] - SIDE) // 2, (x.shape[-1] - SIDE) // 2
    return x[..., top : top + SIDE, left : left + SIDE].clamp(-1, 1)


@torch.no_grad()
def embed(encoder: CLIPVisionModelWithProjection, images: np.ndarray, size: int = 32) -> np.ndarray:
    """(n, WIDTH) float32 raw image embeddings of (n, h, w, 3) uint8 pictures."""
    with torch.autocast("cpu", torch.bfloat16, enabled=False):
        parts = [
            encoder(pixel_values=square(np.asarray(images[i : i + size]))).image_embeds
            for i in range(0, len(images), size)
        ]
    return np.asarray(torch.cat(parts).numpy())
