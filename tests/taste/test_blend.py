import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.taste.blend import blend, normalised_weights
from app.taste.codes import EXEMPLARS, to_bytes
from app.taste.conditioning import taste_embedding
from app.taste.errors import IncompatibleTastes, InvalidInput
from tests.taste.gallery import make_gallery, nearness, taste_for

GALLERY = make_gallery()
A = taste_for(GALLERY, np.array([3.0, 0.0, 0.0, -3.0, 0.0, 0.0]), seed=1)
B = taste_for(GALLERY, np.array([0.0, 3.0, 0.0, 0.0, -3.0, 0.0]), seed=2)


def test_weights_are_normalised() -> None:
    assert normalised_weights([2.0, -1.0]) == pytest.approx([2 / 3, -1 / 3])
    assert normalised_weights([5.0]) == [1.0]
    for useless in ([], [0.0, 0.0], [float("nan")], [float("inf"), 1.0]):
        with pytest.raises(InvalidInput, match="weight"):
            normalised_weights(useless)


@settings(deadline=None)
@given(st.floats(0.01, 100.0))
def test_one_taste_alone_is_itself(weight: float) -> None:
    assert to_bytes(blend([(A, weight)])) == to_bytes(A)


def test_a_taste_with_itself_is_no_other() -> None:
    both = blend([(A, 1.0), (A, 1.0)])
    np.testing.assert_allclose(both.posterior.mean, A.posterior.mean)
    np.testing.assert_allclose(both.posterior.cov, A.posterior.cov)


def test_a_negative_taste_likes_what_the_other_dislikes() -> None:
    turned = blend([(A, -1.0)])
    np.testing.assert_array_equal(turned.posterior.mean, -A.posterior.mean)
    np.testing.assert_array_equal(turned.liked.embedding, A.disliked.embedding)
    np.testing.assert_array_equal(turned.disliked.score, -A.liked.score)
    there, back = (
        taste_embedding(A, GALLERY.space, guard=False),
        taste_embedding(turned, GALLERY.space, guard=False),
    )
    np.testing.assert_allclose(there.positive, back.negative)
    np.testing.assert_allclose(there.negative, back.positive)


def test_a_blend_lies_between() -> None:
    mixed = taste_embedding(blend([(A, 1.0), (B, 1.0)]), GALLERY.space, guard=False)
    near = nearness(GALLERY, mixed.positive, GALLERY.media)
    assert set(np.argsort(near)[-2:]) == {0, 1}


def test_a_heavier_weight_tells() -> None:
    near = [
        nearness(
            GALLERY,
            taste_embedding(blend([(A, w), (B, 1.0)]), GALLERY.space, guard=False).positive,
            GALLERY.media,
        )
        for w in (0.1, 0.5, 2.0, 10.0)
    ]
    leaning = [row[0] - row[1] for row in near]
    assert leaning == sorted(leaning)
    assert leaning[0] < 0.0 < leaning[-1]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([A, B]), st.floats(-5, 5).filter(lambda w: abs(w) > 1e-3)),
        min_size=1,
        max_size=6,
    )
)
def test_a_blend_keeps_its_bounds(parts: list[tuple[bool, float]]) -> None:
    mixed = blend([(A if first else B, weight) for first, weight in parts])
    assert 1 <= len(mixed.liked) <= EXEMPLARS
    assert np.linalg.eigvalsh(mixed.posterior.cov).min() > 0.0


def test_tastes_learned_under_different_priors_blend() -> None:
    mixed = blend([(A, 1.0), (dataclasses.replace(B, space_version=3), 1.0)])
    assert mixed.space_version == 3
    np.testing.assert_array_equal(mixed.posterior.mean, blend([(A, 1.0), (B, 1.0)]).posterior.mean)


def test_tastes_of_different_models_are_refused() -> None:
    with pytest.raises(IncompatibleTastes, match="different models"):
        blend([(A, 1.0), (dataclasses.replace(B, encoder="another"), 1.0)])
    narrow = dataclasses.replace(B.liked, prompt=B.liked.prompt[:, :3])
    with pytest.raises(IncompatibleTastes, match="dimension"):
        blend([(A, 1.0), (dataclasses.replace(B, liked=narrow), 1.0)])
