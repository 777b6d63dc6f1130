"""What returns tell as facts: goods are back at a place, and what of them can't be sold."""

from __future__ import annotations

from datetime import datetime, time
from typing import Final

from sanhe.core.facts import Fact
from sanhe.core.values import business_day
from sanhe.place.orders import Order
from sanhe.place.returns.rules import Return

SOURCE: Final = "sanhe.returns"
"""The source of what returns tell."""


def return_facts(
    found: Return, order: Order, *, at: datetime, time_zone: str, cut_off: time
) -> list[Fact]:
    """A movement for all that came back, and one out again for what goes to the outlet or is
    waste: the stock that can be sold grows by what is sellable, and the loss has its reason."""
    day = business_day(at, time_zone=time_zone, cut_off=cut_off)
    facts = []
    for line in found.lines:
        verdict = line.verdict
        moves = (("return", verdict.units), ("outlet", -verdict.outlet), ("waste", -verdict.waste))
        each = {part.sku: part.each for part in order.parts if part.line == line.line}
        for sku, units in each.items():
            for reason, quantity in moves:
                if quantity == 0:
                    continue
                fact = Fact(
                    type="stock.moved",
                    source=SOURCE,
                    external_id=f"{found.id}/{line.line}/{sku}/{reason}",
                    event_at=at,
                    day=day,
                    sku=sku,
                    place=found.place,
                    quantity=quantity * units,
                    payload={"reason": reason},
                )
                facts.append(fact)
    return facts
