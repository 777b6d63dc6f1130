"""Coupons (优惠券) and their campaigns (发券活动): issued, shown, held, used once, given back.

Systems: S11.
Commands: sanhe coupon campaign, sanhe coupon issue, sanhe coupon show.

Inputs: a campaign, members; codes that are typed or scanned; what a priced basket uses. Decides
which codes are coupons that this member may use now, and who gets the last one. Outputs: codes,
signed coupons that a till checks without a connection, pending transfers on the ledger for
coupons, budgets and what a member had.
"""

from sanhe.people.coupons.coupons import Carried, Coupons, KeptCampaign, NewCoupon
from sanhe.people.coupons.keys import Keys
from sanhe.people.coupons.rules import (
    BY_KEY,
    BY_MEMBER,
    Campaign,
    IssuedCoupon,
    Lack,
    NotUsable,
    Shown,
    Use,
    expected_hits_a_day,
    masked,
    read_campaign,
    uses_of,
)
from sanhe.people.coupons.signing import Signed, read_signed, sign

__all__ = [
    "BY_KEY",
    "BY_MEMBER",
    "Campaign",
    "Carried",
    "Coupons",
    "IssuedCoupon",
    "KeptCampaign",
    "Keys",
    "Lack",
    "NewCoupon",
    "NotUsable",
    "Shown",
    "Signed",
    "Use",
    "expected_hits_a_day",
    "masked",
    "read_campaign",
    "read_signed",
    "sign",
    "uses_of",
]
