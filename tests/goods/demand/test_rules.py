from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sanhe.goods.demand.rules import extend, span_sums, unit_scale, velocity_class


@pytest.mark.parametrize(
    ("unit", "scale", "counted"),
    [
        ("each", 1.0, True),
        (None, 1.0, True),
        ("", 1.0, True),
        ("bottle", 1.0, True),
        ("g", 0.001, False),
        ("ML", 0.001, False),
        ("0.01 each", 0.01, False),
        ("12 each", 1.0, True),
        ("0 each", 1.0, True),
    ],
)
def test_units_that_are_no_pieces_are_measured(
    unit: str | None, scale: float, counted: bool
) -> None:
    assert unit_scale(unit) == (scale, counted)


def test_velocity_classes_have_hard_edges() -> None:
    names = velocity_class(np.array([5.0, 4.99, 1.0, 0.99, 0.2, 0.19, 0.0]))
    assert names.tolist() == [
        "fast",
        "medium",
        "medium",
        "slow",
        "slow",
        "intermittent",
        "intermittent",
    ]


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 20)),
        elements=st.floats(0, 50, width=32),
    ),
    st.integers(1, 60),
)
def test_a_forecast_goes_on_at_its_last_week(
    mean: np.ndarray[tuple[int, ...], np.dtype[np.float32]], days: int
) -> None:
    have = mean.shape[1]
    got = extend(mean, days)
    assert got.shape == (len(mean), days)
    kept = min(have, days)
    assert (got[:, :kept] == mean[:, :kept]).all()
    if have >= 7:
        assert all((got[:, h] == got[:, h - 7]).all() for h in range(have, days))
    elif days > have:
        assert np.allclose(got[:, have:], mean.mean(1, keepdims=True), atol=1e-3)


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.integers(1, 30)),
        elements=st.floats(0, 9, width=32),
    ),
    st.integers(0, 60),
    st.data(),
)
def test_sums_of_days_are_those_of_the_days_laid_out(
    mean: np.ndarray, start_days: int, data: st.DataObject
) -> None:
    series = len(mean)
    days = np.array(data.draw(st.lists(st.integers(0, 90), min_size=series, max_size=series)))
    laid_out = extend(mean, start_days + 91).astype(np.float64)
    told = [laid_out[n, start_days : start_days + days[n]].sum() for n in range(series)]
    np.testing.assert_allclose(
        span_sums(mean, days, start_days=start_days), told, rtol=1e-9, atol=1e-9
    )
    half = span_sums(mean, days + 0.5, start_days=start_days)
    begun = [laid_out[n, start_days + days[n]] / 2 for n in range(series)]
    np.testing.assert_allclose(half, np.add(told, begun), rtol=1e-6, atol=1e-6)
