"""The flows of promotions and coupons: saved, weighed on past receipts, published, issued.

They write what lies in no scope, the ledger, and so run for everything: roles say who may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from sanhe.core.access import ACTIONS
from sanhe.core.decisions import Decision, Status
from sanhe.core.errors import BadInput, Code, Conflict, Denied, NotFound
from sanhe.core.values import new_id
from sanhe.loop.promoting import DAYS, Evidence, Given, Offered, Promoting, proposal
from sanhe.people.coupons import Campaign, Carried, NewCoupon, Shown
from sanhe.people.loyalty import Policy
from sanhe.people.promotions import PUBLISHING, Kept, Names, Promotion, named, strangers
from sanhe.wiring.jobs import PUBLISH_APPROVED, queue_seal
from sanhe.wiring.planning import next_day

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work

_WAITING: Final = (Status.PROPOSED, Status.SNOOZED)
_MOST_OPEN: Final = 10_000


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a promotion would have done, and the number of the decision to publish it."""

    evidence: Evidence
    version: int
    decision: int | None = None


def save_promotion(
    sanhe: Sanhe, promotion: Promotion, *, actor: str, based_on: int | None = None
) -> Kept:
    """Keep a draft. Raises what `Promotions.save` does, and BadInput for names nobody knows."""
    with sanhe.work(actor=actor) as work:
        for flaw in strangers(promotion, _known(sanhe, work, named(promotion))):
            raise BadInput(flaw.what, place=flaw.at, remedy=flaw.remedy)
        version = work.promotions.save(promotion, based_on=based_on)
        _tell(work, "promotion saved", promotion.id, version=version)
        return work.promotions.get(promotion.id)


def withdraw_promotion(sanhe: Sanhe, promotion: str, *, reason: str, actor: str) -> Kept:
    """Let a promotion hold no longer. Raises what `Promotions.withdraw` does."""
    with sanhe.work(actor=actor) as work:
        work.promotions.withdraw(promotion)
        _tell(work, "promotion withdrawn", promotion, reason=reason)
        return work.promotions.get(promotion)


def simulate_promotion(sanhe: Sanhe, promotion: str, *, actor: str, days: int = DAYS) -> Weighed:
    """What a promotion, as it was saved last, would have done to the receipts of the last days.

    Nothing is recorded. Raises NotFound without such a promotion, or without receipts.
    """
    sanhe.refresh_lake()
    with sanhe.work(actor=actor) as work:
        kept = work.promotions.get(promotion)
        now = sanhe.clock.now()
        holding = [
            one
            for one in work.promotions.published().values()
            if one.id != promotion and one.ends_at > now
        ]
        stacking = work.promotions.stacking
        as_of = next_day(sanhe)
        goods = _offered(work, as_of)
    found = Promoting(sanhe.lake).evidence(
        kept.promotion,
        holding,
        stacking=stacking,
        goods=goods,
        as_of=as_of,
        time_zone=sanhe.settings.time_zone,
        days=days,
    )
    return Weighed(found, kept.version)


def propose_promotion(sanhe: Sanhe, promotion: str, *, actor: str, days: int = DAYS) -> Weighed:
    """Weigh a promotion and propose to publish it, with the evidence in the decision's log.

    A proposal on an earlier version that nobody has decided on is withdrawn. Raises what
    `simulate_promotion` does, BadInput where no past basket would have had it, and Conflict where
    one is approved already or it was saved again meanwhile.
    """
    weighed = simulate_promotion(sanhe, promotion, actor=actor, days=days)
    with sanhe.work(actor=actor) as work:
        work.decisions.exclusive(PUBLISHING)
        kept = work.promotions.get(promotion)
        if kept.version != weighed.version:
            raise Conflict(f"promotion {promotion} was saved again meanwhile: weigh it again")
        waiting = work.decisions.find(kind=PUBLISHING, statuses=_WAITING, limit=_MOST_OPEN)
        old = [one.number for one in waiting if one.proposal.subject.party == promotion]
        work.decisions.withdraw(old, reason="it was weighed again")
        made = proposal(kept.promotion, weighed.evidence, version=kept.version, days=days)
        proposed = work.decisions.propose(new_id(), [made])
        if not proposed.numbers:
            raise Conflict(
                f"a decision to publish {promotion} is approved: it is carried out first"
            )
        return Weighed(weighed.evidence, weighed.version, proposed.numbers[0])


def weighing_of(sanhe: Sanhe, promotion: str, *, actor: str) -> Decision:
    """The newest decision to publish a promotion; its inputs hold the evidence. Raises NotFound."""
    with sanhe.work(actor=actor) as work:
        listed = work.decisions.listed(kind=PUBLISHING, limit=_MOST_OPEN)
        numbers = [one.number for one in listed if one.party == promotion]
        if not numbers:
            raise NotFound(f"promotion {promotion} was not weighed: propose it")
        return work.decisions.get(max(numbers))


def _known(sanhe: Sanhe, work: Work, asked: Names) -> Names:
    """Which of these names there are."""
    catalog, levels = work.catalog, Policy.load(sanhe.settings.loyalty).terms.levels
    categories = catalog.categories() if asked.categories else []
    return Names(
        skus=frozenset(catalog.items(asked.skus).column("sku").to_pylist()),
        categories=frozenset(one.path for one in categories),
        brands=frozenset(catalog.brands()),
        places=asked.places - set(work.places.unknown(asked.places)),
        tiers=frozenset(one.code for one in levels),
    )


def given_by(sanhe: Sanhe, promotion: str) -> Given:
    """What a promotion took off so far on goods that have left. Raises NotFound."""
    with sanhe.work(actor="reader") as work:
        work.promotions.get(promotion)
    sanhe.refresh_lake()
    return Promoting(sanhe.lake).given(promotion)


def approve_promotion(
    sanhe: Sanhe, promotion: str, decision: int, *, reason: str, actor: str
) -> None:
    """Approve the decision to publish a promotion; its publishing is queued with it.

    Who saved it does not approve it, unless nobody else could (四眼原则). Raises Denied for them,
    NotFound for a decision on something else, and what `Decisions.approve` does.
    """
    with sanhe.work(actor=actor) as work:
        subject = work.decisions.subjects([decision]).get(decision)
        kind = work.decisions.get(decision).proposal.kind if subject else ""
        if subject is None or kind != PUBLISHING or subject.party != promotion:
            raise NotFound(f"decision {decision} is none to publish {promotion}")
        if work.promotions.get(promotion).saved_by == actor and _others_may_publish(work, actor):
            raise Denied(
                f"{actor} saved promotion {promotion}: somebody else approves it",
                code=Code.SECOND_PERSON,
            )
        work.decisions.approve([decision], reason=reason)
        work.jobs.defer(PUBLISH_APPROVED, {"actor": actor}, lock=PUBLISH_APPROVED)


def _others_may_publish(work: Work, actor: str) -> bool:
    """Whether an account besides this one may approve promotions."""
    roles = ACTIONS["promotions.publish"].roles
    return any(
        one.active and one.name != actor and one.roles & roles for one in work.access.accounts()
    )


def save_campaign(sanhe: Sanhe, campaign: Campaign, *, actor: str) -> None:
    """Keep a campaign. Raises what `Coupons.save` does."""
    with sanhe.work(actor=actor) as work:
        work.coupons.save(campaign)
        _tell(work, "campaign saved", campaign.id, promotion=campaign.promotion)


def stop_campaign(sanhe: Sanhe, campaign: str, *, reason: str, actor: str) -> None:
    """Let no coupon of a campaign be used any more. Raises what `Coupons.stop` does."""
    with sanhe.work(actor=actor) as work:
        work.coupons.stop(campaign)
        _tell(work, "campaign stopped", campaign, reason=reason)


def issue_coupons(
    sanhe: Sanhe, campaign: str, *, members: Sequence[str] = (), count: int = 0, actor: str
) -> list[NewCoupon]:
    """Issue coupons. The trail keeps how many, and no code. Raises what `Coupons.issue` does."""
    with sanhe.work(actor=actor) as work:
        made = work.coupons.issue(campaign, members=members, count=count)
        _tell(work, "coupons issued", campaign, issued=len(made), members=len(set(members)))
        queue_seal(work)
        return made


def check_coupons(sanhe: Sanhe, codes: Sequence[str], *, member: str | None, actor: str) -> Shown:
    """What codes are worth to a member now, and why not. Raises what `Coupons.shown` does."""
    with sanhe.work(actor=actor) as work:
        return work.coupons.shown(codes, member=member, at=sanhe.clock.now())


def coupons_of(sanhe: Sanhe, member: str, *, actor: str) -> list[tuple[Carried, Promotion]]:
    """A member's coupons with their promotions, the first to end first."""
    with sanhe.work(actor=actor) as work:
        found = work.coupons.of_member(member, at=sanhe.clock.now())
        names = {one.coupon.promotion for one in found}
        promotions = work.promotions.published()
        terms = {
            name: promotions[name] if name in promotions else work.promotions.get(name).promotion
            for name in names
        }
        return [(one, terms[one.coupon.promotion]) for one in found]


def _tell(work: Work, action: str, subject: str, **details: str | int) -> None:
    kind = "campaign" if action.startswith(("campaign", "coupons")) else "promotion"
    work.audit.record(action, f"{kind} {subject}", details)


def _offered(work: Work, day: date) -> Mapping[str, Offered]:
    """What is known of every SKU: the first choice's cost, where several supply it."""
    prices = {row["sku"]: row for row in work.catalog.prices(day).to_pylist()}
    costs: dict[str, int] = {}
    for row in work.suppliers.terms(day=day).to_pylist():
        if row["unit_cost_cents"] is not None:
            costs.setdefault(row["sku"], row["unit_cost_cents"])
    return {
        row["sku"]: Offered(
            category=row["category"] or "",
            base_unit=row["base_unit"],
            tax_rate_ppm=round((prices.get(row["sku"], {}).get("tax_rate") or 0) * 1_000_000),
            unit_cost_cents=costs.get(row["sku"]),
        )
        for row in work.catalog.items(day=day).to_pylist()
    }
