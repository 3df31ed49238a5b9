from dataclasses import replace

import numpy as np
import pytest

from app.taste.comparisons import Comparisons, like, take
from app.taste.errors import InvalidInput
from app.taste.heldout import Person, Settings, halves, log_loss, losses, tune, weighed
from app.taste.likelihood import probability
from tests.taste.people import flat_prior, ratings_of

NONE = take(like(np.zeros((1, 3)), liked=True), np.arange(0))


def people(n: int, each: int, *, lapse: float = 0.0, size: float = 1.0, seed: int = 0) -> list[Comparisons]:
    """Simulated people whose weights have this size, and who toss a coin in `lapse` of their answers."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        taste = size * rng.standard_normal(3)
        said = ratings_of(taste, each, rng)
        coins = rng.random(each) < lapse
        outcome = np.where(coins, rng.random(each) < 0.5, said.outcome).astype(np.float64)
        found.append(Comparisons(said.difference, outcome, said.weight, said.side, each))
    return found


def test_no_image_stands_in_both_halves() -> None:
    rng = np.random.default_rng(0)
    for images in (12, 40, 400):
        (said,) = people(1, 80)
        pairs = np.array([rng.permutation(images)[:2] for _ in range(80)])
        (learned,), (asked,) = halves([replace(said, images=pairs)], seed=1)
        assert not {*learned.images.ravel()} & {*asked.images.ravel()}
        assert min(len(learned), len(asked)) >= 10
    assert min(len(learned), len(asked)) >= 30  # of 400 images few return, and little is lost


def test_log_loss_of_a_certain_and_of_an_even_guess() -> None:
    found = log_loss(np.array([0.5, 0.99, 0.25]), np.array([1.0, 1.0, 0.5]))
    np.testing.assert_allclose(found, [np.log(2), -np.log(0.99), -0.5 * np.log(0.25 * 0.75)])


def test_learning_from_one_half_lowers_the_loss_on_the_other() -> None:
    before, after = losses(flat_prior(3), *halves(people(40, 40), seed=0)).T
    assert after.mean() < before.mean() - 0.05


def test_somebody_with_only_ties_has_nothing_to_be_asked() -> None:
    (said,) = people(1, 4)
    tied = Comparisons(said.difference, np.full(4, 0.5), said.weight, said.side, 4)
    assert np.isnan(losses(flat_prior(3), *halves([tied], seed=0))).all()


def test_the_halves_depend_on_the_seed_only_and_share_nothing() -> None:
    (said,) = people(1, 9)
    (learned,), (asked,) = halves([said], seed=5)
    np.testing.assert_array_equal(halves([said], seed=5)[0][0].difference, learned.difference)
    together = np.concatenate([learned.difference, asked.difference])
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(said.difference, axis=0))
    assert (len(learned), len(asked)) == (4, 5)


def test_lapses_are_found_again() -> None:
    careless = [Person(one, NONE) for one in people(25, 80, lapse=0.3, size=2.0)]
    careful = [Person(one, NONE) for one in people(25, 60, size=2.0)]
    assert tune(flat_prior(3, 4.0), careless, seed=0).lapse >= 0.15
    assert tune(flat_prior(3, 4.0), careful, seed=0).lapse <= 0.02


def test_likes_that_tell_nothing_are_weighed_down() -> None:
    rng = np.random.default_rng(2)
    random = [Person(one, like(3.0 * rng.standard_normal((30, 3)), liked=True)) for one in people(15, 10)]
    assert tune(flat_prior(3), random, seed=0).typical == 0.0


def test_likes_that_tell_as_much_as_choices_keep_their_weight() -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(30):
        taste, images = 1.5 * rng.standard_normal(3), rng.standard_normal((40, 3))
        said = rng.random(40) < probability(images @ taste, lapse=0.01)
        likes = like(images, liked=True)
        likes = Comparisons(images, said.astype(np.float64), likes.weight, likes.side, 40)
        found.append(Person(ratings_of(taste, 6, rng), likes))
    assert tune(flat_prior(3, 2.0), found, seed=0).typical >= 0.5


def test_weights_fall_on_what_they_are_for() -> None:
    (said,) = people(1, 3)
    said = Comparisons(said.difference, np.array([1.0, 0.5, 0.0]), said.weight, said.side, 3)
    found = weighed(Person(said, like(np.ones((2, 3)), liked=False)), Settings(tie=0.25, typical=0.7))
    np.testing.assert_array_equal(found.weight, [1.0, 0.25, 1.0, 0.7, 0.7])


def test_nothing_to_tune_on_is_said() -> None:
    with pytest.raises(InvalidInput, match="two choices"):
        tune(flat_prior(3), [Person(NONE, NONE)], seed=0)
