"""A decision opened up: each term with its words and running total, limits, assumptions, data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sanhe.core.decisions import Decision, Event, Proposal
from sanhe.core.values import Json
from sanhe.goods.replenish.policy import KIND, TRANSFER
from sanhe.goods.replenish.rules import CONSTRAINTS, TERMS
from sanhe.goods.replenish.transfers import TRANSFER_TERMS, TRANSFER_WORDS
from sanhe.goods.replenish.words import ASSUMED_WORDS, TERM_WORDS


@dataclass(frozen=True, slots=True)
class ExplainedTerm:
    """One step of the arithmetic in base units, and the total after it."""

    name: str
    words: str
    value: int
    running: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a line orders what it orders; everything in base units and cents.

    `number` and `status` are None for a line that has no decision. `quantity` is what the
    arithmetic gives, `decided` what was decided (an edit changes it). `forecast` pairs days with
    expected demand. `limits`, `assumed` are sentences. `alternatives` are other quantities with
    their expected fill and days of cover. `inputs` is the whole snapshot.
    """

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
    terms: tuple[ExplainedTerm, ...]
    limits: tuple[str, ...]
    assumed: tuple[str, ...]
    forecast: tuple[tuple[date, float], ...]
    alternatives: tuple[Mapping[str, Json], ...]
    expected: tuple[float, float, float] | None
    method: str
    inputs: Mapping[str, Json]
    history: tuple[Event, ...] = ()
    actions: tuple[str, ...] = ()


def explain_decision(decision: Decision) -> Explanation:
    """The explanation of a recorded decision, from its own snapshot alone."""
    told = explain_proposal(decision.proposal)
    return Explanation(
        number=decision.number,
        status=decision.status.value,
        sku=told.sku,
        place=told.place,
        item_name=told.item_name,
        label=told.label,
        reason=told.reason,
        quantity=told.quantity,
        decided=decision.value,
        value_cents=told.value_cents,
        terms=told.terms,
        limits=told.limits,
        assumed=told.assumed,
        forecast=told.forecast,
        alternatives=told.alternatives,
        expected=told.expected,
        method=told.method,
        inputs=told.inputs,
        history=decision.history,
        actions=decision.actions,
    )


def explain_proposal(proposal: Proposal) -> Explanation:
    """The explanation of a proposal that is not recorded (yet)."""
    inputs = proposal.inputs
    name = inputs.get("item_name")
    effect = proposal.expected
    return Explanation(
        number=None,
        status=None,
        sku=proposal.subject.sku or "",
        place=proposal.subject.place or "",
        item_name=str(name) if name is not None else None,
        label=proposal.label,
        reason=proposal.reason,
        quantity=proposal.value,
        decided=proposal.value,
        value_cents=proposal.value_cents,
        terms=terms_of(proposal.kind, proposal.terms),
        limits=tuple(_limit(name) for name in proposal.constraints),
        assumed=_assumed(inputs.get("assumed")),
        forecast=_forecast(inputs),
        alternatives=proposal.alternatives,
        expected=None if effect is None else (effect.value, effect.low, effect.high),
        method=proposal.method,
        inputs=inputs,
    )


def terms_of(kind: str, values: Sequence[int]) -> tuple[ExplainedTerm, ...]:
    """The terms of a proposal of this kind, told as `explained_terms` does."""
    if kind not in (KIND, TRANSFER):
        return ()  # another's arithmetic: its owner has the words for it
    names, words = (TRANSFER_TERMS, TRANSFER_WORDS) if kind == TRANSFER else (TERMS, TERM_WORDS)
    return explained_terms(dict(zip(names, values, strict=False)), words)


def explained_terms(
    values: Mapping[str, int], words: Mapping[str, str] = TERM_WORDS
) -> tuple[ExplainedTerm, ...]:
    """The terms that matter with their running total, in the order of their words.

    Those that are not zero, and always the first, which is what all else is set against. A
    decision of an earlier version has fewer.
    """
    told, running = [], 0
    for at, (name, meaning) in enumerate(words.items()):
        value = values.get(name, 0)
        running += value
        if value or at == 0:
            told.append(ExplainedTerm(name, meaning, value, running))
    return tuple(told)


def _limit(name: str) -> str:
    return CONSTRAINTS.get(name, name)


def _assumed(names: Json) -> tuple[str, ...]:
    listed = names if isinstance(names, list | tuple) else ()
    return tuple(ASSUMED_WORDS.get(str(name), str(name)) for name in listed)


def _forecast(inputs: Mapping[str, Json]) -> tuple[tuple[date, float], ...]:
    first, by_day = inputs.get("as_of"), inputs.get("forecast_by_day")
    if not isinstance(first, str) or not isinstance(by_day, list | tuple):
        return ()
    start = date.fromisoformat(first)
    return tuple(
        (start + timedelta(days=ahead), float(mean))
        for ahead, mean in enumerate(by_day)
        if isinstance(mean, int | float)
    )
