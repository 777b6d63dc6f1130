"""Suppliers (供应商) and purchase orders: terms, what is on order, orders made and received.

Systems: S3.
Commands: sanhe orders.

Inputs: the facts supplier.described, supply.agreed, purchase.ordered (orders of an outside
system), purchase.received and purchase.closed, and approved lines to order. Decides the day an
order is due, by the supplier's calendar. Outputs: purchase orders to the outbox, what is on
order, differences of deliveries, measured lead times.
"""

from sanhe.goods.suppliers.facts import FACT_TYPES
from sanhe.goods.suppliers.orders import TOPIC, PurchaseOrder, PurchaseOrderLine
from sanhe.goods.suppliers.purchasing import SOURCE, Arrived, Suppliers
from sanhe.goods.suppliers.rules import (
    OrderLine,
    OrderStatus,
    OrderWaits,
    line_cost_cents,
    next_arrival,
    next_order_day,
    order_waits,
    order_weekdays,
    protection_days,
)

__all__ = [
    "FACT_TYPES",
    "SOURCE",
    "TOPIC",
    "Arrived",
    "OrderLine",
    "OrderStatus",
    "OrderWaits",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "Suppliers",
    "line_cost_cents",
    "next_arrival",
    "next_order_day",
    "order_waits",
    "order_weekdays",
    "protection_days",
]
