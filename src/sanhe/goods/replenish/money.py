"""What a base unit costs and earns: from agreed cost, from the price, or from what is assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.catalog import BaseUnit
from sanhe.goods.replenish.assumptions import Assumptions
from sanhe.goods.replenish.matching import Matched, by_priority
from sanhe.models.inventory import Bools, Floats

if TYPE_CHECKING:
    import pyarrow as pa

WHOLE_UNITS: Mapping[str, int] = {"each": 1, "mg": 1_000_000, "ml": 1_000, "mm": 1_000}
"""One whole unit (each, kilogram, litre, metre) in the smallest unit of its kind."""


@dataclass(frozen=True, slots=True)
class UnitMoney:
    """Money of N lines in cents per base unit, without tax, [N].

    `cost_assumed`: no cost was agreed. `margin_assumed`: no price is set. `tax_assumed`: the
    price includes a tax of unknown rate.
    """

    cost_cents: Floats
    margin_cents: Floats
    cost_assumed: Bools
    margin_assumed: Bools
    tax_assumed: Bools


def unit_money(
    skus: Sequence[str],
    places: Sequence[str],
    *,
    terms: pa.Table | None,
    prices: pa.Table | None,
    items: pa.Table | None,
    assumptions: Assumptions,
) -> UnitMoney:
    """Cost and margin of SKUs at places.

    Cost: as agreed (per case where given, it is the finer one); else price less the assumed
    margin; else the assumed cost of a whole unit. Margin: price without tax less cost; else the
    assumed share. A price is taken to include tax unless it says it doesn't.
    """
    priced = Matched(prices, skus, places)
    rate = priced.numbers("tax_rate")
    taxed = np.array([value is not False for value in priced.values("tax_included")], bool)
    per_units = priced.numbers("per_units")
    gross = priced.numbers("price_cents") / np.where(np.isnan(per_units), 1.0, per_units)
    unknown_rate = taxed & np.isnan(rate)
    tax = np.where(taxed, np.where(unknown_rate, assumptions.tax_rate, rate), 0.0)
    price = gross / (1.0 + tax)
    agreed = _agreed_cost(Matched(by_priority(terms), skus, places))
    whole = _whole_units(Matched(items, skus, places).values("base_unit"))
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


def _agreed_cost(terms: Matched) -> Floats:
    """The agreed cost of a base unit; nan where there is none."""
    by_case = terms.numbers("cost_per_case_cents") / terms.numbers("case_size")
    return np.where(np.isnan(by_case), terms.numbers("unit_cost_cents"), by_case)


def _whole_units(base_units: Sequence[str | None]) -> Floats:
    """How much of a whole unit (each, kilogram, litre) one base unit is."""
    sizes: dict[str | None, float] = {}
    for text in set(base_units):
        unit = BaseUnit.parse(text or "each")
        sizes[text] = float(unit.size) / WHOLE_UNITS.get(unit.measure, 1)
    return np.array([sizes[text] for text in base_units], np.float64)
