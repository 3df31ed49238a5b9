import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.taste.arrays import Array
from app.taste.blend import blend
from app.taste.codes import freeze
from app.taste.conditioning import (
    aversion,
    sample,
    strength,
    taste_embedding,
    taste_sides,
    variety,
    without_content,
)
from app.taste.errors import IncompatibleTastes, InvalidInput
from app.taste.moodboard import collect
from app.taste.posterior import prior
from tests.taste.gallery import make_gallery, nearness, taste_for

GALLERY = make_gallery()
VALUES = np.array([3.0, -3.0, 0.0, 0.0, 0.0, 0.0])
TASTE = taste_for(GALLERY, VALUES)


@settings(deadline=None)
@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 1), st.floats(0, 2))
def test_strength_rises_with_stylize(s: float, t: float, confidence: float, maximum: float) -> None:
    weak, strong = (strength(x, confidence, maximum) for x in sorted([s, t]))
    assert 0.0 <= weak <= strong <= maximum


def test_strength_at_the_ends() -> None:
    assert strength(0, 1.0, 0.8) == 0.0
    assert strength(1000, 1.0, 0.8) == pytest.approx(0.8)
    assert strength(250, 0.5, 0.8) == pytest.approx(0.2)
    for wrong in (
        (-1, 0.5, 1.0),
        (1001, 0.5, 1.0),
        (100, 1.5, 1.0),
        (100, 0.5, -1.0),
        (float("nan"), 0.5, 1.0),
    ):
        with pytest.raises(InvalidInput):
            strength(*wrong)


@pytest.mark.parametrize("guard", [True, False])
@pytest.mark.parametrize("n", [40, 200])
def test_the_embedding_is_the_liked_kind_and_the_negative_the_disliked(guard: bool, n: int) -> None:
    found = taste_embedding(taste_for(GALLERY, VALUES, n), GALLERY.space, guard=guard)
    assert nearness(GALLERY, found.positive, GALLERY.media).argmax() == 0
    assert nearness(GALLERY, found.negative, GALLERY.media).argmax() == 1


def test_it_is_as_sharp_as_an_image() -> None:
    """Seen from the typical image, it is at least as far towards the liked kind as that kind's images are."""
    found = taste_embedding(TASTE, GALLERY.space, guard=False)
    images = GALLERY.embeddings[GALLERY.medium == 0]
    typical = np.median([nearness(GALLERY, image, GALLERY.media)[0] for image in images])
    assert nearness(GALLERY, found.positive, GALLERY.media)[0] > typical
    distance = np.linalg.norm(images - GALLERY.space.centre, axis=1)
    assert np.linalg.norm(found.positive - GALLERY.space.centre) > 0.9 * np.median(distance)


def test_sides_begin_with_the_whole_and_are_all_of_what_is_liked() -> None:
    sides = taste_sides(TASTE, GALLERY.space, count=6, variety=1.0, guard=False)
    assert np.array_equal(sides[0].positive, taste_embedding(TASTE, GALLERY.space, guard=False).positive)
    assert all(nearness(GALLERY, side.positive, GALLERY.media).argmax() == 0 for side in sides)
    assert all(np.array_equal(side.negative, sides[0].negative) for side in sides)
    assert [np.linalg.norm(side.positive) for side in sides] == pytest.approx([GALLERY.space.norm] * 6)


def test_sides_differ_more_the_more_variety_there_is() -> None:
    def spread(variety: float) -> float:
        sides = taste_sides(TASTE, GALLERY.space, count=4, variety=variety, guard=True)
        places = np.stack([side.positive for side in sides])
        return float(np.linalg.norm(places[:, None] - places, axis=-1).mean())

    assert 0.0 == spread(0.0) < spread(0.3) < spread(1.0)
    assert variety(0) == 1.0 > variety(100) > variety(500) > variety(1000) == 0.0


def test_the_stronger_a_taste_the_less_it_is_painted_away_from_what_is_disliked() -> None:
    def negative(aversion: float) -> Array:
        sides = taste_sides(TASTE, GALLERY.space, count=2, aversion=aversion, guard=False)
        assert np.array_equal(sides[0].positive, taste_embedding(TASTE, GALLERY.space, guard=False).positive)
        return sides[1].negative

    whole, half, none = (negative(share) for share in (1.0, 0.5, 0.0))
    assert np.array_equal(whole, taste_embedding(TASTE, GALLERY.space, guard=False).negative)
    centre = GALLERY.space.centre
    assert np.allclose(none / GALLERY.space.norm, centre / np.linalg.norm(centre))
    away = [float(np.linalg.norm(vector - none)) for vector in (whole, half)]
    assert 0.0 < away[1] < away[0]
    assert np.linalg.norm(half) == pytest.approx(GALLERY.space.norm)
    assert aversion(0) == 1.0 > aversion(100) > aversion(500) > aversion(1000) == 0.0
    with pytest.raises(InvalidInput):
        negative(1.5)


def test_where_nothing_is_liked_the_disliked_stays_what_is_painted_away_from() -> None:
    turned = blend([(collect(GALLERY.space, GALLERY.embeddings[:9], GALLERY.prompts[:9]), -1.0)])
    assert not len(turned.liked)
    strong, weak = (
        taste_sides(turned, GALLERY.space, count=1, aversion=aversion(s), guard=False)[0] for s in (1000, 1)
    )
    assert np.array_equal(strong.negative, weak.negative)


def test_it_has_the_encoders_length() -> None:
    for guard in (True, False):
        found = taste_embedding(TASTE, GALLERY.space, GALLERY.prompts[0], guard=guard)
        assert np.linalg.norm(found.positive) == pytest.approx(GALLERY.space.norm)
        assert np.linalg.norm(found.negative) == pytest.approx(GALLERY.space.norm)


def test_of_two_likings_one_is_taken_and_not_the_blur_between() -> None:
    found = taste_embedding(
        taste_for(GALLERY, np.array([3.0, 0, 0, 3.0, 0, 0])), GALLERY.space, step=0.0, guard=False
    )
    first, second = np.sort(nearness(GALLERY, found.positive, GALLERY.media))[-1:-3:-1]
    assert first > second + 0.3


def test_the_guard_takes_the_subject_out_and_leaves_the_medium() -> None:
    """Who likes a medium and a subject gets the medium in images of something else."""
    gallery = make_gallery(subject_size=0.9)
    taste = taste_for(gallery, VALUES, 400, subjects=3.0 * np.eye(10)[3])
    leaky, guarded = (taste_embedding(taste, gallery.space, guard=guard) for guard in (False, True))
    leak = [nearness(gallery, found.positive, gallery.subjects)[3] for found in (leaky, guarded)]
    kept = [nearness(gallery, found.positive, gallery.media)[0] for found in (leaky, guarded)]
    assert leak[1] < 0.5 * leak[0]
    assert kept[1] > kept[0]


def test_the_guard_takes_a_frequent_subject_out_of_a_moodboard() -> None:
    """Where there is nothing disliked to compare with, the images' own differences tell what is subject."""
    gallery = make_gallery(subject_size=0.9)
    liked = np.flatnonzero(gallery.medium == 0)
    often, other = liked[gallery.subject[liked] == 3][:8], liked[gallery.subject[liked] != 3][:12]
    rows = np.concatenate([often, other])
    taste = collect(gallery.space, gallery.embeddings[rows], gallery.prompts[rows])
    leaky, guarded = (taste_embedding(taste, gallery.space, guard=guard) for guard in (False, True))
    leak = [nearness(gallery, found.positive, gallery.subjects)[3] for found in (leaky, guarded)]
    kept = [nearness(gallery, found.positive, gallery.media)[0] for found in (leaky, guarded)]
    assert leak[1] < 0.7 * leak[0]
    assert kept[1] > 0.9 * kept[0]
    assert nearness(gallery, guarded.positive, gallery.media).argmax() == 0
    alone = collect(gallery.space, gallery.embeddings[rows[:1]], gallery.prompts[rows[:1]])
    assert np.isfinite(taste_embedding(alone, gallery.space, guard=True).positive).all()


def test_the_guard_takes_out_what_prompts_predict_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    prompts = rng.standard_normal((60, 8))
    style = rng.standard_normal((60, 5))
    unpredicted = without_content(style, prompts)
    assert np.linalg.norm(unpredicted - style) < 0.35 * np.linalg.norm(style)
    directions = prompts / np.linalg.norm(prompts, axis=1, keepdims=True)
    shown = directions @ rng.standard_normal((8, 5)) * 3.0
    left = without_content(shown + 0.1 * style, prompts)
    assert np.linalg.norm(left - left.mean(axis=0)) < 0.2 * np.linalg.norm(shown - shown.mean(axis=0))


def test_the_guard_leaves_unknown_equal_and_too_few_prompts_alone() -> None:
    embedding = np.random.default_rng(0).standard_normal((20, 4))
    for prompts in (np.zeros((20, 3)), np.ones((20, 3)), np.eye(20)[:, :2], np.zeros((20, 0))):
        np.testing.assert_allclose(without_content(embedding, prompts), embedding)


def test_a_prompt_draws_on_exemplars_like_it() -> None:
    bare = taste_embedding(TASTE, GALLERY.space, guard=False)
    for subject in range(3):
        prompt = GALLERY.prompts[GALLERY.subject == subject][0]
        aware = taste_embedding(TASTE, GALLERY.space, prompt, kappa=6.0, guard=False)
        seen = [nearness(GALLERY, e.positive, GALLERY.subjects)[subject] for e in (bare, aware)]
        assert seen[1] > seen[0]
        assert nearness(GALLERY, aware.positive, GALLERY.media).argmax() == 0


def test_a_taste_without_exemplars_points_where_it_can() -> None:
    empty = freeze(TASTE.posterior, GALLERY.space, GALLERY.embeddings[:0], GALLERY.prompts[:0])
    found = taste_embedding(empty, GALLERY.space, GALLERY.prompts[0], guard=True)
    assert nearness(GALLERY, found.positive, GALLERY.media).argmax() == 0


def test_a_taste_that_knows_nothing_is_still_an_image() -> None:
    blank = freeze(prior(GALLERY.space), GALLERY.space, GALLERY.embeddings[:9], GALLERY.prompts[:9])
    found = taste_embedding(blank, GALLERY.space, guard=True)
    assert np.isfinite(found.positive).all()
    origin = dataclasses.replace(GALLERY.space, centre=np.zeros(len(GALLERY.space.centre)))
    nothing = freeze(prior(origin), origin, GALLERY.embeddings[:0], GALLERY.prompts[:0])
    with pytest.raises(InvalidInput, match="neither"):
        taste_embedding(nothing, origin, guard=False)


def test_chaos_draws_from_the_posterior() -> None:
    rng = np.random.default_rng(0)
    assert sample(TASTE, rng, 0.0) is TASTE
    draws = np.array([sample(TASTE, rng, 100.0).posterior.mean for _ in range(4000)])
    np.testing.assert_allclose(np.cov(draws.T), TASTE.posterior.cov, atol=0.03)
    np.testing.assert_allclose(draws.mean(axis=0), TASTE.posterior.mean, atol=0.03)
    near = np.array([sample(TASTE, rng, 10.0).posterior.mean for _ in range(200)])
    assert near.std(axis=0).mean() == pytest.approx(0.1 * draws.std(axis=0).mean(), rel=0.1)
    with pytest.raises(InvalidInput, match="spread"):
        sample(TASTE, rng, 101.0)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(IncompatibleTastes):
        taste_embedding(dataclasses.replace(TASTE, space_version=9), GALLERY.space, guard=False)
    with pytest.raises(InvalidInput, match="temperature"):
        taste_embedding(TASTE, GALLERY.space, temperature=0.0, guard=False)
    with pytest.raises(InvalidInput, match="prompt"):
        taste_embedding(TASTE, GALLERY.space, np.ones(5), guard=False)
