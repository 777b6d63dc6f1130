"""The fact types of suppliers and purchase orders."""

from __future__ import annotations

from sanhe.core.facts import FactField, FactType

SUPPLIER_DESCRIBED = FactType(
    name="supplier.described",
    everywhere=True,
    owner="goods.suppliers",
    meaning="A supplier (party) and its order calendar, from the event day on",
    needs=("party",),
    payload={
        "name": FactField("str", "what people call it", required=True),
        "order_weekdays": FactField("str", 'ISO weekdays it takes orders on: "1,3,5"'),
        "minimum_order_cents": FactField("int", "least value of one order"),
        "minimum_order_cases": FactField("int", "least number of cases of one order"),
        "truck_grams": FactField("int", "most that one delivery to a place weighs"),
        "truck_ml": FactField("int", "most room that one delivery to a place takes"),
    },
    writers=("connectors.files", "sim"),
    readers=("goods.suppliers",),
)

SUPPLY_AGREED = FactType(
    name="supply.agreed",
    everywhere=True,
    owner="goods.suppliers",
    meaning=(
        "What a supplier (party) delivers an SKU for, from the event day on; amount = cost of one "
        "base unit; without a place it holds wherever no terms of the place's own are agreed"
    ),
    needs=("sku", "party"),
    payload={
        "lead_time_days": FactField("int", "calendar days from order to arrival"),
        "moq": FactField("int", "least quantity of one order line, base units"),
        "case": FactField("int", "base units in one case; wins over the item's"),
        "priority": FactField("int", "1 = first choice; 1 when left out"),
        "cost_per_case_cents": FactField("int", "cost of one case; wins over the amount"),
        "case_grams": FactField("int", "gross weight of one case"),
        "case_ml": FactField("int", "room one case takes"),
        "cases_per_pallet": FactField("int", "cases on one full pallet"),
    },
    writers=("connectors.files", "sim"),
    readers=("goods.suppliers", "goods.demand"),
)

PURCHASE_ORDERED = FactType(
    name="purchase.ordered",
    owner="goods.suppliers",
    meaning=(
        "A line of an order that an outside system placed; quantity = as ordered, not what is "
        "left. What echoes an order of ours (its number, place and supplier) is ignored: our own "
        "record is the truth for it"
    ),
    needs=("sku", "place", "quantity"),
    payload={
        "order": FactField("str", "the order's number", required=True),
        "due": FactField("date", "the day it shall arrive"),
        "line": FactField("str", "the line in the order"),
    },
    writers=("connectors.files", "sim"),
    readers=("goods.suppliers",),
)

PURCHASE_RECEIVED = FactType(
    name="purchase.received",
    owner="goods.suppliers",
    meaning="Goods that arrived for an order: less is on order, more lies in stock",
    needs=("sku", "place", "quantity"),
    payload={
        "order": FactField("str", "the order's number", required=True),
        "line": FactField("str", "the line in the order"),
        "lot": FactField("str", "the lot that arrived"),
        "expires": FactField("date", "the lot's last day of sale"),
    },
    writers=("connectors.files", "goods.suppliers", "sim"),
    readers=("goods.demand", "goods.health", "goods.stock", "goods.suppliers", "loop.desk"),
)

PURCHASE_CLOSED = FactType(
    name="purchase.closed",
    owner="goods.suppliers",
    meaning=(
        "The rest of an order will not come: of one SKU, of one place, or of all when left out; "
        "quantity = what was cancelled, for information"
    ),
    payload={"order": FactField("str", "the order's number", required=True)},
    writers=("sim",),
    readers=("goods.suppliers",),
)

STOCK_MOVED = "stock.moved"
"""A fact of `goods.stock`: with an order named, goods that leave a place for a transfer."""

FACT_TYPES = (
    SUPPLIER_DESCRIBED,
    SUPPLY_AGREED,
    PURCHASE_ORDERED,
    PURCHASE_RECEIVED,
    PURCHASE_CLOSED,
)
