"""The façade: propose, explain and execute replenishments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import numpy as np

from sanhe.core.clock import Clock
from sanhe.core.decisions import (
    Decision,
    DecisionKind,
    Decisions,
    Proposal,
    Proposed,
    Status,
)
from sanhe.core.errors import NotFound
from sanhe.core.values import derived_id
from sanhe.goods.replenish.assumptions import Assumptions
from sanhe.goods.replenish.effects import effects
from sanhe.goods.replenish.explain import Explanation, explain_decision, explain_proposal
from sanhe.goods.replenish.policy import KIND, Policy
from sanhe.goods.replenish.ports import Forecast, Known
from sanhe.goods.replenish.prepared import Prepared, prepare
from sanhe.goods.replenish.propose import Progress, proposals
from sanhe.goods.replenish.rules import TERMS, Outcome, compute
from sanhe.goods.suppliers import OrderLine, PurchaseOrder

if TYPE_CHECKING:
    from sanhe.models.inventory import Ints

DECISION_KIND = DecisionKind(
    name=KIND,
    owner="goods.replenish",
    version=1,
    unit="base units",
    terms=TERMS,
    meaning="How much of an SKU to order for a place (补货)",
)
"""What is registered in the wiring before anything is proposed."""

INPUT_TERMS = ("demand_over_cover", "safety_stock", "presentation_top_up", "on_hand", "reserved")
"""The terms that the ordering of a line leaves as they are: with them its need is the same."""

ALL = 100_000_000
"""Large enough to mean every decision of a run."""


class Orders(Protocol):
    """Makes purchase orders of approved lines, in the caller's transaction (`Suppliers`)."""

    def order(
        self, lines: Iterable[OrderLine], run: UUID, *, day: date, lead_time_days: int = 0
    ) -> list[PurchaseOrder]:
        """Place the lines from `day` on, grouped into orders; `lead_time_days` is for lines
        without terms."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """The outcome of proposing.

    `run` names it; the same forecast, day and policy give the same run. `considered` lines were
    computed; of them `proposed` became new decisions, `already_open` had one open,
    `decided_before` were rejected, or ordered with an edited quantity, in this run with the same
    arithmetic, `no_order_needed` have enough. `limits` counts lines by the limit they hit,
    `assumed` by the input assumed. `value_cents` is the money of the new decisions,
    `auto_approved` how many a rule approved.
    """

    run: UUID
    as_of: date
    considered: int
    proposed: int
    already_open: int
    decided_before: int
    no_order_needed: int
    auto_approved: int
    value_cents: int
    limits: Mapping[str, int]
    assumed: Mapping[str, int]
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Executed:
    """The outcome of executing: decisions carried out, and the orders they became."""

    decisions: int
    orders: tuple[str, ...]


class Replenish:
    """Proposes, explains and executes replenishments in one transaction's decisions."""

    def __init__(
        self,
        decisions: Decisions,
        clock: Clock,
        *,
        policy: Policy | None = None,
        assumptions: Assumptions | None = None,
    ) -> None:
        self.decisions, self.clock = decisions, clock
        self.policy = Policy.load() if policy is None else policy
        self.assumptions = Assumptions.load() if assumptions is None else assumptions

    def exclusive(self) -> None:
        """Keep others from planning and carrying out until this transaction ends.

        Take it before reading stock and open orders: an order placed between the reading and
        the proposing would not be seen, and its line would be proposed a second time.
        """
        self.decisions.exclusive(KIND)

    def propose(
        self, forecast: Forecast, known: Known, *, progress: Progress | None = None
    ) -> Plan:
        """Compute every line of the forecast and record a decision for each that orders.

        Running it again proposes nothing twice: a line with an open decision is left out, open
        orders count, and what was rejected, or ordered with another quantity, comes back only
        when its arithmetic has changed. Call `exclusive` before reading what is known where
        others work on the same store. `progress` is told (lines done, lines in all).
        """
        self.exclusive()
        self.decisions.expire()
        prepared = prepare(forecast, known, policy=self.policy, assumptions=self.assumptions)
        outcome = compute(prepared.lines, budget_cents=self.policy.budget_cents)
        run = self.run_of(forecast)
        rows, decided_before = self._undecided(run, prepared, outcome)
        made = list(
            proposals(
                prepared,
                outcome,
                effects(prepared, outcome, rows),
                valid_until=self.clock.now() + timedelta(days=self.policy.valid_days),
                progress=progress,
            )
        )
        recorded = self.decisions.propose(run, made)
        approved = self.decisions.auto_approve(run, self.policy.auto_approval)
        return Plan(
            run=run,
            as_of=forecast.as_of,
            considered=len(prepared.sku),
            proposed=recorded.new,
            already_open=recorded.already_open,
            decided_before=decided_before,
            no_order_needed=int((outcome.term("no_order_needed") > 0).sum()),
            auto_approved=approved,
            value_cents=self._value_cents(run, made, recorded),
            limits={name: int(hit.sum()) for name, hit in outcome.hits.items() if hit.any()},
            assumed=_assumed(prepared),
            numbers=recorded.numbers,
        )

    def run_of(self, forecast: Forecast) -> UUID:
        """The id of the run that this forecast and the present policy make."""
        parts = (forecast.id, forecast.as_of.isoformat(), self.policy.digest())
        return derived_id(KIND, *parts)

    def explain(self, number: int) -> Explanation:
        """A decision opened up. Raises NotFound."""
        return explain_decision(self.decisions.get(number))

    def explain_line(
        self, forecast: Forecast, known: Known, *, sku: str, place: str
    ) -> Explanation:
        """The arithmetic of one line as it stands, ordered or not; nothing is recorded.

        The budget is left aside, as it depends on all lines. Raises NotFound when the forecast
        has no such line.
        """
        rows = _row(forecast, sku, place)
        prepared = prepare(
            forecast, known, policy=self.policy, assumptions=self.assumptions, rows=rows
        )
        outcome = compute(prepared.lines)
        bought = effects(prepared, outcome, np.arange(1))
        (proposal,) = proposals(prepared, outcome, bought, valid_until=None)
        return explain_proposal(proposal)

    def execute(self, orders: Orders, *, day: date) -> Executed:
        """Turn all approved and edited decisions into purchase orders placed from `day` on.

        A decision edited to nothing is carried out without an order. Waits for a plan that is
        being made, which counts on what was ordered when it began.
        """
        self.exclusive()
        started = self.decisions.start(KIND)
        lines = [_order_line(decision) for decision in started if decision.value > 0]
        actions: dict[int, list[str]] = {decision.number: [] for decision in started}
        run = derived_id("replenish.execute", *(str(number) for number in sorted(actions)))
        lead_time_days = self.assumptions.lead_time_days
        placed = orders.order(lines, run, day=day, lead_time_days=lead_time_days) if lines else []
        for order in placed:
            for line in order.lines:
                if line.decision is not None:
                    actions[line.decision].append(order.name)
        if actions:
            self.decisions.executed(actions)
        return Executed(len(started), tuple(order.name for order in placed))

    def _undecided(self, run: UUID, prepared: Prepared, outcome: Outcome) -> tuple[Ints, int]:
        """The rows that order something, without those this run decided as they stand.

        Rejected is a line by all its terms; edited by those that its own order leaves alone, as
        a person who orders less, or nothing, has seen the need.
        """
        closed = {Status.REJECTED, Status.EXECUTED, Status.MEASURED}
        found = self.decisions.find(kind=KIND, statuses=closed, run=run, limit=ALL)
        before = {
            _key(
                d.proposal.subject.sku,
                d.proposal.subject.place,
                d.proposal.terms,
                names=TERMS if d.status is Status.REJECTED else INPUT_TERMS,
            )
            for d in found
            if d.status is Status.REJECTED or d.value != d.proposal.value
        }
        rows = np.flatnonzero(outcome.quantity > 0)
        if not before:
            return rows, 0
        kept = [
            before.isdisjoint(
                _key(
                    prepared.sku[row],
                    prepared.place[row],
                    outcome.terms[row].tolist(),
                    names=names,
                )
                for names in (TERMS, INPUT_TERMS)
            )
            for row in rows.tolist()
        ]
        return rows[np.array(kept, bool)], len(kept) - sum(kept)

    def _value_cents(self, run: UUID, made: Sequence[Proposal], recorded: Proposed) -> int:
        """The money of the decisions just recorded."""
        if recorded.already_open == 0:
            return sum(proposal.value_cents for proposal in made)
        wanted = set(recorded.numbers)
        found = self.decisions.find(kind=KIND, run=run, limit=ALL) if wanted else ()
        return sum(d.proposal.value_cents for d in found if d.number in wanted)


def _key(
    sku: str | None, place: str | None, terms: Sequence[int], *, names: Sequence[str]
) -> tuple[object, ...]:
    """A line with those of its terms."""
    return (sku, place, *(terms[TERMS.index(name)] for name in names))


def _order_line(decision: Decision) -> OrderLine:
    """The purchase order line of an approved decision."""
    inputs, subject = decision.proposal.inputs, decision.proposal.subject
    name = inputs.get("item_name")
    return OrderLine(
        sku=subject.sku or "",
        place=subject.place or "",
        supplier=str(inputs["supplier"]),
        quantity=decision.value,
        decision=decision.number,
        name="" if name is None else str(name),
    )


def _row(forecast: Forecast, sku: str, place: str) -> Ints:
    """The forecast's row of an SKU at a place, as an array of one."""
    keys = zip(
        forecast.keys.column("sku").to_pylist(),
        forecast.keys.column("place").to_pylist(),
        strict=True,
    )
    for row, key in enumerate(keys):
        if key == (sku, place):
            return np.array([row])
    raise NotFound(f"no forecast for {sku} at {place}: check the codes, or plan again")


def _assumed(prepared: Prepared) -> dict[str, int]:
    """How many lines assumed each input."""
    counts: dict[str, int] = {}
    for names in prepared.assumed:
        for name in names:
            counts[name] = counts.get(name, 0) + 1
    return counts
