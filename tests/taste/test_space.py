from pathlib import Path

import numpy as np
import pytest

from app.taste.errors import InvalidInput, InvalidSpace
from app.taste.space import PRIOR_LOGIT_VARIANCE, Space, dump_space, fit_space, load_space, project

EMBEDDINGS = np.random.default_rng(0).standard_normal((200, 12)) * np.linspace(3, 0.1, 12) + 5.0


@pytest.fixture
def space() -> Space:
    return fit_space(EMBEDDINGS, 4, encoder="test", version=3)


def test_places_are_white(space: Space) -> None:
    places = project(space, EMBEDDINGS)
    assert places.shape == (200, 4)
    np.testing.assert_allclose(places.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.cov(places.T), np.eye(4), atol=1e-12)


def test_the_default_prior_expects_choices_of_a_stated_clarity(space: Space) -> None:
    difference_variance = 2.0 * np.trace(space.prior_cov)
    assert difference_variance == pytest.approx(PRIOR_LOGIT_VARIANCE)


def test_fitting_is_deterministic_and_blind_to_order(space: Space) -> None:
    again = fit_space(EMBEDDINGS[::-1], 4, encoder="test", version=3)
    np.testing.assert_allclose(again.components, space.components, atol=1e-9)


def test_a_space_survives_its_file(space: Space, tmp_path: Path) -> None:
    data = dump_space(space)
    file = tmp_path / "space.npz"
    file.write_bytes(data)
    for read in (load_space(data), load_space(file)):
        assert (read.encoder, read.version, read.norm) == ("test", 3, space.norm)
        np.testing.assert_array_equal(project(read, EMBEDDINGS), project(space, EMBEDDINGS))


@pytest.mark.parametrize("damage", [b"", b"no zip", "cut", "shape"])
def test_a_damaged_file_is_refused(space: Space, tmp_path: Path, damage: bytes | str) -> None:
    data = dump_space(space)
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "shape":
        np.savez(tmp_path / "bad.npz", **{**np.load(_file(tmp_path, data)), "scales": np.ones(3)})
        data = (tmp_path / "bad.npz").read_bytes()
    else:
        data = bytes(damage, "ascii") if isinstance(damage, str) else damage
    with pytest.raises(InvalidSpace):
        load_space(data)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpace):
        load_space(tmp_path / "none.npz")


def test_what_cannot_be_a_space_is_refused(space: Space) -> None:
    with pytest.raises(InvalidInput, match="components"):
        fit_space(EMBEDDINGS[:4], 4, encoder="test", version=1)
    with pytest.raises(InvalidInput, match="directions"):
        fit_space(np.ones((20, 5)), 2, encoder="test", version=1)
    with pytest.raises(InvalidInput, match="shape"):
        project(space, EMBEDDINGS[:, :5])


def _file(folder: Path, data: bytes) -> Path:
    path = folder / "space.npz"
    path.write_bytes(data)
    return path
