"""What a unit costs and earns, in one currency."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from sanhe.goods.replenish import Assumptions
from sanhe.goods.replenish.money import UnitMoney, unit_money

ASSUMED = replace(Assumptions.load(), margin_rate=0.25, unit_cost_cents=700, tax_rate=0.0)


def money(cost: str | None, price: str | None, *, priced: bool = True) -> UnitMoney:
    """One SKU that costs 60 and sells at 100, in these currencies."""
    terms = {"sku": ["A"], "place": [None], "unit_cost_cents": [60], "currency": [cost]}
    sold = {"sku": ["A"], "place": [None], "price_cents": [100], "currency": [price]}
    table = pa.table({**sold, "tax_included": [False], "per_units": [1]})
    return unit_money(
        ["A"],
        ["S1"],
        terms=pa.table(terms),
        prices=table if priced else None,
        items=None,
        assumptions=ASSUMED,
    )


def told(found: UnitMoney) -> tuple[float, float, bool, bool]:
    return (
        float(found.cost_cents[0]),
        float(found.margin_cents[0]),
        bool(found.cost_assumed[0]),
        bool(found.margin_assumed[0]),
    )


def test_cost_and_price_of_one_currency_give_the_margin() -> None:
    assert told(money("CNY", "CNY")) == (60.0, 40.0, False, False)


def test_a_currency_that_is_not_named_is_taken_to_agree() -> None:
    assert told(money(None, "CNY")) == told(money("USD", None)) == (60.0, 40.0, False, False)


def test_a_cost_in_another_currency_is_assumed_from_the_price_and_named() -> None:
    """60 US cents less 100 fen is no margin; 25 % of the price is what is assumed."""
    assert told(money("USD", "CNY")) == (75.0, 25.0, True, False)


def test_without_a_price_the_agreed_cost_stands() -> None:
    assert told(money("USD", None, priced=False)) == (60.0, 20.0, False, True)
