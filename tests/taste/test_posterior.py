import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from app.taste.arrays import Array
from app.taste.comparisons import Answer, Comparisons, compare, join, like
from app.taste.errors import InvalidInput
from app.taste.likelihood import LAPSE, probability, slopes
from app.taste.posterior import Posterior, confidence, predict, prior, refit, update
from app.taste.space import fit_space
from tests.taste.people import flat_prior, part, ratings_of


def log_posterior(start: Posterior, comparisons: Comparisons, w: Array) -> float:
    fit = slopes(comparisons.rows @ w, comparisons.outcome).value @ comparisons.weight
    return float(fit + multivariate_normal(start.mean, start.cov).logpdf(w))


def gradient(start: Posterior, comparisons: Comparisons, w: Array) -> Array:
    step = 1e-5
    return np.array(
        [
            (log_posterior(start, comparisons, w + e) - log_posterior(start, comparisons, w - e)) / (2 * step)
            for e in step * np.eye(len(w))
        ]
    )


def skewed_prior(k: int) -> Posterior:
    rng = np.random.default_rng(5)
    root = rng.standard_normal((k + 1, k + 1))
    return Posterior(mean=rng.standard_normal(k + 1), cov=root @ root.T / k + 0.1 * np.eye(k + 1), count=0)


@pytest.mark.parametrize("n", [1, 12, 200])
def test_refit_ends_where_the_gradient_vanishes(n: int) -> None:
    rng = np.random.default_rng(n)
    start, said = skewed_prior(4), ratings_of(np.array([2.0, -1.0, 0.5, 0.0]), n, rng)
    np.testing.assert_allclose(gradient(start, said, refit(start, said).mean), 0.0, atol=1e-5)


def test_covariance_is_the_inverse_curvature_where_nobody_lapses() -> None:
    start, said = skewed_prior(3), ratings_of(np.array([1.0, -1.0, 0.5]), 80, np.random.default_rng(2))
    fitted = refit(start, said, lapse=1e-9)
    at = slopes(said.rows @ fitted.mean, said.outcome, lapse=1e-9)
    hessian = np.linalg.inv(start.cov) - (said.rows.T * at.second) @ said.rows
    np.testing.assert_allclose(fitted.cov, np.linalg.inv(hessian), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("refitted", [True, False])
def test_one_rating_agrees_with_brute_force(refitted: bool) -> None:
    """On a grid of weight and bias. Laplace is an approximation: to a twentieth of the prior."""
    start = Posterior(mean=np.array([0.3, 0.0]), cov=np.diag([1.0, 0.1]), count=0)
    said = compare([Answer.LEFT], np.array([[1.0]]), np.array([[-0.5]]))
    w, b = np.meshgrid(np.linspace(-7, 7, 701), np.linspace(-2.5, 2.5, 301), indexing="ij")
    density = multivariate_normal(start.mean, start.cov).pdf(np.stack([w, b], axis=-1))
    density *= probability(1.5 * w + b)
    density /= density.sum()
    mean = float((w * density).sum())
    variance = float(((w - mean) ** 2 * density).sum())
    found = refit(start, said) if refitted else update(start, said)
    assert found.weights[0] == pytest.approx(mean, abs=0.05)
    assert found.cov[0, 0] == pytest.approx(variance, abs=0.05)


def test_one_rating_is_the_same_streamed_and_refitted() -> None:
    start, said = skewed_prior(6), ratings_of(np.ones(6), 1, np.random.default_rng(0))
    streamed, fitted = update(start, said), refit(start, said)
    np.testing.assert_allclose(streamed.mean, fitted.mean, atol=1e-8)
    np.testing.assert_allclose(streamed.cov, fitted.cov, atol=1e-8)


def test_stream_and_refit_agree_after_two_hundred() -> None:
    """Two approximations: their means point the same way, and their predictions differ by 0.03."""
    rng = np.random.default_rng(11)
    start, said = flat_prior(16, 0.2), ratings_of(rng.normal(scale=0.45, size=16), 200, rng)
    streamed = start
    for i in range(200):
        streamed = update(streamed, part(said, [i]))
    fitted = refit(start, said)
    cosine = (
        streamed.weights @ fitted.weights / np.linalg.norm(streamed.weights) / np.linalg.norm(fitted.weights)
    )
    assert cosine > 0.98
    fresh = rng.standard_normal((500, 16)) * np.sqrt(2)
    assert np.abs(predict(streamed, fresh) - predict(fitted, fresh)).mean() < 0.03
    assert streamed.count == fitted.count == 200


def test_undo_is_never_having_rated() -> None:
    start, said = flat_prior(8), ratings_of(np.linspace(-1, 1, 8), 60, np.random.default_rng(3))
    without = part(said, [i for i in range(60) if i != 17])
    undone = refit(start, join([part(said, slice(0, 17)), part(said, slice(18, 60))]))
    np.testing.assert_array_equal(undone.mean, refit(start, without).mean)
    np.testing.assert_array_equal(undone.cov, refit(start, without).cov)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.permutations(range(40)))
def test_order_does_not_matter(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    said = ratings_of(rng.standard_normal(5), 40, rng)
    there, back = refit(flat_prior(5), said), refit(flat_prior(5), part(said, order))
    np.testing.assert_allclose(there.mean, back.mean, atol=1e-7)
    np.testing.assert_allclose(there.cov, back.cov, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30), st.floats(0.01, 100.0))
def test_answers_only_ever_narrow_the_taste(seed: int, n: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    start, said = flat_prior(4), ratings_of(size * rng.standard_normal(4), n, rng)
    streamed = start
    for i in range(n):
        streamed = update(streamed, part(said, [i]))
    for found in (streamed, refit(start, said)):
        spread = np.linalg.eigvalsh(found.cov)
        assert spread.min() > 0.0
        assert spread.max() <= 1.0 + 1e-9
        assert 0.0 < confidence(found, start) <= 1.0


def test_it_learns_a_taste() -> None:
    rng = np.random.default_rng(4)
    weights = rng.normal(scale=0.6, size=16)
    found = refit(flat_prior(16, 0.3), ratings_of(weights, 200, rng))
    fresh = rng.standard_normal((1000, 16)) * np.sqrt(2)
    assert np.mean((predict(found, fresh) > 0.5) == (fresh @ weights > 0)) > 0.85


def test_all_ties_leave_the_taste_where_it_was_but_surer() -> None:
    left, right = np.random.default_rng(0).standard_normal((2, 300, 3))
    found = refit(flat_prior(3), compare([Answer.TIE] * 300, left, right))
    np.testing.assert_allclose(found.mean, 0.0, atol=1e-9)
    assert confidence(found, flat_prior(3)) > 0.9


def test_contradictions_cancel() -> None:
    left, right = np.random.default_rng(1).standard_normal((2, 50, 3))
    both = join([compare([Answer.LEFT] * 50, left, right), compare([Answer.RIGHT] * 50, left, right)])
    np.testing.assert_allclose(refit(flat_prior(3), both).weights, 0.0, atol=1e-9)


def test_identical_images_teach_only_the_bias() -> None:
    same = np.random.default_rng(2).standard_normal((30, 3))
    said = compare([Answer.LEFT] * 30, same, same)
    found = refit(flat_prior(3), said)
    np.testing.assert_allclose(found.weights, 0.0, atol=1e-12)
    assert found.mean[-1] > 0.5
    np.testing.assert_allclose(update(flat_prior(3), part(said, [0])).weights, 0.0, atol=1e-12)


def test_a_hand_that_always_says_left_is_no_taste() -> None:
    rng = np.random.default_rng(6)
    left, right = rng.standard_normal((2, 200, 4))
    found = refit(flat_prior(4), compare([Answer.LEFT] * 200, left, right))
    assert found.mean[-1] > 2.0
    assert np.abs(predict(found, rng.standard_normal((100, 4))) - 0.5).mean() < 0.1


def test_both_bad_and_likes_pull_against_the_typical_image() -> None:
    image = np.array([[1.0, 0.0]])
    bad = update(flat_prior(2), compare([Answer.BOTH_BAD], image, image))
    assert bad.weights[0] < 0.0
    assert bad.count == 1
    liked, chosen = (
        update(flat_prior(2), like(image, liked=True)),
        update(flat_prior(2), compare([Answer.LEFT], image, 0 * image)),
    )
    assert 0.0 < liked.weights[0] < chosen.weights[0]


def test_a_skip_changes_nothing() -> None:
    said = compare([Answer.SKIP], np.ones((1, 2)), np.zeros((1, 2)))
    np.testing.assert_array_equal(update(flat_prior(2), said).mean, flat_prior(2).mean)
    np.testing.assert_allclose(refit(flat_prior(2), said).cov, flat_prior(2).cov)


def test_one_slip_does_not_outweigh_two_hundred_answers() -> None:
    rng = np.random.default_rng(8)
    said = ratings_of(np.array([4.0, 0.0]), 200, rng, noise=False)
    slip = compare([Answer.RIGHT], np.array([[6.0, 0.0]]), np.array([[-6.0, 0.0]]))
    fair, slipped = refit(flat_prior(2, 9.0), said), refit(flat_prior(2, 9.0), join([said, slip]))
    assert slipped.weights[0] > 0.85 * fair.weights[0]


def test_ten_thousand_ratings() -> None:
    weights = np.array([1.0, -0.5, 0.25, 0.0])
    found = refit(flat_prior(4), ratings_of(weights, 10_000, np.random.default_rng(9)), lapse=1e-6)
    np.testing.assert_allclose(found.weights, weights, atol=0.12)
    assert found.count == 10_000


def test_answers_against_a_very_sure_prior_still_settle() -> None:
    sure = Posterior(mean=np.array([40.0, -40.0, 0.0]), cov=np.diag([400.0, 400.0, 0.1]), count=0)
    found = refit(sure, ratings_of(np.array([-30.0, 30.0]), 500, np.random.default_rng(10), noise=False))
    assert found.weights[0] < 0.0 < found.weights[1]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 300), st.floats(0.1, 5.0), st.floats(0.01, 3.0)
)
def test_answers_at_random_settle(seed: int, k: int, n: int, size: float, variance: float) -> None:
    rng = np.random.default_rng(seed)
    left, right = size * rng.standard_normal((2, n, k))
    said = compare(rng.choice(list(Answer), n).tolist(), left, right)
    found = refit(flat_prior(k, variance), said)
    np.testing.assert_allclose(gradient(flat_prior(k, variance), said, found.mean), 0.0, atol=1e-3)


def test_what_does_not_fit_is_refused() -> None:
    said = ratings_of(np.ones(3), 2, np.random.default_rng(0))
    for fit in (update, refit):
        with pytest.raises(InvalidInput, match="dimension"):
            fit(flat_prior(2), said)
        with pytest.raises(InvalidInput, match="lapse"):
            fit(flat_prior(3), said, lapse=0.0)
    with pytest.raises(InvalidInput, match="positive definite"):
        refit(Posterior(np.zeros(4), np.zeros((4, 4)), 0), said)
    with pytest.raises(InvalidInput, match="finite"):
        Posterior(np.array([0.0, np.inf]), np.eye(2), 0)
    with pytest.raises(InvalidInput, match="shape"):
        Posterior(np.zeros(2), np.eye(3), 0)


def test_prediction_agrees_with_quadrature() -> None:
    start = skewed_prior(3)
    difference = np.random.default_rng(1).standard_normal((20, 3))
    draws = np.random.default_rng(2).multivariate_normal(start.weights, start.weights_cov, 200_000)
    np.testing.assert_allclose(
        predict(start, difference), probability(difference @ draws.T).mean(axis=1), atol=0.02
    )
    assert predict(start, np.zeros((1, 3)))[0] == 0.5
    assert LAPSE / 2 <= predict(start, np.full((1, 3), 1e6))[0] <= 1 - LAPSE / 2


def test_the_prior_is_the_populations() -> None:
    space = fit_space(np.random.default_rng(0).standard_normal((50, 8)), 4, encoder="test", version=1)
    start = prior(space)
    np.testing.assert_array_equal(start.weights_cov, space.prior_cov)
    assert start.count == 0
    assert confidence(start, start) == 0.0
