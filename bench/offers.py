"""Promotions that hold at once, as somebody had approved them, and the coupons of a campaign."""

from __future__ import annotations

from collections.abc import Sequence

from sanhe.core.decisions import Decisions, Proposal, Subject
from sanhe.core.values import new_id
from sanhe.people.coupons import Campaign, Coupons
from sanhe.people.promotions import PUBLISHING, Promotion, Promotions


def publish(promotions: Promotions, decisions: Decisions, promotion: Promotion) -> None:
    """Save a promotion, propose it, approve that and carry it out."""
    terms = {"version": promotions.save(promotion)}
    subject = Subject(party=promotion.id)
    why = "not weighed: there are no receipts yet"
    made = Proposal(PUBLISHING, subject, 0, 0, (0, 0, 0), why, terms, "none")
    decisions.approve(decisions.propose(new_id(), [made]).numbers)
    (decision,) = decisions.start(PUBLISHING)
    promotions.publish(promotion.id, decision=decision)
    decisions.executed({decision.number: ["bench"]})


def issue(
    coupons: Coupons, promotion: Promotion, *, members: Sequence[str] = (), count: int = 0
) -> list[str]:
    """The codes of coupons of a promotion that is published, by a campaign of its name."""
    name = promotion.id
    coupons.save(Campaign(name, promotion.name, name, promotion.begins_at, promotion.ends_at))
    return [one.code for one in coupons.issue(name, members=members, count=count)]
