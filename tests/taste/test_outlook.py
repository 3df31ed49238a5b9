import numpy as np
import pytest
from scipy.special import expit

from app.taste.arrays import Array
from app.taste.comparisons import Answer, compare
from app.taste.errors import InvalidInput
from app.taste.likelihood import LAPSE
from app.taste.outlook import ENOUGH, expected_gain
from app.taste.pairs import choose
from app.taste.posterior import Posterior, refit, update
from tests.taste.people import flat_prior, ratings_of

K, PEOPLE, MARKS = 8, 12, (0, 25, 75)


def pairs(n: int, seed: int = 0) -> Array:
    """Differences of random images, in standard deviations."""
    return np.asarray(np.random.default_rng(seed).standard_normal((n, K)) * np.sqrt(2))


def known(n: int, seed: int = 1) -> Posterior:
    """What n random answers of somebody say."""
    rng = np.random.default_rng(seed)
    return refit(flat_prior(K, 0.5), ratings_of(rng.standard_normal(K) * 0.7, n, rng))


def test_it_falls_as_ratings_come_in_until_there_is_enough() -> None:
    gains = [expected_gain(known(n), pairs(200)) for n in (0, 20, 60, 200, 1000, 3000)]
    assert gains == sorted(gains, reverse=True)
    assert gains[0] > 0.1
    assert gains[-1] < ENOUGH < gains[2]


def test_it_grows_with_the_ratings_to_come() -> None:
    gains = [expected_gain(known(30), pairs(200), more=more) for more in (0, 1, 10, 50, 200, 1000)]
    assert gains == sorted(gains)
    assert gains[0] == 0.0


def test_it_never_exceeds_what_knowing_the_taste_would_add() -> None:
    taste, fresh = known(30), pairs(200)
    rng = np.random.default_rng(2)
    draws = rng.multivariate_normal(taste.weights, taste.weights_cov, 4000)
    chance = expit(fresh @ draws.T)
    room = (np.abs(chance - 0.5).mean(axis=1) - np.abs(chance.mean(axis=1) - 0.5)).mean()
    assert expected_gain(taste, fresh, more=1000) < room


def simulated(seed: int) -> tuple[list[float], list[float]]:
    """Expected and real gains, at each of MARKS, of somebody from the prior who answers chosen pairs."""
    rng = np.random.default_rng(seed)
    prior, fresh = flat_prior(K, 0.5), pairs(200, seed)
    weights, taste = rng.multivariate_normal(prior.weights, prior.weights_cov), prior
    expected, right = [], {}
    for turn in range(MARKS[-1] + 51):
        if turn in MARKS:
            expected.append(expected_gain(taste, fresh))
        if turn in MARKS or turn - 50 in MARKS:
            right[turn] = accuracy_of(taste, weights)
        left, other = rng.standard_normal((2, 60, K))
        index = choose(taste, left, other, rng=rng).index
        chance = 0.5 * LAPSE + (1.0 - LAPSE) * expit((left[index] - other[index]) @ weights)
        answer = Answer.LEFT if rng.random() < chance else Answer.RIGHT
        taste = update(taste, compare([answer], left[[index]], other[[index]]))
    return expected, [right[turn + 50] - right[turn] for turn in MARKS]


def accuracy_of(taste: Posterior, weights: Array) -> float:
    asked = pairs(3000, 99)
    side = np.sign(asked @ taste.weights)
    return float((0.5 + (1.0 - LAPSE) * (expit(side * (asked @ weights)) - 0.5)).mean())


def test_it_is_what_simulated_people_gain() -> None:
    """To about the sampling error of so few people."""
    found = np.array([simulated(seed) for seed in range(PEOPLE)])
    expected, real = found.mean(axis=0)
    assert np.abs(expected - real)[0] < 0.04
    assert np.abs(expected - real)[1] < 0.03
    assert np.abs(expected - real)[2] < 0.01
    assert real[0] > 0.1 > 0.03 > real[-1]


def test_a_taste_known_exactly_gains_nothing() -> None:
    taste = Posterior(mean=np.ones(K + 1), cov=1e-12 * np.eye(K + 1), count=9)
    assert expected_gain(taste, pairs(20)) == pytest.approx(0.0, abs=1e-6)
    assert expected_gain(taste, np.zeros((3, K))) == pytest.approx(0.0, abs=1e-9)


def test_without_pairs_nothing_can_be_said() -> None:
    with pytest.raises(InvalidInput, match="at least one"):
        expected_gain(flat_prior(K), np.zeros((0, K)))
    with pytest.raises(InvalidInput, match="difference"):
        expected_gain(flat_prior(K), np.zeros((4, K + 1)))
