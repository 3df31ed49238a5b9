"""How noise comes into pictures and is taken out again."""

from __future__ import annotations

from diffusers import DPMSolverMultistepScheduler


def scheduler() -> DPMSolverMultistepScheduler:
    """The cosine schedule (Nichol and Dhariwal 2021) of a network that tells v, and a solver of few steps.

    The first times are so noisy that the solver loses its footing; it begins where the picture is 1/164 of
    the noise.
    """
    return DPMSolverMultistepScheduler(
        beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", algorithm_type="dpmsolver++",
        solver_order=2, final_sigmas_type="zero", lambda_min_clipped=-5.1,
    )  # fmt: skip
