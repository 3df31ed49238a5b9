import numpy as np
import pytest

from app.taste.accuracy import accuracy
from app.taste.errors import InvalidInput


def test_hits_are_counted_and_ties_left_out() -> None:
    found = accuracy(np.array([0.9, 0.8, 0.2, 0.7, 0.6]), np.array([1.0, 1.0, 0.0, 0.0, 0.5]))
    assert found.n == 4
    assert found.mean == pytest.approx(3.5 / 5)
    assert 0.2 < found.low < found.mean < found.high < 1.0


def test_nothing_answered_is_anything_possible() -> None:
    found = accuracy(np.array([]), np.array([]))
    assert (found.n, found.mean) == (0, 0.5)
    assert found.low < 0.01
    assert found.high > 0.99


def test_the_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        found = accuracy(np.full(30, 0.7), (rng.random(30) < 0.7).astype(float))
        covered += found.low <= 0.7 <= found.high
    assert covered / 300 > 0.91


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInput, match="outcome"):
        accuracy(np.array([0.5]), np.array([1.0, 0.0]))
