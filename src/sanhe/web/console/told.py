"""What several pages tell of a decision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from sanhe.core.decisions import Decision, Event, ListedDecision
from sanhe.goods.replenish import ExplainedTerm, Explanation


class DecisionRow(BaseModel):
    """A decision. `value` is the present one, `proposed` what was proposed.

    `reason` is told of one alone, not in lists, as it lies in what the decision was made of.
    """

    number: int
    kind: str
    sku: str | None
    place: str | None
    party: str | None
    status: str
    label: str
    value: int
    proposed: int
    value_cents: int
    reason: str = ""
    created_at: datetime


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
    """One step of a decision's life."""

    at: datetime
    actor: str
    status: str
    reason: str
    value: int | None

    @classmethod
    def of(cls, event: Event) -> HistoryStep:
        """A step as pages take it."""
        return cls(
            at=event.at,
            actor=event.actor,
            status=event.status.value,
            reason=event.reason,
            value=event.value,
        )


def row_of(decision: Decision) -> DecisionRow:
    """A decision as a row."""
    proposal = decision.proposal
    return DecisionRow(
        number=decision.number,
        kind=proposal.kind,
        sku=proposal.subject.sku,
        place=proposal.subject.place,
        party=proposal.subject.party,
        status=decision.status.value,
        label=proposal.label,
        value=decision.value,
        proposed=proposal.value,
        value_cents=proposal.value_cents,
        reason=proposal.reason,
        created_at=decision.created_at,
    )


def listed_row(one: ListedDecision) -> DecisionRow:
    """A decision of a list as a row."""
    return DecisionRow(
        number=one.number,
        kind=one.kind,
        sku=one.sku,
        place=one.place,
        party=one.party,
        status=one.status.value,
        label=one.label,
        value=one.value,
        proposed=one.proposed_value,
        value_cents=one.value_cents,
        created_at=one.created_at,
    )
