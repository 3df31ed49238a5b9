"""The image compressor: AutoencoderKL, 8x8 pixels to 8 channels (256 px to 32x32), trained on crops."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import nn
from torch.nn import functional as F

from starter import critic, passthrough
from starter.attributes import NAMES
from starter.dataset import RUNS, Pictures, load
from starter.device import DEVICE, here, narrow
from starter.loop import Budget, fit, ranks
from starter.pixels import to_tensor

CROP = 96
FACTOR = 8
CHANNELS = 8
SEED = 11
CONFIG = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (16, 32, 64, 128),
    "layers_per_block": 1,
    "latent_channels": CHANNELS,
    # One group: with more, the last normalisation takes away how strong a colour is beside the others.
    "norm_num_groups": 1,
    "sample_size": 256,
    "mid_block_add_attention": False,
    "scaling_factor": 1.0,
}


class Compressor(nn.Module):
    """The autoencoder, and a linear reader that must tell the medium from any 4x4 patch of latents.

    The reader keeps the medium a plain, local signal in the latents, which the denoiser gets right far more
    easily than a texture, and which tells the decoder what texture to paint.
    """

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(SEED)
        self.vae = build()
        passthrough.start(self.vae)
        self.reader = nn.Linear(CHANNELS, len(NAMES["medium"]))


def build(channels: int = CHANNELS) -> AutoencoderKL:
    return AutoencoderKL(**{**CONFIG, "latent_channels": channels})


def refit(state: dict[str, torch.Tensor], before: int, channels: int) -> dict[str, torch.Tensor]:
    """The weights of a compressor of `before` channels for one of `channels`.

    Channels that are new are left aside when decoding, and are 0 when encoding.
    """
    kept = torch.arange(min(before, channels))

    def places(size: int, other: int, own: int) -> torch.Tensor:
        """Which of `size` places of an axis go on where the other model has `other`."""
        if size == other:
            return torch.arange(size)
        # Twice as many: means, then logarithms of variances.
        return kept if size == own else torch.cat([kept, own + kept])

    made: dict[str, torch.Tensor] = build(channels).state_dict()
    for name, value in state.items():
        sizes = list(zip(value.shape, made[name].shape, strict=True))
        source = [places(n, m, before) for n, m in sizes]
        target = [places(m, n, channels) for n, m in sizes]
        fresh = torch.zeros_like(made[name])
        fresh[torch.meshgrid(*target, indexing="ij")] = value[torch.meshgrid(*source, indexing="ij")]
        made[name] = fresh
    return made


def crops(pictures: Pictures, count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """(count, 3, CROP, CROP) in [-1, 1] from random places on the grid of latents, and their media."""
    index = torch.randint(len(pictures), (count,), generator=generator).tolist()
    steps = (pictures.images.shape[1] - CROP) // FACTOR + 1
    places = (torch.randint(steps, (count, 2), generator=generator) * FACTOR).tolist()
    rows = zip(index, places, strict=True)
    taken = np.stack([pictures.images[i, y : y + CROP, x : x + CROP] for i, (y, x) in rows])
    return to_tensor(taken), torch.from_numpy(pictures.codes[index, 1].astype(np.int64))


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
    return plain + 2.0 * texture(made, wanted) + 0.5 * felt


def train(budget: Budget, *, batch: int = 8, lr: float = 8e-4) -> None:
    pictures, eye = load(), critic.trained().to(DEVICE)
    compressor = Compressor()
    rank, world = ranks()

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        x, media = here(*crops(pictures, batch // world, generator))
        with narrow():
            posterior = compressor.vae.encode(x).latent_dist
            (noise,) = here(torch.randn(posterior.mean.shape, generator=generator))
            z = (posterior.mean + posterior.std * noise).contiguous()
            y = compressor.vae.decode(z).sample
        mean, logvar = posterior.mean.float(), posterior.logvar.float()
        divergence = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
        read = compressor.reader(F.avg_pool2d(mean, 4).flatten(2).mT).flatten(0, 1)
        told = F.cross_entropy(read, media.repeat_interleave(len(read) // len(media)))
        return error(y.float(), x, eye) + 0.05 * told + 1e-3 * divergence

    shadow = fit(
        "vae", compressor, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.995, warmup=300
    )
    if rank == 0:
        compressor.load_state_dict(shadow)
        standardise(compressor.vae, pictures)
        torch.save(compressor.vae.state_dict(), RUNS / "vae.final.pt")


def trained() -> AutoencoderKL:
    vae = build()
    vae.load_state_dict(torch.load(RUNS / "vae.final.pt", weights_only=True))
    return vae.eval().requires_grad_(False)


@torch.no_grad()
def encode(vae: AutoencoderKL, images: np.ndarray) -> torch.Tensor:
    """(n, 8, h / 8, w / 8) float32 means of the latents."""
    with torch.autocast("cpu", torch.bfloat16):
        return vae.encode(to_tensor(images)).latent_dist.mean.float()


@torch.no_grad()
def standardise(vae: AutoencoderKL, pictures: Pictures) -> None:
    """Fold each latent channel's mean and deviation into the 1x1 convolutions: mean 0, deviation 1."""
    vae.eval()
    sample = np.linspace(0, len(pictures) - 1, 512).astype(int)
    latents = torch.cat([encode(vae, pictures.images[part]) for part in np.array_split(sample, 32)])
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    quant, post = vae.quant_conv, vae.post_quant_conv
    channels = len(mean)
    quant.weight[:channels] /= std[:, None, None, None]
    quant.bias[:channels] = (quant.bias[:channels] - mean) / std
    quant.bias[channels:] -= 2 * std.log()
    post.bias += post.weight[:, :, 0, 0] @ mean
    post.weight *= std[None, :, None, None]
