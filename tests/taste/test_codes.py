import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.taste.codes import EXEMPLARS, FrozenTaste, checksum, exemplars, freeze, from_bytes, to_bytes
from app.taste.errors import CorruptTaste, IncompatibleTastes
from app.taste.posterior import prior
from app.taste.space import fit_space, project
from tests.taste.gallery import make_gallery, taste_for
from tests.taste.people import flat_prior

GALLERY = make_gallery()
TASTE = taste_for(GALLERY, np.array([2.0, -2.0, 0.0, 0.0, 0.0, 0.0]))
BYTES = to_bytes(TASTE)


def same(one: FrozenTaste, other: FrozenTaste) -> bool:
    return to_bytes(one) == to_bytes(other)


def test_a_taste_survives_its_bytes() -> None:
    read = from_bytes(BYTES, checksum=checksum(TASTE))
    assert same(read, TASTE)
    assert (read.encoder, read.space_version, read.n_ratings) == ("test", 1, 200)
    np.testing.assert_array_equal(read.posterior.cov, TASTE.posterior.cov)
    np.testing.assert_array_equal(read.liked.embedding, TASTE.liked.embedding)


def test_the_bytes_do_not_depend_on_memory_layout() -> None:
    posterior = dataclasses.replace(TASTE.posterior, cov=np.asfortranarray(TASTE.posterior.cov))
    assert to_bytes(dataclasses.replace(TASTE, posterior=posterior)) == BYTES


def test_any_change_changes_the_checksum() -> None:
    more = dataclasses.replace(TASTE.posterior, count=201)
    assert checksum(dataclasses.replace(TASTE, posterior=more)) != checksum(TASTE)
    with pytest.raises(CorruptTaste, match="checksum"):
        from_bytes(BYTES, checksum="0" * 64)


@settings(deadline=None)
@given(st.integers(0, len(BYTES) - 1))
def test_bytes_cut_short_are_refused(length: int) -> None:
    with pytest.raises(CorruptTaste):
        from_bytes(BYTES[:length])


@settings(deadline=None)
@given(st.integers(0, 700), st.integers(1, 255))
def test_a_damaged_header_is_refused_or_still_a_taste(place: int, flip: int) -> None:
    damaged = bytearray(BYTES)
    damaged[place] ^= flip
    try:
        read = from_bytes(bytes(damaged))
    except CorruptTaste:
        return
    assert isinstance(read, FrozenTaste)


@pytest.mark.parametrize("data", [b"", b"PENCHANT-TASTE-1\n", b"\x80\x04pickle", BYTES + b"x"])
def test_what_is_no_taste_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptTaste):
        from_bytes(data)


def test_exemplars_are_the_best_and_the_worst_of_what_was_rated() -> None:
    assert len(TASTE.liked) == len(TASTE.disliked) == EXEMPLARS
    assert TASTE.liked.score.min() > 0.0 > TASTE.disliked.score.max()
    known = {row.tobytes() for row in GALLERY.embeddings.astype(np.float32)}
    assert all(
        row.tobytes() in known for row in np.concatenate([TASTE.liked.embedding, TASTE.disliked.embedding])
    )


def test_exemplars_do_not_repeat_an_image() -> None:
    liked, _ = exemplars(
        TASTE.posterior, GALLERY.space, np.repeat(GALLERY.embeddings[:10], 5, axis=0), np.zeros((50, 0))
    )
    assert len(np.unique(liked.embedding, axis=0)) == len(liked) == 4


def test_exemplars_are_diverse() -> None:
    """Of many near copies of the best image and a few others, not only the copies are taken."""
    value = project(GALLERY.space, GALLERY.embeddings) @ TASTE.posterior.weights
    best = GALLERY.embeddings[int(value.argmax())]
    copies = best + 1e-3 * np.random.default_rng(0).standard_normal((12, len(best)))
    others = GALLERY.embeddings[GALLERY.medium == 0][:30]
    images = np.concatenate([copies, others, GALLERY.embeddings[GALLERY.medium == 1]])
    liked, _ = exemplars(TASTE.posterior, GALLERY.space, images, np.zeros((len(images), 0)), limit=8)
    near = np.linalg.norm(liked.embedding - best, axis=1) < 0.1
    assert 1 <= near.sum() <= 4


def test_few_or_no_rated_images_are_no_error() -> None:
    for n in (0, 1, 2):
        taste = freeze(prior(GALLERY.space), GALLERY.space, GALLERY.embeddings[:n], GALLERY.prompts[:n])
        assert same(from_bytes(to_bytes(taste)), taste)
        assert len(taste.liked) == min(n, 1)


def test_a_taste_of_another_space_is_refused() -> None:
    other = fit_space(GALLERY.embeddings, 8, encoder="test", version=2)
    with pytest.raises(IncompatibleTastes):
        freeze(TASTE.posterior, other, GALLERY.embeddings, GALLERY.prompts)
    with pytest.raises(IncompatibleTastes):
        exemplars(flat_prior(3), GALLERY.space, GALLERY.embeddings, GALLERY.prompts)
