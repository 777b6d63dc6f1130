"""Simple methods against values worked out by hand."""

import dataclasses
import datetime

import numpy as np
import pytest

from sanhe.models.forecast import (
    Panel,
    same_weekday_mean,
    sba,
    seasonal_naive,
    tsb,
    weekday_profile,
)


def panel(sales: list[list[float]], horizon_days: int = 7) -> Panel:
    values = np.array(sales, np.float32)
    n, t = values.shape
    return Panel(
        sales=values,
        in_stock=np.ones((n, t), np.float32),
        opened_empty=np.zeros((n, t), bool),
        static=np.zeros((n, 0), np.int32),
        static_names=(),
        known=np.zeros((n, t + horizon_days, 0), np.float32),
        known_names=(),
        first_day=datetime.date(2024, 1, 1),
        horizon_days=horizon_days,
    )


def test_seasonal_naive_repeats_last_week_beyond_one_week() -> None:
    made = seasonal_naive(panel([list(range(14))], horizon_days=9))
    assert made.tolist() == [[7, 8, 9, 10, 11, 12, 13, 7, 8]]


def test_same_weekday_mean_leaves_out_days_not_seen() -> None:
    days = [1.0] * 7 + [3.0] * 7 + [5.0] * 7
    days[0] = float("nan")
    made = same_weekday_mean(panel([days]), weeks=3)
    assert made[0].tolist() == [4, 3, 3, 3, 3, 3, 3]


def test_short_series_falls_back_to_its_mean() -> None:
    nan = float("nan")
    made = same_weekday_mean(panel([[nan, nan, 2.0], [nan, nan, nan]]))
    assert made[0].tolist() == [2.0] * 7
    assert made[1].tolist() == [0.0] * 7


def test_sba_rate_of_a_regular_pattern() -> None:
    made = sba(panel([[0, 0, 0, 6] * 14]), alpha=0.1)
    assert made.mean() == pytest.approx(0.95 * 6 / 4, rel=1e-5)


def test_tsb_dies_down_where_sba_stays() -> None:
    days = [[0, 0, 0, 6] * 14 + [0] * 56]
    assert tsb(panel(days)).mean() < 0.2
    assert sba(panel(days)).mean() == pytest.approx(0.95 * 6 / 4, rel=1e-5)


def test_weekday_profile_of_a_short_series_is_pooled() -> None:
    strong = [1.0, 1, 1, 1, 1, 1, 8] * 20
    short = [float("nan")] * 139 + [3.0]
    profile = weekday_profile(panel([strong] * 5 + [short]))
    assert profile.mean(1) == pytest.approx(np.ones(6))
    assert profile[5, 6] == pytest.approx(profile[0, 6], rel=0.1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"horizon_days": 0}, "horizon_days"),
        ({"sales": np.full((1, 14), -1, np.float32)}, "returns"),
        ({"in_stock": np.full((1, 14), 16, np.float32)}, "between 0 and 1"),
        ({"static_names": ("sku",)}, "static must have the shape"),
        ({"known": np.zeros((1, 14, 0), np.float32)}, "known must have the shape"),
    ],
)
def test_a_wrong_panel_is_refused(change: dict[str, object], words: str) -> None:
    good = panel([[1.0] * 14])
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(good, **change)  # type: ignore[arg-type]


def test_cut_shows_the_known_inputs_of_the_horizon_only() -> None:
    whole = panel([[1.0] * 21])
    part = whole.cut(14)
    assert part.days == 14
    assert part.known.shape[1] == 21
    with pytest.raises(ValueError, match="earlier origin"):
        whole.cut(21, 8)
