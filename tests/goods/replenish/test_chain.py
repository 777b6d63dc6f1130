"""What a warehouse needs follows from the places it supplies, and they share what it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.core.clock import FixedClock
from sanhe.core.decisions import MemoryDecisions
from sanhe.core.errors import BadInput
from sanhe.goods.replenish import (
    DECISION_KIND,
    TRANSFER_KIND,
    Assumptions,
    Explanation,
    Known,
    Policy,
    Replenish,
)
from sanhe.models.inventory import demand_of, order_up_to
from tests.goods.replenish.doubles import MemoryOrders, flat_forecast
from tests.goods.replenish.test_transfers import Retailer

TODAY = date(2025, 9, 25)
STORES = [f"S{number}" for number in range(1, 9)]
FIXED = Policy(lowest_service=0.95, highest_service=0.95)


def supply(place: str | None, supplier: str, lead: int, **more: object) -> dict[str, object]:
    """One row of supply terms for SKU A."""
    return {
        "sku": "A",
        "place": place,
        "supplier": supplier,
        "unit_cost_cents": 300.0,
        "lead_time_days": lead,
        "moq": 1,
        "case_size": 1,
        "order_weekdays": None,
        "priority": 1,
        **more,
    }


def retailer(
    sells: Mapping[str, float],
    stock: Mapping[str, int],
    terms: list[dict[str, object]],
    policy: Policy = FIXED,
) -> Retailer:
    """SKU A at places that sell so much a day and have so much; DC… are warehouses."""
    decisions = MemoryDecisions(FixedClock(datetime(2025, 9, 25, 1, tzinfo=UTC)))
    for kind in (DECISION_KIND, TRANSFER_KIND):
        decisions.register(kind)
    certain = replace(Assumptions.load(), lead_time_sd_days=0.0)
    places = sorted({*sells, *stock})
    known = Known(
        positions=pa.table(
            {
                "sku": ["A"] * len(stock),
                "place": list(stock),
                "net": list(stock.values()),
                "reserved": [0] * len(stock),
                "known_since": ["2025-01-01"] * len(stock),
            }
        ),
        terms=pa.Table.from_pylist(terms),
        places=pa.table(
            {
                "id": places,
                "kind": ["warehouse" if code.startswith("DC") else "store" for code in places],
                "parent": ["DC1"] * len(places),
                "region": ["east"] * len(places),
            }
        ),
    )
    forecast = flat_forecast([("A", place, daily) for place, daily in sells.items()], as_of=TODAY)
    return Retailer(
        forecast,
        known,
        Replenish(decisions, decisions.clock, policy=policy, assumptions=certain),
    )


def told(shops: Retailer, place: str) -> Explanation:
    return shops.replenish.explain_line(shops.forecast, shops.known, sku="A", place=place)


def terms_of(shops: Retailer, place: str) -> dict[str, int]:
    return {term.name: term.value for term in told(shops, place).terms if term.value}


def stores_of(dc: int, *, net: int | Mapping[str, int] = 0, **more: object) -> Retailer:
    """Eight stores that sell two a day, supplied by DC1 in a day, and it from V1 in six."""
    nets = dict.fromkeys(STORES, net) if isinstance(net, int) else net
    return retailer(
        dict.fromkeys(STORES, 2.0),
        {**nets, "DC1": dc},
        [supply(None, "DC1", 1), supply("DC1", "V1", 6)],
        **more,  # type: ignore[arg-type]
    )


def test_a_warehouse_orders_what_its_stores_will_draw() -> None:
    # A store's level over 2 days: 4 expected, 95 % of them.
    level = int(order_up_to(demand_of([4.0], [8.0]), 0.95)[0])
    shops = stores_of(0, net=level)
    terms = terms_of(shops, "DC1")
    # Its order has to last seven mornings. On the first the stores, at their levels, order nothing,
    # on the six others what eight of them sold the day before.
    assert terms["demand_over_cover"] == 96
    assert "downstream_gap" not in terms
    pooled = int(order_up_to(demand_of([96.0], [192.0]), 0.95)[0])
    assert terms["safety_stock"] == pooled - 96
    assert told(shops, "DC1").quantity == pooled


@pytest.mark.parametrize(("net", "gap"), [(0, 8 * 9), (3, 8 * 6), (12, -8 * 3), (500, -8 * 12)])
def test_what_stores_lack_or_have_beyond_counts(net: int, gap: int) -> None:
    level = int(order_up_to(demand_of([4.0], [8.0]), 0.95)[0])
    assert level == 9
    shops = stores_of(10_000, net=net)
    assert terms_of(shops, "DC1")["downstream_gap"] == gap


def test_a_warehouse_that_sells_itself_needs_both() -> None:
    shops = retailer(
        {"S1": 2.0, "DC1": 5.0},
        {"S1": 0, "DC1": 0},
        [supply(None, "DC1", 1), supply("DC1", "V1", 6)],
    )
    assert terms_of(shops, "DC1")["demand_over_cover"] == 5 * 7 + 2 * 6
    # Shoppers don't wait, so it promises to deliver at once.
    assert told(shops, "DC1").inputs["promised_days"] == 0


def test_safety_stock_lies_where_the_guaranteed_service_model_puts_it() -> None:
    many = stores_of(100)
    assert told(many, "DC1").inputs["promised_days"] == 0
    lone = retailer(
        {"S1": 2.0}, {"S1": 0, "DC1": 0}, [supply(None, "DC1", 1), supply("DC1", "V1", 6)]
    )
    # Pooling gains nothing for one store: it waits the seven days, and the warehouse holds none.
    warehouse, store = told(lone, "DC1"), told(lone, "S1")
    assert warehouse.inputs["promised_days"] == 7
    assert store.inputs["lead_time_days"] == 8.0
    assert store.inputs["due_days"] == 8
    assert terms_of(lone, "DC1") == {"downstream_gap": store.quantity}


def test_stores_share_what_a_warehouse_has_too_little_of() -> None:
    shops = stores_of(30, net={place: 0 if place < "S5" else 6 for place in STORES})
    shops.plan()
    got = shops.quantities("replenish")
    stores = {place: got.get(("A", place), 0) for place in STORES}
    assert sum(stores.values()) == 30
    # The emptier ones get more, and equal ones get equal within a unit.
    assert min(stores[p] for p in STORES[:4]) > max(stores[p] for p in STORES[4:])
    for group in (STORES[:4], STORES[4:]):
        assert max(stores[p] for p in group) - min(stores[p] for p in group) <= 1
    explained = told(shops, "S1")
    assert "the warehouse's stock" in explained.reason
    assert any("warehouse" in limit for limit in explained.limits)
    # What they don't get is drawn later, so the warehouse orders it.
    assert terms_of(shops, "DC1")["downstream_gap"] == 4 * 9 + 4 * 3


def test_a_warehouse_with_enough_limits_nobody() -> None:
    shops = stores_of(1000)
    shops.plan()
    assert {shops.quantities("replenish")[("A", place)] for place in STORES} == {9}


def test_stock_never_counted_limits_nobody() -> None:
    shops = stores_of(0)
    known = replace(
        shops.known,
        positions=shops.known.positions.filter(  # type: ignore[union-attr]
            pa.array([place != "DC1" for place in [*STORES, "DC1"]])
        ),
    )
    replace(shops, known=known).plan()
    assert shops.quantities("replenish")[("A", "S1")] == 9


def test_orders_from_a_warehouse_are_transfers() -> None:
    shops = stores_of(1000)
    plan = shops.plan()
    shops.replenish.decisions.approve(plan.numbers)
    orders = MemoryOrders()
    shops.replenish.execute(orders, day=TODAY)
    assert {(order.supplier, order.place) for order in orders.placed} == {
        ("DC1", place) for place in STORES
    }
    assert {line.transfer for line in orders.lines} == {True}


def test_a_warehouse_nobody_supplies_is_named() -> None:
    shops = retailer({"S1": 2.0}, {"S1": 0, "DC1": 0}, [supply(None, "DC1", 1)])
    plan = shops.plan()
    assert plan.unsupplied == {"DC1": 1}
    assert stores_of(0).plan().unsupplied == {}


def test_the_second_choice_supplies_the_warehouse_itself() -> None:
    shops = retailer(
        {"S1": 2.0},
        {"S1": 0, "DC1": 0},
        [supply(None, "DC1", 1), supply(None, "V9", 5, priority=2)],
    )
    assert told(shops, "S1").inputs["supplier"] == "DC1"
    assert told(shops, "DC1").inputs["supplier"] == "V9"


def test_a_supplier_named_like_a_store_stays_a_supplier() -> None:
    shops = retailer({"S1": 2.0, "S2": 1.0}, {"S1": 0, "S2": 0}, [supply(None, "S2", 1)])
    assert told(shops, "S1").inputs["by_place"] is False


def test_a_chain_of_three() -> None:
    terms = [
        *(supply(place, "DC2", 1) for place in ("S1", "S2")),
        supply("DC2", "DC1", 2),
        supply("DC1", "V1", 10),
    ]
    shops = retailer({"S1": 2.0, "S2": 4.0}, {"S1": 0, "S2": 0, "DC1": 0, "DC2": 0}, terms)
    store = sum(told(shops, place).terms[0].value for place in ("S1", "S2"))
    assert store == 12
    assert terms_of(shops, "DC2")["demand_over_cover"] == 12
    assert terms_of(shops, "DC1")["demand_over_cover"] == 60
    lacks = [terms_of(shops, place)["downstream_gap"] for place in ("DC2", "DC1")]
    level = int(order_up_to(demand_of([12.0], [24.0]), 0.95)[0])
    assert lacks[1] == lacks[0] + level


def test_places_that_supply_each_other_are_refused() -> None:
    shops = retailer(
        {"S1": 2.0},
        {"S1": 0},
        [supply("S1", "DC1", 1), supply("DC1", "DC2", 1), supply("DC2", "DC1", 1)],
    )
    known = replace(
        shops.known,
        places=pa.table(
            {
                "id": ["S1", "DC1", "DC2"],
                "kind": ["store", "warehouse", "warehouse"],
                "parent": ["DC1", None, None],
                "region": ["e", "e", "e"],
            }
        ),
    )
    with pytest.raises(BadInput, match="circle"):
        shops.replenish.propose(shops.forecast, known)


def test_stores_that_order_in_cases_draw_half_a_case_more_on_average() -> None:
    one, cases = (
        retailer(
            dict.fromkeys(STORES, 2.0),
            {**dict.fromkeys(STORES, 0), "DC1": 900},
            [supply(None, "DC1", 1, case_size=case), supply("DC1", "V1", 6)],
        )
        for case in (1, 13)
    )
    gaps = [terms_of(shops, "DC1")["downstream_gap"] for shops in (one, cases)]
    assert gaps == [8 * 9, 8 * (9 + 6)]
    assert terms_of(cases, "DC1")["safety_stock"] > terms_of(one, "DC1")["safety_stock"]


def test_stores_that_order_once_a_week_draw_then() -> None:
    # Thursday. Orders on Mondays; the warehouse is supplied in six days, on any day.
    shops = retailer(
        dict.fromkeys(STORES, 2.0),
        {**dict.fromkeys(STORES, 500), "DC1": 0},
        [supply(None, "DC1", 1, order_weekdays="1"), supply("DC1", "V1", 6)],
    )
    assert terms_of(shops, "DC1").get("demand_over_cover", 0) == 0
    longer = retailer(
        dict.fromkeys(STORES, 2.0),
        {**dict.fromkeys(STORES, 15), "DC1": 0},
        [supply(None, "DC1", 1, order_weekdays="1"), supply("DC1", "V1", 13)],
    )
    # In fourteen days the Monday after next comes: a week of sales of eight stores.
    assert terms_of(longer, "DC1")["demand_over_cover"] == 8 * 14


def test_a_stopped_store_draws_nothing() -> None:
    shops = stores_of(0)
    stopped = replace(shops.known, stopped=pa.table({"sku": ["A"], "place": ["S1"]}))
    less = replace(shops, known=stopped)
    assert terms_of(less, "DC1")["demand_over_cover"] == 84


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_some_lines_are_planned_like_all(seed: int) -> None:
    """And the arithmetic adds up, and stores never get more than there is."""
    rng = np.random.default_rng(seed)
    sells = {place: float(rng.choice([0.3, 1.0, 5.0])) for place in STORES}
    stock = {place: int(rng.integers(0, 25)) for place in STORES} | {"DC1": int(rng.integers(80))}
    terms = [supply(None, "DC1", int(rng.integers(1, 3)), case_size=int(rng.choice([1, 4])))]
    terms.append(supply("DC1", "V1", int(rng.integers(1, 12)), case_size=12))
    whole, part = (retailer(sells, stock, terms) for _ in range(2))
    whole.plan()
    row = int(rng.integers(len(STORES)))
    part.replenish.propose(part.forecast, part.known, rows=np.array([row]))
    assert part.quantities("replenish") == whole.quantities("replenish")
    got = [whole.quantities("replenish").get(("A", place), 0) for place in STORES]
    if told(whole, "DC1").inputs["promised_days"] == 0:
        assert sum(got) <= stock["DC1"]
    for place in (*STORES, "DC1"):
        explained = told(whole, place)
        assert sum(term.value for term in explained.terms) == explained.quantity
