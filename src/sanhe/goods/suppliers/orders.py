"""Purchase orders of ours: made from approved lines, sent through the outbox, read with state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from sanhe.core.errors import Conflict
from sanhe.core.facts import lock
from sanhe.core.jobs import Outbox
from sanhe.core.storage import Transaction, copy_in
from sanhe.core.values import Json
from sanhe.goods.catalog import Catalog
from sanhe.goods.suppliers import rules, store, terms
from sanhe.goods.suppliers.rules import LineState, OrderDraft, OrderLine, OrderStatus

if TYPE_CHECKING:
    import pyarrow as pa

TOPIC = "purchase_order"
"""The outbox topic on which orders leave."""


@dataclass(frozen=True, slots=True)
class PurchaseOrderLine:
    """A line of an order: quantities in base units, money in cents, None = not known.

    `cost_cents` is the cost of the whole line; a cost per case it was agreed by wins.
    """

    line: int
    sku: str
    name: str
    quantity: int
    case_size: int | None
    unit_cost_cents: int | None
    cost_cents: int | None
    decision: int | None
    cost_per_case_cents: int | None = None
    received: int = 0
    closed: bool = False


@dataclass(frozen=True, slots=True)
class PurchaseOrder:
    """An order of ours to one supplier for one place and day of arrival.

    A `transfer` (调拨单) is filled by another place of ours, its `supplier`, from stock.

    `cost_cents` sums the lines whose cost is known. `below_minimum_cents` is what lacks to the
    supplier's minimum order value, 0 when it is met or none is known.
    """

    name: str
    supplier: str
    supplier_name: str
    place: str
    ordered_on: date
    due: date
    currency: str
    run: UUID
    status: OrderStatus
    lines: tuple[PurchaseOrderLine, ...]
    minimum_order_cents: int | None = None
    transfer: bool = False

    @property
    def cost_cents(self) -> int:
        """The value of the order as far as costs are known."""
        return sum(line.cost_cents or 0 for line in self.lines)

    @property
    def below_minimum_cents(self) -> int:
        """What lacks to the supplier's minimum order value."""
        return max((self.minimum_order_cents or 0) - self.cost_cents, 0)


@dataclass(frozen=True, slots=True)
class _Vendor:
    name: str
    order_weekdays: str | None
    minimum_order_cents: int | None


def make_orders(
    tx: Transaction,
    outbox: Outbox,
    lines: Sequence[OrderLine],
    *,
    run: UUID,
    day: date,
    currency: str,
    default_lead_time_days: int,
) -> list[PurchaseOrder]:
    """Make orders of these lines, write them down and hand them to the outbox.

    Raises Conflict when a decision among them was ordered before, BadInput for a quantity below
    one.
    """
    if not lines:
        return []
    # Else two at once would both find a decision not yet ordered.
    lock(tx, "goods.suppliers.orders")
    numbers = [line.decision for line in lines if line.decision is not None]
    before = store.ordered_before(tx, numbers)
    if before is not None or len(set(numbers)) < len(numbers):
        what = f"decision {before[0]} is ordered as {before[1]}" if before else "a decision twice"
        raise Conflict(f"can't order: {what}; each decision is carried out once")
    vendors = _vendors(tx)
    complete = _completed(tx, lines, currency)
    drafts = rules.group_lines(
        [(line, rules.order_weekdays(_vendor(vendors, line).order_weekdays)) for line in complete],
        day,
        lead_time_days=default_lead_time_days,
    )
    orders = [
        _order(draft, name, run=run, day=day, currency=currency, vendors=vendors)
        for draft, name in zip(drafts, _names(tx, drafts), strict=True)
    ]
    copy_in(tx, "purchase_order", _head_table(tx, orders))
    copy_in(tx, "purchase_order_line", _line_table(orders))
    for order in orders:
        outbox.put(TOPIC, order.name, payload(order))
    return orders


def _names(tx: Transaction, drafts: Sequence[OrderDraft]) -> list[str]:
    return store.next_names(tx, [draft.transfer for draft in drafts])


def find_orders(
    tx: Transaction, *, names: Sequence[str] | None = None, run: UUID | None = None
) -> list[PurchaseOrder]:
    """Our orders with their present status, by name."""
    heads, lines = store.read_orders(tx, names, run)
    of: dict[str, list[PurchaseOrderLine]] = {}
    for row in lines:
        name = str(row.pop("order_name"))
        of.setdefault(name, []).append(PurchaseOrderLine(**row))  # type: ignore[arg-type]
    found = []
    for head in heads:
        sent = bool(head.pop("sent"))
        own = tuple(of.get(str(head["name"]), ()))
        states = [LineState(line.quantity, line.received, line.closed) for line in own]
        head["run"] = UUID(str(head["run"]))
        status = rules.order_status(sent=sent, lines=states)
        found.append(PurchaseOrder(**head, status=status, lines=own))  # type: ignore[arg-type]
    return found


def payload(order: PurchaseOrder) -> Mapping[str, Json]:
    """The order as it leaves through the outbox."""
    return {
        "order": order.name,
        "supplier": order.supplier,
        "supplier_name": order.supplier_name,
        "place": order.place,
        "due": order.due.isoformat(),
        "currency": order.currency,
        "lines": [
            {
                "line": line.line,
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "case_size": line.case_size,
                "cases": None if not line.case_size else line.quantity / line.case_size,
                "unit_cost_cents": line.unit_cost_cents,
                "cost_per_case_cents": line.cost_per_case_cents,
                "cost_cents": line.cost_cents,
                "decision": line.decision,
            }
            for line in order.lines
        ],
    }


def _vendors(tx: Transaction) -> dict[str, _Vendor]:
    return {
        row["supplier"]: _Vendor(row["name"], row["order_weekdays"], row["minimum_order_cents"])
        for row in store.read_suppliers(tx, None).to_pylist()
    }


def _vendor(vendors: Mapping[str, _Vendor], line: OrderLine | OrderDraft) -> _Vendor:
    return vendors.get(line.supplier) or _Vendor(line.supplier, None, None)


def _completed(tx: Transaction, lines: Sequence[OrderLine], currency: str) -> list[OrderLine]:
    """The lines with what they leave out taken from the terms of their supplier, and the item."""
    skus = sorted({line.sku for line in lines})
    offered: dict[tuple[str, str, str | None], dict[str, object]] = {}
    for row in terms.terms(tx, day=None, skus=skus).to_pylist():
        offered.setdefault((row["sku"], row["supplier"], row["place"]), row)
    items = {row["sku"]: row for row in Catalog(tx).items(skus).to_pylist()}
    complete = []
    for line in lines:
        key = (line.sku, line.supplier)
        known = offered.get((*key, line.place)) or offered.get((*key, None)) or {}
        item = items.get(line.sku, {})
        costs_given = line.unit_cost_cents is not None or line.cost_per_case_cents is not None
        filled = {
            "name": line.name or item.get("name") or line.sku,
            "case_size": _first(line.case_size, known.get("case_size"), item.get("case_size")),
            "lead_time_days": _first(line.lead_time_days, known.get("lead_time_days")),
            "currency": _first(line.currency, known.get("currency"), currency),
        }
        if not costs_given:
            filled["unit_cost_cents"] = known.get("unit_cost_cents")
            filled["cost_per_case_cents"] = known.get("cost_per_case_cents")
        complete.append(replace(line, **filled))  # type: ignore[arg-type]
    return complete


def _first(*values: object) -> object:
    return next((value for value in values if value is not None), None)


def _order(
    draft: OrderDraft,
    name: str,
    *,
    run: UUID,
    day: date,
    currency: str,
    vendors: Mapping[str, _Vendor],
) -> PurchaseOrder:
    vendor = _vendor(vendors, draft)
    return PurchaseOrder(
        name=name,
        supplier=draft.supplier,
        supplier_name=vendor.name,
        place=draft.place,
        ordered_on=day,
        due=draft.due,
        currency=draft.currency or currency,
        run=run,
        status=OrderStatus.PROPOSED,
        lines=tuple(
            PurchaseOrderLine(
                line=place,
                sku=line.sku,
                name=line.name,
                quantity=line.quantity,
                case_size=line.case_size,
                unit_cost_cents=line.unit_cost_cents,
                cost_cents=line.cost_cents,
                decision=line.decision,
                cost_per_case_cents=line.cost_per_case_cents,
            )
            for place, line in enumerate(draft.lines, start=1)
        ),
        minimum_order_cents=vendor.minimum_order_cents,
        transfer=draft.transfer,
    )


def _head_table(tx: Transaction, orders: Sequence[PurchaseOrder]) -> pa.Table:
    import pyarrow as pa

    now = tx.clock.now()
    return pa.table(
        {
            "name": [order.name for order in orders],
            "supplier": [order.supplier for order in orders],
            "supplier_name": [order.supplier_name for order in orders],
            "place": [order.place for order in orders],
            "ordered_on": [order.ordered_on for order in orders],
            "due": [order.due for order in orders],
            "currency": [order.currency for order in orders],
            "run": [str(order.run) for order in orders],
            "minimum_order_cents": pa.array(
                [order.minimum_order_cents for order in orders], pa.int64()
            ),
            "transfer": [order.transfer for order in orders],
            "created_at": pa.array([now] * len(orders), pa.timestamp("us", "UTC")),
            "created_by": [tx.actor] * len(orders),
        }
    )


def _line_table(orders: Sequence[PurchaseOrder]) -> pa.Table:
    import pyarrow as pa

    rows = [(order.name, line) for order in orders for line in order.lines]
    money = ("unit_cost_cents", "cost_per_case_cents", "cost_cents")
    whole = ("line", "quantity", "case_size", *money, "decision")
    columns = {
        name: pa.array([getattr(line, name) for _, line in rows], pa.int64()) for name in whole
    }
    return pa.table(
        {
            "order_name": [name for name, _ in rows],
            "sku": [line.sku for _, line in rows],
            "name": [line.name for _, line in rows],
            **columns,
        }
    )
