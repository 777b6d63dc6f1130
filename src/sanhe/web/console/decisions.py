"""The decision log, and deciding."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from sanhe.core.decisions import Decision, Status
from sanhe.core.errors import BadInput, SanheError
from sanhe.goods.replenish import KIND
from sanhe.web.asked import Number, Quantity, Reason, ScopeAsked, Window, Word
from sanhe.web.caller import Caller, depends
from sanhe.web.console.told import (
    AutoRule,
    DecisionRow,
    Expected,
    Explained,
    HistoryStep,
    listed_row,
    row_of,
)
from sanhe.web.running import Event
from sanhe.wiring import Work, approve, check_ordering, edit, run_jobs

router = APIRouter(tags=["decisions"])
Decides = Annotated[Caller, depends("decisions.decide")]
MOST = 1000
COUNTED = 10_000
"""Decisions are counted up to so many: nobody scrolls through more."""


class DecisionsAsked(ScopeAsked, Window):
    """Which decisions; the most money at stake first."""

    status: Status | None = None
    kind: Word | None = None
    sku: Word | None = None


class DecisionPage(BaseModel):
    """Some decisions of all that were asked for.

    `total` is counted up to 10,000, with `more` where there are more; an `offset` above it is
    answered all the same.
    """

    rows: list[DecisionRow]
    total: int
    more: bool
    offset: int


class DecisionTold(BaseModel):
    """One decision opened up.

    `rule`: the auto-approval rule nearest to it; None without a rule of its kind. `newer`: a later
    decision on the same line. `orders`: what carried it out.
    """

    decision: DecisionRow
    explanation: Explained
    history: list[HistoryStep]
    measured: Expected | None
    rule: AutoRule | None
    newer: int | None
    orders: list[str]


class Step(BaseModel):
    """A step of the waterfall: decisions and the money at stake in them; `total` = a level."""

    name: str
    decisions: int
    value_cents: int
    total: bool


class Waterfall(BaseModel):
    """From what was proposed to what was carried out and measured."""

    steps: list[Step]


class Chosen(BaseModel):
    """Decisions by number."""

    numbers: list[Number] = Field(min_length=1, max_length=MOST)
    reason: Reason = ""


class PutOff(Chosen):
    """Decisions to put off until a day begins, or a moment."""

    until: Word


class Edited(BaseModel):
    """Another quantity; the reason is required."""

    quantity: Quantity
    reason: Reason


class Changed(BaseModel):
    """How many were changed, and the purchase orders that were made."""

    changed: int
    orders: list[str] = []


@router.get("/decisions")
def read_decisions(
    asked: Annotated[DecisionsAsked, Query()], caller: Annotated[Caller, depends("decisions.read")]
) -> DecisionPage:
    """The log of decisions."""
    now = caller.sanhe.clock.now()
    with caller.work() as work:
        wanted = {
            "kind": asked.kind or None,
            "statuses": None if asked.status is None else {asked.status},
            "sku": asked.sku or None,
            **_within(caller, work, asked),
        }
        found = work.decisions.listed(**wanted, limit=asked.limit, offset=asked.offset)
        counted = work.decisions.count(**wanted, most=COUNTED + 1)
        items = work.catalog.items({one.sku for one in found if one.sku is not None})
    names = dict(zip(items["sku"].to_pylist(), items["name"].to_pylist(), strict=True))
    rows = [listed_row(one, names=names, now=now) for one in found]
    return DecisionPage(
        rows=rows, total=min(counted, COUNTED), more=counted > COUNTED, offset=asked.offset
    )


@router.get("/decisions/waterfall")
def read_waterfall(
    asked: Annotated[ScopeAsked, Query()], caller: Annotated[Caller, depends("decisions.read")]
) -> Waterfall:
    """The decisions of a part of the business by what became of them."""
    with caller.work() as work:
        tally = work.decisions.tally(KIND, **_within(caller, work, asked))

    def of(*statuses: Status) -> tuple[int, int]:
        chosen = [tally.get(status, (0, 0)) for status in statuses]
        return sum(count for count, _ in chosen), sum(cents for _, cents in chosen)

    done = of(Status.EXECUTED, Status.MEASURED)
    named = [
        ("proposed", *of(*Status), True),
        ("rejected", *_less(of(Status.REJECTED)), False),
        ("expired", *_less(of(Status.EXPIRED)), False),
        ("waiting", *_less(of(Status.PROPOSED, Status.SNOOZED)), False),
        ("accepted", *of(Status.APPROVED, Status.EDITED, Status.EXECUTING), False),
        ("executed", *done, True),
        ("measured", *of(Status.MEASURED), True),
    ]
    return Waterfall(
        steps=[
            Step(name=name, decisions=count, value_cents=cents, total=total)
            for name, count, cents, total in named
            if name != "accepted" or count
        ]
    )


def _within(caller: Caller, work: Work, asked: ScopeAsked) -> dict[str, Any]:
    """The places or lines asked for; a decision knows its place, the plan category and supplier."""
    if asked.category or asked.supplier:
        return {"lines": caller.desk.keys(asked.filters())}
    if asked.place:
        return {"places": [asked.place]}
    if not asked.region:
        return {}
    rows = work.places.all().to_pylist()
    return {"places": [row["id"] for row in rows if row["region"] == asked.region]}


def _less(counted: tuple[int, int]) -> tuple[int, int]:
    count, cents = counted
    return count, -cents


@router.get("/decisions/{number}")
def read_decision(
    number: Annotated[Number, Path()], caller: Annotated[Caller, depends("decisions.read")]
) -> DecisionTold:
    """One decision with its arithmetic and history."""
    sanhe = caller.sanhe
    with caller.work() as work:
        decision = work.decisions.get(number)
        told = work.replenish.explain(number)
        newer = _newer(work, decision)
    proposal, effect = decision.proposal, decision.measured
    rules = sanhe.policy().auto_approval
    return DecisionTold(
        decision=row_of(decision, now=sanhe.clock.now()),
        explanation=Explained.of(decision, told),
        history=[HistoryStep.of(event) for event in decision.history],
        measured=None if effect is None else Expected.model_validate(effect, from_attributes=True),
        rule=AutoRule.of(
            rules, proposal.kind, label=proposal.label, value_cents=proposal.value_cents
        ),
        newer=newer,
        orders=list(decision.actions),
    )


def _newer(work: Work, decision: Decision) -> int | None:
    """The newest decision on the same line, where that is a later one."""
    import pyarrow as pa

    subject = decision.proposal.subject
    if subject.sku is None or subject.place is None or subject.party is not None:
        return None
    line = pa.table({"sku": [subject.sku], "place": [subject.place]})
    (newest,) = work.decisions.standing(decision.proposal.kind, line)["number"].to_pylist()
    return newest if newest > decision.number else None


@router.post("/decisions/approve")
def approve_decisions(chosen: Chosen, caller: Decides) -> Changed:
    """Approve; what is approved is carried out at once. All or none."""
    numbers = set(chosen.numbers)
    who = caller.identity
    changed = approve(caller.sanhe, numbers, reason=chosen.reason, actor=who.actor, scope=who.scope)
    return _carried_out(caller, numbers, changed, status="approved")


@router.post("/decisions/reject")
def reject_decisions(chosen: Chosen, caller: Decides) -> Changed:
    """Close without action; a reason is required. All or none."""
    with caller.work() as work:
        check_ordering(work, chosen.numbers)
        changed = work.decisions.reject(set(chosen.numbers), reason=chosen.reason)
    return _told(caller, chosen.numbers, changed, status="rejected")


@router.post("/decisions/snooze")
def snooze_decisions(chosen: PutOff, caller: Decides) -> Changed:
    """Put off until later; nothing is proposed twice meanwhile. All or none."""
    until = _moment(chosen.until, caller.sanhe.settings.time_zone)
    with caller.work() as work:
        check_ordering(work, chosen.numbers)
        changed = work.decisions.snooze(set(chosen.numbers), until=until, reason=chosen.reason)
    return _told(caller, chosen.numbers, changed, status="snoozed")


@router.post("/decisions/{number}/edit")
def edit_decision(number: Annotated[Number, Path()], edited: Edited, caller: Decides) -> Changed:
    """Approve with another quantity; it is carried out at once."""
    who = caller.identity
    edit(
        caller.sanhe,
        number,
        edited.quantity,
        reason=edited.reason,
        actor=who.actor,
        scope=who.scope,
    )
    return _carried_out(caller, [number], 1, status="edited")


Done = Literal["approved", "edited", "rejected", "snoozed"]


def _carried_out(
    caller: Caller, numbers: Collection[int], changed: int, *, status: Done
) -> Changed:
    """Run what was queued; a failed job is told by the next plan, the decision stands."""
    try:
        orders = list(run_jobs(caller.sanhe))
    except SanheError:
        _told(caller, numbers, changed, status=status)
        raise
    told = _told(caller, numbers, changed, status=status)
    return Changed(changed=told.changed, orders=orders)


def _told(caller: Caller, numbers: Collection[int], changed: int, *, status: Done) -> Changed:
    """Tell open pages which of the decisions they may see have changed."""
    by_place: dict[str, list[int]] = {}
    with caller.work() as work:
        for number, subject in sorted(work.decisions.subjects(numbers).items()):
            by_place.setdefault(subject.place or "", []).append(number)
    for place, of_place in by_place.items():
        data = {"changed": of_place, "by": caller.identity.actor, "status": status}
        caller.served.running.tell(Event("decisions", data, frozenset({place})))
    return Changed(changed=changed)


def _moment(text: str, time_zone: str) -> datetime:
    """A day, which begins where the retailer is, or a moment with a zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(
            f"{text!r} is no day", place="until", remedy="write it as YYYY-MM-DD"
        ) from error
    if len(text) <= 10:
        return datetime.combine(moment.date(), time(), tzinfo=ZoneInfo(time_zone))
    return moment
