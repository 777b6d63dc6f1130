"""Purchase orders."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from sanhe.core.access import may
from sanhe.goods.suppliers import PurchaseOrder
from sanhe.web.asked import ScopeAsked, Window, Word
from sanhe.web.caller import Caller, depends

router = APIRouter(tags=["orders"])
May = Annotated[Caller, depends("orders.read")]


class OrdersAsked(ScopeAsked, Window):
    """Which orders, the newest first. `search`: part of the name."""

    search: Word | None = None


class OrderHead(BaseModel):
    """What is said of an order wherever it stands."""

    name: str
    supplier: str
    supplier_name: str
    place: str
    status: str
    ordered_on: date
    expected_on: date
    value_cents: int | None


class OrderRow(OrderHead):
    """An order in a list: how many lines, units ordered and received."""

    lines: int
    quantity: int
    received: int


class OrderPage(BaseModel):
    """Some orders of all that were asked for."""

    rows: list[OrderRow]
    total: int
    offset: int


class OrderLine(BaseModel):
    """A line of an order."""

    sku: str
    item_name: str
    quantity: int
    received: int
    case_size: int | None
    unit_cost_cents: int | None
    cost_cents: int | None
    decision: int | None


class OrderTold(OrderHead):
    """One order with its lines."""

    below_minimum_cents: int | None
    lines: list[OrderLine]


@router.get("/orders")
def read_orders(asked: Annotated[OrdersAsked, Query()], caller: May) -> OrderPage:
    """Purchase orders with their state; what they cost only for who may see supply terms."""
    costs = may(caller.identity, "terms.read")
    with caller.work() as work:
        found, total = work.suppliers.order_page(
            supplier=asked.supplier or None,
            place=asked.place or None,
            text=asked.search or None,
            offset=asked.offset,
            limit=asked.limit,
        )
    rows = [
        OrderRow(
            **_head(order, costs),
            lines=len(order.lines),
            quantity=sum(line.quantity for line in order.lines),
            received=sum(line.received for line in order.lines),
        )
        for order in found
    ]
    return OrderPage(rows=rows, total=total, offset=asked.offset)


@router.get("/orders/{name}")
def read_order(name: Annotated[Word, Path()], caller: May) -> OrderTold:
    """One purchase order; what it costs only for who may see supply terms."""
    with caller.work() as work:
        order = work.suppliers.get(name)
    return _told(order, may(caller.identity, "terms.read"))


def _head(order: PurchaseOrder, costs: bool) -> dict[str, Any]:
    return {
        "name": order.name,
        "supplier": order.supplier,
        "supplier_name": order.supplier_name,
        "place": order.place,
        "status": order.status.value,
        "ordered_on": order.ordered_on,
        "expected_on": order.due,
        "value_cents": order.cost_cents if costs else None,
    }


def _told(order: PurchaseOrder, costs: bool) -> OrderTold:
    return OrderTold(
        **_head(order, costs),
        below_minimum_cents=order.below_minimum_cents if costs else None,
        lines=[
            OrderLine(
                sku=line.sku,
                item_name=line.name,
                quantity=line.quantity,
                received=line.received,
                case_size=line.case_size,
                unit_cost_cents=line.unit_cost_cents if costs else None,
                cost_cents=line.cost_cents if costs else None,
                decision=line.decision,
            )
            for line in order.lines
        ],
    )
