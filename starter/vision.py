"""The image encoder: a small CLIP vision tower whose embedding tells looks, not content.

Inside, the tower sees both. Its projection, which makes the embedding that tastes and the adapter use, keeps
guesses of medium, palette, light and density and nothing else that training could find. A second projection
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
from starter.device import here, narrow
from starter.loop import Budget, fit, ranks
from starter.measures import probe
from starter.pixels import disturbed, to_tensor

SEED = 13
LEARNED = 64  # width of the projection that training uses
WIDTH = sum(len(NAMES[name]) for name in HOW)  # of the embedding: a guess of each class of look
SPREAD = {"medium": 1.0, "palette": 1.0, "light": 0.8, "density": 0.5}  # share of each in its deviation
JOINT = 96  # of the space shared with texts
HIDDEN = 192
NORM = 8.0  # what training pulls the length of an embedding to
SIDE = 256
ORDER = [list(NAMES).index(name) for name in HOW]
CONTENT = [number for number in range(len(NAMES)) if number not in ORDER]
HELD_OUT = 1000


def build(width: int = WIDTH) -> CLIPVisionModelWithProjection:
    torch.manual_seed(SEED)
    config = CLIPVisionConfig(
        hidden_size=HIDDEN, intermediate_size=640, num_hidden_layers=4, num_attention_heads=4,
        image_size=SIDE, patch_size=32, projection_dim=width,
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
        self.looks = nn.ModuleList(nn.Linear(LEARNED, len(NAMES[name])) for name in HOW)
        self.contents = nn.ModuleList(nn.Linear(HIDDEN, len(names)) for names in self.of(CONTENT))
        self.subject = nn.Sequential(
            nn.Linear(LEARNED, 160), nn.GELU(), nn.Linear(160, len(NAMES["subject"]))
        )
        self.aligner = Aligner()

    @staticmethod
    def of(columns: list[int]) -> list[tuple[str, ...]]:
        return [list(NAMES.values())[column] for column in columns]

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pooled (n, HIDDEN) and embeddings (n, LEARNED)."""
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
        x, y, words = here(x, y, self.captions(index, generator))
        with narrow():
            pooled, embeds = self.seer(x)
            direction = NORM * F.normalize(embeds.float(), dim=-1)
            # The adversary moves the projection only: the tower must go on seeing what there is.
            blind = self.seer.encoder.visual_projection(pooled.detach())
            found = self.seer.subject(Reverse.apply(NORM * F.normalize(blind.float(), dim=-1)))
            match = self.seer.aligner(pooled, words)
        own = torch.arange(batch, device=match.device)
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
    seer = Seer(build(LEARNED))
    rank, world = ranks()
    lesson = Lesson(seer, pictures)

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        return lesson.loss(generator, batch // world)

    shadow = fit("vision", seer, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.99)
    if rank == 0:
        seer.load_state_dict(shadow)
        seer.eval()
        finish(seer, pictures)


def finish(seer: Seer, pictures: Pictures) -> None:
    """Write the encoder under its last projection, and the aligner."""
    weight = project(seer, pictures)
    torch.save(projected(seer, weight).state_dict(), RUNS / "vision.final.pt")
    torch.save(seer.aligner.state_dict(), RUNS / "aligner.final.pt")
    report(seer, weight, pictures)


@torch.no_grad()
def looked(seer: Seer, images: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Pooled outputs and embeddings of pictures (n, 256, 256, 3)."""
    parts = [seer(to_tensor(images[i : i + 50])) for i in range(0, len(images), 50)]
    return torch.cat([p for p, _ in parts]), torch.cat([e for _, e in parts])


@torch.no_grad()
def project(seer: Seer, pictures: Pictures, count: int = 7000, ridge: float = 1e-3) -> torch.Tensor:
    """(WIDTH, HIDDEN): the projection whose outputs are the least-squares guesses of the looks.

    The tower sees subjects too, and its trained projection lets some of them through. Regressing the classes
    of look on what the tower sees keeps all that a linear reader can tell of them and little else. Each
    attribute gets the variance that SPREAD says.
    """
    pooled = looked(seer, pictures.images[:count])[0].double()
    centred = pooled - pooled.mean(0)
    gram = centred.mT @ centred / count
    gram += ridge * float(gram.diagonal().mean()) * torch.eye(HIDDEN, dtype=torch.double)
    rows = []
    for name, column in zip(HOW, ORDER, strict=True):
        classes = F.one_hot(torch.from_numpy(pictures.codes[:count, column].astype(np.int64))).double()
        weights = torch.linalg.solve(gram, centred.mT @ (classes - classes.mean(0)) / count).mT
        rows.append(weights * SPREAD[name] / (centred @ weights.mT).var(0).sum().sqrt())
    made = torch.cat(rows)
    return (made * NORM / (pooled @ made.mT).norm(dim=1).mean()).float()


def projected(seer: Seer, weight: torch.Tensor) -> CLIPVisionModelWithProjection:
    """The trained tower under another projection."""
    encoder = build(WIDTH)
    state = seer.encoder.state_dict()
    encoder.load_state_dict({**state, "visual_projection.weight": weight})
    return encoder.eval().requires_grad_(False)


@torch.no_grad()
def report(seer: Seer, weight: torch.Tensor, pictures: Pictures) -> None:
    """Print linear probes of the embedding and retrieval, on pictures that training did not show."""
    start = len(pictures) - HELD_OUT
    pooled, _ = looked(seer, pictures.images[start - 4 * HELD_OUT :])
    embeds = np.asarray((pooled @ weight.mT).numpy(), np.float64)
    codes = pictures.codes[start - 4 * HELD_OUT :].astype(int)
    found = {}
    for name in ("subject", *HOW):
        x, y = embeds, codes[:, list(NAMES).index(name)]
        found[name] = round(probe((x[:-HELD_OUT], y[:-HELD_OUT]), (x[-HELD_OUT:], y[-HELD_OUT:])), 3)
    tokenizer, reader = text.trained()
    speaker = Speaker(np.random.default_rng(SEED + 1))
    said = [speaker.say(from_codes(c), ["subject", *HOW]) for c in pictures.codes[start : start + 100]]
    words = torch.from_numpy(text.pooled(tokenizer, reader, said))
    match = seer.aligner(pooled[-HELD_OUT:][:100], words)
    own = torch.arange(100)
    recall = [round(float((m.argmax(-1) == own).float().mean()), 3) for m in (match, match.mT)]
    norm = float(np.linalg.norm(embeds, axis=1).mean())
    print(f"vision: linear probes {found}, recall of 100 {recall}, norm {norm:.2f}", flush=True)


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
