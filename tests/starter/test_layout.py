"""Latents say what is where and how it looks, apart."""

import numpy as np
import pytest

from starter import latents, layout, look
from starter.attributes import LIGHTS, MEDIA, PALETTES, Attributes


def cat(palette: str, medium: str) -> np.ndarray:
    return layout.layout(Attributes("cat", medium, palette, "day", "sparse"), 9)


def test_a_layout_knows_neither_palette_nor_medium() -> None:
    first = cat("sunset", "flat")
    assert first.shape == (layout.MAPS, 64, 64)
    assert np.array_equal(first, cat("ice", "mosaic"))
    assert not np.array_equal(first, cat("sunset", "papercut"))  # but for its sky of sheets


def test_the_figure_is_where_the_subject_is() -> None:
    figure = layout.layout(Attributes("balloon", "flat", "ocean", "day", "sparse"), 3)[4]
    high, low = (float(value) for value in (figure.max(), figure.min()))
    inside = (figure > (high + low) / 2).mean()
    assert 0.03 < inside < 0.6
    assert (figure[-2:] == low).all()  # it flies


def test_other_sizes_have_their_own_number_of_places() -> None:
    made = layout.layout(Attributes("train", "oil", "lime", "dusk", "busy"), 4, width=384, height=192)
    assert made.shape == (layout.MAPS, 48, 96)
    assert latents.folded(made[None]).shape == (1, layout.MAPS * 16, 12, 24)
    assert latents.places(24, 12).shape == (2, 12, 24)


@pytest.mark.parametrize(
    ("codes", "names"), [(look.media(), MEDIA), (look.palettes(), PALETTES), (look.lights(), LIGHTS)]
)
def test_codes_are_far_from_each_other(codes: np.ndarray, names: tuple[str, ...]) -> None:
    assert len(codes) == len(names)
    assert np.abs(codes.mean(0)).max() < 1e-6
    away = np.linalg.norm(codes[:, None] - codes[None], axis=-1)
    assert away[away > 0].min() > 2.4


def test_a_code_tells_medium_palette_and_light_in_turn() -> None:
    made = look.code(Attributes("train", "oil", "lime", "dusk", "busy"))
    assert made.shape == (look.CODE,)
    assert np.array_equal(made[:6], look.medium("oil"))
    assert np.array_equal(made[6:], np.concatenate([look.palette("lime"), look.light("dusk")]))


def test_neighbours_differ_in_their_numbers_and_every_fourth_diagonal_stands_out() -> None:
    column, row = latents.places(8, 8)
    assert (np.sign(column[:, :-1]) != np.sign(column[:, 1:])).all()
    assert (np.sign(row[:-1]) != np.sign(row[1:])).all()
    large = np.abs(column) > 1
    assert large.sum() == 16
    assert np.array_equal(large, large.T)


def test_the_first_directions_hold_most_and_deviate_by_one() -> None:
    rows = np.random.default_rng(1).normal(size=(4000, 5)) * np.array([3.0, 2.0, 1.0, 0.5, 0.1])
    into = latents.scaled(np.cov(rows.T, bias=True), 3)
    assert (rows @ into.T).std(0) == pytest.approx([1, (2 / 3) ** 0.5, (1 / 3) ** 0.5], abs=0.05)
