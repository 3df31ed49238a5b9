"""Starts an autoencoder as one that passes small colours through, so that training only has to add to them.

Six channels carry red, green, blue and their negatives past every block: residual branches begin at zero,
downsampling averages, upsampling repeats, and SiLU(x) - SiLU(-x) = x undoes the nonlinearities. From random
weights the compressor needed thousands of steps to tell colours; from here it tells them at once.
"""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL
from diffusers.models.downsampling import Downsample2D
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from torch import nn

CARRIED = 6
QUIET = -4.0  # log variance that the posterior starts with
GAIN = 0.35  # colours over the size of the carried signal, normalised


def kernel(kind: str) -> torch.Tensor:
    """(3, 3): what one place keeps, or the mean of the four that a stride of two joins."""
    made = torch.zeros(3, 3)
    if kind == "keep":
        made[1, 1] = 1
    else:
        made[:2, :2] = 0.25
    return made


@torch.no_grad()
def carry(conv: nn.Module, pattern: torch.Tensor) -> None:
    """Let the first channels of a convolution pass unmixed."""
    assert isinstance(conv, nn.Conv2d)
    clear(conv)
    for channel in range(CARRIED):
        conv.weight[channel, channel] = pattern


@torch.no_grad()
def clear(conv: nn.Conv2d) -> None:
    assert conv.bias is not None
    conv.weight[:CARRIED] = 0
    conv.bias[:CARRIED] = 0


@torch.no_grad()
def split(conv: nn.Conv2d) -> None:
    """Three channels to six: each and its negative."""
    clear(conv)
    for colour in range(3):
        conv.weight[2 * colour, colour, 1, 1] = 1
        conv.weight[2 * colour + 1, colour, 1, 1] = -1


@torch.no_grad()
def join(conv: nn.Conv2d, gain: float) -> None:
    """Six channels back to three."""
    conv.weight[:3] = 0
    conv.bias[:3] = 0
    for colour in range(3):
        conv.weight[colour, 2 * colour, 1, 1] = gain
        conv.weight[colour, 2 * colour + 1, 1, 1] = -gain


@torch.no_grad()
def identity(conv: nn.Conv2d) -> None:
    conv.weight.copy_(torch.eye(conv.weight.shape[0])[:, :, None, None])
    conv.bias.zero_()


@torch.no_grad()
def start(vae: AutoencoderKL) -> None:
    """Set the weights of a fresh autoencoder; the channels beyond the six keep their random ones."""
    for part in [*vae.encoder.modules(), *vae.decoder.modules()]:
        if isinstance(part, ResnetBlock2D):
            part.conv2.weight.zero_()
            part.conv2.bias.zero_()
            if part.conv_shortcut is not None:
                carry(part.conv_shortcut, torch.ones(1, 1))
        elif isinstance(part, Downsample2D):
            carry(part.conv, kernel("mean"))
        elif isinstance(part, Upsample2D):
            carry(part.conv, kernel("keep"))
    latents = vae.config.latent_channels
    split(vae.encoder.conv_in)
    split(vae.decoder.conv_in)
    join(vae.encoder.conv_out, 1.0)
    vae.encoder.conv_out.weight[latents:] *= 0.1
    vae.encoder.conv_out.bias[latents:] = QUIET
    identity(vae.quant_conv)
    identity(vae.post_quant_conv)
    vae.decoder.conv_out.weight.mul_(0.1)
    join(vae.decoder.conv_out, GAIN)
