"""New series: likeness, launch curves and their own first days."""

import dataclasses
import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.models.forecast import LaunchSettings, Panel, launched, same_weekday_mean
from sanhe.models.forecast.panel import F32, F64

PLACES = ("place",)
DAYS, HORIZON = 84, 14


def shops(
    *, places: int = 8, skus: int = 16, days: int = DAYS, seed: int = 1, sales: str = "poisson"
) -> tuple[Panel, F64]:
    """A chain of every SKU at every place, sold since before its first day, and its true levels."""
    rng = np.random.default_rng(seed)
    place, sku = (part.ravel() for part in np.divmod(np.arange(places * skus), skus))
    size = np.exp(rng.normal(0, 0.5, places))
    sells = np.exp(rng.normal(1.0, 0.7, skus))
    level = size[place] * sells[sku]
    week = np.array([0.8, 0.8, 0.9, 1.0, 1.1, 1.3, 1.1])[np.arange(days) % 7]
    mean = level[:, None] * week
    shape = mean.shape
    return Panel(
        sales=(rng.poisson(mean) if sales == "poisson" else mean).astype(np.float32),
        in_stock=np.ones(shape, np.float32),
        opened_empty=np.zeros(shape, bool),
        static=np.stack([place, sku // 4, sku], axis=1).astype(np.int32),
        static_names=("place", "category_1", "sku"),
        known=np.zeros((shape[0], days + HORIZON, 0), np.float32),
        known_names=(),
        first_day=datetime.date(2024, 1, 1),
        horizon_days=HORIZON,
    ), level


def from_day(panel: Panel, rows: list[int], age: int, *, sold: F32 | None = None) -> Panel:
    """The panel in which some series are `age` days old; sold: what they sold, [n, age]."""
    sales = panel.sales.copy()
    sales[rows, : panel.days - age] = np.nan
    if sold is not None:
        sales[rows, panel.days - age :] = sold
    return dataclasses.replace(panel, sales=sales)


def told(panel: Panel, **more: object) -> F64:
    """The level a day of each series."""
    mean = same_weekday_mean(panel)
    made = launched(panel, mean, mean, places=PLACES, **more)  # type: ignore[arg-type]
    assert np.isfinite(made.mean).all() and (made.mean >= 0).all()
    assert np.isfinite(made.median).all() and (made.median >= 0).all()
    return np.asarray(made.mean.mean(1, dtype=np.float64))


def test_a_sku_sold_elsewhere_starts_at_its_sisters_level_scaled_by_the_place() -> None:
    panel, level = shops()
    new = list(range(0, 128, 9))
    got = told(from_day(panel, new, 0))[new]
    assert got == pytest.approx(level[new], rel=0.5)
    assert np.abs(got - level[new]).sum() < 0.15 * level[new].sum()
    # The control: with the codes of SKUs and places mixed up nothing is like anything.
    mixed = np.random.default_rng(3).permutation(panel.static)
    wrong = told(dataclasses.replace(from_day(panel, new, 0), static=mixed))[new]
    assert np.abs(wrong - level[new]).sum() > 0.3 * level[new].sum()


def test_series_that_are_not_new_are_left_alone() -> None:
    panel, _ = shops()
    seen = from_day(panel, [5], 27)
    mean = same_weekday_mean(seen)
    made = launched(seen, mean, mean, places=PLACES)
    rest = np.arange(panel.series) != 5
    assert (made.mean[rest] == mean[rest]).all() and (made.median[rest] == mean[rest]).all()
    assert made.young.tolist() == (~rest).tolist()
    assert made.known_product[5]
    old = from_day(panel, [5], 28)
    mean = same_weekday_mean(old)
    assert launched(old, mean, mean, places=PLACES).mean is mean


def test_own_days_count_more_as_they_grow() -> None:
    panel, level = shops()
    row = 21
    got = []
    for age in (1, 3, 7, 14, 27):
        sold = np.full((1, age), 3 * level[row], np.float32)
        got.append(float(told(from_day(panel, [row], age, sold=sold))[row]))
    assert got == sorted(got), "more days at three times the level, more belief in it"
    assert got[0] < 1.3 * level[row], "a first day is there because something was sold"
    assert got[-1] > 2 * level[row]


def test_a_new_series_keeps_the_week_of_its_kind() -> None:
    panel, _ = shops()
    seen = from_day(panel, [21], 0)
    mean = same_weekday_mean(seen)
    made = launched(seen, mean, mean, places=PLACES)
    weekday = seen.weekdays()[seen.days :]
    path = made.mean[21]
    assert path[weekday == 5].mean() > 1.4 * path[weekday == 0].mean()


def test_launches_that_start_slowly_teach_a_curve() -> None:
    """Twenty SKU x places were launched and sold a third of their likeness for two weeks."""
    panel, level = shops(places=10, skus=24, days=112)
    rng = np.random.default_rng(5)
    begun = rng.permutation(panel.series)[:40]
    sales = panel.sales.copy()
    for number, row in enumerate(begun):
        start = 40 + number
        sales[row, :start] = np.nan
        slow = sales[row, start : start + 14]
        sales[row, start : start + 14] = rng.binomial(slow.astype(np.int64), 1 / 3)
    taught = dataclasses.replace(panel, sales=sales)
    new = [row for row in range(panel.series) if row not in begun][:12]
    slow_start = told(from_day(taught, new, 0))[new].sum() / level[new].sum()
    plain = told(from_day(panel, new, 0))[new].sum() / level[new].sum()
    assert plain == pytest.approx(1, abs=0.15)
    assert slow_start < 0.6


def test_one_bulk_order_is_no_launch_curve() -> None:
    panel, level = shops(places=10, skus=24, days=112)
    sales = panel.sales.copy()
    begun = np.random.default_rng(5).permutation(panel.series)[:40]
    for number, row in enumerate(begun):
        sales[row, : 40 + number] = np.nan
    first = [sales[row, 41 + number : 47 + number].sum() for number, row in enumerate(begun)]
    sales[begun[30], 75] = 8_000
    assert sum(first) < 8_000 / 3, (
        "by sums the first week of a launch would sell four times as much"
    )
    new = [row for row in range(panel.series) if row not in begun][:12]
    got = told(from_day(dataclasses.replace(panel, sales=sales), new, 0))[new]
    assert got.sum() < 2 * level[new].sum()


def test_how_much_a_prior_is_worth_is_learned() -> None:
    """Where series are like their sisters the prior is worth much, else little."""
    like, _ = shops(seed=2)
    rng = np.random.default_rng(6)
    own = np.exp(rng.normal(0, 1.0, like.series))[:, None]
    unlike = dataclasses.replace(like, sales=rng.poisson(like.sales * own).astype(np.float32))
    worth = []
    for panel in (like, unlike):
        seen = from_day(panel, [21], 5)
        mean = same_weekday_mean(seen)
        worth.append(launched(seen, mean, mean, places=PLACES).prior_units)
    assert worth[0] > 5 * worth[1]


def test_days_without_stock_say_nothing() -> None:
    panel, level = shops()
    new, row = from_day(panel, [21], 10, sold=np.zeros((1, 10), np.float32)), 21
    empty = new.sales.copy()
    empty[row, -10:] = np.nan
    assert told(new)[row] < 0.6 * level[row]
    assert told(new, demand=empty)[row] == pytest.approx(level[row], rel=0.35)


def test_only_series_asked_for_are_replaced() -> None:
    panel, _ = shops()
    seen = from_day(panel, [21], 10)
    mean = same_weekday_mean(seen)
    week = LaunchSettings(replaced_days=7)
    assert launched(seen, mean, mean, places=PLACES, settings=week).mean is mean


def test_a_new_sku_has_a_lower_median_the_less_is_known_of_it() -> None:
    panel, _ = shops(skus=40)
    sku = panel.static[:, 2]
    one = from_day(panel, [21], 0)
    everywhere = from_day(panel, np.flatnonzero(sku == 21).tolist(), 0)
    ratio = []
    for seen in (one, everywhere):
        mean = same_weekday_mean(seen)
        made = launched(seen, mean, mean, places=PLACES)
        ratio.append(made.median[21].sum() / made.mean[21].sum())
    assert ratio[1] < ratio[0] <= 1


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_no_panel_breaks_it(data: st.DataObject) -> None:
    series, days = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 60))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    sales = rng.poisson(data.draw(st.sampled_from([0, 0.1, 3.0])), (series, days))
    first = rng.integers(0, days + 1, series)
    seen = np.where(np.arange(days)[None, :] < first[:, None], np.nan, sales).astype(np.float32)
    columns = data.draw(st.sampled_from([("place",), ("sku",), ("place", "sku")]))
    panel = Panel(
        sales=seen,
        in_stock=np.ones(seen.shape, np.float32),
        opened_empty=np.zeros(seen.shape, bool),
        static=rng.integers(0, 4, (series, len(columns))).astype(np.int32),
        static_names=columns,
        known=np.zeros((series, days + 7, 0), np.float32),
        known_names=(),
        first_day=datetime.date(2024, 1, 1),
        horizon_days=7,
    )
    made = told(panel)
    assert (made < 1e3).all()
