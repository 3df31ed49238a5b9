import numpy as np
import pytest

from app.taste.comparisons import Answer, compare
from app.taste.errors import InvalidInput
from app.taste.likelihood import probability
from app.taste.pairs import choose, information_gain
from app.taste.posterior import Posterior, predict, update
from tests.taste.people import flat_prior


def test_gain_agrees_with_brute_force() -> None:
    difference = np.random.default_rng(0).standard_normal((6, 3))
    draws = np.random.default_rng(1).standard_normal((200_000, 3))
    p = probability(difference @ draws.T)
    entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p)).mean(axis=1)
    mean = p.mean(axis=1)
    expected = -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean)) - entropy
    np.testing.assert_allclose(information_gain(flat_prior(3), difference), expected, atol=2e-3)


def test_gain_is_nothing_where_there_is_nothing_to_learn() -> None:
    assert information_gain(flat_prior(3), np.zeros((1, 3)))[0] == pytest.approx(0.0, abs=1e-12)
    known = Posterior(mean=np.ones(4), cov=1e-12 * np.eye(4), count=0)
    assert information_gain(known, np.ones((1, 3)))[0] == pytest.approx(0.0, abs=1e-9)


def test_gain_never_exceeds_the_answer_and_is_never_negative() -> None:
    difference = np.random.default_rng(2).standard_normal((500, 5)) * np.logspace(-3, 3, 500)[:, None]
    gain = information_gain(flat_prior(5), difference)
    assert gain.min() > -1e-12
    assert gain.max() < np.log(2)


def test_the_most_telling_pair_is_chosen() -> None:
    posterior = Posterior(mean=np.zeros(3), cov=np.diag([4.0, 0.001, 0.1]), count=0)
    left, right = np.array([[0.0, 2.0], [1.0, 0.0], [0.1, 0.0]]), np.zeros((3, 2))
    chosen = choose(posterior, left, right, rng=np.random.default_rng(0), random_share=0.0)
    assert (chosen.index, chosen.random) == (1, False)


def test_every_second_pair_is_sought_among_what_is_liked() -> None:
    posterior = Posterior(mean=np.array([2.0, 0.0, 0.0]), cov=np.eye(3), count=9)
    # The first pair of two liked images teaches a little less than the second, of two disliked ones.
    left = np.array([[3.0, 1.0], [-3.0, 1.1]])
    right = np.array([[3.0, 0.0], [-3.0, 0.0]])
    rng = np.random.default_rng(0)
    shares = {
        share: np.mean(
            [
                choose(posterior, left, right, rng=rng, random_share=0.0, liked_share=share).index
                for _ in range(400)
            ]
        )
        for share in (0.0, 0.5, 1.0)
    }
    assert shares[0.0] == 1.0
    assert shares[0.5] == pytest.approx(0.5, abs=0.1)
    assert shares[1.0] == 0.0
    # Nobody is thought to like anything before the first answer.
    fresh = choose(flat_prior(2), left, right, rng=rng, random_share=0.0, liked_share=1.0)
    assert fresh.index == 1


def test_recent_topics_step_back() -> None:
    left, right = np.array([[1.0, 0.0], [0.0, 0.9]]), np.zeros((2, 2))
    topics = np.array([[7, 7], [8, 9]])
    rng = np.random.default_rng(0)
    fresh = choose(flat_prior(2), left, right, rng=rng, topics=topics, random_share=0.0)
    after = choose(flat_prior(2), left, right, rng=rng, topics=topics, recent_topics=[7], random_share=0.0)
    assert (fresh.index, after.index) == (0, 1)


def test_one_in_ten_is_random_and_sides_are_even() -> None:
    rng = np.random.default_rng(0)
    left = np.arange(5.0)[:, None]
    choices = [choose(flat_prior(1), left, np.zeros((5, 1)), rng=rng) for _ in range(4000)]
    random = [choice.index for choice in choices if choice.random]
    assert len(random) / 4000 == pytest.approx(0.1, abs=0.02)
    assert sum(choice.swapped for choice in choices) / 4000 == pytest.approx(0.5, abs=0.03)
    assert np.bincount(random, minlength=5).min() > 40
    assert {choice.index for choice in choices if not choice.random} != set(random)


def test_chosen_pairs_teach_more_than_random_ones() -> None:
    correct = {0.0: 0.0, 1.0: 0.0}
    for seed in range(8):
        for share in correct:
            rng = np.random.default_rng(seed)
            weights = rng.standard_normal(12)
            images = rng.standard_normal((200, 12))
            posterior = flat_prior(12)
            for _ in range(40):
                left, right = images[rng.integers(200, size=(2, 200))]
                pair = choose(posterior, left, right, rng=rng, random_share=share).index
                better = (left[pair] - right[pair]) @ weights > 0
                answer = Answer.LEFT if better else Answer.RIGHT
                posterior = update(posterior, compare([answer], left[pair, None], right[pair, None]))
            fresh = rng.standard_normal((400, 12))
            correct[share] += float(np.mean((predict(posterior, fresh) > 0.5) == (fresh @ weights > 0)))
    assert correct[0.0] > correct[1.0] + 8 * 0.02


def test_no_candidates_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no pair"):
        choose(flat_prior(2), np.zeros((0, 2)), np.zeros((0, 2)), rng=np.random.default_rng(0))
