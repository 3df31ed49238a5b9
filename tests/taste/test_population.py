import numpy as np
import pytest

from app.taste.arrays import Array
from app.taste.comparisons import Comparisons, take
from app.taste.errors import InvalidInput
from app.taste.heldout import halves, losses
from app.taste.population import learn_prior, population_prior, with_prior
from app.taste.posterior import Posterior, prior
from app.taste.space import dump_space, fit_space, load_space, same_frame
from tests.taste.people import flat_prior, ratings_of

MEAN = np.array([1.0, -0.5, 0.0, 0.0])
COV = np.diag([0.2, 1.0, 2.0, 0.05]) + 0.15


def crowd(people: int, each: int, seed: int = 0) -> list[Comparisons]:
    """Simulated people with tastes from N(MEAN, COV), who answer each so many pairs."""
    rng = np.random.default_rng(seed)
    tastes = rng.multivariate_normal(MEAN, COV, size=people)
    return [ratings_of(taste, each, rng) for taste in tastes]


def mean_loss(start: Posterior, people: list[Comparisons]) -> float:
    return float(np.nanmean(losses(start, *halves(people, seed=3))))


def test_a_known_population_is_recovered() -> None:
    """To about the sampling error of 150 people."""
    learned = learn_prior(flat_prior(4), crowd(150, 60), strength=0.5, rounds=30, lapse=0.001)
    np.testing.assert_allclose(learned.weights, MEAN, atol=0.2)
    np.testing.assert_allclose(learned.weights_cov, COV, rtol=0.25, atol=0.15)
    assert learned.count == 0


def test_what_is_learned_foretells_strangers_as_well_as_the_truth() -> None:
    rng, strangers = np.random.default_rng(1), crowd(80, 20, seed=9)
    start = flat_prior(4, 3.0)
    truth = np.zeros((5, 5))
    truth[:4, :4], truth[4, 4] = COV, 0.1
    learned = population_prior(start, crowd(60, 30), rng=rng)
    best = mean_loss(Posterior(np.append(MEAN, 0.0), truth, 0), strangers)
    assert mean_loss(learned, strangers) < best + 0.015
    assert mean_loss(learned, strangers) < mean_loss(start, strangers) - 0.03


@pytest.mark.parametrize(("people", "each"), [(3, 20), (8, 2), (12, 6), (40, 1)])
def test_few_answers_never_leave_strangers_worse_foretold(people: int, each: int) -> None:
    start, strangers = flat_prior(4, 1.0), crowd(80, 20, seed=9)
    for seed in range(2):
        learned = population_prior(start, crowd(people, each, seed), rng=np.random.default_rng(seed))
        assert mean_loss(learned, strangers) <= mean_loss(start, strangers) + 0.005, seed


def test_people_without_a_taste_in_common_leave_the_start_standing() -> None:
    """Coins are tossed: nothing can be foretold, and the best spread is none; it must at least not grow."""
    rng = np.random.default_rng(4)
    start = flat_prior(4, 0.05)
    coins = [ratings_of(np.zeros(4), 20, rng) for _ in range(20)]
    assert mean_loss(population_prior(start, coins, rng=rng), coins) <= mean_loss(start, coins) + 0.002


@pytest.mark.parametrize(
    "people",
    [
        [],
        crowd(1, 30),
        [take(one, np.arange(0)) for one in crowd(9, 3)],
        [ratings_of(np.zeros(4), 1, np.random.default_rng(0))] * 2,
    ],
    ids=["nobody", "one person", "no answers", "one rating each"],
)
def test_where_nothing_can_be_checked_the_start_stands(people: list[Comparisons]) -> None:
    start = flat_prior(4)
    found = population_prior(start, people, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(found.mean, start.mean)
    np.testing.assert_array_equal(found.cov, start.cov)


def test_one_person_moves_the_prior_a_little_and_narrows_it_little() -> None:
    start, (one,) = flat_prior(4), crowd(1, 200)
    learned = learn_prior(start, [one], strength=20.0)
    assert np.abs(learned.weights).max() > 0.1
    assert np.linalg.eigvalsh(learned.cov).min() > 0.9


def ties(each: int, rng: np.random.Generator) -> Comparisons:
    said = ratings_of(np.zeros(4), each, rng)
    return Comparisons(said.difference, np.full(each, 0.5), said.weight, said.side, each)


def test_nothing_but_ties_narrows_the_prior_round_indifference() -> None:
    rng = np.random.default_rng(0)
    people = [ties(10, rng) for _ in range(20)]
    learned = learn_prior(flat_prior(4), people, strength=2.0)
    np.testing.assert_allclose(learned.weights, 0.0, atol=1e-6)
    assert np.trace(learned.cov) < np.trace(flat_prior(4).cov)
    found = population_prior(flat_prior(4), people, rng=rng)
    np.testing.assert_array_equal(found.cov, flat_prior(4).cov)  # there was no decided answer to check on


def test_the_order_of_the_people_does_not_matter() -> None:
    people = crowd(10, 8)
    one, other = (learn_prior(flat_prior(4), p, strength=5.0) for p in (people, people[::-1]))
    np.testing.assert_allclose(one.cov, other.cov, rtol=1e-8, atol=1e-10)


def test_a_strength_of_nobody_is_refused() -> None:
    with pytest.raises(InvalidInput, match="strength"):
        learn_prior(flat_prior(4), crowd(3, 3), strength=0.0)


def test_a_space_takes_the_learned_prior_as_a_new_version() -> None:
    images: Array = np.random.default_rng(0).standard_normal((50, 8))
    space = fit_space(images, 4, encoder="test", version=1)
    learned = learn_prior(prior(space), crowd(10, 10), strength=5.0)
    renewed = load_space(dump_space(with_prior(space, learned, version=2)))
    assert (space.version, renewed.version) == (1, 2)
    np.testing.assert_allclose(prior(renewed).weights, learned.weights)
    np.testing.assert_allclose(prior(renewed).weights_cov, learned.weights_cov)
    assert same_frame(space, renewed)
    assert not same_frame(space, fit_space(images + 1.0, 4, encoder="test", version=2))
    assert not same_frame(space, fit_space(images, 3, encoder="test", version=2))
