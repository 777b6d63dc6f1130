"""The stock (库存): how much of each SKU lies at each place, on the ledger.

Systems: S3.

Inputs: the facts stock.counted (dated snapshots), stock.moved, purchase.received, sale.day and
sale.line, in any order, any number of times; claims of orders and quotas of channels. Decides
who gets what is left. Outputs: positions on the ledger, what can still be promised, the stock card
of an SKU × place, and discrepancies: what outside systems reported below zero.
"""

from sanhe.goods.stock.claims import Claim
from sanhe.goods.stock.counting import SOURCE as COUNT_SOURCE
from sanhe.goods.stock.counting import count_facts
from sanhe.goods.stock.facts import FACT_TYPES
from sanhe.goods.stock.positions import Short, Stock
from sanhe.goods.stock.rules import (
    Opening,
    StockEvent,
    committed_account,
    desired_entries,
    discrepancy_account,
    on_hand_account,
    quota_account,
    unit_of,
    world_account,
)

__all__ = [
    "COUNT_SOURCE",
    "FACT_TYPES",
    "Claim",
    "Opening",
    "Short",
    "Stock",
    "StockEvent",
    "committed_account",
    "count_facts",
    "desired_entries",
    "discrepancy_account",
    "on_hand_account",
    "quota_account",
    "unit_of",
    "world_account",
]
