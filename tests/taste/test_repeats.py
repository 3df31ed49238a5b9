from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from app.taste.arrays import Array
from app.taste.comparisons import Answer, Comparisons, compare, join, newest, take
from app.taste.heldout import log_loss
from app.taste.posterior import Posterior, confidence, predict, refit, update
from app.taste.repeats import UNKNOWN, Indices, newest_shares, shares
from tests.taste.people import flat_prior

K, IMAGES, SPECIAL = 6, 24, 2.0


def among_all(m: int) -> Indices:
    return np.stack(np.triu_indices(m, 1), axis=1)


@pytest.mark.parametrize("m", [2, 3, 6, 11])
def test_answers_among_images_teach_what_least_squares_finds_in_them(m: int) -> None:
    """Values w.x + u without noise: the information about w by generalised least squares."""
    images = among_all(m)
    contrast = np.eye(m)[images[:, 0]] - np.eye(m)[images[:, 1]]
    rows = contrast @ np.random.default_rng(m).standard_normal((m, 2))
    together = rows.T @ np.linalg.pinv(contrast @ contrast.T) @ rows
    alone = rows.T @ (shares(images)[:, None] * rows) / 2.0
    np.testing.assert_allclose(alone, together, rtol=1e-9)
    assert shares(images).sum() == pytest.approx(m - 1)


def test_images_compared_once_count_in_full() -> None:
    np.testing.assert_array_equal(shares(np.arange(8).reshape(4, 2)), np.ones(4))
    np.testing.assert_array_equal(shares(np.full((5, 2), UNKNOWN)), np.ones(5))
    np.testing.assert_array_equal(newest_shares(np.zeros((2, 2), dtype=np.int64)), np.ones(2))
    assert len(shares(np.empty((0, 2), dtype=np.int64))) == 0


def test_an_image_often_compared_takes_half_at_most_from_new_ones() -> None:
    star = np.column_stack([np.zeros(50, dtype=np.int64), np.arange(1, 51)])
    np.testing.assert_allclose(shares(star), 0.5 + 1.0 / 51)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda p: p[0] != p[1]), max_size=40))
def test_one_by_one_they_add_up_to_the_same(log: list[tuple[int, int]]) -> None:
    met: Counter[int] = Counter()
    total = 0.0
    for pair in log:
        total += float(newest_shares(np.array([[met[i] for i in pair]]))[0])
        met.update(pair)
    assert total == pytest.approx(float(shares(np.array(log, dtype=np.int64).reshape(-1, 2)).sum()))


def said(weights: Array, special: float, n: int, rng: np.random.Generator) -> tuple[Comparisons, Array]:
    """n choices among few images that are liked for more than the space holds; and the images' places."""
    places = rng.standard_normal((IMAGES, K))
    value = places @ weights + special * rng.standard_normal(IMAGES)
    pairs = rng.permutation(among_all(IMAGES))[:n]
    chance = expit(value[pairs[:, 0]] - value[pairs[:, 1]])
    answers = [Answer.LEFT if yes else Answer.RIGHT for yes in rng.random(n) < chance]
    return compare(answers, places[pairs[:, 0]], places[pairs[:, 1]], images=pairs), places


def as_strangers(comparisons: Comparisons) -> Comparisons:
    return replace(comparisons, images=np.full((len(comparisons), 2), UNKNOWN))


def test_new_images_are_foretold_better_and_no_surer_than_right() -> None:
    start, loss, sureness = flat_prior(K, 0.25), {True: 0.0, False: 0.0}, 0.0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        weights = 0.5 * rng.standard_normal(K)
        learned, _ = said(weights, SPECIAL, 200, rng)
        fresh = 1.4 * rng.standard_normal((300, K))
        value = fresh @ weights + SPECIAL * np.sqrt(2) * rng.standard_normal(300)
        yes = (rng.random(300) < expit(value)).astype(float)
        for shared in loss:
            p = predict(refit(start, learned if shared else as_strangers(learned)), fresh)
            loss[shared] += float(log_loss(p, yes).mean()) / 20
            if shared:
                sureness += float((np.maximum(p, 1 - p) - np.where(p > 0.5, yes, 1 - yes)).mean()) / 20
    assert loss[True] < loss[False] - 0.02
    assert abs(sureness) < 0.04


def streamed(start: Posterior, comparisons: Comparisons, order: Indices) -> Posterior:
    met: Counter[int] = Counter()
    for row in order:
        one = take(comparisons, np.array([row]))
        start = update(start, newest(one, met))
        met.update(comparisons.images[row].tolist())
    return start


def test_stream_and_refit_agree_whatever_the_order() -> None:
    rng = np.random.default_rng(3)
    learned, _ = said(rng.standard_normal(K), 0.5, 120, rng)
    start = flat_prior(K, 0.5)
    fitted = refit(start, learned)
    for _ in range(3):
        order = rng.permutation(len(learned))
        again = refit(start, take(learned, order))
        np.testing.assert_allclose(again.mean, fitted.mean, atol=1e-8)
        found = streamed(start, learned, order)
        assert confidence(found, start) == pytest.approx(confidence(fitted, start), abs=0.03)
        lengths = np.linalg.norm(found.weights) * np.linalg.norm(fitted.weights)
        assert found.weights @ fitted.weights > 0.9 * lengths


def test_undo_gives_the_others_their_share_back() -> None:
    rng = np.random.default_rng(5)
    learned, _ = said(rng.standard_normal(K), 0.5, 60, rng)
    without = take(learned, np.delete(np.arange(60), 17))
    undone = join([take(learned, np.arange(17)), take(learned, np.arange(18, 60))])
    np.testing.assert_array_equal(refit(flat_prior(K), undone).mean, refit(flat_prior(K), without).mean)
    assert without.counted.sum() < learned.counted.sum()
    assert (without.counted >= np.delete(learned.counted, 17)).all()


def test_both_bad_counts_each_image_by_itself() -> None:
    left, right = np.ones((3, 2)), np.zeros((3, 2))
    images = np.array([[1, 2], [1, 3], [4, 5]])
    found = compare([Answer.BOTH_BAD, Answer.LEFT, Answer.BOTH_BAD], left, right, images=images)
    assert found.images.tolist() == [[1, 3], [1, UNKNOWN], [4, UNKNOWN], [2, UNKNOWN], [5, UNKNOWN]]
    half = found.weight[1]
    np.testing.assert_allclose(found.counted, [5 / 6, half * 5 / 6, half, half, half])
