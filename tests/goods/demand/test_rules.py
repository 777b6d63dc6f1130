from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sanhe.goods.demand.rules import extend, lift_short, pooled_levels, unit_scale, velocity_class


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


def series(*rows: list[float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(rows, np.float32)


def test_a_new_item_is_expected_to_sell_like_the_same_sku_elsewhere() -> None:
    nan = float("nan")
    sales = series([9] * 4, [10] * 4, [11] * 4, [nan] * 4, [100] * 4)
    sku = np.array([0, 0, 0, 0, 1], np.int32)
    assert pooled_levels(sales, (sku,))[3] == pytest.approx(10.0)
    # Fewer than three like series tell nothing of their own: the level of all series holds.
    assert pooled_levels(sales, (sku,))[4] == pytest.approx((9 + 10 + 11 + 100) / 4)


def test_short_series_are_pulled_and_long_ones_are_left_alone() -> None:
    nan = np.nan
    sales = np.full((5, 30), 10, np.float32)
    sales[4, :23] = nan
    sales[4, 23:] = 20
    mean = np.repeat(sales[:, -1:], 7, axis=1)
    got = lift_short(mean, sales, (np.zeros(5, np.int32),))
    assert (got[:4] == mean[:4]).all()
    assert got[4] == pytest.approx((7 * 20 + 7 * 10) / 14)


@given(
    hnp.arrays(np.float32, (6, 10), elements=st.floats(0, 100, width=32)),
    hnp.arrays(np.int32, 6, elements=st.integers(0, 2)),
)
def test_a_pulled_level_lies_between_its_own_and_the_pooled(
    sales: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    group: np.ndarray[tuple[int, ...], np.dtype[np.int32]],
) -> None:
    own = sales.mean(1, keepdims=True).repeat(3, axis=1).astype(np.float32)
    pooled = pooled_levels(sales, (group,))
    got = lift_short(own, sales, (group,)).mean(1)
    low, high = np.minimum(own[:, 0], pooled), np.maximum(own[:, 0], pooled)
    assert ((got >= low - 1e-3) & (got <= high + 1e-3)).all()


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
