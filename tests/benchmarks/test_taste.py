import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.taste.__main__ import main
from benchmarks.taste.measure import run
from benchmarks.taste.simulated import write
from benchmarks.taste.studies import Study, expanded, load, split

PEOPLE, TESTED, EACH, ITEMS = 30, 12, 60, 40


def file_of_choices(folder: Path, **changes: NDArray[np.generic]) -> Path:
    """Simulated people who have most of their taste in common choose between items of three numbers."""
    rng = np.random.default_rng(0)
    items = rng.standard_normal((ITEMS, 3)).astype(np.float32)
    user = np.repeat(np.arange(PEOPLE), EACH)
    tastes = np.array([2.0, -1.0, 0.0]) + 0.8 * rng.standard_normal((PEOPLE, 3))
    a, b = rng.integers(ITEMS, size=(2, len(user)))
    value = ((items[a] - items[b]) * tastes[user]).sum(axis=1)
    y = np.where(a == b, 0.5, rng.random(len(user)) < 1.0 / (1.0 + np.exp(-value)))
    known = user >= TESTED
    columns = {"user": user, "a": a, "b": b, "y": y}
    arrays = {f"train_{name}": column[known] for name, column in columns.items()}
    arrays |= {f"test_{name}": column[~known] for name, column in columns.items()}
    path = folder / "choices.npz"
    np.savez(path, **({"items": items} | arrays | changes))
    return path


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return load(file_of_choices(tmp_path), by_item=False)


def test_the_figures_are_those_of_people_alike(study: Study) -> None:
    found = {(row.learner, row.pairs, row.n): row for row in run([study])}
    none, some = found["Penchant", "random", 0], found["Penchant", "random", 20]
    assert none.people == TESTED
    assert none.accuracy == found["prior alone", "random", 20].accuracy
    assert none.accuracy.value > 0.7
    assert some.accuracy.value > found["BT, no prior", "random", 20].accuracy.value
    assert some.log_loss
    assert none.log_loss
    assert some.log_loss.value < none.log_loss.value < np.log(2)
    assert 0.0 < some.accuracy.error < 0.1
    assert found["BT, no prior", "random", 0].accuracy.value == 0.5
    assert ("Penchant", "chosen", 20) in found
    assert max(n for _, _, n in found) <= EACH // 2


def test_tables_and_figures_come_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--npz", str(file_of_choices(tmp_path)), "--by-item", "--json", str(tmp_path / "out.json")])
    assert "| accuracy, %: n | people | Penchant, random | Penchant, chosen |" in capsys.readouterr().out
    (rows,) = json.loads((tmp_path / "out.json").read_text()).values()
    assert {"learner", "pairs", "n", "people", "accuracy", "log_loss", "ece", "chance"} == set(rows[0])


def test_the_simulated_file_can_be_read_and_is_always_the_same(tmp_path: Path) -> None:
    for name in ("one.npz", "other.npz"):
        write(tmp_path / name)
    one, other = (load(tmp_path / name, by_item=False) for name in ("one.npz", "other.npz"))
    assert one.items.shape == (900, 64)
    assert len(one.train) + len(one.test) == 100_000
    assert (one.test.y == other.test.y).all()


def test_by_item_no_item_stands_on_both_sides(tmp_path: Path) -> None:
    study = load(file_of_choices(tmp_path), by_item=True)
    for person in study.test.by_user().values():
        learned, asked = split(person, study, np.random.default_rng(1))
        assert len(learned)
        assert len(asked)
        assert not {*learned.a, *learned.b} & {*asked.a, *asked.b}


def test_a_pair_shown_twice_stays_on_one_side(study: Study) -> None:
    for person in study.test.by_user().values():
        twice = person.take(np.tile(np.arange(len(person)), 2))
        sides = split(twice, study, np.random.default_rng(1))
        learned, asked = ({frozenset(p) for p in zip(side.a, side.b, strict=True)} for side in sides)
        assert not learned & asked


@pytest.mark.parametrize(("kind", "more"), [("quadratic", 6), ("fourier", 32)])
def test_expanded_items_hold_the_plain_ones(study: Study, kind: str, more: int) -> None:
    items = expanded(study, kind).items
    assert items.shape == (ITEMS, 3 + more)
    for i in range(3):
        assert np.corrcoef(items[:, i], study.items[:, i])[0, 1] > 0.999


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"train_a": np.array([ITEMS] * EACH * (PEOPLE - TESTED))}, "not there"),
        ({"test_y": np.full(TESTED * EACH, 0.7)}, "tie"),
        ({"test_user": np.zeros(3, dtype=np.int64)}, "length"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(
    tmp_path: Path, changes: dict[str, NDArray[np.generic]], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        load(file_of_choices(tmp_path, **changes), by_item=False)


def test_missing_arrays_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "few.npz", items=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="train_user"):
        load(tmp_path / "few.npz", by_item=False)
