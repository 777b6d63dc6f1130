"""The fact types of stock."""

from __future__ import annotations

from sanhe.core.facts import FactField, FactType

STOCK_COUNTED = FactType(
    name="stock.counted",
    owner="goods.stock",
    meaning=(
        "A dated snapshot (盘点): what lay there at the event time, all movements up to and "
        "including that instant contained. Below zero is kept as a discrepancy. Counts of one "
        "instant with different lots add up"
    ),
    needs=("sku", "place", "quantity"),
    payload={
        "lot": FactField("str", "the lot that was counted"),
        "expires": FactField("date", "the lot's last day of sale"),
    },
    writers=("connectors.files", "goods.stock", "place.devices", "sim"),
    readers=("goods.demand", "goods.health", "goods.stock"),
)

STOCK_MOVED = FactType(
    name="stock.moved",
    owner="goods.stock",
    meaning="A signed change of stock that is neither sale nor receipt",
    needs=("sku", "place", "quantity"),
    payload={
        "reason": FactField(
            "str",
            "adjustment, shrink, waste, return, outlet, transfer_in or transfer_out",
            required=True,
        ),
        "lot": FactField("str", "the lot that moved"),
        "order": FactField("str", "the transfer order that a transfer_out leaves for"),
    },
    writers=("connectors.files", "goods.suppliers", "place.returns", "sim"),
    readers=("goods.demand", "goods.health", "goods.stock", "goods.suppliers", "loop.desk"),
)

FACT_TYPES = (STOCK_COUNTED, STOCK_MOVED)
