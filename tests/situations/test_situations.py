"""Golden situations: folders a merchandiser can read, each with the arithmetic it must give.

A situation is one SKU in one shop on Thursday 25 September 2025, reviewed every day. What a file
leaves out: never counted stock, no open orders, cases and minimum of 1, cost 3.00, price 5.00.
Lead times are certain here, so that the arithmetic can be followed with a pencil. There may be
other places with the same SKU (`elsewhere`), and a warehouse that supplies all of them.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.decisions import MemoryDecisions
from sanhe.goods.replenish import (
    CONSTRAINTS,
    DECISION_KIND,
    KIND,
    TERMS,
    TRANSFER_KIND,
    Assumptions,
    Explanation,
    Known,
    Moving,
    Plan,
    Policy,
    Replenish,
)
from tests.goods.replenish.doubles import FlatForecast, flat_forecast

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent for path in HERE.glob("*/situation.toml"))
TODAY = date(2025, 9, 25)
SKU, SHOP = "SKU-1", "SHOP-1"
OF_DELIVERIES = ("truck_grams", "case_grams", "minimum_order_cents", "minimum_order_cases")


def forecast_of(given: dict[str, Any], elsewhere: list[dict[str, Any]]) -> FlatForecast:
    """The forecast the situation describes."""
    others = [(SKU, one["place"], one["per_day"]) for one in elsewhere if "per_day" in one]
    flat = flat_forecast(
        [(SKU, SHOP, given.get("per_day", 1.0)), *others],
        as_of=TODAY,
        horizon_days=28,
        ratio=given.get("variance_over_mean", 2.0),
        counted=not given.get("continuous", False),
    )
    if "by_day" not in given:
        return flat
    return replace(flat, mean=np.array([given["by_day"]], np.float32))


def row(**columns: object) -> pa.Table:
    return pa.table({name: [value] for name, value in columns.items()})


def terms_of(supply: dict[str, Any], warehouse: dict[str, Any] | None) -> pa.Table:
    """Every place is supplied by V1, or by the warehouse where there is one, and that by V1."""
    parties = [("V1", None, supply)]
    if warehouse:
        parties = [
            (warehouse["place"], None, supply),
            ("V1", warehouse["place"], warehouse["supply"]),
        ]
    return pa.Table.from_pylist(
        [
            {
                "sku": SKU,
                "place": place,
                "supplier": supplier,
                "unit_cost_cents": terms.get("unit_cost_cents", 300),
                "cost_per_case_cents": None,
                "lead_time_days": terms["lead_time_days"],
                "moq": terms.get("moq", 1),
                "case_size": terms.get("case", 1),
                "order_weekdays": terms.get("order_weekdays"),
                "priority": 1,
                **{name: terms[name] for name in OF_DELIVERIES if name in terms},
            }
            for supplier, place, terms in parties
        ]
    )


def places_of(elsewhere: list[dict[str, Any]], warehouse: dict[str, Any] | None) -> pa.Table:
    """The shop and the other places, of one parent; the warehouse."""
    stores = [SHOP, *(one["place"] for one in elsewhere)]
    codes = [*stores, *([warehouse["place"]] if warehouse else [])]
    kinds = ["store"] * len(stores) + ["warehouse"] * (len(codes) - len(stores))
    parents = pa.array(["EAST"] * len(stores) + [None] * (len(codes) - len(stores)), pa.string())
    regions = pa.nulls(len(codes), pa.string())
    return pa.table({"id": codes, "kind": kinds, "parent": parents, "region": regions})


def known_of(situation: dict[str, Any]) -> Known:
    """What is known in the situation, as the tables replenishment reads."""
    item, supply, stock, price = (
        situation.get(name, {}) for name in ("item", "supply", "stock", "price")
    )
    orders = situation.get("on_order", [])
    lots = [{"place": SHOP, **lot} for lot in situation.get("lots", [])]
    elsewhere, warehouse = situation.get("elsewhere", []), situation.get("warehouse")
    counted = [{"place": SHOP, **stock}] if stock else []
    counted += [one for one in (*elsewhere, *([warehouse] if warehouse else [])) if "net" in one]
    return Known(
        items=row(
            sku=SKU,
            name="tea",
            base_unit=item.get("base_unit", "each"),
            case_size=item.get("case"),
            shelf_life_days=item.get("shelf_life_days"),
        ),
        positions=pa.table(
            {
                "sku": [SKU] * len(counted),
                "place": [one["place"] for one in counted],
                "net": [one["net"] for one in counted],
                "reserved": [one.get("reserved", 0) for one in counted],
                "known_since": ["2025-01-01"] * len(counted),
            }
        )
        if counted
        else None,
        lots=pa.table(
            {
                "sku": [SKU] * len(lots),
                "place": [lot["place"] for lot in lots],
                "expires": [lot["expires"] for lot in lots],
                "quantity": [lot["quantity"] for lot in lots],
            }
        )
        if lots
        else None,
        terms=terms_of(supply, warehouse),
        on_order=pa.table(
            {
                "sku": [SKU] * len(orders),
                "place": [SHOP] * len(orders),
                "quantity": [order["quantity"] for order in orders],
                "due": [order["due"] for order in orders],
            }
        )
        if orders
        else None,
        places=places_of(elsewhere, warehouse),
        prices=row(
            sku=SKU,
            place=None,
            price_cents=price.get("cents", 500),
            per_units=price.get("per_units", 1),
            tax_included=False,
            tax_rate=0.13,
        ),
        presentation=row(sku=SKU, place=SHOP, units=situation["presentation"]["units"])
        if "presentation" in situation
        else None,
        stopped=row(sku=SKU, place=SHOP) if situation.get("stopped") else None,
    )


def planned(situation: dict[str, Any]) -> tuple[Plan, Explanation]:
    """Plan the situation; return the plan and the line's explanation."""
    decisions = MemoryDecisions(FixedClock(datetime(2025, 9, 25, 1, tzinfo=UTC)))
    for kind in (DECISION_KIND, TRANSFER_KIND):
        decisions.register(kind)
    certain = replace(Assumptions.load(), lead_time_sd_days=0.0)
    policy = replace(Policy.load(), moving=Moving(**situation.get("transfers", {})))
    replenish = Replenish(decisions, decisions.clock, policy=policy, assumptions=certain)
    forecast = forecast_of(situation["forecast"], situation.get("elsewhere", []))
    known = known_of(situation)
    if situation.get("open_proposal"):
        yesterday = replace(forecast, id="yesterday")
        assert replenish.propose(yesterday, replace(known, positions=None)).proposed == 1
    plan = replenish.propose(forecast, known)
    at = situation["expected"].get("at", SHOP)
    told = replenish.explain_line(forecast, known, sku=SKU, place=at)
    moved = [decisions.get(number).proposal.reason for number in plan.transfers]
    assert moved == situation["expected"].get("transfers", [])
    for recorded in decisions.find(kind=KIND, place=at) if plan.proposed else []:
        assert recorded.run == plan.run
        assert recorded.proposal.value == told.quantity
        assert recorded.proposal.reason == told.reason
    return plan, told


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_situation_gives_its_arithmetic(folder: Path) -> None:
    situation = tomllib.loads((folder / "situation.toml").read_text("utf-8"))
    expected = situation["expected"]
    plan, told = planned(situation)
    assert {term.name: term.value for term in told.terms if term.value} == expected["terms"]
    assert sum(expected["terms"].values()) == told.quantity == expected["quantity"]
    assert told.terms[-1].running == told.quantity
    assert plan.proposed == expected.get("proposed", int(expected["quantity"] > 0))
    limits = [words for name, words in CONSTRAINTS.items() if name in expected["limits"]]
    assert list(told.limits) == limits
    assert told.reason == expected["reason"]
    assumed = [name for name in told.inputs["assumed"] if name != "lead_time_sd_days"]
    assert assumed == expected.get("assumed", [])
    assert told.inputs["next_arrival_on"] == expected["covered_until"].isoformat()


def test_every_file_is_complete() -> None:
    assert len(FOLDERS) >= 12
    for folder in FOLDERS:
        situation = tomllib.loads((folder / "situation.toml").read_text("utf-8"))
        assert situation["title"]
        assert situation["story"]
        assert set(situation["expected"]["terms"]) <= set(TERMS)
