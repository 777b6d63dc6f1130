"""What changed between two plans: parts that sum exactly, and the cause that is meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.core.clock import FixedClock
from sanhe.core.decisions import MemoryDecisions
from sanhe.core.errors import NotFound
from sanhe.core.lake import MemoryLake
from sanhe.goods.replenish import (
    CAUSE_WORDS,
    CAUSES,
    DECISION_KIND,
    Changes,
    Known,
    Policy,
    Replenish,
    compare,
    keep_plan_lines,
    plan_changes,
)
from tests.goods.replenish.doubles import FlatForecast, flat_forecast
from tests.goods.replenish.test_replenish import known

TODAY = date(2025, 9, 25)
YESTERDAY = TODAY - timedelta(days=1)
DAYS = (YESTERDAY, TODAY)
FORECAST = flat_forecast([("A", "S1", 4.0), ("B", "S1", 1.0), ("C", "S2", 0.0)])


def planned(
    forecast: FlatForecast = FORECAST, facts: Known | None = None, policy: Policy | None = None
) -> pa.Table:
    """The arithmetic of one plan, as proposing tells it."""
    clock = FixedClock(datetime(2025, 9, 25, 1, tzinfo=UTC))
    decisions = MemoryDecisions(clock)
    decisions.register(DECISION_KIND)
    told: list[pa.Table] = []
    replenish = Replenish(decisions, clock, policy=policy)
    replenish.propose(forecast, known() if facts is None else facts, computed=told.append)
    (lines,) = told
    return lines


def causes(found: Changes, sku: str = "A") -> dict[str, int]:
    (line,) = [line for line in found.lines if line.sku == sku]
    assert sum(line.causes.values()) == line.change == line.after - line.before
    return dict(line.causes)


def with_column(table: pa.Table | None, name: str, values: pa.Array) -> pa.Table:
    assert table is not None
    return table.set_column(table.column_names.index(name), name, values)


def test_the_same_plan_twice_has_no_changes() -> None:
    found = compare(planned(), planned(), days=DAYS)
    assert (found.compared, found.more, found.fewer, found.lines) == (3, 0, 0, ())


def test_ten_units_sold_are_ten_units_of_stock_on_hand() -> None:
    """A had 10: without them it needs 10 more, and full cases of 12 round less or more."""
    sold = replace(known(), positions=with_column(known().positions, "net", pa.array([0, 2, 5])))
    told = causes(compare(planned(), planned(facts=sold), days=DAYS))
    assert told.pop("on_hand") == 10
    assert set(told) <= {"case_rounding"}


def test_an_order_placed_yesterday_is_the_open_order_of_today() -> None:
    placed = pa.table(
        {"sku": ["A"], "place": ["S1"], "quantity": [24], "due": [TODAY + timedelta(days=2)]}
    )
    told = causes(compare(planned(), planned(facts=known(on_order=placed)), days=DAYS))
    assert told["on_order"] == -24
    assert not {"forecast", "lead_time", "on_hand"} & set(told)


def test_stock_that_expires_is_told_apart_from_the_stock() -> None:
    """All 10 of A expired yesterday: as if they were not there, in full cases of 12."""
    lots = pa.table({"sku": ["A"], "place": ["S1"], "expires": [YESTERDAY]})
    fresh = known(lots=lots.append_column("quantity", pa.array([10])))
    told = causes(compare(planned(), planned(facts=fresh), days=DAYS))
    assert told.pop("expiring") == 10
    assert set(told) <= {"case_rounding"}


def test_a_longer_lead_time_is_told_apart_from_the_forecast() -> None:
    slower = with_column(known().terms, "lead_time_days", pa.array([10, 2, 5]))
    told = causes(compare(planned(), planned(facts=known(terms=slower)), days=DAYS))
    # Seven days of 4 a day, and some safety stock.
    assert told["lead_time"] >= 28
    assert "forecast" not in told


def test_a_higher_forecast_is_the_forecast_alone() -> None:
    higher = flat_forecast([("A", "S1", 8.0), ("B", "S1", 1.0), ("C", "S2", 0.0)])
    told = causes(compare(planned(), planned(higher), days=DAYS))
    assert told["forecast"] >= 16
    assert not {"lead_time", "order_days"} & set(told)


def test_the_policys_review_and_service_are_told_apart() -> None:
    policy = Policy(lowest_service=0.5, highest_service=0.6)
    more_days = replace(policy, review_days=4)
    wait = causes(compare(planned(policy=policy), planned(policy=more_days), days=DAYS))
    assert wait["order_days"] >= 12
    assert "forecast" not in wait
    safer = replace(policy, lowest_service=0.99, highest_service=0.99)
    service = causes(compare(planned(policy=policy), planned(policy=safer), days=DAYS))
    assert service["service_level"] > 0
    assert not {"forecast", "order_days", "lead_time"} & set(service)


def test_lines_of_one_plan_alone_are_new_or_dropped() -> None:
    fewer = flat_forecast([("B", "S1", 1.0), ("C", "S2", 0.0)])
    came = compare(planned(fewer), planned(), days=DAYS)
    went = compare(planned(), planned(fewer), days=DAYS)
    assert causes(came) == {"new_line": came.lines[0].after}
    assert causes(went) == {"dropped_line": -went.lines[0].before}
    assert came.value_change_cents == -went.value_change_cents > 0


@given(seed=st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_the_causes_sum_exactly_to_every_change(seed: int) -> None:
    was, now = (_random_plan(np.random.default_rng([seed, side])) for side in range(2))
    found = compare(was, now, days=DAYS)
    quantities = [
        {
            (row["sku"], row["place"]): row["quantity"]
            for row in table.select(["sku", "place", "quantity"]).to_pylist()
        }
        for table in (was, now)
    ]
    changed = {}
    for key in quantities[0] | quantities[1]:
        before, after = (of.get(key, 0) for of in quantities)
        if before != after:
            changed[key] = (before, after)
    assert {(x.sku, x.place): (x.before, x.after) for x in found.lines} == changed
    assert all(sum(x.causes.values()) == x.change for x in found.lines)
    assert found.value_change_cents == sum(each.value_change_cents for each in found.causes)
    assert found.more + found.fewer == len(changed)


def _random_plan(rng: np.random.Generator) -> pa.Table:
    """A plan in which all that bears on a line may differ; each SKU is there or not."""
    skus = [sku for sku in "ABCDEFGH" if rng.random() < 0.9]
    count = len(skus)
    forecast = flat_forecast(
        [(sku, "S1", float(rng.gamma(1.0, 4.0))) for sku in skus], ratio=float(rng.uniform(1, 4))
    )
    terms = pa.table(
        {
            "sku": skus,
            "place": pa.array([None] * count, pa.string()),
            "supplier": ["V1"] * count,
            "unit_cost_cents": rng.integers(1, 900, count),
            "lead_time_days": rng.integers(0, 9, count),
            "moq": rng.integers(1, 9, count),
            "case_size": rng.integers(1, 9, count),
            "order_weekdays": pa.array(rng.choice(["1,4", "5", "2,3"], count).tolist()),
            "priority": [1] * count,
        }
    )
    positions = pa.table(
        {
            "sku": skus,
            "place": ["S1"] * count,
            "net": rng.integers(-5, 40, count),
            "reserved": rng.integers(0, 3, count),
            "known_since": [datetime(2025, 9, 1, tzinfo=UTC)] * count,
        }
    )
    policy = Policy(review_days=int(rng.integers(1, 8)), presentation_units=int(rng.integers(9)))
    return planned(forecast, Known(terms=terms, positions=positions), policy)


def test_the_lines_planned_last_on_a_day_count() -> None:
    lake = MemoryLake()
    sold = replace(known(), positions=with_column(known().positions, "net", pa.array([0, 2, 5])))
    keep_plan_lines(lake, YESTERDAY, planned(), whole=True)
    keep_plan_lines(lake, TODAY, planned(), whole=True)
    assert plan_changes(lake).lines == ()
    keep_plan_lines(lake, TODAY, planned(facts=sold).slice(0, 1), whole=False)
    found = plan_changes(lake)
    assert (found.from_day, found.to_day, found.compared) == (YESTERDAY, TODAY, 3)
    assert [line.sku for line in found.lines] == ["A"]
    # A whole plan takes the place of all that was computed of the day before.
    keep_plan_lines(lake, TODAY, planned(), whole=True)
    assert plan_changes(lake).lines == ()
    assert sum(name.startswith("plan/") for name in lake.tables()) == 2


def test_days_are_chosen_and_old_ones_go() -> None:
    lake = MemoryLake()
    for back in range(11, -1, -1):
        keep_plan_lines(lake, TODAY - timedelta(days=back), planned(), whole=True)
    assert sum(name.startswith("plan/") for name in lake.tables()) == 8
    found = plan_changes(lake, TODAY - timedelta(days=5), TODAY - timedelta(days=2))
    assert (found.from_day, found.to_day) == (
        TODAY - timedelta(days=5),
        TODAY - timedelta(days=2),
    )
    with pytest.raises(NotFound, match="no plan is kept of"):
        plan_changes(lake, TODAY - timedelta(days=30))


def test_a_line_is_asked_for_and_an_unknown_one_refused() -> None:
    lake = MemoryLake()
    higher = flat_forecast([("A", "S1", 8.0), ("B", "S1", 3.0), ("C", "S2", 0.0)])
    keep_plan_lines(lake, YESTERDAY, planned(), whole=True)
    with pytest.raises(NotFound, match="plan on two mornings"):
        plan_changes(lake)
    keep_plan_lines(lake, TODAY, planned(higher), whole=True)
    assert {line.sku for line in plan_changes(lake).lines} == {"A", "B"}
    assert [line.sku for line in plan_changes(lake, sku="B").lines] == ["B"]
    assert len(plan_changes(lake, limit=1).lines) == 1
    with pytest.raises(NotFound, match="X at S1 is in neither plan"):
        plan_changes(lake, sku="X", place="S1")


def test_every_cause_has_words_in_both_languages() -> None:
    assert set(CAUSE_WORDS) == set(CAUSES)
    assert all(english and chinese for english, chinese in CAUSE_WORDS.values())
