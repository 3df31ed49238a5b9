"""Array types and the one place where shapes and finiteness are checked."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.taste.errors import InvalidInput

Array: TypeAlias = NDArray[np.float64]
Single: TypeAlias = NDArray[np.float32]


def checked(name: str, values: ArrayLike, shape: tuple[int | None, ...]) -> Array:
    """Return `values` as float64 after checking its shape (None: any length) and that all is finite.

    Raises InvalidInput otherwise.
    """
    array = np.asarray(values, dtype=np.float64)
    fits = array.ndim == len(shape) and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise InvalidInput(f"{name} has shape {array.shape}, expected {shape}")
    if not np.isfinite(array).all():
        raise InvalidInput(f"{name} holds values that are not finite")
    return array


def unit(rows: Array) -> Array:
    """Scale the last axis to length one; rows of length zero stay zero."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(np.divide(rows, length, out=np.zeros_like(rows), where=length > 0))
