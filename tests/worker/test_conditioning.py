"""From a spec to shots: what is painted together, how strongly, and with which taste."""

from itertools import pairwise

import numpy as np
import pytest
from sqlmodel import Session

from app.errors import NotFound
from app.models import Person
from app.presets import Adapter, Preset
from app.spec import Spec
from tests.worker import tiny
from tests.worker.tastes import make_space, make_taste, store_code
from worker.conditioning import LEAST_GUIDANCE, SIDES, Taste, load_taste, plan, shots

PRESET = Preset(
    name="tiny",
    title="Tiny",
    licence="Apache-2.0",
    folder="/nowhere",
    encoder=tiny.ENCODER,
    adapter=Adapter(max_scale=0.8),
    sizes=((64, 64),),
    steps=4,
    guidance=4.0,
)
VECTOR = np.ones(tiny.WIDTH, dtype=np.float32)


def spec(stylize: int = 100, tastes: tuple[tuple[str, float], ...] = (), **values: object) -> Spec:
    asked = Spec(text="a cat", **values)
    return asked.resolve(seed=7, stylize=stylize, model="tiny", steps=4, size=(64, 64), tastes=tastes)


@pytest.fixture(scope="module")
def taste() -> Taste:
    space = make_space()
    return Taste(make_taste(space), space)


def test_without_a_taste_a_grid_is_one_shot() -> None:
    parts = shots(spec(negative=("people", "text")), plan(spec(), PRESET, None, VECTOR))
    ((slots, shot),) = parts
    assert slots == (0, 1, 2, 3)
    assert shot.seeds == (7, 8, 9, 10)
    assert (shot.negative, shot.conditioning, shot.guidance) == ("people, text", None, 4.0)


def test_strength_rises_with_stylize_to_the_presets_maximum(taste: Taste) -> None:
    scales = []
    for stylize in (50, 100, 1000):
        first = plan(spec(stylize), PRESET, taste, VECTOR)[0].conditioning
        assert first is not None
        scales.append(first.scale)
        assert np.linalg.norm(first.positive) == pytest.approx(taste.space.norm)
    assert 0 < scales[0] < scales[1] < scales[2] <= 0.8


def test_a_taste_at_its_strongest_paints_the_grid_in_one_shot(taste: Taste) -> None:
    ((slots, shot),) = shots(spec(1000), plan(spec(1000), PRESET, taste, VECTOR))
    assert slots == (0, 1, 2, 3)
    assert shot.conditioning is not None


def test_a_grid_shows_every_side_of_a_taste_and_the_seed_says_which(taste: Taste) -> None:
    def sides(asked: Spec) -> list[bytes]:
        acting = [item.conditioning for item in plan(asked, PRESET, taste, VECTOR)]
        return [acts.positive.tobytes() for acts in acting if acts is not None]

    grid, (whole, *_) = sides(spec(n=4)), sides(spec(1000))
    assert len(set(grid)) == SIDES == 4
    assert whole in grid
    assert sides(spec(n=2)) == grid[:2]
    assert sides(spec(n=8)) == 2 * grid
    alone = spec(n=1).model_copy(update={"seed": spec().slot_seed(2)})
    assert sides(alone) == [grid[2]]


def test_chaos_with_a_taste_draws_one_for_each_slot_the_same_each_time(taste: Taste) -> None:
    asked = spec(chaos=100)
    first, again = (plan(asked, PRESET, taste, VECTOR) for _ in range(2))
    vectors = [item.conditioning.positive for item in first if item.conditioning is not None]
    assert len(shots(asked, first)) == 4
    assert len({vector.tobytes() for vector in vectors}) == 4
    assert all(
        np.array_equal(vector, item.conditioning.positive)
        for vector, item in zip(vectors, again, strict=True)
        if item.conditioning is not None
    )


def test_chaos_without_a_taste_lets_go_of_the_prompt() -> None:
    def guidance(asked: Spec) -> list[float]:
        return [item.guidance for item in plan(asked, PRESET, None, VECTOR)]

    for seed in (0, 7, 4_294_967_290):  # the last slots' seeds begin anew at 0
        grid = guidance(spec(chaos=100, n=8).model_copy(update={"seed": seed}))
        assert 4.0 * LEAST_GUIDANCE <= min(grid) < 0.5 * 4.0
        assert 0.85 * 4.0 < max(grid) <= 4.0
        assert min(b - a for a, b in pairwise(sorted(grid))) > 0.01 * 4.0
    # An image alone is that of the grid.
    asked = spec(chaos=60)
    alone = asked.model_copy(update={"seed": asked.slot_seed(2), "n": 1})
    assert guidance(alone) == [guidance(asked)[2]]
    assert guidance(spec()) == [4.0] * 4


def test_a_taste_is_loaded_only_where_it_acts(person: Person, session: Session) -> None:
    code = store_code(session, person)
    assert load_taste(session, spec=spec(tastes=((code, 1.0),))) is not None
    assert load_taste(session, spec=spec(0, tastes=((code, 1.0),))) is None
    assert load_taste(session, spec=spec()) is None


def test_a_blend_lies_between_and_a_missing_code_is_named(person: Person, session: Session) -> None:
    one = store_code(session, person, "tiny01", seed=1)
    two = store_code(session, person, "tiny02", seed=2)
    blended = load_taste(session, spec=spec(tastes=((one, 2.0), (two, -1.0))))
    assert blended is not None
    means = [make_taste(make_space(), seed=seed).posterior.mean for seed in (1, 2)]
    assert blended.blend.posterior.mean == pytest.approx((2 * means[0] - means[1]) / 3)
    with pytest.raises(NotFound, match="nosuch"):
        load_taste(session, spec=spec(tastes=(("nosuch", 1.0),)))
