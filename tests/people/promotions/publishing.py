"""Promotions published for tests, by a real decision that somebody approved."""

from __future__ import annotations

from sanhe.core.decisions import Decisions, Proposal, Subject
from sanhe.core.values import new_id
from sanhe.loop.promoting import PUBLISH
from sanhe.people.promotions import PUBLISHING, Promotion, Promotions


def proposed(decisions: Decisions, promotion: str, version: int) -> int:
    """The number of a proposal to publish."""
    decisions.register(PUBLISH)
    made = Proposal(
        kind=PUBLISHING,
        subject=Subject(party=promotion),
        value=0,
        value_cents=0,
        terms=(0, 0, 0),
        reason="for a test",
        inputs={"version": version},
        method="none",
    )
    return decisions.propose(new_id(), [made]).numbers[0]


def publish(promotions: Promotions, decisions: Decisions, promotion: Promotion) -> int:
    """Save a promotion, propose it, approve that and carry it out; the version published."""
    number = proposed(decisions, promotion.id, promotions.save(promotion))
    decisions.approve([number])
    (decision,) = decisions.start(PUBLISHING)
    version = promotions.publish(promotion.id, decision=decision)
    decisions.executed({number: [f"version {version}"]})
    return version
