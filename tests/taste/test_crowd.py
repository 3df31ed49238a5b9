import numpy as np
import pytest

from app.taste.comparisons import Answer, Comparisons, compare, take
from app.taste.crowd import gather, settle, unsettled
from app.taste.errors import InvalidInput
from app.taste.likelihood import probability
from app.taste.posterior import Posterior, refit
from tests.taste.people import flat_prior, ratings_of

SIZES = (1, 3, 3, 9, 20, 21, 200)


def several() -> list[Comparisons]:
    rng = np.random.default_rng(0)
    return [ratings_of(2.0 * rng.standard_normal(4), n, rng) for n in SIZES]


def test_everybody_settles_where_the_refit_does() -> None:
    people, start = several(), flat_prior(4, 1.5)
    seen = []
    for crowd in gather(people):
        means, covs = settle(start, crowd, unsettled(start, crowd), steps=12)
        for i, mean, cov in zip(crowd.index, means, covs, strict=True):
            exact = refit(start, people[i])
            np.testing.assert_allclose(mean, exact.mean, atol=1e-3)
            np.testing.assert_allclose(cov, exact.cov, atol=1e-3)
            seen.append(int(i))
    assert sorted(seen) == list(range(len(SIZES)))


def test_padding_stays_small() -> None:
    rows = sum(crowd.weight.size for crowd in gather(several()))
    assert rows <= 2 * sum(SIZES) + 8 * len(SIZES)


def test_somebody_who_said_nothing_keeps_the_prior() -> None:
    (crowd,) = gather([take(several()[3], np.arange(0))])
    start = flat_prior(4, 1.5)
    means, covs = settle(start, crowd, unsettled(start, crowd), steps=2)
    np.testing.assert_allclose(means[0], start.mean)
    np.testing.assert_allclose(covs[0], start.cov)


def test_people_of_different_spaces_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidInput, match="dimension"):
        gather([ratings_of(np.ones(3), 4, rng), ratings_of(np.ones(4), 4, rng)])


def test_with_nodes_it_comes_nearer_to_the_true_moments_of_a_single_answer() -> None:
    """On a grid of one weight, for an answer that a wide prior leaves open."""
    start = Posterior(mean=np.array([-0.5, 0.0]), cov=np.diag([6.0, 1e-6]), count=0)
    said = compare([Answer.LEFT], np.array([[1.0]]), np.array([[0.0]]))
    w = np.linspace(-15.0, 15.0, 6001)
    density = np.exp(-((w + 0.5) ** 2) / 12.0) * probability(w)
    density /= density.sum()
    mean = float(w @ density)
    variance = float((w - mean) ** 2 @ density)
    (crowd,) = gather([said])
    found = {n: settle(start, crowd, unsettled(start, crowd), steps=30, nodes=n) for n in (1, 9)}
    off = {n: (abs(means[0, 0] - mean), abs(covs[0, 0, 0] - variance)) for n, (means, covs) in found.items()}
    assert off[9][0] < 0.5 * off[1][0]
    assert off[9][1] < off[1][1]
