"""What several pages tell of a decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from sanhe.core.decisions import Decision, Event, ListedDecision
from sanhe.goods.replenish import Explanation


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
    def of(cls, told: Explanation, *, metric: str = "fill_rate") -> Explained:
        """An explanation as pages take it."""
        effect = None
        if told.expected is not None:
            value, low, high = told.expected
            effect = Expected(metric=metric, value=value, low=low, high=high)
        return cls(
            number=told.number,
            status=told.status,
            sku=told.sku,
            place=told.place,
            item_name=told.item_name,
            label=told.label,
            reason=told.reason,
            quantity=told.quantity,
            decided=told.decided,
            value_cents=told.value_cents,
            terms=[Term.model_validate(term, from_attributes=True) for term in told.terms],
            limits=list(told.limits),
            assumed=list(told.assumed),
            alternatives=[_plain(one) for one in told.alternatives],
            expected=effect,
            method=told.method,
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

    @classmethod
    def all_of(cls, told: Explanation) -> list[HistoryStep]:
        """All steps, the oldest first."""
        return [cls.of(event) for event in told.history]


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


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return dict(values)
