"""Promotions and campaigns of coupons: saved, weighed, published, issued."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from sanhe.people.coupons import Campaign, KeptCampaign, NewCoupon
from sanhe.people.promotions import (
    LANGUAGES,
    Kept,
    Language,
    Promotion,
    PromotionState,
    read,
    sentence,
    write,
)
from sanhe.web.asked import Closed, Code, Number, Reason, Window
from sanhe.web.caller import Caller, depends
from sanhe.web.console.jobs import JobRow
from sanhe.web.running import Report
from sanhe.web.storefront.asked import AskedBasket, Quoted
from sanhe.wiring import (
    approve_promotion,
    given_by,
    issue_coupons,
    propose_promotion,
    quote_basket,
    run_jobs,
    save_campaign,
    save_promotion,
    stop_campaign,
    weighing_of,
    withdraw_promotion,
)

router = APIRouter(tags=["promotions"])
Reads = Annotated[Caller, depends("promotions.read")]
Changes = Annotated[Caller, depends("promotions.change")]
Publishes = Annotated[Caller, depends("promotions.publish")]
Id = Annotated[Code, Path()]
MOST_MEMBERS = 10_000


class PromotionsAsked(Window):
    """Which promotions; those saved last first."""

    state: PromotionState | None = None


class PromotionTold(BaseModel):
    """A promotion as it was saved last. `terms` as docs/guide/promotions.md has them, `sentences`
    say them by language, without the days; `published`: the version that holds; `left_cents`: of
    its budget, if it has one and holds."""

    id: str
    name: str
    state: PromotionState
    terms: dict[str, Any]
    sentences: dict[Language, str]
    version: int
    saved_at: datetime
    saved_by: str
    published: int | None
    decision: int | None
    left_cents: int | None

    @classmethod
    def of(cls, kept: Kept, left_cents: int | None = None, *, currency: str) -> PromotionTold:
        """As it is told, with money in a currency."""
        money = _written_in(currency)
        return cls(
            id=kept.promotion.id,
            name=kept.promotion.name,
            state=kept.state,
            terms=write(kept.promotion),
            sentences={one: sentence(kept.promotion, one, money) for one in LANGUAGES},
            version=kept.version,
            saved_at=kept.saved_at,
            saved_by=kept.saved_by,
            published=kept.published,
            decision=kept.decision,
            left_cents=left_cents,
        )


def _written_in(currency: str) -> Callable[[int], str]:
    sign = "¥" if currency == "CNY" else f"{currency} "

    def money(cents: int) -> str:
        whole, rest = divmod(cents, 100)
        return f"{sign}{whole:,}.{rest:02d}" if rest else f"{sign}{whole:,}"

    return money


class PromotionRows(BaseModel):
    """Some promotions."""

    rows: list[PromotionTold]


class PromotionEntered(Closed):
    """A promotion's terms; `based_on` is the version that was changed, if any."""

    terms: dict[str, Any]
    based_on: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class Weighing(BaseModel):
    """What a promotion would have done: the decision to publish it and its `evidence`, as
    `loop.promoting.Evidence` has it. `change_cents`: of the margin if nobody buys more, with a
    90 % interval."""

    decision: int
    status: str
    reason: str
    change_cents: int
    low_cents: float | None
    high_cents: float | None
    evidence: dict[str, Any]


class GivenTold(BaseModel):
    """What a promotion took off: on so many receipts, from the first day to the last."""

    receipts: int
    discount_cents: int
    first: date | None
    last: date | None


class Trial(Closed):
    """A basket to be priced, now or by the prices and promotions of another moment."""

    basket: AskedBasket
    at: AwareDatetime | None = None


class DecisionEntered(Closed):
    """The decision to publish, and why it is approved."""

    decision: Number
    reason: Reason = ""


class PromotionReason(Closed):
    """Why."""

    reason: Annotated[Reason, Field(min_length=1)]


class CampaignEntered(Closed):
    """A campaign; see docs/guide/coupons.md."""

    name: Code
    promotion: Code
    begins_at: datetime
    ends_at: datetime
    days: Annotated[int, Field(ge=1, le=3_650)] | None = None
    most: Annotated[int, Field(ge=1, le=10**12)] | None = None
    per_member: Annotated[int, Field(ge=1, le=10**6)] | None = None


class CampaignTold(BaseModel):
    """A campaign, and how many of its coupons are issued, held and used."""

    id: str
    name: str
    promotion: str
    begins_at: datetime
    ends_at: datetime
    days: int | None
    most: int | None
    per_member: int | None
    issued: int
    held: int
    used: int
    saved_at: datetime
    saved_by: str
    stopped_at: datetime | None

    @classmethod
    def of(cls, kept: KeptCampaign) -> CampaignTold:
        """As it is told."""
        counts = {name: getattr(kept, name) for name in ("issued", "held", "used")}
        saved = {name: getattr(kept, name) for name in ("saved_at", "saved_by", "stopped_at")}
        return cls(**asdict(kept.campaign), **counts, **saved)


class CampaignRows(BaseModel):
    """Some campaigns."""

    rows: list[CampaignTold]


class IssueEntered(Closed):
    """Whom coupons are issued to, and how many that anybody may use."""

    members: Annotated[list[Code], Field(default_factory=list, max_length=MOST_MEMBERS)]
    count: Annotated[int, Field(ge=0, le=MOST_MEMBERS)] = 0


class NewCouponTold(BaseModel):
    """A coupon just issued; its `code` is told this once."""

    id: str
    member: str | None
    code: str
    signed: str
    begins_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, made: NewCoupon) -> NewCouponTold:
        """As it is told."""
        one = made.coupon
        return cls(
            id=str(one.id),
            member=one.member,
            code=made.code,
            signed=made.signed,
            begins_at=one.begins_at,
            ends_at=one.ends_at,
        )


class Issued(BaseModel):
    """The coupons just issued."""

    rows: list[NewCouponTold]


class CouponRow(BaseModel):
    """A coupon that was issued, without its code; `lack`: why it can't be used now, if so."""

    id: str
    member: str | None
    begins_at: datetime
    ends_at: datetime
    lack: str | None


class CouponRows(BaseModel):
    """Some coupons of a campaign, those issued last first."""

    rows: list[CouponRow]


@router.get("/promotions")
def read_promotions(asked: Annotated[PromotionsAsked, Query()], caller: Reads) -> PromotionRows:
    """Promotions with their terms and what is left of budgets."""
    with caller.sanhe.work(actor=caller.by.actor) as work:
        found = work.promotions.page(state=asked.state, limit=asked.limit, offset=asked.offset)
        left = work.promotions.left_cents([one.promotion.id for one in found])
    currency = caller.sanhe.settings.currency
    return PromotionRows(
        rows=[PromotionTold.of(one, left.get(one.promotion.id), currency=currency) for one in found]
    )


@router.post("/promotion-trials")
def try_basket(asked: Trial, caller: Reads) -> Quoted:
    """What a basket would cost, and what does not count in it and why: the quote that channels
    are given. Nothing is held."""
    quoted = quote_basket(caller.sanhe, asked.basket.basket(), at=asked.at, by=caller.by)
    return Quoted.of(quoted)


@router.get("/promotions/{promotion}")
def read_promotion(promotion: Id, caller: Reads) -> PromotionTold:
    """One promotion."""
    with caller.sanhe.work(actor=caller.by.actor) as work:
        kept = work.promotions.get(promotion)
        left = work.promotions.left_cents([promotion]).get(promotion)
    return PromotionTold.of(kept, left, currency=caller.sanhe.settings.currency)


@router.put("/promotions/{promotion}")
def put_promotion(promotion: Id, entered: PromotionEntered, caller: Changes) -> PromotionTold:
    """Save a draft; what is published holds on as it is."""
    terms = read(Promotion, {**entered.terms, "id": promotion})
    kept = save_promotion(caller.sanhe, terms, actor=caller.by.actor, based_on=entered.based_on)
    return PromotionTold.of(kept, currency=caller.sanhe.settings.currency)


@router.post("/promotions/{promotion}/propose", status_code=202)
def propose(promotion: Id, caller: Changes) -> JobRow:
    """Weigh it on the receipts of the last 90 days and propose to publish it with the evidence.

    What came of it is told by `evidence`, once the job is done.
    """
    sanhe, actor = caller.sanhe, caller.by.actor

    def work(report: Report) -> dict[str, Any]:
        report("weighing past receipts", 0, 1)
        weighed = propose_promotion(sanhe, promotion, actor=actor)
        return {"decision": weighed.decision, "evidence": asdict(weighed.evidence)}

    what = f"promotion {promotion} weighed"
    return JobRow.of(caller.served.running.start(what, actor, work, lane="trials"))


@router.get("/promotions/{promotion}/evidence")
def read_evidence(promotion: Id, caller: Reads) -> Weighing:
    """What it would have done to past receipts, when it was weighed last."""
    found = weighing_of(caller.sanhe, promotion, actor=caller.by.actor)
    effect = found.proposal.expected
    return Weighing(
        decision=found.number,
        status=found.status.value,
        reason=found.proposal.reason,
        change_cents=found.proposal.value,
        low_cents=None if effect is None else effect.low,
        high_cents=None if effect is None else effect.high,
        evidence=dict(found.proposal.inputs),
    )


@router.get("/promotions/{promotion}/given")
def read_given(promotion: Id, caller: Reads) -> GivenTold:
    """What it took off so far on goods that have left."""
    return GivenTold(**asdict(given_by(caller.sanhe, promotion)))


@router.post("/promotions/{promotion}/publish")
def publish(promotion: Id, entered: DecisionEntered, caller: Publishes) -> PromotionTold:
    """Approve the decision to publish it; it holds at once."""
    sanhe, actor = caller.sanhe, caller.by.actor
    approve_promotion(sanhe, promotion, entered.decision, reason=entered.reason, actor=actor)
    run_jobs(sanhe)
    return read_promotion(promotion, caller)


@router.post("/promotions/{promotion}/withdraw")
def withdraw(promotion: Id, entered: PromotionReason, caller: Publishes) -> PromotionTold:
    """Let it hold no longer, at once."""
    sanhe, actor = caller.sanhe, caller.by.actor
    kept = withdraw_promotion(sanhe, promotion, reason=entered.reason, actor=actor)
    return PromotionTold.of(kept, currency=sanhe.settings.currency)


@router.get("/campaigns")
def read_campaigns(asked: Annotated[Window, Query()], caller: Reads) -> CampaignRows:
    """Campaigns, those saved last first."""
    with caller.sanhe.work(actor=caller.by.actor) as work:
        found = work.coupons.campaigns(limit=asked.limit, offset=asked.offset)
    return CampaignRows(rows=[CampaignTold.of(one) for one in found])


@router.get("/campaigns/{campaign}")
def read_campaign(campaign: Id, caller: Reads) -> CampaignTold:
    """One campaign."""
    with caller.sanhe.work(actor=caller.by.actor) as work:
        return CampaignTold.of(work.coupons.campaign(campaign))


@router.put("/campaigns/{campaign}")
def put_campaign(campaign: Id, entered: CampaignEntered, caller: Changes) -> CampaignTold:
    """Save a campaign; coupons issued before keep their own time."""
    made = Campaign(id=campaign, **entered.model_dump())
    save_campaign(caller.sanhe, made, actor=caller.by.actor)
    return read_campaign(campaign, caller)


@router.post("/campaigns/{campaign}/stop")
def stop(campaign: Id, entered: PromotionReason, caller: Changes) -> CampaignTold:
    """Let none of its coupons be shown any more."""
    stop_campaign(caller.sanhe, campaign, reason=entered.reason, actor=caller.by.actor)
    return read_campaign(campaign, caller)


@router.post("/campaigns/{campaign}/coupons", status_code=201)
def issue(campaign: Id, entered: IssueEntered, caller: Changes) -> Issued:
    """Issue coupons; their codes are told this once and kept nowhere."""
    made = issue_coupons(
        caller.sanhe,
        campaign,
        members=entered.members,
        count=entered.count,
        actor=caller.by.actor,
    )
    return Issued(rows=[NewCouponTold.of(one) for one in made])


@router.get("/campaigns/{campaign}/coupons")
def read_coupons(campaign: Id, asked: Annotated[Window, Query()], caller: Reads) -> CouponRows:
    """The coupons of a campaign, without their codes."""
    now = caller.sanhe.clock.now()
    with caller.sanhe.work(actor=caller.by.actor) as work:
        found = work.coupons.issued(campaign, at=now, limit=asked.limit, offset=asked.offset)
    return CouponRows(
        rows=[
            CouponRow(
                id=str(one.id),
                member=one.member,
                begins_at=one.begins_at,
                ends_at=one.ends_at,
                lack=None if lack is None else lack.lack.value,
            )
            for one, lack in found
        ]
    )
