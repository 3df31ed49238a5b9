"""Simulated people and what is counted about them; the tiny model paints through the worker's own code."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from app.presets import read_presets
from app.taste.posterior import confidence, prior
from app.taste.space import Space, project
from benchmarks.personalisation import history, known, measures, people
from benchmarks.personalisation.gallery import Gallery, prompts, subjects
from benchmarks.personalisation.measures import Judged, wins
from benchmarks.personalisation.sheet import sheet
from benchmarks.personalisation.studio import Images, Studio
from benchmarks.personalisation.table import Row, as_json, as_text
from benchmarks.personalisation.work import Plan, State, World, paint, units
from starter.attributes import HOW, SUBJECTS
from starter.judge import Judge
from tests.benchmarks.personalised import Obedient, make_gallery, make_space
from tests.worker import tiny
from worker.pipelines import load

PLAN = Plan(people=2, prompts=2, grid=2, part=1, few=1)


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return make_gallery()


@pytest.fixture(scope="module")
def space(gallery: Gallery) -> Space:
    return make_space(gallery)


@pytest.fixture(scope="module")
def world(gallery: Gallery, space: Space) -> World:
    return World(PLAN, gallery, space)


class Counting(Studio):
    """Counts what is painted, and can be made to stop."""

    painted = 0
    stops_after: int | None = None

    def paint(self, prompt: str, **options: object) -> Images:
        if self.painted == self.stops_after:
            raise KeyboardInterrupt
        self.painted += 1
        return super().paint(prompt, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, space: Space) -> Counting:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    preset = read_presets(tiny.build(tmp_path_factory.mktemp("tiny")))[tiny.NAME]
    return Counting(load(preset, device="cpu"), space, Judge().eval())


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, world: World, studio: Counting) -> Judged:
    """Everything painted, in two runs: the first is ended in the middle."""
    folder = tmp_path_factory.mktemp("state")
    studio.stops_after = 8
    with pytest.raises(KeyboardInterrupt):
        paint(world, State(folder), studio)
    studio.stops_after = None
    paint(world, State(folder), studio)
    return Judged(world, State(folder))


def test_people_agree_with_themselves_as_often_as_people_do(gallery: Gallery) -> None:
    rng = np.random.default_rng(0)
    for number in range(6):
        person = people.make(number, gallery.seen)
        utility = person.utility(gallery.seen)
        assert utility.mean() == pytest.approx(0, abs=1e-9)
        assert utility.std() == pytest.approx(1)
        a, b = rng.integers(len(utility), size=(2, 3000))
        said = [
            [person.answers(utility[i], utility[j], rng) for i, j in zip(a, b, strict=True)] for _ in range(2)
        ]
        agreed = np.mean([first == second for first, second in zip(*said, strict=True)])
        assert people.AGREEMENT[0] - 0.03 < agreed < people.AGREEMENT[1] + 0.03


def test_a_quarter_of_a_taste_is_interaction(gallery: Gallery) -> None:
    person = people.make(3, gallery.seen)
    effects = np.concatenate([gallery.seen[name] for name in HOW], axis=1)
    utility = person.utility(gallery.seen)
    linear, *_ = np.linalg.lstsq(effects, utility, rcond=None)
    left = float(np.var(utility - effects @ linear))
    assert 0.1 < left < 0.35
    assert people.make(3, gallery.seen).describe() == person.describe()
    assert people.make(4, gallery.seen).describe() != person.describe()


def test_what_may_be_seen_is_liked_by_its_mean(gallery: Gallery) -> None:
    person = people.make(0, gallery.seen)
    either = {name: seen[:1] / 2 + seen[1:2] / 2 for name, seen in gallery.seen.items()}
    pure = {**either, "palette": gallery.seen["palette"][:1], "light": gallery.seen["light"][:1]}
    one, other = (person.utility({**pure, "medium": gallery.seen["medium"][n : n + 1]})[0] for n in range(2))
    assert person.utility(pure)[0] == pytest.approx((one + other) / 2)


def test_a_history_has_no_pair_twice_and_teaches(gallery: Gallery, space: Space) -> None:
    for number, least in ((0, 0.65), (1, 0.58)):
        person = people.make(number, gallery.seen)
        rated = history.rate(person, 0, gallery, space, 200)
        met = {frozenset(pair) for pair in zip(rated.left.tolist(), rated.right.tolist(), strict=True)}
        assert len(met) == 200
        few, many = (history.learned(rated, count, gallery, space) for count in (40, 200))
        assert few.n_ratings == 40
        start = prior(space)
        assert confidence(many.posterior, start) > confidence(few.posterior, start)
        value = project(space, gallery.image) @ many.posterior.weights
        utility = person.utility(gallery.seen)
        rng = np.random.default_rng(1)
        a, b = rng.integers(len(value), size=(2, 2000))
        right = np.sign(value[a] - value[b]) == np.sign(utility[a] - utility[b])
        assert right.mean() > least


def test_a_confounded_history_is_of_two_subjects(world: World) -> None:
    ordinary, confounded = known.rows(world)[-1].values
    assert ordinary is None
    assert confounded is not None
    assert confounded > 50
    named = {prompt.subject for prompt in world.prompts(0)}
    assert not named & set(world.favourites(1).tolist())


def test_prompts_say_nothing_of_the_look_and_no_subject_twice(gallery: Gallery) -> None:
    said = prompts(2, 12, gallery)
    assert len({prompt.subject for prompt in said}) == 12
    assert not {prompt.text for prompt in said} & gallery.prompts
    assert said[:3] == prompts(2, 3, gallery)
    assert sorted(subjects(2)) == list(range(len(SUBJECTS)))
    with pytest.raises(ValueError, match="between 1 and 20"):
        prompts(0, 21, gallery)


def test_groups_are_of_two_people_at_least() -> None:
    for count in range(2, 14):
        plan = Plan(people=count)
        members = [plan.members(group) for group in plan.groups()]
        assert [number for group in members for number in group] == list(range(count))
        assert min(len(group) for group in members) >= 2


def test_equal_images_count_half() -> None:
    own = np.array([1.0, 0.0, 0.5, 0.5])
    assert wins(own, np.array([0.0, 1.0, 0.5, 0.505])) == 50
    assert wins(own, own - 1) == 100


@pytest.mark.parametrize(
    ("values", "bounds", "verdict"),
    [
        ([80.0, 81.0, 82.0], {"least": 76.0}, "met"),
        ([70.0, 77.0, 84.0], {"least": 76.0}, "met, within the error"),
        ([68.0, 75.0, 82.0], {"least": 76.0}, "missed, within the error"),
        ([1.0, 2.0, 3.0], {"most": 0.0}, "missed"),
        ([0.0], {"most": 0.0}, "met"),
        ([1.0, None], {}, ""),
        ([None, None], {"most": 0.0}, "not measured"),
    ],
)
def test_verdicts_know_the_error(
    values: Sequence[float | None], bounds: dict[str, float], verdict: str
) -> None:
    row = Row("what", values, **bounds)  # type: ignore[arg-type]
    assert row.verdict == verdict
    assert verdict in as_text([row], [False] * len(values))


def test_a_run_that_was_ended_goes_on(judged: Judged, studio: Counting) -> None:
    count = len(list(units(PLAN)))
    assert studio.painted == count + 3  # and the three images of the comparison at s = 0
    before = studio.painted
    paint(judged.world, judged.state, studio)
    assert studio.painted == before
    assert not list(judged.state.folder.glob("*.part"))


def test_the_whole_table_comes_out(judged: Judged, tmp_path: Path) -> None:
    rows = measures.rows(judged)
    found = {row.what: row for row in rows}
    assert found["largest difference of a pixel, s = 0"].verdict == "met"
    moved = [found[f"images moved, s = {s}"].mean for s in (50, 100, 1000)]
    assert 0 < moved[0] < moved[2]
    assert found["subjects of liked images leaking, s = 100"].values[0] is None
    text = as_text(rows, [False, True])
    for asked in (">= 76 %", ">= 90 %", ">= 75 %", ">= -5 points", "<= 3 points", "<= 2 points", ">= 85 %"):
        assert asked in text
    assert json.loads(json.dumps(as_json(rows)))[0]["what"] == "own profile against none, s = 50"
    page = sheet(judged)
    page.save(tmp_path / "sheet.png")
    assert page.width > 2 * 160


def test_a_painter_who_follows_the_taste_is_found_out(gallery: Gallery, space: Space, tmp_path: Path) -> None:
    world = World(Plan(people=8, prompts=4, grid=4, part=4, few=4), gallery, space)
    paint(world, State(tmp_path), Obedient(world))
    found = {row.what: row for row in measures.rows(Judged(world, State(tmp_path)))}
    some, all_of_it = (found[f"own profile against none, s = {s}"].mean for s in (50, 1000))
    assert 50 < some < all_of_it
    assert all_of_it > 75
    assert found["own profile against another's, s = 1000"].mean > 65
    assert found["subject recognised, s = 0"].mean == 100
    assert found["subject recognised less often, s = 1000"].mean == 0
    assert found["subjects of liked images leaking, s = 100"].verdict == "met"
    assert len(found["subjects of liked images leaking, s = 100"].known) == 4
    assert found["diversity inside a grid, of the unpersonalised, s = 1000"].mean < 85
    assert found["largest difference of a pixel, s = 0"].verdict == "met"
    assert found["images moved, s = 1000"].mean > found["images moved, s = 50"].mean > 0
