import numpy as np
import pytest

from app.taste.comparisons import TYPICAL_WEIGHT, Answer, Comparisons, compare, join, like
from app.taste.errors import InvalidInput

LEFT = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0], [5.0, 0.0]])
RIGHT = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 3.0], [0.0, 4.0], [0.0, 5.0]])


def test_every_answer_says_what_it_means() -> None:
    said = compare([Answer.LEFT, Answer.RIGHT, Answer.TIE, Answer.BOTH_BAD, Answer.SKIP], LEFT, RIGHT)
    assert said.outcome.tolist() == [1.0, 0.0, 0.5, 0.0, 0.0]
    assert said.difference.tolist() == [[1, -1], [2, -2], [3, -3], [4, 0], [0, 4]]
    assert said.weight.tolist() == [1.0, 1.0, 1.0, TYPICAL_WEIGHT, TYPICAL_WEIGHT]
    assert said.side.tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert said.count == 4


def test_answers_come_as_their_words_too() -> None:
    assert compare(["left"], LEFT[:1], RIGHT[:1]).outcome.tolist() == [1.0]  # type: ignore[list-item]
    with pytest.raises(ValueError, match="maybe"):
        compare(["maybe"], LEFT[:1], RIGHT[:1])  # type: ignore[list-item]


def test_a_skip_says_nothing() -> None:
    said = compare([Answer.SKIP], LEFT[:1], RIGHT[:1])
    assert len(said) == 0
    assert said.count == 0
    assert said.difference.shape == (0, 2)


def test_a_like_sets_an_image_above_the_typical_one() -> None:
    said = like(LEFT[:2], liked=True)
    assert said.outcome.tolist() == [1.0, 1.0]
    assert said.difference.tolist() == LEFT[:2].tolist()
    assert said.count == 2
    assert like(LEFT[:2], liked=False).outcome.tolist() == [0.0, 0.0]


def test_joining_keeps_order_and_adds_counts() -> None:
    whole = compare([Answer.LEFT, Answer.RIGHT], LEFT[:2], RIGHT[:2])
    parts = [compare([Answer.LEFT], LEFT[:1], RIGHT[:1]), compare([Answer.RIGHT], LEFT[1:2], RIGHT[1:2])]
    joined = join(parts)
    np.testing.assert_array_equal(joined.rows, whole.rows)
    assert joined.count == 2


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInput, match="right"):
        compare([Answer.LEFT], LEFT[:1], RIGHT[:2])
    with pytest.raises(InvalidInput, match="finite"):
        compare([Answer.LEFT], np.array([[np.nan, 0.0]]), RIGHT[:1])
    with pytest.raises(InvalidInput, match="nothing"):
        join([])
    with pytest.raises(InvalidInput, match="dimensions"):
        join([like(LEFT, liked=True), like(np.ones((1, 3)), liked=True)])
    with pytest.raises(InvalidInput, match="outcomes"):
        Comparisons(np.ones((1, 2)), np.array([2.0]), np.ones(1), np.ones(1), 1)
