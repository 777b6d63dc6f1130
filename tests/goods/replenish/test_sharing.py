"""Budget, trucks and pallets shared by lines, and orders below their supplier's minimum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.core.clock import FixedClock
from sanhe.core.decisions import MemoryDecisions
from sanhe.goods.replenish import (
    DECISION_KIND,
    TERMS,
    Known,
    Lines,
    Minimum,
    Policy,
    Replenish,
    Shared,
    compute,
)
from sanhe.models.inventory import Ints, Limit, demand_of, shortage_avoided
from tests.goods.replenish.doubles import flat_forecast
from tests.goods.replenish.test_rules import ENDLESS, random_lines

TODAY = date(2025, 9, 25)
CAPACITIES = ("budget", "truck_weight", "truck_volume", "pallets")


def plain(mean: list[float], **changes: object) -> Lines:
    """Lines without stock, a case of 6 at 100 a piece, margin 40; `changes` replace fields."""
    n = len(mean)
    none, ones = np.zeros(n, np.int64), np.ones(n, np.int64)
    lines = Lines(
        until_next=demand_of(mean, np.array(mean) * 2.0),
        service_level=np.full(n, 0.9),
        on_hand=none,
        expiring=none,
        on_order=none,
        on_order_overdue=none,
        on_order_after_cover=none,
        reserved=none,
        transferred_in=none,
        leaving=none,
        downstream_gap=none,
        presentation=none,
        moq=ones,
        case_size=ones * 6,
        sold_before=none,
        sold_fresh=np.full(n, ENDLESS),
        can_order=np.ones(n, bool),
        blocked=np.zeros(n, bool),
        unit_cost_cents=np.full(n, 100.0),
        margin_cents=np.full(n, 40.0),
    )
    return replace(lines, **changes)


def one_minimum(n: int, *, cents: float = 0.0, cases: float = 0.0, daily: float = 2.0) -> Minimum:
    """All lines on one order of which so much is asked; holding costs 25 % a year of 100."""
    return Minimum(
        order=np.zeros(n, np.int64),
        cents=np.array([cents]),
        cases=np.array([cases]),
        daily=np.full(n, daily),
        holding_cents=np.full(n, 100 * 0.25 / 365),
    )


def worth(lines: Lines, quantity: Ints) -> float:
    """The margin on what quantities save from being short."""
    saved = shortage_avoided(lines.until_next, lines.position(), quantity)
    return float((saved * np.maximum(lines.margin_cents, 0.0)).sum())


def random_shared(seed: int, lines: Lines, wanted: Ints) -> Shared:
    """Limits of every kind that leave a part of what is wanted."""
    random = np.random.default_rng(seed)
    n = wanted.size
    limits = {}
    for name in CAPACITIES[1:]:
        group = random.integers(-1, 3, n)
        amount = random.uniform(0.0, 5.0, n)
        held = group >= 0
        asked = np.bincount(group[held], (amount * wanted / lines.case_size)[held], 3)
        limits[name] = Limit(group, amount, asked * random.uniform(0.0, 1.2, 3))
    money = float((wanted * lines.unit_cost_cents).sum())
    minimum = Minimum(
        order=random.integers(-1, 3, n),
        cents=random.uniform(0.0, money, 3),
        cases=random.integers(0, 30, 3).astype(np.float64),
        daily=random.uniform(0.0, 5.0, n),
        holding_cents=random.uniform(0.0, 1.0, n),
    )
    return Shared(int(money * random.uniform(0.1, 1.2)), limits, minimum)


@given(st.integers(0, 2**32 - 1), st.integers(1, 25))
@settings(max_examples=80, deadline=None)
def test_whatever_is_shared_terms_add_up_and_no_limit_is_passed(seed: int, count: int) -> None:
    lines = random_lines(seed, count)
    wanted = compute(lines).quantity
    shared = random_shared(seed, lines, wanted)
    outcome = compute(lines, shared)
    quantity, cases = outcome.quantity, outcome.quantity // lines.case_size
    assert np.array_equal(outcome.terms.sum(axis=1), quantity)
    assert (quantity % lines.case_size == 0).all()
    assert ((quantity == 0) | (quantity >= lines.moq)).all()
    assert (quantity <= lines.room()).all()
    assert not (quantity[lines.blocked | ~lines.can_order]).any()
    assert (quantity * lines.unit_cost_cents).sum() <= (shared.budget_cents or 0) + 1e-6
    for limit in shared.limits.values():
        held = limit.group >= 0
        used = np.bincount(limit.group[held], (limit.amount * cases)[held], 3)
        assert (used <= limit.capacity * (1 + 1e-8) + 1e-6).all()
    cut = outcome.term("capacity_cut") < 0
    assert np.array_equal(np.any([outcome.hits[name] for name in CAPACITIES], axis=0), cut)
    assert shared.minimum is not None
    for order in range(3):
        mine = (shared.minimum.order == order) & (quantity > 0)
        if mine.any():
            assert (quantity * lines.unit_cost_cents)[mine].sum() >= shared.minimum.cents[
                order
            ] - 0.51
            assert cases[mine].sum() >= shared.minimum.cases[order]


def test_a_truck_is_given_to_what_earns_most_on_it() -> None:
    """Equal cases of equal weight, one line with three times the margin."""
    lines = plain([30.0, 30.0], margin_cents=np.array([20.0, 60.0]))
    free = compute(lines).quantity
    assert free[0] == free[1] == 42
    truck = Limit(np.array([0, 0]), np.array([5.0, 5.0]), np.array([40.0]))
    outcome = compute(lines, Shared(limits={"truck_weight": truck}))
    assert outcome.quantity.sum() == 8 * 6
    assert outcome.quantity[1] > outcome.quantity[0]
    assert outcome.hits["truck_weight"].all()
    assert not outcome.hits["truck_volume"].any()


def test_only_the_limit_that_binds_is_named() -> None:
    lines = plain([30.0, 30.0])
    weight = Limit(np.array([0, 1]), np.ones(2), np.array([3.0, 100.0]))
    pallets = Limit(np.array([0, 0]), np.ones(2) / 10, np.array([100.0]))
    outcome = compute(lines, Shared(10**9, {"truck_weight": weight, "pallets": pallets}))
    assert outcome.hits["truck_weight"].tolist() == [True, False]
    assert not outcome.hits["pallets"].any()
    assert not outcome.hits["budget"].any()
    assert outcome.quantity.tolist() == [18, 42]


def old_cut(lines: Lines, quantity: Ints, budget_cents: int) -> Ints:
    """The control: whole lines by what they earn for their money, the last one in part."""
    cost = quantity * lines.unit_cost_cents
    saved = shortage_avoided(lines.until_next, lines.position(), quantity)
    rank = np.divide(saved * lines.margin_cents, cost, out=np.zeros(cost.size), where=cost > 0)
    kept, left = np.zeros_like(quantity), float(budget_cents)
    for at in np.argsort(-rank, kind="stable").tolist():
        if cost[at] > left:
            size = lines.case_size[at]
            kept[at] = int(left // (lines.unit_cost_cents[at] * size)) * size
            break
        kept[at], left = quantity[at], left - float(cost[at])
    return kept


def test_a_budget_earns_more_than_by_giving_whole_lines_to_the_best() -> None:
    random = np.random.default_rng(5)
    mean = np.exp(random.normal(2.5, 0.8, 300))
    cost = np.exp(random.normal(5.0, 0.7, 300))
    lines = plain(
        mean.tolist(), unit_cost_cents=cost, margin_cents=cost * random.uniform(0.2, 0.6, 300)
    )
    free = compute(lines)
    budget = int((free.quantity * cost).sum() * 0.5)
    chosen = compute(lines, Shared(budget)).quantity
    before = old_cut(lines, free.quantity, budget)
    assert (before * cost).sum() <= budget
    assert worth(lines, chosen) > 1.05 * worth(lines, before)


def test_money_is_kept_after_it_is_rounded_line_by_line() -> None:
    """Each line costs 60.6 cents and is recorded as 61: what is recorded keeps the budget."""
    lines = plain([2.0] * 50, unit_cost_cents=np.full(50, 10.1))
    outcome = compute(lines, Shared(2000))
    recorded = np.floor(outcome.quantity * lines.unit_cost_cents + 0.5).sum()
    assert 1900 < recorded <= 2000


def test_an_order_is_filled_up_with_the_cheapest_cases_to_hold() -> None:
    """Line 1 sells ten times as fast, so that its cases lie the shortest."""
    lines = plain([30.0, 30.0], service_level=np.array([0.999, 0.999]))
    free = compute(lines).quantity
    least = replace(one_minimum(2, cents=free.sum() * 100.0 + 900.0), daily=np.array([0.5, 5.0]))
    outcome = compute(lines, Shared(minimum=least))
    assert outcome.term("minimum_added").tolist() == [0, 12]
    assert outcome.hits["order_minimum"].tolist() == [False, True]


def test_a_minimum_in_cases_is_reached_exactly() -> None:
    outcome = compute(plain([30.0, 30.0]), Shared(minimum=one_minimum(2, cases=20.0)))
    assert outcome.quantity.sum() == 20 * 6


def test_a_line_that_needs_nothing_can_fill_up_but_its_surplus_counts() -> None:
    """Both have 40 to spare or none: the one without surplus is taken first."""
    lines = plain([30.0, 30.0, 30.0], on_hand=np.array([0, 45, 80]))
    outcome = compute(lines, Shared(minimum=one_minimum(3, cases=8.0)))
    assert outcome.term("minimum_added")[2] == 0
    assert outcome.quantity.sum() == 48
    tight = replace(lines, sold_fresh=np.array([42, 60, ENDLESS]))
    outcome = compute(tight, Shared(minimum=one_minimum(3, cases=12.0)))
    assert outcome.term("minimum_added").tolist()[0] == 0
    assert (outcome.quantity <= tight.room()).all()
    assert outcome.quantity.sum() == 72


def test_an_order_that_reaches_its_minimum_and_one_not_begun_stay_as_they_are() -> None:
    lines = plain([30.0, 30.0])
    assert np.array_equal(
        compute(lines, Shared(minimum=one_minimum(2, cents=8000.0))).terms, compute(lines).terms
    )
    full = replace(lines, on_hand=np.array([90, 90]))
    assert not compute(full, Shared(minimum=one_minimum(2, cents=8000.0))).quantity.any()


@pytest.mark.parametrize(("margin", "waits"), [(40.0, False), (0.5, True)])
def test_an_order_waits_only_when_that_costs_less(margin: float, waits: bool) -> None:
    """The same cases, brought forward for what is worth it and left for what is not."""
    lines = plain([3.0], margin_cents=np.array([margin]))
    outcome = compute(lines, Shared(minimum=one_minimum(1, cents=5_000.0, daily=1.0)))
    assert outcome.hits["order_minimum_waits"][0] == waits
    assert outcome.hits["order_minimum"][0] != waits
    assert (outcome.quantity[0] == 0) == waits
    assert (outcome.term("not_orderable")[0] < 0) == waits


def test_what_never_sells_or_expires_is_not_brought_forward() -> None:
    lines = plain([3.0, 3.0], sold_fresh=np.array([6, ENDLESS]))
    minimum = replace(one_minimum(2, cents=5000.0), daily=np.array([1.0, 0.0]))
    outcome = compute(lines, Shared(minimum=minimum))
    assert outcome.hits["order_minimum_unreachable"].all()
    assert not outcome.quantity.any()


def test_cases_are_brought_forward_only_as_far_as_the_truck_takes_them() -> None:
    lines = plain([30.0, 30.0])
    for capacity, reached in ((16.0, True), (15.0, False)):
        truck = Limit(np.array([0, 0]), np.ones(2), np.array([capacity]))
        shared = Shared(limits={"truck_weight": truck}, minimum=one_minimum(2, cases=16.0))
        outcome = compute(lines, shared)
        assert outcome.hits["order_minimum"].any() == reached
        assert outcome.hits["order_minimum_unreachable"].all() != reached
        assert outcome.quantity.sum() == (96 if reached else 0)


# From tables to limits


FORECAST = flat_forecast([("A", "S1", 4.0), ("B", "S1", 4.0), ("A", "S2", 4.0)])


def known(columns: Mapping[str, object] | None = None, **changes: pa.Table) -> Known:
    """Two SKUs of one supplier, empty shelves, case 6; `columns` go to the terms."""
    terms = {
        "sku": ["A", "B"],
        "supplier": ["V1", "V1"],
        "unit_cost_cents": [300, 500],
        "lead_time_days": [3, 3],
        "moq": [1, 1],
        "case_size": [6, 6],
        "priority": [1, 1],
        **(columns or {}),
    }
    positions = pa.table(
        {
            "sku": ["A", "B", "A"],
            "place": ["S1", "S1", "S2"],
            "net": [0, 0, 0],
            "reserved": [0, 0, 0],
            "known_since": ["2025-01-01"] * 3,
        }
    )
    plain_known = Known(positions=positions, terms=pa.table(terms))
    return replace(plain_known, **changes)


@pytest.fixture
def decisions() -> MemoryDecisions:
    kept = MemoryDecisions(FixedClock(datetime(2025, 9, 25, 1, tzinfo=UTC)))
    kept.register(DECISION_KIND)
    return kept


def ordered(decisions: MemoryDecisions) -> dict[tuple[str | None, str | None], int]:
    """The proposed quantity of each line."""
    found = decisions.find(limit=100)
    return {(d.proposal.subject.sku, d.proposal.subject.place): d.proposal.value for d in found}


TRUCK = {"truck_grams": [40_000, 40_000], "case_grams": [5_000, 10_000]}


def test_each_delivery_of_a_supplier_to_a_place_has_its_truck(decisions: MemoryDecisions) -> None:
    free = Replenish(fresh(), decisions.clock)
    free.propose(FORECAST, known())
    wanted = ordered(free.decisions)
    plan = Replenish(decisions, decisions.clock).propose(FORECAST, known(TRUCK))
    found = ordered(decisions)
    grams = found["A", "S1"] // 6 * 5_000 + found["B", "S1"] // 6 * 10_000
    assert 35_000 <= grams <= 40_000
    assert found["A", "S2"] == wanted["A", "S2"]
    assert plan.limits["truck_weight"] >= 1
    cut = next(d for d in decisions.find(limit=9) if "truck_weight" in d.proposal.constraints)
    assert "beyond the truck's weight" in cut.proposal.reason
    assert sum(cut.proposal.terms) == cut.proposal.value


def fresh() -> MemoryDecisions:
    kept = MemoryDecisions(FixedClock(datetime(2025, 9, 25, 1, tzinfo=UTC)))
    kept.register(DECISION_KIND)
    return kept


def test_what_an_open_order_brings_that_day_takes_its_room(decisions: MemoryDecisions) -> None:
    def loaded(due: date) -> int:
        on_order = pa.table(
            {"sku": ["B"], "place": ["S1"], "quantity": [18], "due": pa.array([due], pa.date32())}
        )
        kept = fresh()
        Replenish(kept, kept.clock).propose(FORECAST, known(TRUCK, on_order=on_order))
        found = ordered(kept)
        return found.get(("A", "S1"), 0) // 6 * 5_000 + found.get(("B", "S1"), 0) // 6 * 10_000

    arrives = TODAY + timedelta(days=3)
    assert loaded(arrives) <= 10_000
    assert loaded(arrives - timedelta(days=1)) > 10_000


def test_a_case_of_unknown_weight_takes_no_room_and_says_so(decisions: MemoryDecisions) -> None:
    terms = {"truck_grams": [40_000, 40_000], "case_grams": pa.array([None, 10_000], pa.int64())}
    plan = Replenish(decisions, decisions.clock).propose(FORECAST, known(terms))
    assert plan.assumed["case_weight"] == 2
    by_volume = known({"truck_ml": [50_000, 50_000], "case_ml": [30_000, 30_000]})
    kept = fresh()
    plan = Replenish(kept, kept.clock).propose(FORECAST, by_volume)
    assert plan.limits["truck_volume"] >= 1
    assert "case_weight" not in plan.assumed


def test_a_place_takes_its_pallets_of_all_suppliers(decisions: MemoryDecisions) -> None:
    policy = Policy(pallets_by_place={"S1": 0.5})
    terms = {"supplier": ["V1", "V2"], "cases_per_pallet": [10, 10]}
    plan = Replenish(decisions, decisions.clock, policy=policy).propose(FORECAST, known(terms))
    found = ordered(decisions)
    assert sum(found.get((sku, "S1"), 0) for sku in "AB") == 5 * 6
    assert plan.limits["pallets"] >= 1
    assert found["A", "S2"] > 18


def test_the_minimum_is_of_each_order_and_the_explanation_says_the_same(
    decisions: MemoryDecisions,
) -> None:
    replenish = Replenish(decisions, decisions.clock)
    at_hand = known({"minimum_order_cents": [25_000, 25_000]})
    plan = replenish.propose(FORECAST, at_hand)
    cents = {"A": 300, "B": 500}
    found = ordered(decisions)
    for place in ("S1", "S2"):
        value = sum(units * cents[sku or ""] for (sku, at), units in found.items() if at == place)
        assert 25_000 <= value < 25_000 + 6 * 500
    assert plan.limits["order_minimum"] >= 1
    for number in plan.numbers:
        recorded = replenish.explain(number)
        told = replenish.explain_line(FORECAST, at_hand, sku=recorded.sku, place=recorded.place)
        assert (told.reason, told.terms) == (recorded.reason, recorded.terms)


def test_lines_of_a_place_are_planned_together_where_they_share(
    decisions: MemoryDecisions,
) -> None:
    """Asked for one line: its truck is that of the whole place; other places are left alone."""
    one = np.array([0])
    alone = Replenish(decisions, decisions.clock).propose(FORECAST, known(), rows=one)
    assert alone.considered == 1
    kept = fresh()
    shared = Replenish(kept, kept.clock).propose(FORECAST, known(TRUCK), rows=one)
    assert shared.considered == 2
    kept = fresh()
    budget = Replenish(kept, kept.clock, policy=Policy(budget_cents=5_000))
    assert budget.propose(FORECAST, known(), rows=one).considered == 3


def test_a_decision_of_the_version_before_is_still_explained(decisions: MemoryDecisions) -> None:
    former = MemoryDecisions(decisions.clock)
    names = (*(name for name in TERMS if name != "minimum_added"),)
    former.register(replace(DECISION_KIND, version=1, terms=names))
    replenish = Replenish(former, decisions.clock)
    now = Replenish(decisions, decisions.clock)
    number = now.propose(FORECAST, known()).numbers[0]
    proposal = decisions.get(number).proposal
    (old,) = former.propose(
        now.run_of(FORECAST), [replace(proposal, terms=proposal.terms[: len(names)])]
    ).numbers
    told = replenish.explain(old)
    assert told.terms == now.explain(number).terms
    former.register(DECISION_KIND)
    again = replenish.propose(FORECAST, known(), replace=True)
    assert again.replaced == 0
