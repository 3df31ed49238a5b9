"""The small Flux that first-block caching is measured on."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import caching
from starter import latents

CAPTIONS = ["a lighthouse at dusk", "an oil painting of a cat"]


@pytest.fixture
def untrained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first weights, and few steps."""
    monkeypatch.setattr(caching, "FINAL", tmp_path / "flux.final.pt")
    monkeypatch.setattr(caching, "STEPS", 4)
    torch.save(caching.build().state_dict(), caching.FINAL)


def test_latents_come_back_from_tokens() -> None:
    x = torch.randn(3, latents.CHANNELS, 2 * caching.SIDE, 2 * caching.SIDE)
    tokens = caching.packed(x)
    assert tokens.shape == (3, caching.SIDE**2, 4 * latents.CHANNELS)
    assert torch.equal(caching.unpacked(tokens), x)


def test_times_keep_their_ends_and_dwell_on_noise() -> None:
    times = caching.shifted(torch.linspace(1, 0, 5))
    assert (times[0], times[-1]) == (1, 0)
    assert times[2] > 0.5


@pytest.mark.usefixtures("untrained")
def test_a_threshold_leaves_blocks_out_and_one_that_nothing_is_below_does_not() -> None:
    whole, none, much = (caching.paint(CAPTIONS, threshold) for threshold in (None, 1e-9, 0.9))
    assert whole.images.shape == (2, 256, 256, 3)
    assert (whole.computed, none.computed) == (1, 1)
    assert np.array_equal(whole.images, none.images)
    assert much.computed < 1
