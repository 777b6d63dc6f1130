from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sanhe.goods.demand.rules import extend, unit_scale, velocity_class


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
