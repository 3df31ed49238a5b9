"""When a worker leaves its model for another."""

import pytest

from worker.switching import choose


@pytest.mark.parametrize(
    ("waiting", "for_seconds", "elsewhere", "chosen"),
    [
        ({}, 100.0, set(), None),
        ({"own": 5.0}, 100.0, set(), None),
        ({"other": 1.0}, 0.0, set(), "other"),  # nothing to do for the own one
        ({"other": 1.0, "third": 2.0}, 0.0, set(), "third"),
        ({"own": 1.0, "other": 9.0}, 5.0, set(), None),  # loaded a moment ago
        ({"own": 1.0, "other": 9.0}, 60.0, set(), "other"),
        ({"own": 9.0, "other": 1.0}, 60.0, set(), None),
        ({"other": 1.0}, 100.0, {"other"}, None),  # somebody holds it already
        ({"other": 61.0}, 100.0, {"other"}, "other"),  # who does not keep up
        ({"third": 1.0, "other": 2.0}, 100.0, {"other"}, "third"),
    ],
)
def test_the_model_that_jobs_wait_for_is_chosen(
    waiting: dict[str, float], for_seconds: float, elsewhere: set[str], chosen: str | None
) -> None:
    found = choose("own", for_seconds=for_seconds, waiting=waiting, elsewhere=elsewhere, patience=60.0)
    assert found == chosen
