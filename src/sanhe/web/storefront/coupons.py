"""Coupons of members and of who shows a code, and the key that tills check signed ones with."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from sanhe.people.coupons import Carried, Shown
from sanhe.people.promotions import Promotion
from sanhe.web.asked import Closed, Code
from sanhe.web.caller import Caller, depends
from sanhe.web.storefront.asked import Shows
from sanhe.web.told import CouponCarried, WhyNot
from sanhe.wiring import check_coupons, coupons_of

router = APIRouter(prefix="/shop", tags=["shop"])
Places = Annotated[Caller, depends("sales.place")]


class MemberCoupon(CouponCarried):
    """A coupon that a member has; `signed` is what its QR code shows."""

    signed: str

    @classmethod
    def shown(cls, carried: Carried, promotion: Promotion) -> MemberCoupon:
        """As the member is told it."""
        told = CouponCarried.of(carried, promotion)
        return cls(**told.model_dump(), signed=carried.signed)


class MemberCoupons(BaseModel):
    """A member's coupons, the first to end first."""

    rows: list[MemberCoupon]


class CodesAsked(Closed):
    """Codes that are shown, by a member or a guest."""

    codes: Annotated[list[Shows], Field(min_length=1, max_length=20)]
    member: Code | None = None


class CouponChecked(BaseModel):
    """What a code is worth: the promotion it gives, or why not."""

    code: str
    promotion: str | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    why_not: WhyNot | None = None


class CouponsChecked(BaseModel):
    """Each code in the order it was asked for."""

    rows: list[CouponChecked]

    @classmethod
    def of(cls, codes: list[str], shown: Shown) -> CouponsChecked:
        """As it is told."""
        usable = {one.code: one for one in shown.coupons}
        rows = []
        for code in dict.fromkeys(codes):
            if code in usable:
                one = usable[code]
                told = CouponChecked(code=code, promotion=one.promotion)
                told.begins_at, told.ends_at = one.begins_at, one.ends_at
                rows.append(told)
            else:
                rows.append(CouponChecked(code=code, why_not=WhyNot.of(shown.refused[code])))
        return cls(rows=rows)


class CouponKey(BaseModel):
    """The raw Ed25519 key, in base64, that signed coupons are checked with offline."""

    public_key: str


@router.get("/members/{member}/coupons")
def read_member_coupons(member: Annotated[Code, Path()], caller: Places) -> MemberCoupons:
    """A member's coupons with what each lacks now, if anything."""
    found = coupons_of(caller.sanhe, member, actor=caller.by.actor)
    return MemberCoupons(rows=[MemberCoupon.shown(*one) for one in found])


@router.post("/coupons/check")
def check(asked: CodesAsked, caller: Places) -> CouponsChecked:
    """What codes are worth now, and why not; nothing is held.

    Codes that there are not are counted: who tries too many has to wait.
    """
    shown = check_coupons(caller.sanhe, asked.codes, member=asked.member, actor=caller.by.actor)
    return CouponsChecked.of(asked.codes, shown)


@router.get("/coupons/key")
def read_key(caller: Places) -> CouponKey:
    """What a till checks signed coupons with while it has no connection."""
    with caller.sanhe.work(actor=caller.by.actor) as work:
        return CouponKey(public_key=base64.b64encode(work.coupons.public_key).decode())
