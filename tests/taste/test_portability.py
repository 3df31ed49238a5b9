"""The population prior, carried from one encoder's space to another's."""

import numpy as np
import pytest

from app.taste.arrays import Array
from app.taste.errors import InvalidInput
from app.taste.portability import carry_prior
from app.taste.posterior import Posterior

IMAGES, K, M = 300, 6, 9


def a_prior(rng: np.random.Generator, size: int = K, *, mean: bool = True) -> Posterior:
    root = rng.standard_normal((size + 1, size + 1)) / 2
    middle = rng.standard_normal(size + 1) if mean else np.zeros(size + 1)
    return Posterior(mean=middle, cov=root @ root.T + 0.1 * np.eye(size + 1), count=0)


def broad(size: int) -> Posterior:
    return Posterior(mean=np.zeros(size + 1), cov=np.eye(size + 1), count=0)


def spread(prior: Posterior, places: Array) -> float:
    """Variance of an image's value over people and images, about the gallery's typical one."""
    places = places - places.mean(axis=0)
    second = prior.weights_cov + np.outer(prior.weights, prior.weights)
    return float(np.einsum("ij,jk,ik->", places, second, places)) / len(places)


def test_a_rotated_space_gives_the_rotated_prior() -> None:
    rng = np.random.default_rng(1)
    known, there = a_prior(rng), rng.standard_normal((IMAGES, K))
    turn = np.linalg.qr(rng.standard_normal((K, K)))[0]
    carried = carry_prior(known, broad(K), there, there @ turn)
    assert np.allclose(carried.weights, turn.T @ known.weights, atol=0.02)
    assert np.allclose(carried.weights_cov, turn.T @ known.weights_cov @ turn, atol=0.25)
    assert carried.count == 0


def test_values_keep_their_spread_and_what_is_not_seen_becomes_doubt() -> None:
    rng = np.random.default_rng(2)
    known, there = a_prior(rng, mean=False), rng.standard_normal((IMAGES, K))
    blurred = there @ rng.standard_normal((K, M)) + 3.0 * rng.standard_normal((IMAGES, M))
    carried = carry_prior(known, broad(M), there, blurred)
    assert np.linalg.eigvalsh(carried.cov).min() > 0
    assert 0.7 < spread(carried, blurred) / spread(known, there) < 1.3


def test_an_encoder_that_sees_nothing_of_it_gives_the_broad_prior_of_that_spread() -> None:
    rng = np.random.default_rng(3)
    known, there = a_prior(rng, mean=False), rng.standard_normal((IMAGES, K))
    here = rng.standard_normal((IMAGES, M))
    carried = carry_prior(known, broad(M), there, here)
    size = spread(known, there) / spread(broad(M), here)
    assert np.allclose(carried.weights_cov, size * np.eye(M), atol=0.1 * size)


def test_what_people_share_is_still_shared() -> None:
    """A liking that all have orders the images in the other space as it did in the first."""
    rng = np.random.default_rng(4)
    known = Posterior(mean=np.array([2.0, -1.0, 0, 0, 0, 0, 0]), cov=0.01 * np.eye(K + 1), count=0)
    there = rng.standard_normal((IMAGES, K))
    here = there @ rng.standard_normal((K, M)) + 0.5 * rng.standard_normal((IMAGES, M))
    carried = carry_prior(known, broad(M), there, here)
    assert np.corrcoef(here @ carried.weights, there @ known.weights)[0, 1] > 0.9


@pytest.mark.parametrize("images", [0, 2])
def test_too_few_shared_images_are_refused(images: int) -> None:
    with pytest.raises(InvalidInput, match="three images"):
        carry_prior(broad(2), broad(3), np.ones((images, 2)), np.ones((images, 3)))


def test_images_that_do_not_differ_are_refused() -> None:
    with pytest.raises(InvalidInput, match="worth the same"):
        carry_prior(broad(2), broad(3), np.ones((9, 2)), np.ones((9, 3)))
