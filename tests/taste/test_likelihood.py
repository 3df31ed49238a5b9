import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.taste.errors import InvalidInput
from app.taste.likelihood import check_lapse, probability, pulls, slopes

LOGITS = st.floats(-15, 15)
OUTCOMES = st.sampled_from([0.0, 0.5, 1.0])
LAPSES = st.floats(1e-4, 0.4)


@settings(deadline=None)
@given(LOGITS, OUTCOMES, LAPSES)
def test_slopes_agree_with_finite_differences(z: float, outcome: float, lapse: float) -> None:
    step = 1e-4
    points = np.array([z - step, z, z + step])
    at = slopes(points, np.full(3, outcome), lapse=lapse)
    assert at.first[1] == pytest.approx((at.value[2] - at.value[0]) / (2 * step), abs=1e-6)
    assert at.second[1] == pytest.approx((at.first[2] - at.first[0]) / (2 * step), abs=1e-6)


@settings(deadline=None)
@given(LOGITS, LAPSES)
def test_information_is_the_expected_curvature(z: float, lapse: float) -> None:
    p = float(probability(np.array(z), lapse=lapse))
    yes, no = (slopes(np.array(z), np.array(y), lapse=lapse) for y in (1.0, 0.0))
    assert float(yes.information) == pytest.approx(-(p * float(yes.second) + (1 - p) * float(no.second)))


@settings(deadline=None)
@given(st.floats(-800, 800), OUTCOMES)
def test_slopes_stay_finite_far_out_and_never_exceed_one(z: float, outcome: float) -> None:
    at = slopes(np.array(z), np.array(outcome))
    assert np.isfinite(at).all()
    assert abs(at.first) <= 1.0


@pytest.mark.parametrize("lapse", [0.0, 1.0, -0.1, float("nan")])
def test_a_lapse_out_of_range_is_refused(lapse: float) -> None:
    with pytest.raises(InvalidInput, match="lapse"):
        check_lapse(lapse)


def test_pulls_are_the_slopes_of_the_same_name() -> None:
    z, outcome = np.linspace(-40, 40, 201), np.tile([0.0, 0.5, 1.0], 67)
    at = slopes(z, outcome, lapse=0.03)
    first, information = pulls(z, outcome, lapse=0.03)
    np.testing.assert_allclose(first, at.first, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(information, at.information, rtol=1e-9, atol=1e-13)
