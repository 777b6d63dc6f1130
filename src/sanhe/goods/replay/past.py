"""The retailer's own past made ready to replay: demand, terms, stock and classes of each line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.goods.replay.product import Later
from sanhe.goods.replenish import Assumptions, Known, Policy, prepare
from sanhe.models.forecast import demand_panel
from sanhe.models.replay import Lateness, Record, Terms

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from sanhe.goods.demand import DemandPanel, ForecastRun

LEAST_HISTORY_DAYS = 28
"""So many days must lie before the replay: rules take means of them."""

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
    settle_days: int = 0,
) -> Past:
    """The lines of a forecast made on the first replayed day, and their demand until `seen` ends.

    `seen`: the panel on the day after the last replayed one. `known`: what was known on the first
    day; its stock is the opening stock, days of expected demand where it was never counted.
    Lead times are those measured, or agreed; their deviation says how late deliveries come.
    `settle_days`: the first days, in which the opening stock wears off, are not counted.
    Raises BadInput when too few days lie before the first one to know a mean, or none is counted.
    """
    prepared = prepare(Later(first, 0), known, policy=policy, assumptions=assumptions)
    lines, supply = prepared.lines, prepared.supply
    life = np.where(np.isfinite(prepared.shelf_life_days), prepared.shelf_life_days, 0)
    terms = Terms(
        lead_time_days=np.maximum(np.rint(supply.lead_time_days), 1).astype(np.int64),
        case_size=lines.case_size,
        moq=lines.moq,
        shelf_life_days=life.astype(np.int64),
        order_weekday=_order_weekdays(tuple(supply.order_weekdays)),
        unit_cost_cents=lines.unit_cost_cents.astype(np.float64),
        margin_cents=lines.margin_cents.astype(np.float64),
    )
    history = (first.as_of - seen.panel.first_day).days
    if history < LEAST_HISTORY_DAYS or not 0 <= settle_days < (seen.as_of - first.as_of).days:
        raise BadInput(
            f"{history} days of history before {first.as_of}, {settle_days} days to settle",
            place="replay",
            remedy=f"replay fewer weeks: {LEAST_HISTORY_DAYS} days must lie before the first, and "
            "a day must be left to count",
        )
    demand = _demand(seen, first)
    assumed = {name: int(lines.sum()) for name, lines in prepared.assumed.items() if lines.any()}
    return Past(
        first_day=first.as_of,
        keys=first.keys,
        record=Record(
            demand=demand,
            history_days=history,
            first_weekday=first.as_of.weekday(),
            opening=np.maximum(lines.on_hand, 0),
            terms=terms,
            counted_from=settle_days,
        ),
        lateness=Lateness(sd_days=np.asarray(supply.lead_time_sd_days, np.float64)),
        labels=tuple(prepared.label),
        assumed=assumed,
    )


def with_terms(known: Known, *, lead_time_days: int | None = None, moq: int | None = None) -> Known:
    """The same knowledge with another lead time or minimum quantity in all terms.

    With another lead time what was measured of the present one no longer counts. Lines without
    terms keep what is assumed for them.
    """
    import pyarrow as pa

    if known.terms is None:
        return known
    terms = known.terms
    for name, value in (("lead_time_days", lead_time_days), ("moq", moq)):
        if value is not None:
            column = pa.array(np.full(terms.num_rows, value, np.int64))
            where = terms.column_names.index(name)
            terms = terms.set_column(where, name, column)
    measured = known.lead_times if lead_time_days is None else None
    return replace(known, terms=terms, lead_times=measured)


def _demand(seen: DemandPanel, first: ForecastRun) -> npt.NDArray[np.float32]:
    """Demand in base units, [days, lines], stock-outs taken out; 0 for a line no longer seen."""
    panel = seen.panel
    number = {
        key: row
        for row, key in enumerate(
            zip(seen.keys["sku"].to_pylist(), seen.keys["place"].to_pylist(), strict=True)
        )
    }
    asked = zip(first.keys["sku"].to_pylist(), first.keys["place"].to_pylist(), strict=True)
    row = np.array([number.get(key, -1) for key in asked], np.int64)
    units = np.where((row >= 0)[:, None], demand_panel(panel).sales[row], 0)
    units /= np.where(row >= 0, seen.scale[row], 1.0)[:, None]
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
