"""Classes by hand and by invariant."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.errors import BadInput
from sanhe.goods.health import rules
from sanhe.goods.health.rules import Cuts, Sales

NONE = -1


def sales_of(*series: list[int]) -> Sales:
    """The sums of daily series of one length."""
    sold = np.array(series, np.float64)
    return Sales(
        days=np.full(len(sold), sold.shape[1]),
        sale_days=(sold > 0).sum(axis=1),
        quantity=sold.sum(axis=1),
        squares=(sold**2).sum(axis=1),
    )


def classes_of(value: np.ndarray, before: str | None = None, band: float = 0.2) -> list[str]:
    """ABC in letters, from letters of before."""
    was = np.full(value.size, NONE) if before is None else np.array(["ABC".find(c) for c in before])
    return ["ABC"[at] for at in rules.value_classes(value, was, cuts=Cuts(band=band))]


def test_value_classes_end_where_their_share_is_reached() -> None:
    value = np.array([5.0, 60.0, 10.0, 25.0, 0.0, -3.0])
    assert classes_of(value) == ["C", "A", "B", "A", "C", "C"]


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=40))
def test_a_better_class_never_brings_less(values: list[float]) -> None:
    value = np.array(values)
    classes = classes_of(value)
    ordered = [classes[at] for at in np.argsort(-value, kind="stable")]
    assert ordered == sorted(ordered)
    if value.sum() > 0:
        in_a = sum(v for v, c in zip(values, classes, strict=True) if c == "A")
        assert in_a >= 0.8 * value.sum() * (1 - 1e-9)


def test_patterns_are_those_of_syntetos_and_boylan() -> None:
    smooth = [5, 6, 5, 4, 5, 6, 5, 5]
    erratic = [1, 30, 2, 1, 25, 1, 3, 1]
    intermittent = [5, 0, 5, 0, 0, 5, 0, 5]
    lumpy = [1, 0, 30, 0, 0, 2, 0, 0]
    sales = sales_of(smooth, erratic, intermittent, lumpy, [0] * 8)
    places = rules.patterns(sales, np.full(5, NONE), band=0.2)
    found = [rules.PATTERNS[at] for at in places]
    assert found == ["smooth", "erratic", "intermittent", "lumpy", "none"]
    assert ["XYZ"[at] for at in rules.REGULARITY[places]] == ["X", "Y", "Y", "Z", "Z"]


def test_interval_and_variation_by_hand() -> None:
    sales = sales_of([2, 0, 4, 0, 0, 6])
    assert sales.interval()[0] == 2.0
    assert sales.variation()[0] == pytest.approx(np.var([2, 4, 6]) / 16)


def test_the_basis_is_the_best_that_is_known() -> None:
    yes, no = np.ones(20, bool), np.zeros(20, bool)
    most = np.arange(20) > 0
    assert rules.basis_of(most, yes, yes, known_share=0.95) == "margin"
    assert rules.basis_of(no, yes, yes, known_share=0.95) == "revenue"
    assert rules.basis_of(no, no, yes, known_share=0.95) == "quantity"
    assert rules.basis_of(~most, yes, ~most, known_share=0.95) == "margin"


def test_dead_stock_lies_without_a_sale_and_new_stock_gets_time() -> None:
    on_hand = np.array([5, 5, 5, 0, 5])
    since_sale = np.array([100.0, 10.0, np.nan, 200.0, np.nan])
    in_range = np.array([300.0, 300.0, 120.0, 300.0, 20.0])
    found = rules.dead(on_hand, since_sale, in_range, dead_days=90)
    assert found.tolist() == [True, False, True, False, False]


def test_a_line_near_a_cut_keeps_its_class_and_one_beyond_leaves_it() -> None:
    measure = np.array([0.95, 1.1, 0.7, 1.3, 1.05])
    before = np.array([1, 0, 1, 0, NONE])
    assert rules.held(measure, before, cuts=(1.0,), band=0.2).tolist() == [1, 0, 0, 1, 1]
    without = rules.held(measure, np.full(5, NONE), cuts=(1.0,), band=0.2)
    assert without.tolist() == [0, 1, 0, 1, 1]


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=20),
    st.integers(0, 2),
    st.floats(0, 0.5),
)
def test_a_held_class_lies_between_the_shifted_cuts(
    measures: list[float], before: int, band: float
) -> None:
    measure, cuts = np.array(measures), (2.0, 5.0)
    was = np.full(measure.size, before)
    found = rules.held(measure, was, cuts=cuts, band=band)
    again = rules.held(measure, found, cuts=cuts, band=band)
    assert again.tolist() == found.tolist(), "the same measure moves nothing a second time"
    sure = [sum(m >= cut * (1 + band) for cut in cuts) for m in measures]
    most = [sum(m >= cut * (1 - band) for cut in cuts) for m in measures]
    assert all(a <= f <= b for a, f, b in zip(sure, found.tolist(), most, strict=True))


def test_value_classes_are_held_around_the_last_line_of_the_better_class() -> None:
    value = np.array([80.0, 25.0, 21.0, 5.0, 0.0])
    # A ends at 25 and B at 21 on this day.
    assert classes_of(value) == ["A", "A", "B", "C", "C"]
    assert classes_of(value, "ABABA")[:3] == ["A", "B", "A"]
    assert classes_of(value, "AAAAA")[4] == "C", "what brings nothing is C at once"
    assert classes_of(value, "ABABA", band=0.0)[:3] == ["A", "A", "B"]


def test_margin_classes_by_rate_and_m_where_it_is_not_known() -> None:
    rate = np.array([0.5, 0.3, 0.1, -0.2, np.nan])
    found = rules.margin_classes(rate, np.full(5, NONE), cuts=Cuts())
    assert ["HML"[at] for at in found] == ["H", "M", "L", "L", "M"]


def test_age_classes_by_mean_age_and_dead_wins() -> None:
    age = np.array([5.0, 31.0, 91.0, 5.0, np.nan])
    is_dead = np.array([False, False, False, True, False])
    found = rules.age_classes(age, is_dead, np.full(5, NONE), cuts=Cuts())
    assert found.tolist() == [1, 2, 3, 4, 0]
    # Stock that was dead and sells again is judged by its age alone.
    assert rules.age_classes(age, is_dead, np.full(5, 4), cuts=Cuts()).tolist() == [1, 2, 3, 4, 0]


def test_cuts_out_of_order_are_refused() -> None:
    with pytest.raises(BadInput, match="not in order"):
        Cuts(high_margin=0.1)
    with pytest.raises(BadInput, match="not in order"):
        Cuts(band=1.0)


def test_of_each_week_the_newest_day_stays() -> None:
    monday = date(2025, 9, 22)
    week = [monday + timedelta(days=n) for n in (0, 2, 6, 7)]
    assert rules.superseded(week) == week[:2]
    weekly = [monday + timedelta(weeks=n) for n in range(rules.KEPT_WEEKS + 3)]
    assert rules.superseded(weekly) == weekly[:3]
