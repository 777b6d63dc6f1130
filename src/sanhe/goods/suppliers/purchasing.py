"""The suppliers' façade: terms, what is on order, orders made and received, lead times."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.facts import Fact, follow
from sanhe.core.jobs import Outbox
from sanhe.core.storage import Transaction
from sanhe.goods.suppliers import orders, store, terms
from sanhe.goods.suppliers.facts import FACT_TYPES, STOCK_MOVED
from sanhe.goods.suppliers.orders import PurchaseOrder
from sanhe.goods.suppliers.rules import OrderLine, OrderStatus

if TYPE_CHECKING:
    import pyarrow as pa

SOURCE = "sanhe"
"""The source of facts that sanhe itself records."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of one order line, or left for one, in base units."""

    sku: str
    quantity: int
    lot: str | None = None
    expires: date | None = None


class Suppliers:
    """Suppliers and purchase orders within one transaction; a projection of their facts.

    An order we place is true by its own record (`purchase_order`); an order of an outside system
    is true by its facts. Both are read through one view of order lines, from which receipts and
    closures are taken off: what is on order is derived, never kept twice.
    """

    def __init__(self, tx: Transaction, outbox: Outbox, *, currency: str = "CNY") -> None:
        self._tx, self._outbox, self._currency = tx, outbox, currency

    @property
    def types(self) -> frozenset[str]:
        """The fact types it reads."""
        return frozenset(kind.name for kind in FACT_TYPES) | {STOCK_MOVED}

    def apply(self, batch: UUID) -> None:
        """Bring suppliers, terms, outside orders and receipts in line with this batch's facts."""
        follow(self._tx, batch, "goods.suppliers", mirrors=store.MIRRORS)

    def suppliers(self, day: date | None = None) -> pa.Table:
        """Suppliers by id: supplier, name, order_weekdays, minimum_order_cents,
        minimum_order_cases, truck_grams, truck_ml."""
        return store.read_suppliers(self._tx, day)

    def terms(self, *, day: date | None = None, skus: Collection[str] | None = None) -> pa.Table:
        """Supply terms by SKU and place (null = everywhere), first choice first: sku, place,
        supplier, supplier_name, unit_cost_cents (rounded), cost_per_case_cents, currency,
        lead_time_days (null = not agreed), moq, case_size, order_weekdays, priority, case_grams,
        case_ml, cases_per_pallet, minimum_order_cents, minimum_order_cases, truck_grams,
        truck_ml.

        The case size falls back to the item's, then to 1. `day` = as agreed on that day.
        """
        chosen = None if skus is None else sorted(skus)
        return terms.terms(self._tx, day=day, skus=chosen)

    def choice(
        self, skus: Sequence[str], places: Sequence[str], *, day: date | None = None
    ) -> pa.Table:
        """The terms to order by for each (sku, place), in the given order, as `terms` gives
        them; null where nothing is agreed. The place's own terms win, then the first choice."""
        offered = terms.terms(self._tx, day=day, skus=sorted(set(skus)))
        return terms.choose(offered, skus, places)

    def on_order(self, as_of: date) -> pa.Table:
        """Open order lines, ours and outside ones: sku, place, quantity (base units still to
        come), due, order, line, supplier, ordered_on, own, overdue_days.

        What is open is the present state of the records; `as_of` only judges what is overdue.
        """
        return store.read_on_order(self._tx, as_of)

    def leaving(self, places: Collection[str] = ()) -> pa.Table:
        """What will leave places for others: sku, place, quantity (base units not yet departed).

        Of transfers of ours, and of outside orders whose supplier is one of these `places`. A unit
        has left once a departure or a receipt of its order is recorded.
        """
        return store.read_leaving(self._tx, sorted(places))

    def order(
        self,
        lines: Iterable[OrderLine],
        run: UUID,
        *,
        day: date,
        lead_time_days: int = 0,
    ) -> list[PurchaseOrder]:
        """Order these lines: one order per supplier, place and day of arrival.

        `day` is the business day of ordering; an order is due the lead time after the supplier's
        next order day. `lead_time_days` is for lines without terms. Each order goes to the
        outbox topic "purchase_order" under its name. Raises Conflict when a decision was ordered
        before, BadInput for a quantity below one.
        """
        return orders.make_orders(
            self._tx,
            self._outbox,
            list(lines),
            run=run,
            day=day,
            currency=self._currency,
            default_lead_time_days=lead_time_days,
        )

    def orders(
        self, *, names: Collection[str] | None = None, run: UUID | None = None
    ) -> list[PurchaseOrder]:
        """Our orders with their present status, by name."""
        chosen = None if names is None else sorted(names)
        return orders.find_orders(self._tx, names=chosen, run=run)

    def order_page(
        self,
        *,
        supplier: str | None = None,
        place: str | None = None,
        text: str | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> tuple[list[PurchaseOrder], int]:
        """Some of our orders, the newest first, and how many there are in all.

        `text`: part of an order's name.
        """
        wanted = {"supplier": supplier, "place": place, "text": text}
        names, total = store.order_names(self._tx, wanted, offset=offset, limit=limit)
        of = {order.name: order for order in self.orders(names=names)}
        return [of[name] for name in names], total

    def get(self, name: str) -> PurchaseOrder:
        """One order of ours. Raises NotFound."""
        found = self.orders(names=[name])
        if not found:
            raise NotFound(f"no order {name!r}: see the orders of the last runs")
        return found[0]

    def sent(self, names: Collection[str], *, reason: str = "") -> int:
        """Record that orders left the house; returns how many had not before."""
        return store.add_event(self._tx, sorted(names), status="sent", reason=reason)

    def cancel(self, name: str, *, reason: str) -> None:
        """Cancel what is still open of an order of ours. Raises NotFound, Conflict when nothing
        is open any more, BadInput without a reason."""
        if not reason.strip():
            raise BadInput("a cancellation needs a reason", place=name, remedy="say why")
        if self.get(name).status in {OrderStatus.RECEIVED, OrderStatus.CLOSED}:
            raise Conflict(f"order {name} has nothing open: there is nothing to cancel")
        store.add_event(self._tx, [name], status="cancelled", reason=reason)

    def receipt(
        self, name: str, arrived: Sequence[Arrived], *, note: str, at: datetime, day: date
    ) -> list[Fact]:
        """The facts of a delivery for an order of ours, to be recorded through the same door as
        an import, so that stock and orders follow. `note` names the delivery note: the same
        delivery again gives the same facts.

        Over- and short deliveries are taken as they are and listed by `differences`.
        Raises NotFound for no such order, BadInput for a quantity below one.
        """
        order = self.get(name)
        facts = []
        for number, each in enumerate(arrived, start=1):
            _check_quantity(
                each,
                name,
                verb="receive",
                remedy="leave out what did not come; close the order for the rest",
            )
            line = next((line.line for line in order.lines if line.sku == each.sku), None)
            payload = {
                "order": name,
                "line": None if line is None else str(line),
                "lot": each.lot,
                "expires": None if each.expires is None else each.expires.isoformat(),
            }
            facts.append(
                Fact(
                    type="purchase.received",
                    source=SOURCE,
                    external_id=f"receipt/{name}/{note}/{number}",
                    event_at=at,
                    day=day,
                    sku=each.sku,
                    place=order.place,
                    party=order.supplier,
                    quantity=each.quantity,
                    payload={key: value for key, value in payload.items() if value is not None},
                )
            )
        return facts

    def departure(
        self, name: str, left: Sequence[Arrived], *, note: str, at: datetime, day: date
    ) -> list[Fact]:
        """The facts of goods leaving the giving place for a transfer of ours, to be recorded as
        an import is. `note` names the loading list: the same one again gives the same facts.

        Raises NotFound for no such order, BadInput for an order that is no transfer or a quantity
        below one.
        """
        order = self.get(name)
        if not order.transfer:
            raise BadInput(
                "nothing leaves for it", place=name, remedy="name a transfer, such as TR-000123"
            )
        for each in left:
            _check_quantity(each, name, verb="send", remedy="leave out what was not sent")
        return [
            Fact(
                type=STOCK_MOVED,
                source=SOURCE,
                external_id=f"departure/{name}/{note}/{number}",
                event_at=at,
                day=day,
                sku=each.sku,
                place=order.supplier,
                quantity=-each.quantity,
                payload={"reason": "transfer_out", "order": name}
                | ({} if each.lot is None else {"lot": each.lot}),
            )
            for number, each in enumerate(left, start=1)
        ]

    def differences(self, as_of: date) -> pa.Table:
        """Where deliveries and orders differ: difference (over, short, overdue, unordered),
        order, line, sku, place, supplier, ordered, received, quantity (received - ordered), due,
        last_day (of receipt)."""
        return store.read_differences(self._tx, as_of)

    def lead_times(self) -> pa.Table:
        """Measured lead times (实际交期) of complete or closed lines per supplier and SKU, and
        per supplier (sku null): supplier, sku, n, mean_days, sd_days (n - 1; null below two),
        lines, on_time_share, in_full_share, fill_share.

        Days run from the order day to the receipt with which the ordered quantity was complete,
        or to the last receipt of a line that was closed short; `n` counts lines that arrived at
        all. On time = complete, or as much as came, by the due day. Fill = received, at most as
        ordered, over ordered.
        """
        return store.read_lead_times(self._tx)


def _check_quantity(each: Arrived, order: str, *, verb: str, remedy: str) -> None:
    """Raise BadInput for a quantity below one."""
    if each.quantity < 1:
        raise BadInput(f"can't {verb} {each.quantity}", place=f"{order} {each.sku}", remedy=remedy)
