"""When a worker leaves its model for another."""

import pytest

from worker.switching import LOADING, choose


@pytest.mark.parametrize(
    ("waiting", "for_seconds", "elsewhere", "chosen"),
    [
        ({}, 100.0, {}, None),
        ({"own": 5.0}, 100.0, {}, None),
        ({"other": 1.0}, 0.0, {}, "other"),  # nothing to do for the own one
        ({"other": 1.0, "third": 2.0}, 0.0, {}, "third"),
        ({"own": 1.0, "other": 9.0}, 5.0, {}, None),  # loaded a moment ago
        ({"own": 1.0, "other": 9.0}, 60.0, {}, "other"),
        ({"own": 9.0, "other": 1.0}, 60.0, {}, None),
        ({"other": 1.0}, 100.0, {"other": 99.0}, None),  # somebody holds it already
        ({"other": 61.0}, 100.0, {"other": 99.0}, "other"),  # who does not keep up
        ({"other": 61.0}, 100.0, {"other": 5.0}, None),  # who has only begun
        ({"other": 999.0}, 100.0, {"other": LOADING}, None),  # somebody is about to hold it
        ({"third": 1.0, "other": 2.0}, 100.0, {"other": 99.0}, "third"),
    ],
)
def test_the_model_that_jobs_wait_for_is_chosen(
    waiting: dict[str, float], for_seconds: float, elsewhere: dict[str, float], chosen: str | None
) -> None:
    found = choose("own", for_seconds=for_seconds, waiting=waiting, elsewhere=elsewhere, patience=60.0)
    assert found == chosen
