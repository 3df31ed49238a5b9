import numpy as np
import pytest
from scipy.optimize import minimize

from app.taste.blend import blend
from app.taste.codes import EXEMPLARS, FrozenTaste, to_bytes
from app.taste.conditioning import taste_embedding
from app.taste.errors import InvalidInput
from app.taste.moodboard import collect
from app.taste.posterior import confidence, prior
from app.taste.space import project
from tests.taste.gallery import make_gallery, nearness, taste_for

GALLERY = make_gallery()
OF_ONE_MEDIUM = np.flatnonzero(GALLERY.medium == 2)


def board(rows: np.ndarray) -> FrozenTaste:
    return collect(GALLERY.space, GALLERY.embeddings[rows], GALLERY.prompts[rows])


@pytest.mark.parametrize("n", [1, 3, 12, 40])
def test_a_collection_of_one_kind_paints_that_kind(n: int) -> None:
    taste = collect(GALLERY.space, GALLERY.embeddings[OF_ONE_MEDIUM[:n]], GALLERY.prompts[OF_ONE_MEDIUM[:n]])
    found = taste_embedding(taste, GALLERY.space, guard=False)
    assert nearness(GALLERY, found.positive, GALLERY.media).argmax() == 2
    assert nearness(GALLERY, found.negative, GALLERY.media).argmax() != 2
    assert (taste.n_ratings, len(taste.liked), len(taste.disliked)) == (n, min(n, EXEMPLARS), 0)


def test_more_images_are_surer() -> None:
    start = prior(GALLERY.space)
    sure = [confidence(board(OF_ONE_MEDIUM[:n]).posterior, start) for n in (1, 5, 20, 40)]
    assert sure == sorted(sure)
    assert 0.0 < sure[0] < 0.5 < sure[-1] < 1.0


def test_it_is_the_exact_posterior_of_images_picked_by_it() -> None:
    """Each pick has the log odds w.x over what there is, N(0, I): but for a constant, log N(x; w, I)."""
    rows = np.arange(7)
    taste = board(rows)
    start = prior(GALLERY.space)
    places = project(GALLERY.space, GALLERY.embeddings[rows])
    precision = np.linalg.inv(start.weights_cov)

    def loss(w: np.ndarray) -> float:
        off = w - start.weights
        return float(0.5 * off @ precision @ off - (places @ w).sum() + 0.5 * len(rows) * w @ w)

    best = minimize(loss, np.zeros(len(start.weights)), tol=1e-10).x
    np.testing.assert_allclose(taste.posterior.weights, best, atol=1e-4)
    np.testing.assert_allclose(
        np.linalg.inv(taste.posterior.weights_cov), precision + len(rows) * np.eye(len(precision)), rtol=1e-6
    )


def test_neither_order_nor_doubles_change_it() -> None:
    rows = OF_ONE_MEDIUM[:9]
    for same in (rows[::-1], np.concatenate([rows, rows[:3]])):
        assert to_bytes(board(same)) == to_bytes(board(rows))
    assert to_bytes(board(rows[:8])) != to_bytes(board(rows))


def test_it_blends_with_a_rated_taste_also_where_it_knows_no_prompts() -> None:
    rated = taste_for(GALLERY, np.array([3.0, -3.0, 0.0, 0.0, 0.0, 0.0]))
    silent = collect(GALLERY.space, GALLERY.embeddings[OF_ONE_MEDIUM[:9]], np.empty((9, 0)))
    leaning = []
    for weight in (0.2, 5.0):
        mixed = blend([(rated, 1.0), (silent, weight)])
        found = taste_embedding(mixed, GALLERY.space, GALLERY.prompts[0], guard=False)
        near = nearness(GALLERY, found.positive, GALLERY.media)
        leaning.append(near[2] - near[0])
    assert leaning[0] < leaning[1]
    turned = taste_embedding(blend([(silent, -1.0)]), GALLERY.space, guard=False)
    assert nearness(GALLERY, turned.negative, GALLERY.media).argmax() == 2
    assert nearness(GALLERY, turned.positive, GALLERY.media).argmax() != 2


def test_nothing_collected_is_no_taste() -> None:
    with pytest.raises(InvalidInput, match="at least one"):
        board(np.array([], dtype=int))
    with pytest.raises(InvalidInput, match="embeddings"):
        collect(GALLERY.space, np.ones((2, 3)), np.ones((2, 0)))
