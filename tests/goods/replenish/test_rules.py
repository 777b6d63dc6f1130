"""The arithmetic of order lines: exact for 100,000 random cases, and by hand for single ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.goods.replenish import CONSTRAINTS, TERMS, Lines, Outcome, Shared, compute
from sanhe.models.inventory import demand_of, order_up_to

ENDLESS = np.int64(1) << 60
OF_SHARING = {
    *("budget", "truck_weight", "truck_volume", "pallets", "source_stock"),
    *("order_minimum", "order_minimum_waits", "order_minimum_unreachable"),
}
"""The limits that lines hit only together."""


def random_lines(seed: int, lines: int) -> Lines:
    """Lines of all kinds, the odd ones included: negative stock, huge cases, no demand."""
    rng = np.random.default_rng(seed)
    mean = np.exp(rng.normal(1.0, 2.0, lines)) * (rng.random(lines) > 0.05)
    variance = mean * rng.uniform(0.5, 8.0, lines)
    life = np.where(rng.random(lines) < 0.5, ENDLESS, rng.integers(0, 60, lines))
    cost = rng.uniform(0.0, 3000.0, lines) * (rng.random(lines) > 0.02)
    on_hand = rng.integers(-10, 60, lines)
    moves = np.random.default_rng(seed + 1)
    moved = moves.integers(0, 9, (2, lines)) * (moves.random((2, lines)) > 0.8)
    return Lines(
        until_next=demand_of(mean, variance, rng.random(lines) > 0.2),
        service_level=rng.uniform(0.5, 0.99, lines),
        on_hand=on_hand,
        expiring=rng.integers(0, 1 + np.maximum(on_hand, 0)) * (rng.random(lines) > 0.7),
        on_order=rng.integers(0, 30, lines) * (rng.random(lines) > 0.6),
        on_order_overdue=(rng.random(lines) > 0.9).astype(np.int64),
        on_order_after_cover=(rng.random(lines) > 0.9).astype(np.int64),
        reserved=rng.integers(0, 8, lines) * (rng.random(lines) > 0.7),
        transferred_in=moved[0],
        leaving=moved[1],
        downstream_gap=moves.integers(-9, 9, lines) * (moves.random(lines) > 0.8),
        presentation=rng.integers(0, 6, lines) * (rng.random(lines) > 0.5),
        moq=rng.choice([1, 1, 2, 6, 24, 500], lines),
        case_size=rng.choice([1, 1, 3, 6, 12, 144], lines),
        sold_before=rng.integers(0, 40, lines),
        sold_fresh=life,
        can_order=rng.random(lines) > 0.1,
        blocked=rng.random(lines) > 0.95,
        unit_cost_cents=cost,
        margin_cents=cost * rng.uniform(-0.1, 0.6, lines),
    )


def one(
    mean: float = 10.0, variance: float = 20.0, service_level: float = 0.9, **changes: object
) -> Lines:
    """One plain line; `changes` replace its other fields."""
    plain = Lines(
        until_next=demand_of([mean], [variance]),
        service_level=np.array([service_level]),
        on_hand=np.array([0]),
        expiring=np.array([0]),
        on_order=np.array([0]),
        on_order_overdue=np.array([0]),
        on_order_after_cover=np.array([0]),
        reserved=np.array([0]),
        transferred_in=np.array([0]),
        leaving=np.array([0]),
        downstream_gap=np.array([0]),
        presentation=np.array([0]),
        moq=np.array([1]),
        case_size=np.array([1]),
        sold_before=np.array([0]),
        sold_fresh=np.array([ENDLESS]),
        can_order=np.array([True]),
        blocked=np.array([False]),
        unit_cost_cents=np.array([100.0]),
        margin_cents=np.array([40.0]),
    )
    return replace(plain, **{k: np.array([v]) for k, v in changes.items()})


def check(lines: Lines, outcome: Outcome) -> None:
    """Everything that must hold of every line."""
    quantity = outcome.quantity
    assert np.array_equal(outcome.terms.sum(axis=1), quantity)
    assert (quantity >= 0).all()
    ordered = quantity > 0
    assert (quantity[ordered] % lines.case_size[ordered] == 0).all()
    assert (quantity[ordered] >= lines.moq[ordered]).all()
    assert (quantity <= lines.room()).all()
    assert not (ordered & (lines.blocked | ~lines.can_order)).any()
    level = order_up_to(lines.until_next, lines.service_level)
    shelf = np.where(lines.presentation > 0, np.rint(lines.until_next.mean), 0)
    assert not (ordered & (lines.position() >= np.maximum(level, shelf + lines.presentation))).any()
    for name in (
        "moq_top_up",
        "case_rounding",
        "presentation_top_up",
        "no_order_needed",
        "minimum_added",
        "expiring",
    ):
        assert (outcome.term(name) >= 0).all()
    for name in ("shelf_life_cut", "capacity_cut", "not_orderable"):
        assert (outcome.term(name) <= 0).all()
    assert outcome.hits.keys() == CONSTRAINTS.keys()


def test_a_hundred_thousand_random_lines_add_up_and_keep_every_limit() -> None:
    lines = random_lines(7, 100_000)
    outcome = compute(lines)
    check(lines, outcome)
    assert (outcome.quantity > 0).sum() > 10_000
    assert all(hit.any() for name, hit in outcome.hits.items() if name not in OF_SHARING)


def test_need_is_met_wherever_nothing_forbids_it() -> None:
    lines = random_lines(8, 100_000)
    outcome = compute(lines)
    free = lines.can_order & ~lines.blocked & (outcome.term("shelf_life_cut") == 0)
    level = order_up_to(lines.until_next, lines.service_level)
    assert (lines.position() + outcome.quantity >= level)[free].all()


def test_a_budget_is_kept_and_takes_the_least_worth_first() -> None:
    lines = random_lines(9, 100_000)
    free = compute(lines)
    whole = float((free.quantity * lines.unit_cost_cents).sum())
    budget = int(whole / 3)
    outcome = compute(lines, Shared(budget))
    check(lines, outcome)
    assert (outcome.quantity * lines.unit_cost_cents).sum() <= budget
    assert outcome.hits["budget"].any()
    assert (outcome.quantity <= free.quantity).all()
    # As ordered: each line's money in whole cents.
    rounded = np.floor(free.quantity * lines.unit_cost_cents + 0.5).sum()
    unlimited = compute(lines, Shared(int(rounded)))
    assert np.array_equal(unlimited.terms, free.terms)


@given(st.integers(0, 2**32 - 1), st.integers(0, 10_000_000))
@settings(max_examples=60, deadline=None)
def test_small_sets_of_lines_hold_too(seed: int, budget_cents: int) -> None:
    lines = random_lines(seed, 7)
    outcome = compute(lines, Shared(budget_cents))
    check(lines, outcome)
    assert (outcome.quantity * lines.unit_cost_cents).sum() <= budget_cents + 1e-6


def test_the_check_of_sums_can_fail() -> None:
    lines = random_lines(7, 100)
    outcome = compute(lines)
    bent = outcome.terms.copy()
    bent[3, 0] += 1
    with pytest.raises(AssertionError):
        check(lines, replace(outcome, terms=bent))


def terms(outcome: Outcome) -> dict[str, int]:
    return {n: int(v) for n, v in zip(TERMS, outcome.terms[0], strict=True) if v}


def test_open_orders_and_stock_are_taken_off_and_reservations_added() -> None:
    outcome = compute(one(on_hand=6, on_order=4, reserved=2))
    assert terms(outcome) == {
        "demand_over_cover": 10,
        "safety_stock": 6,
        "on_hand": -6,
        "on_order": -4,
        "reserved": 2,
    }
    assert outcome.quantity[0] == 8


def test_enough_stock_needs_no_order() -> None:
    outcome = compute(one(on_hand=40))
    assert terms(outcome)["no_order_needed"] == 24
    assert outcome.quantity[0] == 0


def test_the_minimum_comes_before_the_case() -> None:
    outcome = compute(one(on_hand=12, moq=10, case_size=6))
    assert terms(outcome)["moq_top_up"] == 6
    assert terms(outcome)["case_rounding"] == 2
    assert outcome.quantity[0] == 12


def test_shelf_life_wins_over_the_minimum() -> None:
    outcome = compute(one(moq=24, sold_fresh=20))
    assert outcome.quantity[0] == 0
    assert outcome.hits["moq_above_shelf_life"][0]
    assert terms(outcome)["shelf_life_cut"] == -24


def test_shelf_life_cuts_to_full_cases() -> None:
    outcome = compute(one(case_size=4, sold_fresh=15))
    assert outcome.quantity[0] == 12
    assert outcome.hits["shelf_life"][0]


def test_what_is_left_when_fresh_goods_arrive_is_sold_first() -> None:
    lines = one(service_level=0.99, on_hand=9, sold_before=3, sold_fresh=15)
    assert lines.room()[0] == 15 - (9 - 3)
    assert one(on_hand=2, sold_before=3, sold_fresh=15).room()[0] == 15


def test_a_case_that_outlives_no_shelf_is_not_ordered() -> None:
    outcome = compute(one(case_size=24, sold_fresh=15))
    assert outcome.quantity[0] == 0
    assert outcome.hits["case_above_shelf_life"][0]
    assert not outcome.hits["moq_above_shelf_life"][0]


def test_the_shelf_minimum_counts_only_above_the_safety_stock() -> None:
    assert "presentation_top_up" not in terms(compute(one(presentation=5)))
    assert terms(compute(one(presentation=9)))["presentation_top_up"] == 3


def test_a_negative_record_counts_as_no_stock() -> None:
    outcome = compute(one(on_hand=-7))
    assert outcome.quantity[0] == 16
    assert outcome.hits["negative_stock"][0]


def test_a_line_that_can_not_be_ordered_says_what_it_lacks() -> None:
    for change, hit in (({"can_order": False}, "vendor_calendar"), ({"blocked": True}, "blocked")):
        outcome = compute(one(**change))
        assert outcome.quantity[0] == 0
        assert terms(outcome)["not_orderable"] == -16
        assert outcome.hits[hit][0]


def test_cases_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        compute(one(case_size=0))
