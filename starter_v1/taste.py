"""The default taste space of the starter's image encoder, and a population prior over preference vectors.

No ratings of real people exist for these pictures, so the prior comes from simulated ones: a person's utility
is a sum of independent normal effects of the true attributes of look, scaled so that the person, asked twice,
answers a random pair the same way as often as SELF_AGREEMENT. Each utility is regressed on the space's
coordinates; the prior is the covariance of the resulting vectors.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from starter_v1.attributes import HOW, NAMES
from starter_v1.dataset import RUNS

PATH = Path(__file__).parent / "taste_space.npz"
ENCODER = "starter-v1"
COMPONENTS = 24
SELF_AGREEMENT = 0.78
EFFECTS = {"medium": 1.0, "palette": 0.8, "light": 0.6, "density": 0.5}
PEOPLE = 4000
SEED = 16


def axes(embeddings: np.ndarray, count: int = COMPONENTS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centre (d,), orthonormal components (count, d) and their variances (count,) of embeddings (n, d)."""
    centre = embeddings.mean(0)
    _, singular, rows = np.linalg.svd(embeddings - centre, full_matrices=False)
    return centre, rows[:count], singular[:count] ** 2 / (len(embeddings) - 1)


def one_hot(codes: np.ndarray) -> np.ndarray:
    """(n, classes of look) scaled indicator of each picture's attributes of look, from (n, 5) codes."""
    order = list(NAMES)
    blocks = [np.eye(len(NAMES[name]))[codes[:, order.index(name)]] * EFFECTS[name] for name in HOW]
    return np.concatenate(blocks, axis=1)


def agreement(differences: np.ndarray) -> float:
    """How often a logistic judge repeats an answer, over utility differences."""
    p = 1 / (1 + np.exp(-differences))
    return float((p**2 + (1 - p) ** 2).mean())


def prior(coordinates: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (k,) and covariance (k, k) of the preference vector in coordinates (n, k), of unit variance."""
    rng = np.random.default_rng(SEED)
    effects = rng.normal(size=(one_hot(codes).shape[1], PEOPLE))
    utilities = one_hot(codes) @ effects
    a, b = rng.integers(len(codes), size=(2, 4000))
    gaps = utilities[a] - utilities[b]
    low, high = 0.1, 10.0
    for _ in range(40):
        scale = (low * high) ** 0.5
        low, high = (scale, high) if agreement(gaps * scale) < SELF_AGREEMENT else (low, scale)
    x = coordinates - coordinates.mean(0)
    gram = x.T @ x + 1e-3 * len(x) * np.eye(x.shape[1])
    vectors = np.linalg.solve(gram, x.T @ (utilities - utilities.mean(0))) * scale
    covariance = vectors @ vectors.T / PEOPLE
    floor = 1e-3 * np.trace(covariance) / len(covariance)
    return np.zeros(len(covariance)), covariance + floor * np.eye(len(covariance))


def build(path: Path = PATH) -> None:
    """Write the space from the embeddings and labels of the drawn training pictures."""
    embeddings = np.load(RUNS / "embeddings.npy").astype(np.float64)[:10_000]
    codes = np.load(RUNS / "codes.npy")[: len(embeddings)]
    centre, components, variances = axes(embeddings)
    scales = np.sqrt(variances)
    mean, covariance = prior((embeddings - centre) @ components.T / scales, codes)
    np.savez(
        path, centre=centre.astype(np.float32), components=components.astype(np.float32),
        scales=scales.astype(np.float32),
        prior_mean=mean, prior_cov=covariance, norm=np.float32(np.linalg.norm(embeddings, axis=1).mean()),
        encoder=ENCODER, version=1,
    )  # fmt: skip
    share = variances.sum() / embeddings.var(0, ddof=1).sum()
    print(f"taste space: {COMPONENTS} components keep {share:.3f} of the variance", flush=True)
