"""Which lines need a person, and what each is worth: pure functions on columns of N lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sanhe.models.inventory import Bools, Floats

KINDS: Final = (
    *("stock_out", "runs_out", "not_orderable", "expiring", "dead", "excess", "stock_unknown"),
)
"""The kinds of exceptions, the most pressing first; a line stands in the first that holds for it.

stock_out: nothing on hand though it sells (断货). runs_out: the stock and what is on order end
before an order of today would arrive (预警). not_orderable: needed, but it can't be ordered today
(无法订货). expiring: stock that will expire unsold (临期). dead: stock that no longer sells
(滞销). excess: stock above the most the policy would raise it to (过量). stock_unknown: it sells,
but was never counted (库存未知).
"""

ACTIONS: Final[Mapping[str, str]] = {
    "stock_out": "order",
    "runs_out": "order",
    "not_orderable": "supplier",
    "expiring": "mark_down",
    "dead": "clear",
    "excess": "transfer",
    "stock_unknown": "count",
}
"""The one thing to do about each kind."""

LEAST_CENTS: Final = 1
"""An exception without money at stake is none."""


def in_brief(on_hand: int | None, cover_days: float | None, lead_time_days: float | None) -> str:
    """What matters about a line in a few words; empty where it is not known.

    >>> in_brief(12, 3.0, 2.0)
    'lasts 3.0 days, an order takes 2.0'
    """
    if on_hand is None:
        return "stock was never counted"
    if cover_days is None or lead_time_days is None:
        return ""
    return f"lasts {cover_days:.1f} days, an order takes {lead_time_days:.1f}"


@dataclass(frozen=True, slots=True)
class Judged:
    """What N lines are judged by, in base units and cents; nan where it is not known.

    `per_day`: expected demand a day. `lead_time_days`: until an order of today arrives.
    `refused`: units needed that can't be ordered today. `unit_cost_cents`, `unit_margin_cents` of
    a base unit. `stock_cents`: what lies there, at cost; of it `excess_cents` and
    `expiring_cents`. `dead`: no longer sells.
    """

    on_hand: Floats
    on_order: Floats
    per_day: Floats
    lead_time_days: Floats
    refused: Floats
    unit_cost_cents: Floats
    unit_margin_cents: Floats
    stock_cents: Floats
    excess_cents: Floats
    expiring_cents: Floats
    dead: Bools


def exceptions(lines: Judged) -> tuple[np.ndarray, Floats]:
    """The kind of each line as an index of KINDS, -1 = none, and the money at stake in cents.

    Lost margin is what can't be sold until an order of today arrives: for `stock_out` all the
    demand until then, for `runs_out` that beyond the stock. Stock is worth its cost; stock never
    counted as much as the demand of the lead time costs.
    """
    per_day, lead = np.nan_to_num(lines.per_day), np.nan_to_num(lines.lead_time_days)
    margin = np.maximum(np.nan_to_num(lines.unit_margin_cents), 0.0)
    known, sells = ~np.isnan(lines.on_hand), per_day > 0
    on_hand = np.maximum(np.nan_to_num(lines.on_hand), 0.0)
    coming = on_hand + np.nan_to_num(lines.on_order)
    until = per_day * lead
    worth = {
        "stock_out": np.where(known & sells & (on_hand < 1e-9), until * margin, 0.0),
        "runs_out": np.where(known & sells, np.maximum(until - coming, 0.0) * margin, 0.0),
        "not_orderable": np.nan_to_num(lines.refused) * margin,
        "expiring": np.nan_to_num(lines.expiring_cents),
        "dead": np.where(lines.dead, np.nan_to_num(lines.stock_cents), 0.0),
        "excess": np.nan_to_num(lines.excess_cents),
        "stock_unknown": np.where(
            ~known & sells, until * np.nan_to_num(lines.unit_cost_cents), 0.0
        ),
    }
    kind = np.full(len(per_day), -1, np.int64)
    cents = np.zeros(len(per_day))
    for at in reversed(range(len(KINDS))):
        at_stake = np.rint(worth[KINDS[at]])
        holds = at_stake >= LEAST_CENTS
        kind[holds], cents[holds] = at, at_stake[holds]
    return kind, cents
