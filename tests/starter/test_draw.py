"""Drawn pictures: the same seed gives the same pixels, every combination paints something, at any size."""

import numpy as np
import pytest
import skia

from starter.attributes import FORMS, MEDIA, NAMES, SUBJECTS, Attributes, balanced, from_codes, is_held_out
from starter.draw import draw, mirrored, sheet, view
from starter.scene import Scene


@pytest.mark.parametrize("medium", MEDIA)
def test_same_attributes_and_seed_give_the_same_pixels(medium: str) -> None:
    attributes = Attributes("sailboat", medium, "ocean", "dusk", "busy", "rain", "autumn", "wide")
    first = draw(attributes, 5, width=192, height=128)
    assert first.shape == (128, 192, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, draw(attributes, 5, width=192, height=128))
    assert not np.array_equal(first, draw(attributes, 6, width=192, height=128))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_form_of_every_subject_paints_at_every_light_and_density(subject: str) -> None:
    for form in FORMS[subject]:
        for light in NAMES["light"]:
            for density in NAMES["density"]:
                image = draw(
                    Attributes(subject, "flat", "royal", light, density, form=form), 1, width=64, height=64
                )
                assert image.std() > 5


@pytest.mark.parametrize("name", ["weather", "season", "framing", "symmetry"])
def test_weather_season_framing_and_symmetry_show(name: str) -> None:
    plain = Attributes("castle", "flat", "ocean", "day", "balanced")
    drawn = {
        value: draw(Attributes(**{**plain.as_dict(), name: value}), 3, width=64, height=64).astype(int)
        for value in NAMES[name]
    }
    first = drawn.pop(plain.as_dict()[name])
    assert all(np.abs(image - first).mean() > 0.3 for image in drawn.values())


def test_night_is_darker_than_day() -> None:
    means = {
        light: np.mean(
            [draw(Attributes(s, "flat", "ocean", light, "balanced"), 2, width=64, height=64).mean()
             for s in SUBJECTS]
        )
        for light in NAMES["light"]
    }  # fmt: skip
    assert means["night"] < means["dusk"] < means["day"]


def test_attributes_are_even_and_independent_and_come_back_from_their_codes() -> None:
    codes = balanced(9000, 3)
    assert codes.shape == (9000, len(NAMES) + 1)
    for column, name in enumerate(("subject", "medium", "palette", "light", "density")):
        counts = np.bincount(codes[:, column], minlength=len(NAMES[name]))
        assert counts.min() > 0.5 * counts.mean()
    spread = np.corrcoef(codes[:, 1], codes[:, 4])[0, 1]
    assert abs(spread) < 0.05
    assert from_codes(codes[7]).codes() == codes[7].tolist()


def test_held_out_pairs_never_meet_in_training_and_always_in_evaluation() -> None:
    assert not is_held_out(balanced(2000, 5)).any()
    assert is_held_out(balanced(300, 5, unseen=True)).all()


def test_a_mirrored_scene_is_its_own_reflection_but_for_the_subject() -> None:
    scene = Scene(np.random.default_rng(0))
    scene.rect(10, 10, 20, 20, "main")
    scene.rect(90, 10, 20, 20, "far")
    with scene.subject():
        scene.circle(80, 80, 10, "accent")
    shapes = mirrored(scene.shapes)
    assert [shape.role for shape in shapes] == ["main", "accent"]
    assert shapes[0].path.contains(20, 20)
    assert shapes[0].path.contains(108, 20)
    assert not shapes[0].path.contains(64, 20)


def test_a_view_keeps_the_square_in_the_middle_and_leaves_out_what_it_does_not_show() -> None:
    scene = Scene(np.random.default_rng(0))
    scene.circle(64, 64, 4, "main")
    scene.circle(-100, 64, 4, "main")
    near = view(scene.shapes, 256, 128, 1.0)
    (shape,) = near.shapes
    bounds = shape.path.getBounds()
    assert (bounds.centerX(), bounds.centerY()) == (128, 64)
    assert len(view(scene.shapes, 512, 128, 1.0).shapes) == 2
    assert isinstance(shape.path, skia.Path)


def test_a_sheet_keeps_every_image() -> None:
    images = [np.full((4, 4, 3), value, np.uint8) for value in (10, 20, 30)]
    page = sheet(images, 2)
    assert page.shape == (10, 10, 3)
    assert page[6, 0, 0] == 30
