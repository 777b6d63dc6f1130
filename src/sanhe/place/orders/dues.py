"""What is asked of payment providers and not settled yet: open charges, refunds that run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sanhe.core.errors import Conflict, NotFound
from sanhe.core.storage import Transaction
from sanhe.core.values import Json
from sanhe.place.orders import store
from sanhe.place.orders.ports import Refund
from sanhe.place.orders.reading import Order
from sanhe.place.orders.rules import State

PAY_BEFORE: Final = timedelta(minutes=1)
"""A provider takes money until so long before an order's time is over: what is paid can be told,
or asked for, while the goods are still held."""
LOOKED_BACK: Final = timedelta(days=1)
"""Charges of orders older than this are left alone: their end is long over."""


@dataclass(frozen=True, slots=True)
class OpenCharge:
    """A charge that may have been paid without our being told."""

    order: UUID
    provider: str


class Dues:
    """Open charges and refunds, within one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def ask(self, order: Order, provider: str, way: str) -> None:
        """Keep that a provider is asked to collect; before it is asked, so that no charge is
        forgotten. The same again is kept once. Raises Conflict for an order not to be paid now.
        """
        if order.state is not State.PLACED or order.expires_at <= self._tx.clock.now():
            raise Conflict(f"order {order.number} is {order.state}: there is nothing to pay")
        self._tell(order.id, "payment_asked", {"provider": provider, "way": way})

    def open_charges(self, *, limit: int = 500) -> list[OpenCharge]:
        """Charges to be asked for: of orders whose time is nearly over, or that need no money
        any more. Those that were told as paid, or closed, are not among them."""
        now = self._tx.clock.now()
        rows = store.open_charges(
            self._tx, since=now - LOOKED_BACK, before=now + PAY_BEFORE, limit=limit
        )
        return [OpenCharge(row["order_id"], row["provider"]) for row in rows]

    def closed(self, charge: OpenCharge) -> None:
        """Say that a provider takes no more money for an order."""
        self._tell(charge.order, "payment_closed", {"provider": charge.provider})

    def due_refunds(self, *, limit: int = 500) -> list[UUID]:
        """Refunds that are not done and are to be asked for again now, the oldest first."""
        return store.due_refunds(self._tx, self._tx.clock.now(), limit)

    def refund(self, refund: UUID) -> Refund:
        """A refund as its provider is asked for it. Raises NotFound."""
        row = store.find_refund(self._tx, refund)
        if row is None:
            raise NotFound(f"no refund {refund}: it was not asked for here")
        return Refund(**row)

    def put_off(self, refund: Refund, *, refused: str = "", away: bool = False) -> None:
        """Ask for a refund again later: after 1, 2, 4 … minutes, at last once a day; after a
        minute each time while the provider is `away`.

        `refused`: why the provider does not give the money back. It is kept in the order's
        timeline, once for each reason; somebody has to see to it.
        """
        store.put_off_refund(self._tx, refund.id, tries=0 if away else 1)
        if refused:
            about: dict[str, Json] = {"refund": str(refund.id), "why": refused}
            about["amount_cents"] = refund.amount_cents
            self._tell(refund.order, "refund_refused", about)

    def _tell(self, order: UUID, kind: str, details: Mapping[str, Json]) -> None:
        """Write into the timeline what is not there yet."""
        events = store.read_events(self._tx, order)
        if (kind, details) not in [(event["kind"], event["details"]) for event in events]:
            store.add_event(self._tx, order, kind, details=details)


def ends_at(order: Order) -> datetime:
    """Until when a provider may take money for an order."""
    return order.expires_at - PAY_BEFORE
