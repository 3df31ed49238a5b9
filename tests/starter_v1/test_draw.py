"""Drawn pictures: the same seed gives the same pixels, every combination paints something."""

import numpy as np
import pytest

from starter_v1.attributes import MEDIA, NAMES, SUBJECTS, Attributes, balanced, from_codes
from starter_v1.draw import draw, sheet


@pytest.mark.parametrize("medium", MEDIA)
def test_same_attributes_and_seed_give_the_same_pixels(medium: str) -> None:
    attributes = Attributes("sailboat", medium, "ocean", "dusk", "busy")
    first = draw(attributes, 5)
    assert first.shape == (128, 128, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, draw(attributes, 5))
    assert not np.array_equal(first, draw(attributes, 6))


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("light", NAMES["light"])
def test_every_subject_paints_at_every_density(subject: str, light: str) -> None:
    for density in NAMES["density"]:
        image = draw(Attributes(subject, "flat", "royal", light, density), 1)
        assert image.std() > 5


def test_night_is_darker_than_day() -> None:
    means = {
        light: np.mean([draw(Attributes(s, "flat", "ocean", light, "balanced"), 2).mean() for s in SUBJECTS])
        for light in NAMES["light"]
    }
    assert means["night"] < means["dusk"] < means["day"]


def test_attributes_are_balanced_and_come_back_from_their_codes() -> None:
    codes = balanced(10_800, 3)
    assert len(np.unique(codes, axis=0)) == 10_800
    attributes = from_codes(codes[7])
    assert attributes.codes() == codes[7].tolist()


def test_a_sheet_keeps_every_image() -> None:
    images = [np.full((4, 4, 3), value, np.uint8) for value in (10, 20, 30)]
    page = sheet(images, 2)
    assert page.shape == (10, 10, 3)
    assert page[6, 0, 0] == 30
