"""The compressor: AutoencoderKL between pictures and the latents of `latents.py` (256 px to 16x16).

Since latents say what is where and how it looks apart, decoding is painting: the decoder learns to paint any
layout in any medium and colours, from drawings and the layouts they were drawn of. The encoder learns to tell
both from a picture; nothing in training needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import nn
from torch.nn import functional as F

from starter import critic, discriminator, guesses, inventions, latents, look, losses, phases
from starter.attributes import MEDIA
from starter.dataset import RUNS, SQUARE, Pictures, home, load
from starter.device import DEVICE, NARROW, here, narrow
from starter.loop import Budget, fit, ranks
from starter.pixels import to_tensor


@dataclass(frozen=True)
class Lot:
    """What to paint next: (n, CHANNELS, h / 16, w / 16) latents, and n drawings of the same media.

    The latents are of these very drawings unless they are `free`: invented, so that nobody knows a picture of
    them.
    """

    index: list[int]
    z: torch.Tensor
    free: bool = False


Pick = Callable[[int, torch.Generator], Lot]

SEED = 11
# The most that the decoder learns to see through, no denoiser being exact: noise, what guidance makes of
# codes and colours, and how far colours stray over a picture and over parts of it.
NOISE, STRETCH, STRAY, STRAY_PARTS = 0.3, (0.85, 1.4), 0.6, 0.5
# Shares of the batches that the denoiser has made, once it can: of drawings under noise, of captions alone.
GUESSED, INVENTED = 0.55, 0.25
# Media without a pattern that repeats are the hardest for a decoder that knows places by numbers: they come
# more often, as often as this for once of the others.
OFTEN = {
    "line": 3.0,
    "woodblock": 3.0,
    "papercut": 3.0,
    "oil": 2.0,
    "ink": 2.0,
    "charcoal": 1.5,
    "glass": 1.5,
}
# How strongly the decoder that ships hears the code of the light. It was shown some media in some lights
# alone, and paints another medium where a light is new to one. Colours tell the light as well.
HEARD = 0.5
LIGHT = slice(latents.CODE.stop - look.CODES["light"], latents.CODE.stop)
DOUBT = 0.6  # how strongly the discriminator pulls at a painting, beside all other errors together
PRACTICE = 2400  # paintings that a new discriminator sees before it pulls
OWN = "discriminator."  # what its parameters' names begin with
HALVES = {"encoder": ("encoder", "quant_conv"), "decoder": ("decoder", "post_quant_conv")}
CONFIG = {
    "down_block_types": ("DownEncoderBlock2D",) * 5,
    "up_block_types": ("UpDecoderBlock2D",) * 5,
    "block_out_channels": (16, 32, 64, 128, 128),
    "layers_per_block": 1,
    "latent_channels": latents.CHANNELS,
    # One group: with more, the last normalisation takes away how strong a colour is beside the others.
    "norm_num_groups": 1,
    "sample_size": 256,
    "mid_block_add_attention": False,
    "scaling_factor": 1.0,
}


def build() -> AutoencoderKL:
    torch.manual_seed(SEED)
    return AutoencoderKL(**CONFIG)


def begun(name: str) -> AutoencoderKL:
    """A compressor of random weights, or of those in runs/NAME.start.pt if there are any."""
    vae, start = build(), RUNS / f"{name}.start.pt"
    if start.exists():
        vae.load_state_dict(torch.load(start, weights_only=True))
    return vae


class Half(nn.Module):
    """One half of a compressor: what `names` holds of it is trained."""

    def __init__(self, vae: AutoencoderKL, names: tuple[str, ...]) -> None:
        super().__init__()
        self.discriminator: discriminator.Discriminator | None = None
        for name in names:
            setattr(self, name, getattr(vae, name))

    def paint(self, z: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 3, 16 h, 16 w) of latents (n, CHANNELS, h, w); of a decoder."""
        with narrow():
            made: torch.Tensor = self.decoder(self.post_quant_conv(z)).float()
        return made


def is_inner(name: str, parameter: nn.Parameter) -> bool:
    """Whether a parameter is a kernel between hidden features of the compressor."""
    edges = ("conv_in", "conv_out", "quant", "discriminator")
    return parameter.ndim == 4 and not any(edge in name for edge in edges)


def sharpness(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of horizontal and vertical gradients, which keeps edges from blurring."""
    across = (a.diff(dim=-1) - b.diff(dim=-1)).abs().mean()
    return across + (a.diff(dim=-2) - b.diff(dim=-2)).abs().mean()


def texture(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Difference of local directional gradient energy.

    Absolute errors alone make the decoder blur hatching, dots and brush strokes, whose phase it cannot know;
    this asks for as much of them, in the same directions, wherever they fall.
    """
    losses = []
    for dy, dx in ((0, 2), (2, 0), (2, 2), (2, -2)):
        energies = [(x - x.roll((dy, dx), (-2, -1))).abs()[..., 2:-2, 2:-2] for x in (a, b)]
        first, second = (F.avg_pool2d(e, 16, stride=4) for e in energies)
        losses.append((first - second).abs().mean())
    return torch.stack(losses).mean()


def hue(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Difference of the two opponent colours, red to green and yellow to blue, fine and coarse.

    Light and dark differ more than colours do; without this the compressor long learns those alone.
    """
    red, green, blue = (a - b).unbind(1)
    opponents = torch.stack([red - green, (red + green) / 2 - blue], 1)
    return opponents.abs().mean() + 3.0 * F.avg_pool2d(opponents, 8).abs().mean()


def coarse(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (F.avg_pool2d(a, 8) - F.avg_pool2d(b, 8)).abs().mean()


def error(made: torch.Tensor, wanted: torch.Tensor, judge: critic.Critic) -> torch.Tensor:
    plain = F.l1_loss(made, wanted) + 0.25 * sharpness(made, wanted) + coarse(made, wanted)
    plain = plain + hue(made, wanted)
    with narrow():
        felt = critic.distance(judge, made, wanted)
        taken = critic.disagreement(judge, made, wanted)
    return plain + 2.0 * texture(made, wanted) + 0.5 * felt + 0.2 * taken


def train_decoder(budget: Budget) -> None:
    """Learn to paint: from latents, a little disturbed, to whole pictures, which have edges."""
    pictures, exact = load(), exact_latents()

    def pick(count: int, generator: torch.Generator) -> Lot:
        index = torch.randint(len(pictures), (count,), generator=generator).tolist()
        return Lot(index, disturbed(rows(exact, index), generator))

    paint("decoder", Half(begun("decoder"), HALVES["decoder"]), pick, budget)


def train_repaint(budget: Budget) -> None:
    """Go on against a discriminator, with latents as the denoiser guesses and invents them; every fifth batch
    still has the others."""
    torch.manual_seed(SEED)
    half, pick = Half(trained().requires_grad_(True), HALVES["decoder"]), often()
    against = discriminator.Discriminator()
    if (before := RUNS / "repaint.final.pt").exists():
        kept = torch.load(before, weights_only=True)
        own = {key.removeprefix(OWN): value for key, value in kept.items() if key.startswith(OWN)}
        against.load_state_dict(own)
    else:
        against.load_state_dict(practised(against, half, pick))
    half.discriminator = against
    paint("repaint", half, pick, budget, lr=2e-4)


def practised(
    against: discriminator.Discriminator, half: Half, pick: Pick, *, batch: int = 8, lr: float = 6e-4
) -> dict[str, torch.Tensor]:
    """The discriminator's state after PRACTICE paintings of a decoder that stays as it is.

    One that knows nothing yet pulls as strongly as one that does, and anywhere.
    """
    pictures = load()
    media = media_of(pictures)
    still = deepcopy(half).to(DEVICE).requires_grad_(False)
    _, world = ranks()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        lot = pick(batch // world, generator)
        x, z, classes = here(to_tensor(pictures.images[lot.index]), lot.z, media[lot.index])
        with torch.no_grad():
            y = still.paint(z)
        return discriminator.lesson(against, y, x, classes)

    return fit(
        "practice", against, loss_of, batch=batch, lr=lr, budget=Budget(PRACTICE), seed=SEED, decay=0.99
    )


def often() -> Pick:
    """Guesses, inventions and drawings' own latents, of some media more OFTEN."""
    pictures, exact, invented = load(), exact_latents(), inventions.known()
    which, guessed = guesses.known(home(SQUARE))
    share = torch.tensor([OFTEN.get(medium, 1.0) for medium in MEDIA])
    media = media_of(pictures)
    of_medium = [torch.nonzero(media == number)[:, 0] for number in range(len(MEDIA))]
    wanted = torch.from_numpy(invented.codes[:, 1].astype(np.int64))

    def pick(count: int, generator: torch.Generator) -> Lot:
        kind = float(torch.rand((), generator=generator))
        if kind < GUESSED:
            at = torch.multinomial(share[media[which]], count, generator=generator).tolist()
            return Lot(which[at].tolist(), rows(guessed, at))
        if kind < GUESSED + INVENTED:
            at = torch.multinomial(share[wanted], count, generator=generator).tolist()
            alike = [of_medium[int(medium)] for medium in wanted[at]]
            chosen = [int(torch.randint(len(same), (), generator=generator)) for same in alike]
            index = [int(same[n]) for same, n in zip(alike, chosen, strict=True)]
            return Lot(index, torch.from_numpy(invented.states[at, -1].astype(np.float32)), free=True)
        index = torch.multinomial(share[media], count, generator=generator).tolist()
        return Lot(index, disturbed(rows(exact, index), generator))

    return pick


def media_of(pictures: Pictures) -> torch.Tensor:
    """The classes (n,) of the media that pictures were drawn in."""
    return torch.from_numpy(pictures.codes[:, 1].astype(np.int64))


def exact_latents() -> np.ndarray:
    return np.asarray(np.load(home(SQUARE) / "latents.npy", mmap_mode="r"))


def rows(known: np.ndarray, index: list[int]) -> torch.Tensor:
    return torch.from_numpy(known[index].astype(np.float32))


def paint(name: str, half: Half, pick: Pick, budget: Budget, *, batch: int = 4, lr: float = 6e-4) -> None:
    """Train a decoder to make the pictures that `pick` names of the latents that it gives with them, and the
    discriminator beside it, if there is one."""
    eye, pictures = critic.trained().to(DEVICE), load()
    media = media_of(pictures)
    against = half.discriminator
    if not NARROW:  # measured: 1.84 pictures a second and core; without 1.71
        phases.install(half)
    before = deepcopy(half).to(DEVICE).requires_grad_(False)
    _, world = ranks()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        lot = pick(batch // world, generator)
        x, z, classes = here(to_tensor(pictures.images[lot.index]), lot.z, media[lot.index])
        y = half.paint(z)
        if against is None:
            return error(y, x, eye)
        if lot.free:
            with torch.no_grad():
                was = before.paint(z)
            off = strayed(y, was, eye, classes)
        else:
            off = error(y, x, eye)
        lesson = discriminator.lesson(against, y, x, classes)
        return losses.pulled(y, off, discriminator.doubt(against, y, classes), DOUBT) + lesson

    shadow = fit(
        name, half, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.99, inner=is_inner
    )
    finish(name, half, shadow)


def strayed(
    made: torch.Tensor, before: torch.Tensor, judge: critic.Critic, media: torch.Tensor
) -> torch.Tensor:
    """Error of paintings that have no picture: colours from those that the decoder gave them before, and the
    medium that the critic sees."""
    with narrow():
        taken = judge(made).float()
    means = [F.avg_pool2d(x, 8) for x in (made, before)]
    return F.l1_loss(*means) + hue(*means) + 0.2 * F.cross_entropy(taken, media)


def disturbed(z: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Latents (n, CHANNELS, h, w) as a denoiser may make them, some of a batch more, some less exact.

    Codes say palette and light surely, colours where each is: what strays of one, the other must tell.
    """
    how_much = torch.rand((5, len(z), 1, 1, 1), generator=generator)
    made = z + NOISE * how_much[0] * torch.randn(z.shape, generator=generator)
    low, high = STRETCH
    made[:, latents.CODE] *= low + (high - low) * how_much[1]
    colours = made[:, latents.COLOURS] * (low + (high - low) * how_much[2])
    whole = torch.randn((*colours.shape[:2], 1, 1), generator=generator)
    parts = F.interpolate(torch.randn((*colours.shape[:2], 5, 5), generator=generator), colours.shape[2:],
                          mode="bilinear", align_corners=True)  # fmt: skip
    made[:, latents.COLOURS] = colours + STRAY * how_much[3] * whole + STRAY_PARTS * how_much[4] * parts
    return made


def train_encoder(budget: Budget, *, batch: int = 4, lr: float = 1e-3) -> None:
    """Learn to see: from pictures to latents."""
    half = Half(begun("encoder"), HALVES["encoder"])
    pictures, known = load(), exact_latents()
    _, world = ranks()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        index = torch.randint(len(pictures), (batch // world,), generator=generator).tolist()
        x, z = here(to_tensor(pictures.images[index]), rows(known, index))
        with narrow():
            told = half.quant_conv(half.encoder(x))[:, : latents.CHANNELS]
        return F.l1_loss(told.float(), z)

    shadow = fit(
        "encoder", half, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.99, inner=is_inner
    )
    finish("encoder", half, shadow)


def finish(name: str, half: Half, shadow: dict[str, torch.Tensor]) -> None:
    if ranks()[0] == 0:
        half.load_state_dict(shadow)
        torch.save(half.state_dict(), RUNS / f"{name}.final.pt")


def trained() -> AutoencoderKL:
    vae = build()
    for name in HALVES:
        again = RUNS / "repaint.final.pt"
        path = again if name == "decoder" and again.exists() else RUNS / f"{name}.final.pt"
        half = torch.load(path, weights_only=True)
        own = {key: value for key, value in half.items() if key.startswith(HALVES[name])}
        vae.load_state_dict(own, strict=False)
    silence(vae)
    return vae.eval().requires_grad_(False)


@torch.no_grad()
def hear(vae: AutoencoderKL, share: float) -> AutoencoderKL:
    """The compressor, whose decoder hears the code of the light by this share of before."""
    vae.post_quant_conv.weight[:, LIGHT] *= share
    return vae


@torch.no_grad()
def silence(vae: AutoencoderKL) -> None:
    """Latents are what the encoder says: its variances, which nothing trained, are next to none."""
    vae.quant_conv.weight[latents.CHANNELS :] = 0
    vae.quant_conv.bias[latents.CHANNELS :] = -20


@torch.no_grad()
def encode(vae: AutoencoderKL, images: np.ndarray) -> torch.Tensor:
    """(n, latents.CHANNELS, h / 16, w / 16) float32 latents of (n, h, w, 3) uint8 pictures."""
    with narrow():
        told: torch.Tensor = vae.encode(to_tensor(images)).latent_dist.mean.float()
    return told
