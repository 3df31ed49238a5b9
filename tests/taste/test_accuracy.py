import numpy as np
import pytest

from app.taste.accuracy import accuracy, enough, room
from app.taste.errors import InvalidInput
from app.taste.posterior import Posterior, refit
from tests.taste.people import flat_prior, ratings_of


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


def test_room_shrinks_with_rating_until_it_is_enough() -> None:
    rng = np.random.default_rng(1)
    fresh = rng.standard_normal((300, 4)) * np.sqrt(2)
    said = ratings_of(np.array([1.0, -1.0, 0.5, 0.0]), 1000, rng)
    rooms = [room(flat_prior(4), fresh), room(refit(flat_prior(4), said), fresh)]
    assert 0.15 < rooms[0] < 0.5
    assert 0.0 <= rooms[1] < 0.01
    assert not enough(flat_prior(4), fresh)
    assert enough(refit(flat_prior(4), said), fresh)


def test_room_is_what_knowing_the_taste_would_add() -> None:
    rng = np.random.default_rng(2)
    posterior = Posterior(mean=np.array([0.5, 0.0, 0.0]), cov=np.diag([1.0, 0.5, 0.1]), count=0)
    fresh = rng.standard_normal((50, 2))
    draws = rng.multivariate_normal(posterior.weights, posterior.weights_cov, 100_000)
    p = 0.02 + 0.96 / (1 + np.exp(-fresh @ draws.T))
    expected = (np.abs(p - 0.5).mean(axis=1) - np.abs(p.mean(axis=1) - 0.5)).mean()
    assert room(posterior, fresh) == pytest.approx(expected, abs=0.01)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInput, match="outcome"):
        accuracy(np.array([0.5]), np.array([1.0, 0.0]))
    with pytest.raises(InvalidInput, match="at least one"):
        room(flat_prior(2), np.zeros((0, 2)))
