"""Proposing, explaining and executing, on in-memory decisions and orders."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.decisions import AutoApproval, MemoryDecisions, Status, Subject
from sanhe.core.errors import NotFound
from sanhe.goods.replenish import CONSTRAINTS, DECISION_KIND, KIND, Known, Policy, Replenish
from tests.goods.replenish.doubles import FlatForecast, MemoryOrders, flat_forecast

MORNING = datetime(2025, 9, 25, 1, tzinfo=UTC)
TODAY = date(2025, 9, 25)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(MORNING)


@pytest.fixture
def decisions(clock: FixedClock) -> MemoryDecisions:
    kept = MemoryDecisions(clock)
    kept.register(DECISION_KIND)
    return kept


@pytest.fixture
def replenish(decisions: MemoryDecisions, clock: FixedClock) -> Replenish:
    return Replenish(decisions, clock)


FORECAST = flat_forecast([("A", "S1", 4.0), ("B", "S1", 1.0), ("C", "S2", 0.0)])


def known(**changes: pa.Table | None) -> Known:
    """Three SKUs: A and B with stock and terms, C without demand."""
    plain = Known(
        items=pa.table(
            {
                "sku": ["A", "B", "C"],
                "name": ["tea", "milk", "vase"],
                "base_unit": ["each"] * 3,
                "case_size": pa.array([None, 6, None], pa.int64()),
                "shelf_life_days": pa.array([None, 10, None], pa.int64()),
            }
        ),
        positions=pa.table(
            {
                "sku": ["A", "B", "C"],
                "place": ["S1", "S1", "S2"],
                "net": [10, 2, 5],
                "reserved": [0, 1, 0],
                "known_since": [MORNING] * 3,
            }
        ),
        terms=pa.table(
            {
                "sku": ["A", "B", "C"],
                "place": pa.array([None] * 3, pa.string()),
                "supplier": ["V1", "V1", "V2"],
                "unit_cost_cents": [300, 500, 900],
                "cost_per_case_cents": pa.array([None] * 3, pa.int64()),
                "lead_time_days": [3, 2, 5],
                "moq": [1, 1, 1],
                "case_size": pa.array([12, None, None], pa.int64()),
                "order_weekdays": pa.array([None] * 3, pa.string()),
                "priority": [1, 1, 1],
            }
        ),
        prices=pa.table(
            {
                "sku": ["A", "B", "C"],
                "place": pa.array([None] * 3, pa.string()),
                "price_cents": [500, 800, 2000],
                "per_units": [1, 1, 1],
                "tax_included": [False] * 3,
                "tax_rate": [0.13] * 3,
            }
        ),
    )
    return replace(plain, **changes)


def test_lines_that_need_stock_are_proposed_and_add_up(
    replenish: Replenish, decisions: MemoryDecisions
) -> None:
    plan = replenish.propose(FORECAST, known())
    assert (plan.considered, plan.proposed, plan.no_order_needed) == (3, 2, 1)
    for number in plan.numbers:
        proposal = decisions.get(number).proposal
        assert sum(proposal.terms) == proposal.value > 0
        cost = {"A": 300, "B": 500}[proposal.subject.sku or ""]
        assert proposal.value_cents == proposal.value * cost
    assert plan.value_cents == sum(decisions.get(n).proposal.value_cents for n in plan.numbers)


def test_planning_again_proposes_nothing_twice(
    replenish: Replenish, decisions: MemoryDecisions
) -> None:
    first = replenish.propose(FORECAST, known())
    again = replenish.propose(FORECAST, known())
    assert (again.proposed, again.already_open, again.value_cents) == (0, 2, 0)
    assert again.run == first.run
    later = replace(FORECAST, id="forecast-2", as_of=TODAY + timedelta(days=1))
    assert replenish.propose(later, known()).proposed == 0
    assert decisions.count(kind=KIND) == 2


def test_what_was_rejected_comes_back_only_with_other_arithmetic(
    replenish: Replenish, decisions: MemoryDecisions
) -> None:
    numbers = replenish.propose(FORECAST, known()).numbers
    decisions.reject(numbers, reason="not this week")
    again = replenish.propose(FORECAST, known())
    assert (again.proposed, again.decided_before) == (0, 2)
    positions = known().positions
    assert positions is not None
    less = positions.set_column(2, "net", pa.array([0, 2, 5]))
    changed = replenish.propose(FORECAST, known(positions=less))
    assert (changed.proposed, changed.decided_before) == (1, 1)


def test_what_was_edited_and_ordered_comes_back_only_with_other_arithmetic(
    replenish: Replenish, decisions: MemoryDecisions
) -> None:
    """Nothing, or less, was ordered by a person's will: the same run does not ask again."""
    none, less = replenish.propose(FORECAST, known()).numbers
    decisions.edit(none, 0, reason="delisted")
    decisions.edit(less, 1, reason="a small one")
    replenish.execute(MemoryOrders(), day=TODAY)
    subject = decisions.get(less).proposal.subject
    ordered = on_order_of(subject, 1)
    again = replenish.propose(FORECAST, known(on_order=ordered))
    assert (again.proposed, again.decided_before) == (0, 2)
    positions = known().positions
    assert positions is not None
    fewer = positions.set_column(2, "net", pa.array([0, 2, 5]))
    changed = replenish.propose(FORECAST, known(positions=fewer, on_order=ordered))
    assert (changed.proposed, changed.decided_before) == (1, 1)


def on_order_of(subject: Subject, quantity: int) -> pa.Table:
    """One open order."""
    return pa.table(
        {
            "sku": [subject.sku],
            "place": [subject.place],
            "quantity": [quantity],
            "due": pa.array([TODAY + timedelta(days=1)], pa.date32()),
        }
    )


def test_what_was_ordered_as_proposed_may_be_needed_again(
    replenish: Replenish, decisions: MemoryDecisions
) -> None:
    """The control: without an edit it is the open order alone that makes a line need nothing."""
    numbers = replenish.propose(FORECAST, known()).numbers
    decisions.approve(numbers)
    replenish.execute(MemoryOrders(), day=TODAY)
    lost = replenish.propose(FORECAST, known())
    assert (lost.proposed, lost.decided_before) == (2, 0)


def test_an_expired_proposal_makes_room_for_a_fresh_one(
    replenish: Replenish, decisions: MemoryDecisions, clock: FixedClock
) -> None:
    replenish.propose(FORECAST, known())
    clock.moment = MORNING + timedelta(days=4)
    assert replenish.propose(FORECAST, known()).proposed == 2
    assert decisions.count(statuses={Status.EXPIRED}) == 2


def test_open_orders_count_and_are_not_doubled(replenish: Replenish) -> None:
    due = [TODAY + timedelta(days=2), TODAY - timedelta(days=3), None]
    on_order = pa.table(
        {
            "sku": ["A", "B", "A"],
            "place": ["S1"] * 3,
            "quantity": [24, 12, 12],
            "due": pa.array(due, pa.date32()),
        }
    )
    plan = replenish.propose(FORECAST, known(on_order=on_order))
    assert plan.proposed == 0
    told = replenish.explain_line(FORECAST, known(on_order=on_order), sku="B", place="S1")
    assert told.inputs["on_order"] == told.inputs["on_order_overdue"] == 12


def test_an_order_due_after_the_cover_is_named_but_does_not_count(replenish: Replenish) -> None:
    on_order = pa.table(
        {"sku": ["A"], "place": ["S1"], "quantity": [24], "due": [TODAY + timedelta(days=60)]}
    )
    told = replenish.explain_line(FORECAST, known(on_order=on_order), sku="A", place="S1")
    assert (told.inputs["on_order"], told.inputs["on_order_after_cover"]) == (0, 24)
    assert CONSTRAINTS["order_after_cover"] in told.limits
    assert told.quantity > 0


def test_what_was_just_ordered_counts_though_the_supplier_became_quicker(
    replenish: Replenish,
) -> None:
    """Agreed 3 days, measured 1: today's order is due after the measured cover, yet counts."""
    measured = pa.table(
        {"supplier": ["V1"], "sku": ["A"], "n": [9], "mean_days": [1.0], "sd_days": [0.0]}
    )
    ordered = pa.table(
        {"sku": ["A"], "place": ["S1"], "quantity": [24], "due": [TODAY + timedelta(days=3)]}
    )
    at_hand = known(lead_times=measured, on_order=ordered)
    told = replenish.explain_line(FORECAST, at_hand, sku="A", place="S1")
    assert (told.inputs["on_order"], told.quantity) == (24, 0)


def test_an_approved_line_becomes_an_order_and_is_closed(
    replenish: Replenish, decisions: MemoryDecisions
) -> None:
    first, second = replenish.propose(FORECAST, known()).numbers
    decisions.approve([first])
    decisions.edit(second, 36, reason="a fair next week")
    orders = MemoryOrders()
    done = replenish.execute(orders, day=TODAY)
    assert done.decisions == 2
    assert done.orders == ("PO-000001",)
    ordered = {line.decision: line.quantity for line in orders.placed[0].lines}
    assert ordered == {first: decisions.get(first).value, second: 36}
    assert decisions.get(first).status is Status.EXECUTED
    assert decisions.get(first).actions == ("PO-000001",)
    assert replenish.execute(orders, day=TODAY).decisions == 0


def test_a_line_edited_to_nothing_is_carried_out_without_an_order(
    replenish: Replenish, decisions: MemoryDecisions
) -> None:
    number = replenish.propose(FORECAST, known()).numbers[0]
    decisions.edit(number, 0, reason="enough in the back room")
    orders = MemoryOrders()
    assert replenish.execute(orders, day=TODAY).orders == ()
    assert orders.placed == []
    assert decisions.get(number).status is Status.EXECUTED


def test_the_explanation_runs_to_the_quantity(replenish: Replenish) -> None:
    number = replenish.propose(FORECAST, known()).numbers[0]
    told = replenish.explain(number)
    assert told.number == number
    assert told.terms[-1].running == told.quantity
    assert [term.running for term in told.terms] == list(
        np.cumsum([term.value for term in told.terms])
    )
    assert len(told.forecast) == 4
    assert told.forecast[0] == (TODAY, 4.0)
    assert told.reason.startswith(f"Order {told.quantity}: 16 expected over 4 days")
    assert told.expected is not None
    value, low, high = told.expected
    assert low <= value <= high <= told.quantity
    fills = {row["quantity"]: row["expected_fill"] for row in told.alternatives}
    assert fills[0] < told.inputs["expected_fill"]


def test_a_line_that_needs_nothing_is_explained_too(replenish: Replenish) -> None:
    told = replenish.explain_line(FORECAST, known(), sku="C", place="S2")
    assert told.number is None
    assert told.quantity == 0
    assert told.terms[-1].name == "no_order_needed"
    with pytest.raises(NotFound, match="no forecast for A at S9"):
        replenish.explain_line(FORECAST, known(), sku="A", place="S9")


def test_everything_missing_is_assumed_and_named(replenish: Replenish) -> None:
    plan = replenish.propose(FORECAST, Known())
    names = {
        "on_hand",
        "supplier",
        "lead_time_days",
        "lead_time_sd_days",
        "moq",
        "case_size",
        "unit_cost_cents",
        "margin",
    }
    assert plan.assumed == dict.fromkeys(names, 3)
    told = replenish.explain(plan.numbers[0])
    assert set(told.inputs["assumed"]) == names
    assert len(told.assumed) == len(names)
    assert told.inputs["on_hand"] == 8


def test_enough_measured_deliveries_replace_the_agreed_lead_time(replenish: Replenish) -> None:
    measured = pa.table(
        {
            "supplier": ["V1", "V1"],
            "sku": ["A", "B"],
            "n": [9, 2],
            "mean_days": [6.5, 9.0],
            "sd_days": [2.0, 1.0],
        }
    )
    at_hand = known(lead_times=measured)
    slow = replenish.explain_line(FORECAST, at_hand, sku="A", place="S1")
    assert (slow.inputs["lead_time_days"], slow.inputs["lead_time_sd_days"]) == (6.5, 2.0)
    assert slow.inputs["assumed"] == []
    agreed = replenish.explain_line(FORECAST, at_hand, sku="B", place="S1")
    assert agreed.inputs["lead_time_days"] == 2.0


def test_small_steady_lines_are_approved_by_their_rule(
    decisions: MemoryDecisions, clock: FixedClock
) -> None:
    rule = AutoApproval(KIND, frozenset({"AX"}), 1_000_000, "steady")
    policy = Policy(auto_approval=(rule,))
    classes = pa.table({"sku": ["A", "B"], "place": ["S1", "S1"], "label": ["AX", "CZ"]})
    plan = Replenish(decisions, clock, policy=policy).propose(FORECAST, known(classes=classes))
    assert (plan.proposed, plan.auto_approved) == (2, 1)
    approved = decisions.find(statuses={Status.APPROVED})
    assert [d.proposal.label for d in approved] == ["AX"]


def test_a_budget_is_kept(decisions: MemoryDecisions, clock: FixedClock) -> None:
    policy = Policy(budget_cents=4000)
    plan = Replenish(decisions, clock, policy=policy).propose(FORECAST, known())
    assert 0 < plan.value_cents <= 4000
    assert plan.limits["budget"] >= 1


def test_a_run_is_named_by_forecast_and_policy(
    decisions: MemoryDecisions, clock: FixedClock
) -> None:
    plain, other = (
        Replenish(decisions, clock),
        Replenish(decisions, clock, policy=Policy(lowest_service=0.9)),
    )
    assert plain.run_of(FORECAST) == Replenish(decisions, clock).run_of(FORECAST)
    assert plain.run_of(FORECAST) != other.run_of(FORECAST)
    assert plain.run_of(FORECAST) != plain.run_of(replace(FORECAST, id="other"))


def test_progress_ends_at_all(replenish: Replenish) -> None:
    told: list[tuple[int, int]] = []
    replenish.propose(FORECAST, known(), progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (2, 2)


def test_ten_times_the_lines_cost_at_most_twenty_times_the_work(clock: FixedClock) -> None:
    def cpu_seconds(count: int) -> float:
        means = np.random.default_rng(1).gamma(1, 3, count)
        lines = [(f"K{i}", f"S{i % 40}", float(mean)) for i, mean in enumerate(means)]
        forecast: FlatForecast = flat_forecast(lines, horizon_days=14)
        decisions = MemoryDecisions(clock)
        decisions.register(DECISION_KIND)
        started = time.process_time()
        plan = Replenish(decisions, clock).propose(forecast, Known())
        assert plan.proposed > count / 2
        return time.process_time() - started

    cpu_seconds(100)  # loads what is imported late
    assert cpu_seconds(10_000) < 20 * cpu_seconds(1_000)
