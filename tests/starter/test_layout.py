"""The maps that the denoiser learns together with the latents, and the compressor that leaves them aside."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from starter import export, layout, vae
from starter.attributes import Attributes


def cat(palette: str, light: str, medium: str) -> np.ndarray:
    return layout.layout(Attributes("cat", medium, palette, light, "sparse"), 9).astype(np.float32)


def test_a_layout_does_not_know_palette_or_medium() -> None:
    first = cat("sunset", "day", "flat")
    assert first.shape == (layout.CHANNELS, 32, 32)
    assert np.array_equal(first, cat("ice", "day", "mosaic"))


def test_the_figure_is_where_the_subject_is() -> None:
    figure = layout.layout(Attributes("balloon", "flat", "ocean", "day", "sparse"), 3)[0]
    high, low = (float(value) for value in (figure.max(), figure.min()))
    inside = (figure > (high + low) / 2).mean()
    assert 0.03 < inside < 0.6
    assert (figure[-2:] == low).all()  # it flies


def test_other_sizes_have_their_own_number_of_places() -> None:
    made = layout.layout(Attributes("train", "oil", "lime", "dusk", "busy"), 4, width=384, height=192)
    assert made.shape == (layout.CHANNELS, 24, 48)


@pytest.fixture(scope="module")
def narrow() -> AutoencoderKL:
    torch.manual_seed(2)
    return vae.build().eval()


def test_a_wider_compressor_decodes_the_same_whatever_the_layout_says(narrow: AutoencoderKL) -> None:
    wide = vae.build(vae.CHANNELS + layout.CHANNELS).eval()
    wide.load_state_dict(vae.refit(narrow.state_dict(), vae.CHANNELS, vae.CHANNELS + layout.CHANNELS))
    z, extra = torch.randn(1, vae.CHANNELS, 4, 4), torch.randn(1, layout.CHANNELS, 4, 4)
    x = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(
            wide.decode(torch.cat([z, extra], 1)).sample, narrow.decode(z).sample, atol=1e-5
        )
        found = wide.encode(x).latent_dist.mean
        assert torch.allclose(found[:, : vae.CHANNELS], narrow.encode(x).latent_dist.mean, atol=1e-5)
    assert not found[:, vae.CHANNELS :].any()


def test_narrowing_takes_widening_back(narrow: AutoencoderKL) -> None:
    sizes = (vae.CHANNELS, vae.CHANNELS + layout.CHANNELS)
    again = vae.refit(vae.refit(narrow.state_dict(), *sizes), *reversed(sizes))
    for name, value in narrow.state_dict().items():
        assert torch.equal(again[name], value), name


def test_the_committed_compressor_has_room_for_the_layout() -> None:
    config = AutoencoderKL.load_config(export.WEIGHTS / "vae")
    assert config["latent_channels"] == vae.CHANNELS + layout.CHANNELS
