"""The retailer's own past made ready to replay: demand, terms, stock and classes of each line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.replay.product import Later
from sanhe.goods.replenish import Assumptions, Known, Policy, prepare
from sanhe.models.forecast import demand_panel
from sanhe.models.replay import Lateness, Record, Terms

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from sanhe.goods.demand import DemandPanel, ForecastRun

NEAR_DAYS = 14
"""A day that tells nothing of demand gets the mean of so many days before and after it."""


@dataclass(frozen=True, slots=True)
class Past:
    """N lines ready to replay from `first_day` on, in the order of `keys` (sku, place).

    `labels`: the class of each line, "" = none. `assumed`: how many lines stand on an assumption,
    by its name.
    """

    first_day: date
    keys: pa.Table
    record: Record
    lateness: Lateness
    labels: tuple[str, ...]
    assumed: dict[str, int]


def past_of(
    seen: DemandPanel,
    first: ForecastRun,
    known: Known,
    *,
    policy: Policy,
    assumptions: Assumptions,
) -> Past:
    """The lines of a forecast made on the first replayed day, and their demand until `seen` ends.

    `seen`: the panel on the day after the last replayed one. `known`: what was known on the first
    day; its stock is the opening stock, days of expected demand where it was never counted.
    Lead times are those measured, or agreed; their deviation says how late deliveries come.
    """
    prepared = prepare(Later(first, 0), known, policy=policy, assumptions=assumptions)
    lines, supply = prepared.lines, prepared.supply
    life = np.where(np.isfinite(prepared.shelf_life_days), prepared.shelf_life_days, 0)
    terms = Terms(
        lead_time_days=np.maximum(np.rint(supply.lead_time_days), 1).astype(np.int64),
        case_size=lines.case_size,
        moq=lines.moq,
        shelf_life_days=life.astype(np.int64),
        order_weekday=_order_weekdays(supply.order_weekdays),
        unit_cost_cents=lines.unit_cost_cents.astype(np.float64),
        margin_cents=lines.margin_cents.astype(np.float64),
    )
    demand = _demand(seen, first)
    history = (first.as_of - seen.panel.first_day).days
    assumed: dict[str, int] = {}
    for names in prepared.assumed:
        for name in names:
            assumed[name] = assumed.get(name, 0) + 1
    return Past(
        first_day=first.as_of,
        keys=first.keys,
        record=Record(
            demand=demand,
            history_days=history,
            first_weekday=first.as_of.weekday(),
            opening=np.maximum(lines.on_hand, 0),
            terms=terms,
        ),
        lateness=Lateness(sd_days=np.asarray(supply.lead_time_sd_days, np.float64)),
        labels=prepared.label,
        assumed=assumed,
    )


def with_terms(past: Past, *, lead_time_days: int | None = None, moq: int | None = None) -> Past:
    """The same past with another lead time or minimum quantity for every line."""
    terms = past.record.terms
    if lead_time_days is not None:
        terms = replace(terms, lead_time_days=np.full(len(terms), lead_time_days, np.int64))
    if moq is not None:
        terms = replace(terms, moq=np.full(len(terms), moq, np.int64))
    return replace(past, record=replace(past.record, terms=terms))


def _demand(seen: DemandPanel, first: ForecastRun) -> npt.NDArray[np.float32]:
    """Demand in base units, [days, lines], stock-outs taken out."""
    panel = seen.panel
    number = {
        key: row
        for row, key in enumerate(
            zip(seen.keys["sku"].to_pylist(), seen.keys["place"].to_pylist(), strict=True)
        )
    }
    asked = zip(first.keys["sku"].to_pylist(), first.keys["place"].to_pylist(), strict=True)
    row = np.array([number[key] for key in asked], np.int64)
    units = (demand_panel(panel).sales / seen.scale[:, None])[row]
    dropped = np.isnan(units)
    filled = np.where(dropped, 0, units)
    for day in np.flatnonzero(dropped.any(axis=0)):
        near = slice(max(day - NEAR_DAYS, 0), day + NEAR_DAYS + 1)
        known = ~dropped[:, near]
        mean = np.where(known, units[:, near], 0).sum(1) / np.maximum(known.sum(1), 1)
        filled[:, day] = np.where(dropped[:, day], mean, filled[:, day])
    return np.ascontiguousarray(np.maximum(filled, 0).T, np.float32)


def _order_weekdays(texts: tuple[str | None, ...]) -> npt.NDArray[np.bool_]:
    """[N, 7] from ISO numbers in text; empty = any day."""
    found = np.ones((len(texts), 7), np.bool_)
    for row, text in enumerate(texts):
        if text:
            found[row] = False
            found[row, [int(day) - 1 for day in text.split(",")]] = True
    return found
