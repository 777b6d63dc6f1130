"""The catalogue (商品主数据): one record of every SKU, its sizes, codes, category and prices.

Systems: S3, S25.

Inputs: the facts item.described and price.set, in any order. Decides nothing. Outputs: SKUs and
prices as of a day, the category tree, variant families, and findings of quality: a wrong GTIN is
kept and listed, not lost.
"""

from sanhe.goods.catalog.facts import FACT_TYPES
from sanhe.goods.catalog.items import Catalog, Item, Selling
from sanhe.goods.catalog.rules import (
    BaseUnit,
    Category,
    Finding,
    category_path,
    gtin_check_digit,
    gtin_is_valid,
)

__all__ = [
    "FACT_TYPES",
    "BaseUnit",
    "Catalog",
    "Category",
    "Finding",
    "Item",
    "Selling",
    "category_path",
    "gtin_check_digit",
    "gtin_is_valid",
]
