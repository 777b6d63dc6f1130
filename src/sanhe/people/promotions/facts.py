"""The fact type of promotions."""

from __future__ import annotations

from typing import Final

from sanhe.core.facts import FactField, FactType

DISCOUNT_GIVEN: Final = FactType(
    "discount.given",
    "people.promotions",
    "What a promotion (促销) took off the goods of a receipt when they left: `quantity` of the SKU"
    " cost `amount_cents` less. Goods that come back take none of it back.",
    needs=("sku", "place", "quantity"),
    payload={
        "promotion": FactField("str", "the promotion's id", required=True),
        "coupon": FactField("bool", "it was given for a coupon"),
        "receipt": FactField("str", "number of the receipt"),
        "line": FactField("int", "line of the receipt"),
    },
    writers=("place.orders",),
    readers=("loop.promoting",),
)
FACT_TYPES: Final = (DISCOUNT_GIVEN,)
"""The fact types of promotions."""
