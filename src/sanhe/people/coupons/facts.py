"""The fact type of coupons."""

from __future__ import annotations

from typing import Final

from sanhe.core.facts import FactField, FactType

COUPON_USED: Final = FactType(
    "coupon.used",
    "people.coupons",
    "A coupon (优惠券) that a member used, as another system tells it: what it took off in"
    " `amount_cents`, none where only the use is known.",
    needs=("party",),
    payload={
        "coupon": FactField("str", "the coupon's code or its kind's"),
        "campaign": FactField("str", "the campaign that gave it"),
        "receipt": FactField("str", "number of the receipt"),
        "match_cents": FactField("int", "what the retailer added to a manufacturer's coupon"),
    },
    writers=("connectors.files",),
    readers=("people.coupons",),
)
FACT_TYPES: Final = (COUPON_USED,)
"""The fact types of coupons."""
