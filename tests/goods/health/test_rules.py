"""Classes by hand and by invariant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.goods.health import rules
from sanhe.goods.health.rules import Sales


def sales_of(*series: list[int]) -> Sales:
    """The sums of daily series of one length."""
    sold = np.array(series, np.float64)
    return Sales(
        days=np.full(len(sold), sold.shape[1]),
        sale_days=(sold > 0).sum(axis=1),
        quantity=sold.sum(axis=1),
        squares=(sold**2).sum(axis=1),
    )


def test_value_classes_end_where_their_share_is_reached() -> None:
    value = np.array([5.0, 60.0, 10.0, 25.0, 0.0, -3.0])
    classes = rules.value_classes(value, a_share=0.80, b_share=0.95)
    assert classes == ["C", "A", "B", "A", "C", "C"]


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=40))
def test_a_better_class_never_brings_less(values: list[float]) -> None:
    value = np.array(values)
    classes = rules.value_classes(value, a_share=0.8, b_share=0.95)
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
    found = rules.patterns(sales)
    assert found == ["smooth", "erratic", "intermittent", "lumpy", "none"]
    assert [rules.regularity_class(p) for p in found] == ["X", "Y", "Y", "Z", "Z"]


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
