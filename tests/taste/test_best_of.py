import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.taste.best_of import choose, values
from app.taste.errors import IncompatibleTastes, InvalidInput
from tests.taste.gallery import make_gallery, taste_for

GALLERY = make_gallery()
TASTE = taste_for(GALLERY, np.array([3.0, -3.0, 0.0, 0.0, 0.0, 0.0]))


def test_images_of_the_liked_kind_are_worth_most_and_of_the_disliked_least() -> None:
    worth = values(TASTE, GALLERY.space, GALLERY.embeddings)
    means = [worth[GALLERY.medium == medium].mean() for medium in range(6)]
    assert np.argmax(means) == 0
    assert np.argmin(means) == 1
    with pytest.raises(IncompatibleTastes):
        values(dataclasses.replace(TASTE, space_version=9), GALLERY.space, GALLERY.embeddings)


def test_the_most_valued_is_chosen_and_the_earliest_of_equals() -> None:
    assert choose(np.array([0.1, 0.7, 0.4]), floor=1.0) == 1
    assert choose(np.array([0.7, 0.7]), floor=1.0) == 0


def test_a_candidate_that_leaves_the_prompt_is_out() -> None:
    value = np.array([0.1, 0.9, 0.5])
    assert choose(value, np.array([0.30, 0.20, 0.29]), floor=0.95) == 2
    assert choose(value, np.array([0.30, 0.20, 0.29]), floor=0.5) == 1
    assert choose(value, np.array([0.30, 0.20, 0.29]), floor=1.0) == 0
    assert choose(value, np.array([-0.10, -0.12, -0.104]), floor=0.95) == 2


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(-1, 1)), min_size=1, max_size=8),
    st.floats(0, 1),
)
def test_what_is_chosen_is_never_worth_less_than_the_first_nor_below_the_floor(
    candidates: list[tuple[float, float]], floor: float
) -> None:
    value, alignment = np.array(candidates).T
    chosen = choose(value, alignment, floor=floor)
    assert value[chosen] >= value[0]
    assert alignment[chosen] >= alignment[0] - (1.0 - floor) * abs(alignment[0]) - 1e-12


def test_what_cannot_be_chosen_from_is_refused() -> None:
    for value, alignment, floor in (
        (np.array([]), None, 0.5),
        (np.array([1.0]), None, 1.5),
        (np.array([np.nan]), None, 0.5),
        (np.array([1.0, 2.0]), np.array([1.0]), 0.5),
    ):
        with pytest.raises(InvalidInput):
            choose(value, alignment, floor=floor)
