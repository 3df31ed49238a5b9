"""The denoiser's guesses in training, and what is held against them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import UNet2DConditionModel
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from starter import schedule
from starter.device import DEVICE, here, narrow

# Sides of the squares over which errors of shapes are averaged, and the weights of what is left.
SCALES = ((2, 1.0), (4, 1.0))
# On a CPU attention over so few places is faster spelled out than fused: the fused kernel's way back is slow.
FUSED = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION)
ATTENTION = [SDPBackend.MATH, *(() if DEVICE.type == "cpu" else FUSED)]
# How much of the picture there is at each time.
SIGNAL = schedule.scheduler().alphas_cumprod.sqrt()


@dataclass(frozen=True)
class Guess:
    """What the denoiser makes of latents and layouts x (n, c, h, w) where noise is a share of each (n,)."""

    x: torch.Tensor
    made: torch.Tensor
    share: torch.Tensor


def guess(
    unet: UNet2DConditionModel,
    x: torch.Tensor,
    context: torch.Tensor,
    embeds: torch.Tensor,
    generator: torch.Generator,
    times: torch.Tensor | None = None,
) -> Guess:
    """One guess of x, by way of v = alpha noise - sigma x (Salimans and Ho 2022); times (n,) drawn, or given.

    Under faint noise that is mostly the noise, so that what pictures show goes past the network, and under
    strong noise mostly the picture. Guessing x itself wiped textures away that the noise had left to be seen,
    probably because all had to pass the last normalisation, which takes away the mean colour and how strong a
    texture is beside it.
    """
    if times is None:
        times = torch.randint(len(SIGNAL), (len(x),), generator=generator)
    noise = torch.randn(x.shape, generator=generator)
    x, context, embeds, noise, times, alpha = here(x, context, embeds, noise, times, SIGNAL[times])
    sigma = (1 - alpha.square()).sqrt()
    a, s = alpha[:, None, None, None], sigma[:, None, None, None]
    seen = a * x + s * noise
    with narrow(), sdpa_kernel(ATTENTION):
        v = unet(seen, times, context, added_cond_kwargs={"image_embeds": [embeds[:, None]]}).sample
    return Guess(x, a * seen - s * v.float(), share_of(alpha))


def share_of(alpha: torch.Tensor) -> torch.Tensor:
    """The noise's share of what is seen, 0 to 1, where alpha is the picture's root of the variance."""
    sigma = (1 - alpha.square()).sqrt()
    return sigma / (alpha + sigma)


def time_of(share: float) -> int:
    """The time at which noise has about this share."""
    return int((share_of(SIGNAL) - share).abs().argmin())


def flow(found: Guess) -> torch.Tensor:
    """(n,) errors of v."""
    share = found.share
    sigma = share / (share.square() + (1 - share).square()).sqrt()
    return error(found.made - found.x) / sigma.square()


def error(difference: torch.Tensor) -> torch.Tensor:
    """(n,) squared errors of (n, c, h, w), those of coarse shapes counting for as much as those of textures.

    Shapes are a small part of the plain mean square, most of which is texture and the mean colour; weighing
    scales leaves the best guess where it is.
    """
    shapes = difference - difference.mean((2, 3), keepdim=True)
    coarse = [weight * F.avg_pool2d(shapes, side).square().mean((1, 2, 3)) for side, weight in SCALES]
    return difference.square().mean((1, 2, 3)) + torch.stack(coarse).sum(0)


def pulled(made: torch.Tensor, error: torch.Tensor, doubt: torch.Tensor, share: float) -> torch.Tensor:
    """The error, with its gradient and that of the doubt, brought to `share` times its length.

    A discriminator's gradient grows a hundredfold as it learns (after Esser et al. 2021).
    """
    pull, push = (torch.autograd.grad(loss, made, retain_graph=True)[0] for loss in (error, doubt))
    both = pull + push * (share * pull.norm() / (push.norm() + 1e-12))
    moving = (made * both).sum()
    return moving - moving.detach() + error.detach()
