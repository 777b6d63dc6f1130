"""Membership: what a member has, corrected by hand, stored and refunded; what all may ask for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from sanhe.people.loyalty import Purse
from sanhe.web.asked import Closed, Code, Key, Number, Reason
from sanhe.web.caller import Caller, depends
from sanhe.web.told import CouponCarried
from sanhe.wiring import (
    adjust_points,
    coupons_of,
    loyalty_liability,
    member_points,
    refund_stored,
    top_up_stored,
)

router = APIRouter(tags=["membership"])
Reads = Annotated[Caller, depends("members.read")]
Adjusts = Annotated[Caller, depends("members.adjust")]
Stores = Annotated[Caller, depends("members.store")]
Watches = Annotated[Caller, depends("loyalty.read")]
Member = Annotated[Code, Path()]

Points = Annotated[int, Field(ge=-(10**9), le=10**9)]
Cents = Annotated[int, Field(ge=0, le=10**9)]


class HistoryAsked(BaseModel):
    """Which part of a history, of points or of stored value: so many lines before one that a page
    named as its `next`."""

    of: Purse = Purse.POINTS
    limit: int = Field(default=50, ge=1, le=500)
    before: Number | None = None


class _Told(BaseModel):
    """What a page is told of a façade's result, field by field."""

    model_config = ConfigDict(from_attributes=True)


class PointsLot(_Told):
    """Points of one last day: free ones, and those held for orders not closed yet."""

    expires_on: date
    points: int
    held: int


class PointsHad(_Told):
    """Points to spend, held and owed; the lots that end first come first."""

    available: int
    held: int
    debt: int
    lots: list[PointsLot]


class StoredHad(_Told):
    """Stored value in cents: what was paid ahead, the bonus given with it, what is held of both."""

    paid_cents: int
    given_cents: int
    held_cents: int


class PointsLine(_Told):
    """What happened: `amount` is how it changed what can be spent; `what` is held, spent or freed
    for an order, earned, given_back, taken_back, removed, expired, or settled (paid a debt)."""

    number: int
    at: datetime
    what: str
    cause: str
    lot: str
    amount: int
    actor: str
    note: str


class PointsHistory(_Told):
    """Lines of a history, the last first; ask with `before` = `next` for those after them.
    Of stored value, amounts are cents and `lot` is paid or given."""

    lines: list[PointsLine]
    next: int | None


class TierStanding(_Told):
    """The tier that a member has since a day until another; the lowest has no end."""

    tier: str
    since: date
    until: date | None


class TierProgress(_Told):
    """What a member bought within the window, what is missing to rise into the next tier (empty
    for the highest), and to keep this one until the last day of grace; cents."""

    window_cents: int
    next_tier: str
    to_rise_cents: int
    to_keep_cents: int
    keep_by: date | None


class MemberPoints(_Told):
    """What a member has; `tier` is empty for who is no member, and has no standing."""

    member: str
    tier: str
    points: PointsHad
    stored: StoredHad
    history: PointsHistory
    standing: TierStanding | None
    progress: TierProgress | None


class CouponsCarried(BaseModel):
    """A member's coupons, the first to end first."""

    rows: list[CouponCarried]


class AdjustmentEntered(Closed):
    """A correction: more points above 0, fewer below it, and why."""

    points: Points
    reason: Reason = Field(min_length=1)


class Adjusted(BaseModel):
    """What the member can spend after the correction."""

    member: str
    available: int


class TopUpEntered(Closed):
    """What a member paid here, and the bonus given with it, in cents."""

    paid_cents: Cents = Field(ge=1)
    given_cents: Cents = 0


class StoredChanged(BaseModel):
    """How a top-up, or its refund (below 0), changed what is stored; what can be spent now."""

    member: str
    top_up: UUID
    paid_cents: int
    given_cents: int
    available_cents: int


class PointsEnding(_Told):
    """Points that end in a month, those expected to be spent, and what these are worth."""

    month: str
    points: int
    expected_points: int
    expected_cents: int


class LiabilityTold(_Told):
    """What members may still ask for; `owed_points` are owed by members."""

    as_of: date
    points: int
    expected_cents: int
    months: list[PointsEnding]
    owed_points: int
    stored_paid_cents: int
    stored_given_cents: int


@router.get("/members/{code}/points")
def read_points(
    code: Member, asked: Annotated[HistoryAsked, Query()], caller: Reads
) -> MemberPoints:
    """A member's tier, points by lot and stored value, and what happened to one of them."""
    told = member_points(caller.sanhe, code, **asked.model_dump(), by=caller.by)
    return MemberPoints.model_validate(told)


@router.get("/members/{code}/coupons")
def read_coupons(code: Member, caller: Reads) -> CouponsCarried:
    """A member's coupons with what each lacks now, if anything."""
    found = coupons_of(caller.sanhe, code, actor=caller.by.actor)
    return CouponsCarried(rows=[CouponCarried.of(*one) for one in found])


@router.post("/members/{code}/adjustments")
def adjust(code: Member, entered: AdjustmentEntered, *, key: Key, caller: Adjusts) -> Adjusted:
    """Correct a member's points by hand; the reason stays in the audit trail."""
    told = adjust_points(
        caller.sanhe, code, entered.points, reason=entered.reason, key=key, by=caller.by
    )
    return Adjusted.model_validate(told)


@router.post("/members/{code}/top-ups")
def top_up(code: Member, entered: TopUpEntered, *, key: Key, caller: Stores) -> StoredChanged:
    """Store what a member paid (储值), and the bonus given with it; `top_up` names it."""
    told = top_up_stored(caller.sanhe, code, **entered.model_dump(), key=key, by=caller.by)
    return StoredChanged.model_validate(told)


@router.post("/members/{code}/top-ups/{top_up}/refund")
def refund(code: Member, top_up: UUID, *, key: Key, caller: Stores) -> StoredChanged:
    """Take a top-up out again, whole, while all of it is left: then pay back what was paid."""
    told = refund_stored(caller.sanhe, code, top_up, key=key, by=caller.by)
    return StoredChanged.model_validate(told)


@router.get("/loyalty/liability")
def read_liability(caller: Watches, as_of: date | None = None) -> LiabilityTold:
    """Points outstanding by the month they end in, and stored value (积分负债)."""
    told = loyalty_liability(caller.sanhe, as_of=as_of, by=caller.by)
    return LiabilityTold.model_validate(told)
