"""What orders tell as facts: the sale of what left a place, on its business day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Final

from sanhe.core.facts import Fact
from sanhe.core.values import business_day
from sanhe.place.orders.reading import Sold

SOURCE: Final = "sanhe.orders"
"""The source of the sales that orders tell."""


def sale_facts(sold: Sequence[Sold], calendars: Mapping[str, tuple[str, time]]) -> list[Fact]:
    """A fact of sale for each; `calendars` give each place's time zone and beginning of the day.

    The sale is told when the goods left, as that is when the stock moves.
    """
    facts = []
    for one in sold:
        zone, cut_off = calendars[one.place]
        fact = Fact(
            type="sale.line",
            source=SOURCE,
            external_id=one.id,
            event_at=one.at,
            day=business_day(one.at, time_zone=zone, cut_off=cut_off),
            sku=one.sku,
            place=one.place,
            quantity=one.quantity,
            amount_cents=one.amount_cents,
            currency=one.currency,
            payload={"receipt": one.receipt, "line": one.line},
        )
        facts.append(fact)
    return facts
