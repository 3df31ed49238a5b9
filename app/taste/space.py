"""The space in which tastes live: whitened principal components of one encoder's embeddings."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.taste.arrays import Array, checked
from app.taste.errors import InvalidInput, InvalidSpace

PRIOR_LOGIT_VARIANCE = 6.0
_ARRAYS = ("centre", "components", "scales", "norm", "prior_mean", "prior_cov")


@dataclass(frozen=True)
class Space:
    """One encoder's space and the population's taste in it.

    centre (d,); components (k, d), orthonormal rows; scales (k,), the embeddings' standard deviation along
    each; norm: the usual length of a raw embedding; prior_mean (k,), prior_cov (k, k): the population prior
    of the preference vector, in logits per whitened unit.
    """

    encoder: str
    version: int
    centre: Array
    components: Array
    scales: Array
    norm: float
    prior_mean: Array
    prior_cov: Array

    def __post_init__(self) -> None:
        k, d = len(self.scales), len(self.centre)
        checked("centre", self.centre, (d,))
        checked("components", self.components, (k, d))
        checked("scales", self.scales, (k,))
        checked("prior_mean", self.prior_mean, (k,))
        checked("prior_cov", self.prior_cov, (k, k))
        if not (k and np.all(self.scales > 0) and np.isfinite(self.norm) and self.norm > 0):
            raise InvalidInput("a space needs at least one component, positive scales and a positive norm")


def project(space: Space, embeddings: Array) -> Array:
    """Return the places (n, k) of raw embeddings (n, d), in standard deviations from the typical image."""
    embeddings = checked("embeddings", embeddings, (None, len(space.centre)))
    return np.asarray((embeddings - space.centre) @ space.components.T / space.scales)


def same_frame(one: Space, other: Space) -> bool:
    """Return whether two versions differ in their prior at most, so that tastes can be brought together."""
    names = ("centre", "components", "scales")
    return one.encoder == other.encoder and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in names
    )


def fit_space(embeddings: Array, k: int, *, encoder: str, version: int) -> Space:
    """Return the space of the first k principal components of embeddings (n, d), n > k.

    The default prior knows no direction. Its variance along a component goes with that component's standard
    deviation, so that tastes are sought first where images differ most, and sums to a logit variance of
    PRIOR_LOGIT_VARIANCE between two random images. Raises InvalidInput.
    """
    embeddings = checked("embeddings", embeddings, (None, None))
    n, d = embeddings.shape
    if not 1 <= k <= min(n - 1, d):
        raise InvalidInput(f"{n} embeddings of {d} numbers cannot give {k} components")
    centre = embeddings.mean(axis=0)
    _, singular, components = np.linalg.svd(embeddings - centre, full_matrices=False)
    if singular[k - 1] <= 1e-9 * max(singular[0], 1e-300):
        raise InvalidInput(f"the embeddings vary in fewer than {k} directions")
    components = components[:k]
    largest = np.abs(components).argmax(axis=1)
    components = components * np.sign(components[np.arange(k), largest])[:, None]
    scales = singular[:k] / np.sqrt(n - 1)
    return Space(
        encoder=encoder,
        version=version,
        centre=centre,
        components=components,
        scales=scales,
        norm=float(np.median(np.linalg.norm(embeddings, axis=1))),
        prior_mean=np.zeros(k),
        prior_cov=np.diag(scales / scales.sum() * PRIOR_LOGIT_VARIANCE / 2.0),
    )


def load_space(source: Path | bytes) -> Space:
    """Read a space from an npz file or its bytes, with keys named as the fields. Raises InvalidSpace."""
    try:
        with np.load(io.BytesIO(source) if isinstance(source, bytes) else source, allow_pickle=False) as data:
            arrays = {name: np.asarray(data[name], dtype=np.float64) for name in _ARRAYS}
            encoder, version = str(data["encoder"][()]), int(data["version"][()])
        norm = float(arrays.pop("norm"))
        return Space(encoder=encoder, version=version, norm=norm, **arrays)
    except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidSpace(f"the space file cannot be used: {error}") from error


def dump_space(space: Space) -> bytes:
    """Return the npz bytes that `load_space` reads."""
    file = io.BytesIO()
    np.savez(
        file,
        encoder=np.array(space.encoder),
        version=np.array(space.version),
        centre=space.centre,
        components=space.components,
        scales=space.scales,
        norm=np.array(space.norm),
        prior_mean=space.prior_mean,
        prior_cov=space.prior_cov,
    )
    return file.getvalue()
