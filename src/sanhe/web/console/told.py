"""What several pages tell of a decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel

from sanhe.core.decisions import (
    AWAKE,
    OVER,
    AutoApproval,
    Decision,
    Event,
    ListedDecision,
    Status,
    may_still,
    ruling,
)
from sanhe.goods.replenish import STALE, ExplainedTerm, Explanation, terms_of

Deed = Literal["approve", "edit", "reject", "snooze"]
"""What people make of a proposal."""

_DEEDS: Final[Mapping[Status, Deed]] = {
    Status.APPROVED: "approve",
    Status.EDITED: "edit",
    Status.REJECTED: "reject",
    Status.SNOOZED: "snooze",
}
Cause = Literal["", "over", "replaced", "awake", "rule"]
_CAUSES: Final[Mapping[str, Cause]] = {OVER: "over", STALE: "replaced", AWAKE: "awake"}


def deeds_of(status: Status, *, valid_until: datetime | None, now: datetime) -> list[Deed]:
    """What people may still make of a decision; none of one that is decided or over."""
    still = may_still(status, valid_until=valid_until, now=now)
    return [deed for moved, deed in _DEEDS.items() if moved in still]


class AutoRule(BaseModel):
    """The policy's rule that approves a proposal by itself, or comes nearest to it.

    `classes`: it approves labels that begin so; none named = all. `over_cents`: by how much the
    proposal is above `max_value_cents`, 0 = within. `approves`: nothing is missing.
    """

    name: str
    classes: list[str]
    max_value_cents: int
    fits_class: bool
    over_cents: int
    approves: bool

    @classmethod
    def of(
        cls, rules: Iterable[AutoApproval], kind: str, *, label: str, value_cents: int
    ) -> AutoRule | None:
        """The nearest rule; None without one for this kind."""
        found = ruling(rules, kind, label=label, value_cents=value_cents)
        if found is None:
            return None
        return cls(
            name=found.rule.name,
            classes=sorted(found.rule.labels),
            max_value_cents=found.rule.max_value_cents,
            fits_class=found.fits_class,
            over_cents=found.over_cents,
            approves=found.approves,
        )


class Term(BaseModel):
    """One step of the arithmetic, and the total after it."""

    name: str
    words: str
    value: int
    running: int

    @classmethod
    def all_of(cls, terms: Iterable[ExplainedTerm]) -> list[Term]:
        """Terms as pages take them."""
        return [cls.model_validate(term, from_attributes=True) for term in terms]


class DecisionRow(BaseModel):
    """A decision. `value` is the present one, `proposed` what was proposed.

    `reason` is told of one alone, as it lies in what the decision was made of; the terms, which
    add up to `proposed`, stand in lists too. `deeds`: what may still be made of it.
    """

    number: int
    kind: str
    sku: str | None
    item_name: str | None
    place: str | None
    party: str | None
    status: str
    label: str
    value: int
    proposed: int
    value_cents: int
    reason: str = ""
    terms: list[Term]
    created_at: datetime
    valid_until: datetime | None
    deeds: list[Deed]


class Expected(BaseModel):
    """An effect with a 90 % interval."""

    metric: str
    value: float
    low: float
    high: float


class Explained(BaseModel):
    """Why a quantity; see `goods.replenish.Explanation`."""

    number: int | None
    status: str | None
    sku: str
    place: str
    item_name: str | None
    label: str
    reason: str
    quantity: int
    decided: int
    value_cents: int
    terms: list[Term]
    limits: list[str]
    assumed: list[str]
    alternatives: list[dict[str, Any]]
    expected: Expected | None
    method: str

    @classmethod
    def of(cls, decision: Decision, told: Explanation) -> Explained:
        """Why a decision proposes what it does.

        Limits and assumptions are names: what they are called depends on who reads.
        """
        proposal = decision.proposal
        effect, assumed = proposal.expected, proposal.inputs.get("assumed")
        name = proposal.inputs.get("item_name")
        return cls(
            number=decision.number,
            status=decision.status.value,
            sku=proposal.subject.sku or "",
            place=proposal.subject.place or "",
            item_name=None if name is None else str(name),
            label=proposal.label,
            reason=proposal.reason,
            quantity=proposal.value,
            decided=decision.value,
            value_cents=proposal.value_cents,
            terms=Term.all_of(told.terms),
            limits=list(proposal.constraints),
            assumed=[str(one) for one in assumed] if isinstance(assumed, list | tuple) else [],
            alternatives=[dict(one) for one in proposal.alternatives],
            expected=None
            if effect is None
            else Expected.model_validate(effect, from_attributes=True),
            method=proposal.method,
        )


class HistoryStep(BaseModel):
    """One step of a decision's life.

    `cause`: why sanhe itself took it, as a word: its validity was `over`, new facts `replaced` it,
    it was put off until now (`awake`), a `rule` approved it; empty where a person did.
    """

    at: datetime
    actor: str
    status: str
    reason: str
    cause: Cause
    value: int | None

    @classmethod
    def of(cls, event: Event) -> HistoryStep:
        """A step as pages take it."""
        return cls(
            at=event.at,
            actor=event.actor,
            status=event.status.value,
            reason=event.reason,
            cause="rule" if "by" in event.details else _CAUSES.get(event.reason, ""),
            value=event.value,
        )


def row_of(decision: Decision, *, now: datetime) -> DecisionRow:
    """A decision as a row."""
    proposal = decision.proposal
    name = proposal.inputs.get("item_name")
    return DecisionRow(
        number=decision.number,
        kind=proposal.kind,
        sku=proposal.subject.sku,
        item_name=None if name is None else str(name),
        place=proposal.subject.place,
        party=proposal.subject.party,
        status=decision.status.value,
        label=proposal.label,
        value=decision.value,
        proposed=proposal.value,
        value_cents=proposal.value_cents,
        reason=proposal.reason,
        terms=Term.all_of(terms_of(proposal.kind, proposal.terms)),
        created_at=decision.created_at,
        valid_until=proposal.valid_until,
        deeds=deeds_of(decision.status, valid_until=proposal.valid_until, now=now),
    )


def listed_row(
    one: ListedDecision, *, names: Mapping[str, str | None], now: datetime
) -> DecisionRow:
    """A decision of a list as a row; `names` of items by SKU."""
    return DecisionRow(
        number=one.number,
        kind=one.kind,
        sku=one.sku,
        item_name=names.get(one.sku or ""),
        place=one.place,
        party=one.party,
        status=one.status.value,
        label=one.label,
        value=one.value,
        proposed=one.proposed_value,
        value_cents=one.value_cents,
        terms=Term.all_of(terms_of(one.kind, one.terms)),
        created_at=one.created_at,
        valid_until=one.valid_until,
        deeds=deeds_of(one.status, valid_until=one.valid_until, now=now),
    )
