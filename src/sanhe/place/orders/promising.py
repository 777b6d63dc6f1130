"""Promising: in which ways a basket can be had, by when, and for how much.

Each promise is the quote of the basket with the delivery it names: what is promised on a page is
what the quote says and the order keeps, as long as nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sanhe.core.errors import BadInput, Shortage
from sanhe.core.places import Point
from sanhe.place.orders.basket import Basket, Delivery
from sanhe.place.orders.placing import Quote
from sanhe.place.sourcing import Method

Quoting = Callable[[Basket], Quote]
"""Says what a basket costs and promises now; refuses what can't be had."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A way to have a basket: ordered now with `delivery`, it is there by `due_at` (UTC)."""

    method: Method
    delivery: Delivery
    due_at: datetime
    quote: Quote

    @property
    def delivery_cents(self) -> int:
        """What the shopper pays to have it brought."""
        return self.quote.delivery_cents

    @property
    def places(self) -> tuple[str, ...]:
        """Where it comes from, in the order of its pieces."""
        return tuple(dict.fromkeys(piece.place for piece in self.quote.plan.pieces))


def brought(
    basket: Basket, to: Point, windows: Sequence[tuple[Method, datetime]], *, quote: Quoting
) -> Iterator[Promise]:
    """What couriers can bring to an address: the cheapest whenever it comes (`SHIP`), then each
    window that can be kept, the widest first.

    A window that what was found before keeps as well has the same quote: the cheapest of many
    that comes in time is the cheapest of those that do. What can't be kept takes the narrower
    windows along. Raises what `quote` does where no courier can bring it at all.
    """
    delivery = Delivery("courier", None, to.latitude, to.longitude)
    found = quote(replace(basket, delivery=delivery))
    yield Promise(Method.SHIP, delivery, _arrival(found), found)
    for method, due in windows:
        timely = replace(delivery, by=due)
        if _arrival(found) > due:
            try:
                found = quote(replace(basket, delivery=timely))
            except (BadInput, Shortage):
                return
        yield Promise(method, timely, due, found)


def fetched(basket: Basket, place: str, *, quote: Quoting) -> Promise:
    """The basket to be picked up at a store. Raises what `quote` does."""
    delivery = Delivery("pickup", place)
    found = quote(replace(basket, delivery=delivery))
    return Promise(Method.PICK_UP, delivery, _arrival(found), found)


def _arrival(quote: Quote) -> datetime:
    assert quote.plan.arrives_at is not None
    return quote.plan.arrives_at
