"""The noise that is learned and sampled: from next to nothing of a picture to where detail begins."""

import numpy as np
import pytest
import torch

from starter import losses, schedule


def test_noise_grows_evenly_from_the_faintest_to_next_to_all() -> None:
    left = schedule.scheduler().alphas_cumprod.double().numpy()
    assert np.sqrt(1 - left[0]) == pytest.approx(schedule.FAINTEST, abs=1e-4)
    assert np.sqrt(left[-1]) == pytest.approx(schedule.MOST, rel=0.01)
    steps = np.diff(np.arccos(np.sqrt(left)))
    assert steps.min() > 0
    assert steps.max() < 1.2 * steps.min()


def test_the_last_step_takes_the_denoisers_guess() -> None:
    solver = schedule.scheduler()
    solver.set_timesteps(6)
    assert solver.sigmas[-1] == 0
    x = torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    for t in solver.timesteps:
        seen = x
        alpha = losses.SIGNAL[t]
        sigma = (1 - alpha**2).sqrt()
        # A denoiser that always guesses 0.5.
        x = solver.step((alpha * seen - 0.5) / sigma, t, seen).prev_sample
    assert torch.allclose(x, torch.full_like(x, 0.5), atol=1e-4)
