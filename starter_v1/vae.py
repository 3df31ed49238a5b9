"""The image compressor: AutoencoderKL, 128 px to 16x16 latents of 8 channels, trained on crops."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.nn import functional as F

from starter_v1.dataset import RUNS, load
from starter_v1.loop import Budget, fit

CROP = 64
SEED = 11
PLAIN = (2, 4, 9)  # watercolour, neon and glass come out well without more training
CONFIG = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (16, 32, 64, 96),
    "layers_per_block": 1,
    "latent_channels": 8,
    "norm_num_groups": 8,
    "sample_size": 128,
    "mid_block_add_attention": False,
    "scaling_factor": 1.0,
}


def build() -> AutoencoderKL:
    torch.manual_seed(SEED)
    return AutoencoderKL(**CONFIG)


def crops(images: np.ndarray, count: int, generator: torch.Generator, size: int = CROP) -> torch.Tensor:
    """(count, 3, size, size) in [-1, 1] from random pictures and places on a grid of 8 pixels."""
    index = torch.randint(len(images), (count,), generator=generator).tolist()
    places = (torch.randint((128 - size) // 8 + 1, (count, 2), generator=generator) * 8).tolist()
    taken = np.stack([images[i, y : y + size, x : x + size] for i, (y, x) in zip(index, places, strict=True)])
    return to_tensor(taken)


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """(n, h, w, 3) uint8 to (n, 3, h, w) in [-1, 1]."""
    return (torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous()


def to_images(tensor: torch.Tensor) -> np.ndarray:
    """(n, 3, h, w) in [-1, 1] to (n, h, w, 3) uint8."""
    scaled = ((tensor.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return np.asarray(scaled.permute(0, 2, 3, 1).contiguous().numpy())


def sharpness(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of horizontal and vertical gradients, which keeps edges from blurring."""
    across = (a.diff(dim=-1) - b.diff(dim=-1)).abs().mean()
    return across + (a.diff(dim=-2) - b.diff(dim=-2)).abs().mean()


def texture(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Difference of local directional gradient energy at two scales.

    Absolute errors alone make the decoder blur hatching, dots and brush strokes, whose phase it cannot know;
    this asks for as much of them, in the same directions, wherever they fall.
    """
    losses = []
    for scale in (1, 2):
        if scale == 2:
            a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
            energies = [(x - x.roll((dy, dx), (-2, -1))).abs()[..., 1:-1, 1:-1] for x in (a, b)]
            first, second = (F.avg_pool2d(e, 12 // scale, stride=4 // scale) for e in energies)
            losses.append((first - second).abs().mean())
    return torch.stack(losses).mean()


def coarse(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (F.avg_pool2d(a, 4) - F.avg_pool2d(b, 4)).abs().mean()


def train(budget: Budget, *, batch: int = 16, lr: float = 1.5e-3) -> None:
    images, _ = load()
    vae = build()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        x = crops(images, batch, generator)
        with torch.autocast("cpu", torch.bfloat16):
            posterior = vae.encode(x).latent_dist
            noise = torch.randn(posterior.mean.shape, generator=generator)
            y = vae.decode((posterior.mean + posterior.std * noise).contiguous()).sample
        y = y.float()
        mean, logvar = posterior.mean.float(), posterior.logvar.float()
        divergence = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
        error = F.l1_loss(y, x) + 0.25 * sharpness(y, x) + coarse(y, x)
        return error + 3.0 * texture(y, x) + 1e-3 * divergence

    shadow = fit("vae", vae, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.995)
    vae.load_state_dict(shadow)
    standardise(vae, images)
    torch.save(vae.state_dict(), RUNS / "vae.final.pt")


def train_decoder(budget: Budget, *, batch: int = 16, lr: float = 6e-4) -> None:
    """Sharpen the decoder on cached latents, which stay as they are, with a little noise in its input."""
    images, codes = load()
    latents = np.load(RUNS / "latents.npy")
    textured = np.flatnonzero(~np.isin(codes[: len(latents), 1], PLAIN))
    vae = build()
    vae.load_state_dict(torch.load(RUNS / "vae.final.pt", weights_only=True))
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        picked = textured[torch.randint(len(textured), (batch,), generator=generator).numpy()]
        picked[: batch // 4] = torch.randint(len(latents), (batch // 4,), generator=generator).numpy()
        places = torch.randint(16 - CROP // 8 + 1, (batch, 2), generator=generator).tolist()
        side = CROP // 8
        z = np.stack(
            [latents[i, :, y : y + side, x : x + side] for i, (y, x) in zip(picked, places, strict=True)]
        )
        wanted = [
            images[i, 8 * y : 8 * y + CROP, 8 * x : 8 * x + CROP]
            for i, (y, x) in zip(picked, places, strict=True)
        ]
        x = to_tensor(np.stack(wanted))
        noisy = torch.from_numpy(z.astype(np.float32))
        noisy = noisy + 0.1 * torch.randn(noisy.shape, generator=generator)
        with torch.autocast("cpu", torch.bfloat16):
            y = vae.decode(noisy).sample
        y = y.float()
        return 0.5 * F.l1_loss(y, x) + coarse(y, x) + 8.0 * texture(y, x)

    shadow = fit("decoder", vae, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED + 100, decay=0.99)
    torch.save(shadow, RUNS / "decoder.final.pt")


def trained() -> AutoencoderKL:
    vae = build()
    sharpened = RUNS / "decoder.final.pt"
    path = sharpened if sharpened.exists() else RUNS / "vae.final.pt"
    vae.load_state_dict(torch.load(path, weights_only=True))
    return vae.eval().requires_grad_(False)


@torch.no_grad()
def encode(vae: AutoencoderKL, images: np.ndarray) -> torch.Tensor:
    """(n, 8, 16, 16) float32 means of the latents."""
    with torch.autocast("cpu", torch.bfloat16):
        return vae.encode(to_tensor(images)).latent_dist.mean.float()


@torch.no_grad()
def standardise(vae: AutoencoderKL, images: np.ndarray) -> None:
    """Fold each latent channel's mean and deviation into the 1x1 convolutions: mean 0, deviation 1."""
    vae.eval()
    sample = images[np.linspace(0, len(images) - 1, 512).astype(int)]
    latents = torch.cat([encode(vae, part) for part in np.array_split(sample, 16)])
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    quant, post = vae.quant_conv, vae.post_quant_conv
    channels = len(mean)
    quant.weight[:channels] /= std[:, None, None, None]
    quant.bias[:channels] = (quant.bias[:channels] - mean) / std
    quant.bias[channels:] -= 2 * std.log()
    post.bias += post.weight[:, :, 0, 0] @ mean
    post.weight *= std[None, :, None, None]
