"""What orders tell as facts: the sale of what left a place, on its business day, and what
promotions took off it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import time
from typing import Final

from sanhe.core.facts import Fact
from sanhe.core.values import business_day
from sanhe.place.orders.reading import Sold

SOURCE: Final = "sanhe.orders"
"""The source of the sales that orders tell."""


def sale_facts(sold: Sequence[Sold], calendars: Mapping[str, tuple[str, time]]) -> list[Fact]:
    """A fact of sale for each, and one of what each promotion took off it; `calendars` give each
    place's time zone and beginning of the day.

    They are told when the goods left, as that is when the stock moves. A coupon's code is in none.
    """
    facts = []
    for one in sold:
        zone, cut_off = calendars[one.place]
        sale = Fact(
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
        facts.append(sale)
        facts.extend(
            replace(
                sale,
                type="discount.given",
                external_id=f"{one.id}/{given.promotion}",
                amount_cents=given.cents,
                payload={
                    **sale.payload,
                    "promotion": given.promotion,
                    "coupon": bool(given.coupon),
                },
            )
            for given in one.discounts
            if given.cents
        )
    return facts
