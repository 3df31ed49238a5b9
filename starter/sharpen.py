"""The denoiser again, against a discriminator of latents: what noise covers is to be made up, not averaged.

A square error is least for the mean of all pictures that may lie under the noise, and a mean of shapes is no
shape: edges fade and outlines break. A discriminator of latents knows shapes from means (Sauer et al. 2023,
2024, train few steps so), and latents are so small that this costs a hundredth of what it does on pixels. It
judges what the sampler ends with, which is a guided guess; the plain guess goes on being held to the square
error, and moves by a quarter of what the guided one does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.nn.attention import sdpa_kernel

from starter import guesses, inventions, latents, look, losses, sampler, text, unet, vision
from starter.attributes import NAMES, TOLD, from_codes
from starter.captions import Speaker
from starter.conditions import Alike, conditions
from starter.dataset import RUNS, SQUARE, home
from starter.device import DEVICE, here, narrow
from starter.loop import Budget, fit, ranks

SEED = 31
PLAIN = 4  # pictures a step and process of all times, for the square error alone
SHARP = 16  # pictures a step and process that are judged
WITHOUT_ADAPTER = 0.65  # share of batches
WHEN = (0.15, 0.25, 0.6)  # shares of the sampler's last steps, the last of which is what people see
PULL = 1.0  # how strongly the discriminator pulls at a guess, beside the square error
KNOWN = 0.5  # weight of the square error of channels that the caption decides
SMOOTH, STEP = 0.5, 0.05  # weight of the discriminator's squared slope, and the step it is measured over
WIDTHS = (64, 96, 128)
SEEN = slice(latents.LAYOUT)  # what the discriminator sees: where things are, not in which colours
UNTOLD = -1  # class of an attribute that nothing was said of


class Discriminator(nn.Module):
    """How much latents look like a drawing's, for what they are said to show, at places of three sizes."""

    def __init__(self) -> None:
        super().__init__()
        shapes = zip((SEEN.stop, *WIDTHS[:-1]), WIDTHS, strict=True)
        self.enter = nn.ModuleList(
            nn.Conv2d(thin, wide, 3, padding=1) if number == 0 else nn.Conv2d(thin, wide, 4, 2, 1)
            for number, (thin, wide) in enumerate(shapes)
        )
        self.stay = nn.ModuleList(nn.Conv2d(wide, wide, 3, padding=1) for wide in WIDTHS)
        self.heads = nn.ModuleList(nn.Conv2d(wide, 1, 1) for wide in WIDTHS)
        self.classes = nn.ModuleList(
            nn.ModuleList(nn.Embedding(len(NAMES[name]) + 1, wide) for name in TOLD) for wide in WIDTHS
        )

    def forward(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """(n, places) scores of latents (n, CHANNELS, h, w), of which these classes (n, TOLD) were said.

        The classes are compared with what is seen by an inner product (Miyato and Koyama 2018).
        """
        x, found = x[:, SEEN], []
        for enter, stay, head, tables in zip(self.enter, self.stay, self.heads, self.classes, strict=True):
            x = F.leaky_relu(enter(x), 0.2)
            x = F.leaky_relu(stay(x), 0.2)
            said = torch.stack([table(classes + 1) for table, classes in zip(tables, told.T, strict=True)])
            match = torch.einsum("nchw,nc->nhw", x, said.sum(0)) / x.shape[1] ** 0.5
            found.append((head(x)[:, 0] + match).flatten(1))
        return torch.cat(found, 1)


def lesson(
    discriminator: Discriminator,
    guessed: torch.Tensor,
    drawn: torch.Tensor,
    told: torch.Tensor,
    *,
    held: bool,
) -> torch.Tensor:
    """What the discriminator learns from, each drawing's beside its guess (Jolicoeur-Martineau 2018).

    With `held` its slope counts, too, so that it goes on telling guesses which way to go (Mescheder et al.
    2018; by a difference, as Lin et al. 2025 do, since a slope's slope costs more).
    """
    both, said = torch.cat([drawn, guessed.detach()]), torch.cat([told, told])
    scores = discriminator(both, said)
    real, fake = scores.chunk(2)
    loss = F.softplus(fake - real).mean()
    if held:
        moved = discriminator(both + STEP * torch.randn_like(both), said)
        loss = loss + SMOOTH * ((moved - scores) / STEP).square().mean()
    return loss


def doubt(
    discriminator: Discriminator, guessed: torch.Tensor, drawn: torch.Tensor, told: torch.Tensor
) -> torch.Tensor:
    """What guesses are to make small; the discriminator learns nothing from it."""
    own = {name: value.detach() for name, value in discriminator.named_parameters()}
    fake = functional_call(discriminator, own, (guessed, told))
    with torch.no_grad():
        real = discriminator(drawn, told)
    return F.softplus(real - fake).mean()


@dataclass(frozen=True)
class Judged:
    """What n guesses are made of and held against."""

    seen: torch.Tensor  # (n, CHANNELS, h, w), noisy
    times: torch.Tensor  # (n,)
    drawn: torch.Tensor  # (n, CHANNELS, h, w): the picture's latents, or others of the same subject
    covered: torch.Tensor  # (n,) 1 where `drawn` lies under the noise of `seen`
    told: torch.Tensor  # (n, TOLD) classes, or UNTOLD
    captions: list[str]
    embeddings: torch.Tensor  # (n, vision.WIDTH)
    known: torch.Tensor  # (n, CHANNELS, h, w) values of `SAID` channels
    sure: torch.Tensor  # (n,) 1 where the caption decides them


SAID = [*range(latents.CODE.start, latents.CODE.stop), latents.CHANNELS - 2, latents.CHANNELS - 1]


class Lessons:
    """Batches to be judged: drawings under noise, and inventions on their way."""

    def __init__(self, pictures: unet.Bucket, alike: Alike) -> None:
        self.pictures, self.alike, self.invented = pictures, alike, inventions.known()
        self.steps = guesses.times()[-(inventions.KEPT - 1) :]
        subjects = pictures.codes[:, 0]
        self.of_subject = [np.flatnonzero(subjects == n) for n in range(len(NAMES["subject"]))]
        height, width = pictures.latents.shape[2:]
        self.places = latents.places(width, height)

    def draw(self, count: int, adapted: bool, rng: np.random.Generator, generator: torch.Generator) -> Judged:
        covered = count if adapted else count // 2
        index = rng.integers(len(self.pictures.codes), size=covered)
        codes = self.pictures.codes[index]
        drawn = self.pictures.take(index.tolist())
        which = torch.from_numpy(rng.choice(len(self.steps), covered, p=WHEN))
        alpha = losses.SIGNAL[self.steps[which]][:, None, None, None]
        noise = torch.randn(drawn.shape, generator=generator)
        seen = alpha * drawn + (1 - alpha**2).sqrt() * noise
        speaker = Speaker(rng, unseen_rates={})
        embeddings = np.zeros((count, vision.WIDTH), np.float32)
        if adapted:
            captions = [speaker.plain(from_codes(row))[0] for row in codes]
            embeddings[:] = np.stack([self.alike.draw(row, rng) for row in codes])
        else:
            captions = [speaker.say(from_codes(row), list(TOLD)) for row in codes]
        if covered < count:
            free = rng.integers(len(self.invented.codes), size=count - covered)
            at = rng.choice(len(self.steps), count - covered, p=WHEN)
            states = self.invented.states[free, at].astype(np.float32)
            of_free = self.invented.codes[free]
            others = [int(rng.choice(self.of_subject[int(row[0])])) for row in of_free]
            seen = torch.cat([seen, torch.from_numpy(states)])
            drawn = torch.cat([drawn, self.pictures.take(others)])
            which = torch.cat([which, torch.from_numpy(at)])
            captions += [self.invented.captions[n] for n in free]
            codes = np.concatenate([codes, of_free])
        told = torch.from_numpy(codes[:, : len(TOLD)].astype(np.int64))
        if adapted:
            told[:, 1:] = UNTOLD
        return Judged(
            seen, self.steps[which], drawn, (torch.arange(count) < covered).float(), told, captions,
            torch.from_numpy(embeddings), self.known(codes), torch.full((count,), float(not adapted)),
        )  # fmt: skip

    def known(self, codes: np.ndarray) -> torch.Tensor:
        """(n, SAID, h, w) of codes (n, 10)."""
        size = self.places.shape[1:]
        rows = [
            np.concatenate([np.broadcast_to(look.code(from_codes(row))[:, None, None], (look.CODE, *size)),
                            self.places]) for row in codes
        ]  # fmt: skip
        return torch.from_numpy(np.stack(rows).astype(np.float32))


class Pair(nn.Module):
    """The denoiser and the discriminator, which learn side by side."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(SEED)
        self.unet = unet.build()
        self.unet.load_state_dict(torch.load(RUNS / "unet.final.pt", weights_only=True))
        self.discriminator = Discriminator()


def is_inner(name: str, parameter: nn.Parameter) -> bool:
    return name.startswith("unet.") and unet.is_inner(name.removeprefix("unet."), parameter)


def train(budget: Budget, *, lr: float = 4e-4) -> None:
    pictures = unet.bucket(SQUARE)
    alike = Alike(np.load(home(SQUARE) / "embeddings.npy"), pictures.codes)
    lessons = Lessons(pictures, alike)
    tokenizer, encoder = text.trained()
    encoder.to(DEVICE)
    pair = Pair().to(memory_format=torch.channels_last)
    rank, world = ranks()

    def words(captions: list[str]) -> torch.Tensor:
        with narrow():
            return text.hidden(tokenizer, encoder, captions).float()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        rng = np.random.default_rng(generator.initial_seed())
        shared = np.random.default_rng(generator.initial_seed() // world)
        adapted, held = bool(shared.random() >= WITHOUT_ADAPTER), bool(shared.random() < 0.5)
        unet.set_scale(pair.unet, 1.0 if adapted else 0.0)
        index = np.sort(rng.integers(len(pictures.codes), size=PLAIN)).tolist()
        given = conditions(pictures.codes[index], alike, adapted, rng)
        plain = losses.flow(
            losses.guess(
                pair.unet,
                pictures.take(index),
                words(given.captions),
                torch.from_numpy(given.embeddings),
                generator,
            )
        ).mean()
        judged = lessons.draw(SHARP, adapted, rng, generator)
        seen, times, drawn, told, embeddings, known, covered, sure = here(
            judged.seen, judged.times, judged.drawn, judged.told, judged.embeddings, judged.known,
            judged.covered, judged.sure,
        )  # fmt: skip
        alpha = losses.SIGNAL.to(seen.device)[times][:, None, None, None]
        sigma = (1 - alpha**2).sqrt()

        def guess(captions: list[str], embeds: torch.Tensor) -> torch.Tensor:
            added = {"image_embeds": [embeds[:, None]]}
            with narrow(), sdpa_kernel(losses.ATTENTION):
                v = pair.unet(seen, times, words(captions), added_cond_kwargs=added).sample
            return alpha * seen - sigma * v.float()

        with torch.no_grad():
            without = guess([""] * SHARP, torch.zeros_like(embeddings))
        with_ = guess(judged.captions, embeddings)
        guided = without + sampler.GUIDANCE * (with_ - without)
        errors = losses.error(with_ - drawn) / sigma[:, 0, 0, 0] ** 2
        error = (errors * covered).sum() / covered.sum()
        off = (guided[:, SAID] - known).square().mean((1, 2, 3)) * sure
        against = doubt(pair.discriminator, guided, drawn, told)
        step = lesson(pair.discriminator, guided, drawn, told, held=held)
        return plain + losses.pulled(with_, error, against, PULL) + KNOWN * off.mean() + step

    shadow = fit(
        "sharpen", pair, loss_of, batch=SHARP * world, lr=lr, budget=budget, seed=SEED, decay=0.99,
        warmup=40, inner=is_inner,
    )  # fmt: skip
    if rank == 0:
        own = {
            name.removeprefix("unet."): value for name, value in shadow.items() if name.startswith("unet.")
        }
        torch.save(own, RUNS / "sharpen.final.pt")
