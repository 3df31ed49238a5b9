"""How noise comes into pictures and is taken out again."""

from __future__ import annotations

import numpy as np
from diffusers import DPMSolverMultistepScheduler

TIMES = 1000
FAINTEST = 0.6  # noise's deviation at the first time; the picture's part is then 0.8
MOST = 1 / 164  # the picture's part at the last time: with less, the solver loses its footing


def scheduler() -> DPMSolverMultistepScheduler:
    """The noisy part of the cosine schedule (Nichol and Dhariwal 2021) of a network that tells v, and a
    solver of few steps.

    It ends at FAINTEST: what fainter noise leaves to be told of these latents is detail, which the decoder
    paints better than a small denoiser. A solver's last step goes from there to the denoiser's guess.
    """
    return DPMSolverMultistepScheduler(
        trained_betas=betas(), prediction_type="v_prediction", algorithm_type="dpmsolver++",
        solver_order=2, final_sigmas_type="zero",
    )  # fmt: skip


def betas() -> list[float]:
    """(TIMES,) of the schedule on which the angle between picture and noise grows evenly."""
    left = np.cos(np.linspace(np.arcsin(FAINTEST), np.arccos(MOST), TIMES)) ** 2
    return [round(float(b), 8) for b in 1 - left / np.concatenate([[1.0], left[:-1]])]
