"""Doubling layers worked over the small map are what diffusers makes of them."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from starter import phases, unet, vision


@pytest.mark.parametrize(("height", "width"), [(4, 4), (3, 5), (1, 2)])
def test_it_is_the_kernel_over_the_doubled_map(height: int, width: int) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(6, 5, 3, padding=1)
    x = torch.randn(2, 6, height, width, requires_grad=True)
    made, wanted = phases.doubled(x, conv), conv(F.interpolate(x, scale_factor=2.0))
    assert torch.allclose(made, wanted, atol=1e-5)
    weight = torch.randn_like(made)
    ways = [torch.autograd.grad((out * weight).sum(), (x, *conv.parameters())) for out in (made, wanted)]
    for mine, theirs in zip(*ways, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-4)


@pytest.mark.parametrize("size", [(16, 16), (24, 36)])
def test_the_denoiser_paints_the_same_with_them(size: tuple[int, int]) -> None:
    plain = unet.build().eval()
    changed = copy.deepcopy(plain)
    phases.install(changed)
    x, words = torch.randn(1, unet.CONFIG["in_channels"], *size), torch.randn(1, 7, 192)
    looks = {"image_embeds": [torch.randn(1, 1, vision.WIDTH)]}
    with torch.no_grad():
        made, wanted = (
            one(x, torch.tensor([500.0]), words, added_cond_kwargs=looks).sample for one in (changed, plain)
        )
    assert torch.allclose(made, wanted, atol=1e-4)
