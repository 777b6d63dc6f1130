"""What each order buys: cover, fill, shortage avoided; and what a case more or less would."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sanhe.goods.replenish.prepared import Prepared
from sanhe.goods.replenish.rules import Outcome
from sanhe.models.inventory import (
    Floats,
    Ints,
    above,
    cover_days,
    expected_fill,
    shortage_avoided,
    shortage_avoided_at,
)

LOW, HIGH = 0.05, 0.95
"""The ends of the 90 % interval of an expected effect."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One quantity considered for each of M lines, with its expected fill and days of cover."""

    quantity: Ints
    fill: Floats
    cover_days: Floats


@dataclass(frozen=True, slots=True)
class Effects:
    """What the orders of M lines buy, all arrays [M].

    `rows`: the lines in `Prepared`. `avoided` units saved from being short until the next
    arrival, with `avoided_low`, `avoided_high` as 90 % interval. `cover_before_days`: how long
    the stock position lasts without the order. `stock_out_risk`: the probability that demand
    exceeds the position before the order arrives. `chosen` and `others` are the choices: none,
    a case (or a tenth) less, a case (or a tenth) more.
    """

    rows: Ints
    avoided: Floats
    avoided_low: Floats
    avoided_high: Floats
    cover_before_days: Floats
    stock_out_risk: Floats
    chosen: Choice
    others: tuple[Choice, ...]


def effects(prepared: Prepared, outcome: Outcome, rows: Ints) -> Effects:
    """The effects of the orders of these lines."""
    lines = prepared.lines
    demand = lines.until_next.take(rows)
    position = lines.position()[rows]
    quantity = outcome.quantity[rows]
    case = lines.case_size[rows]
    # A step of one gram tells nothing: at least one case, about a tenth of the order.
    step = case * np.maximum(quantity // (10 * case), 1)
    less, more = quantity - step, quantity + step
    less = np.where((less >= lines.moq[rows]) & (less > 0), less, -1)
    more = np.where(more <= lines.room()[rows], more, -1)
    return Effects(
        rows=rows,
        avoided=shortage_avoided(demand, position, quantity),
        avoided_low=shortage_avoided_at(demand, position, quantity, probability=LOW),
        avoided_high=shortage_avoided_at(demand, position, quantity, probability=HIGH),
        cover_before_days=cover_days(prepared.mean[rows], position),
        stock_out_risk=above(prepared.until_arrival.take(rows), position),
        chosen=_choice(prepared, rows, quantity),
        others=tuple(
            _choice(prepared, rows, other) for other in (np.zeros_like(quantity), less, more)
        ),
    )


def _choice(prepared: Prepared, rows: Ints, quantity: Ints) -> Choice:
    """Fill and cover of a quantity; -1 marks a choice that is not open to a line."""
    level = prepared.lines.position()[rows] + np.maximum(quantity, 0)
    fill = expected_fill(
        prepared.lines.until_next.take(rows), prepared.until_arrival.take(rows), level
    )
    return Choice(quantity, fill, cover_days(prepared.mean[rows], level))
