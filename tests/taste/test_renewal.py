import numpy as np
import pytest

from app.taste.posterior import Posterior
from app.taste.renewal import LEAST_GAIN, renew_prior
from tests.taste.people import flat_prior, ratings_of
from tests.taste.test_population import COV, MEAN, crowd, mean_loss

START = flat_prior(4, 3.0)


def truth() -> Posterior:
    cov = np.zeros((5, 5))
    cov[:4, :4], cov[4, 4] = COV, 0.1
    return Posterior(np.append(MEAN, 0.0), cov, 0)


def test_a_population_is_learned_where_nothing_was_known() -> None:
    found = renew_prior(START, START, crowd(40, 25), rng=np.random.default_rng(0))
    assert found.prior is not None
    assert found.gain > max(LEAST_GAIN, 2 * found.error)
    assert found.people == 40
    strangers = crowd(60, 20, seed=9)
    assert mean_loss(found.prior, strangers) < mean_loss(START, strangers) - 0.02


def test_learning_the_same_again_changes_nothing() -> None:
    people = crowd(40, 25)
    once = renew_prior(START, START, people, rng=np.random.default_rng(0))
    assert once.prior is not None
    assert renew_prior(START, once.prior, people, rng=np.random.default_rng(1)).prior is None


@pytest.mark.parametrize("seed", range(4))
def test_a_prior_that_cannot_be_bettered_is_hardly_ever_replaced(seed: int) -> None:
    found = renew_prior(START, truth(), crowd(20, 20, seed), rng=np.random.default_rng(seed))
    if found.prior is not None:
        strangers = crowd(80, 20, seed=9)
        assert mean_loss(found.prior, strangers) <= mean_loss(truth(), strangers) + 0.005


def test_too_few_people_or_nobody_decided_change_nothing() -> None:
    few = renew_prior(START, START, crowd(9, 20), rng=np.random.default_rng(0))
    assert (few.prior, few.people) == (None, 9)
    rng = np.random.default_rng(0)
    once = renew_prior(START, START, [ratings_of(MEAN, 1, rng) for _ in range(12)], rng=rng)
    assert once.prior is None or once.gain > LEAST_GAIN
