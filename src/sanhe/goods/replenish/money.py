"""What a base unit costs and earns: from agreed cost, from the price, or from what is assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.catalog import BaseUnit
from sanhe.goods.replenish.assumptions import Assumptions
from sanhe.goods.replenish.matching import Keys, Matched, Texts, by_distinct, by_priority, encoded
from sanhe.models.inventory import Bools, Floats

if TYPE_CHECKING:
    import pyarrow as pa

WHOLE_UNITS: Mapping[str, int] = {"each": 1, "mg": 1_000_000, "ml": 1_000, "mm": 1_000}
"""One whole unit (each, kilogram, litre, metre) in the smallest unit of its kind."""


@dataclass(frozen=True, slots=True)
class UnitMoney:
    """Money of N lines in cents per base unit, without tax, [N]; a line's cost and margin are in
    one currency: its price's.

    `cost_assumed`: no cost was agreed in the currency of the price. `margin_assumed`: no price is
    set. `tax_assumed`: the price includes a tax of unknown rate.
    """

    cost_cents: Floats
    margin_cents: Floats
    cost_assumed: Bools
    margin_assumed: Bools
    tax_assumed: Bools


def unit_money(
    skus: Keys,
    places: Keys,
    *,
    terms: pa.Table | None,
    prices: pa.Table | None,
    items: pa.Table | None,
    assumptions: Assumptions,
) -> UnitMoney:
    """Cost and margin of SKUs at places.

    Cost: as agreed (per case where given, it is the finer one); else price less the assumed
    margin; else the assumed cost of a whole unit. A cost in another currency than the price is
    left aside: no rate of exchange is known. Margin: price without tax less cost; else the
    assumed share. A price is taken to include tax unless it says it doesn't.
    """
    skus, places = encoded(skus), encoded(places)
    priced = Matched(prices, skus, places)
    rate = priced.numbers("tax_rate")
    taxed = priced.numbers("tax_included") != 0.0
    per_units = priced.numbers("per_units")
    gross = priced.numbers("price_cents") / np.where(np.isnan(per_units), 1.0, per_units)
    unknown_rate = taxed & np.isnan(rate)
    tax = np.where(taxed, np.where(unknown_rate, assumptions.tax_rate, rate), 0.0)
    price = gross / (1.0 + tax)
    offered = Matched(by_priority(terms), skus, places)
    agreed = np.where(_differ(offered, priced), np.nan, _agreed_cost(offered))
    whole = _whole_units(Matched(items, skus, places).texts("base_unit"))
    assumed = np.where(
        np.isnan(price),
        assumptions.unit_cost_cents * whole,
        price * (1.0 - assumptions.margin_rate),
    )
    cost = np.where(np.isnan(agreed), assumed, agreed)
    share = assumptions.margin_rate / (1.0 - assumptions.margin_rate)
    return UnitMoney(
        cost_cents=cost,
        margin_cents=np.where(np.isnan(price), cost * share, price - cost),
        cost_assumed=np.isnan(agreed),
        margin_assumed=np.isnan(price),
        tax_assumed=unknown_rate & ~np.isnan(gross),
    )


def _differ(terms: Matched, prices: Matched) -> Bools:
    """Where cost and price name different currencies; one that names none is taken to agree."""
    import pyarrow as pa
    import pyarrow.compute as pc

    one, other = (matched.column("currency").cast(pa.string()) for matched in (terms, prices))
    differ: Bools = pc.not_equal(one, other).fill_null(False).to_numpy(zero_copy_only=False)
    return differ


def _agreed_cost(terms: Matched) -> Floats:
    """The agreed cost of a base unit; nan where there is none."""
    by_case = terms.numbers("cost_per_case_cents") / terms.numbers("case_size")
    return np.where(np.isnan(by_case), terms.numbers("unit_cost_cents"), by_case)


def _whole_units(base_units: Texts) -> Floats:
    """How much of a whole unit (each, kilogram, litre) one base unit is."""

    def size(text: str) -> float:
        unit = BaseUnit.parse(text or "each")
        return float(unit.size) / WHOLE_UNITS.get(unit.measure, 1)

    return by_distinct(np.where(base_units == None, "each", base_units), size)  # noqa: E711
