"""The façade: propose, explain and execute replenishments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import numpy as np

from sanhe.core.clock import Clock
from sanhe.core.decisions import (
    Decision,
    DecisionKind,
    Decisions,
    Status,
    proposals_of,
)
from sanhe.core.errors import NotFound
from sanhe.core.values import derived_id
from sanhe.goods.replenish.arithmetic import arithmetic
from sanhe.goods.replenish.assumptions import Assumptions
from sanhe.goods.replenish.chain import supplying, with_warehouses
from sanhe.goods.replenish.explain import Explanation, explain_decision, explain_proposal
from sanhe.goods.replenish.matching import Matched, encoded, lines_of
from sanhe.goods.replenish.open_transfers import OpenTransfers, giver_of, refused
from sanhe.goods.replenish.policy import KIND, TRANSFER, Policy
from sanhe.goods.replenish.ports import Forecast, Known
from sanhe.goods.replenish.prepared import Prepared, prepare
from sanhe.goods.replenish.propose import Progress, proposals
from sanhe.goods.replenish.rules import TERMS, Outcome, compute
from sanhe.goods.replenish.sharing import is_shared
from sanhe.goods.replenish.transfers import (
    Transfers,
    planned_transfers,
    transfer_proposals,
    with_transfers,
)
from sanhe.goods.suppliers import OrderLine, PurchaseOrder

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.models.inventory import Bools, Ints

DECISION_KIND = DecisionKind(
    name=KIND,
    owner="goods.replenish",
    version=4,
    unit="base units",
    terms=TERMS,
    meaning="How much of an SKU to order for a place (补货)",
)
"""What is registered in the wiring before anything is proposed."""

INPUT_TERMS = (
    *("demand_over_cover", "safety_stock", "presentation_top_up"),
    *("on_hand", "expiring", "transferred_in", "reserved", "leaving"),
    "downstream_gap",
)
"""The terms that the ordering of a line leaves as they are: with them its need is the same."""

STALE = "new facts: computed anew"
"""Why a proposal that nobody decided on was closed."""


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
    `auto_approved` how many a rule approved, `replaced` how many proposals that nobody had
    decided on were closed because new facts gave other arithmetic. `transfers`: the new decisions
    to move stock between places; the other figures but these two leave them aside. `unsupplied`:
    places that others draw on, with the number of SKUs for which no supplier is agreed.
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
    replaced: int = 0
    unsupplied: Mapping[str, int] = field(default_factory=dict)
    transfers: tuple[int, ...] = ()


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
        self,
        forecast: Forecast,
        known: Known,
        *,
        rows: Ints | None = None,
        replace: bool = False,
        progress: Progress | None = None,
        computed: Callable[[pa.Table], None] | None = None,
    ) -> Plan:
        """Compute every line of the forecast, or those of `rows` (int64 indexes of its lines),
        and record a decision for each that orders.

        Running it again proposes nothing twice: a line with an open decision is left out, open
        orders count, and what was rejected, or ordered with another quantity, comes back only
        when its arithmetic has changed. Call `exclusive` before reading what is known where
        others work on the same store. `progress` is told (ordered lines done, in all).
        `replace`: close proposals of these lines that nobody has decided on and whose arithmetic
        no longer holds, so that none is approved on facts that have changed. `computed` is given
        the arithmetic of all lines computed, ordered or not, see `arithmetic`.
        Lines that share a limit with those of `rows` are computed with them: see `_sharing`.
        """
        self.exclusive()
        self.decisions.expire()
        forecast = with_warehouses(forecast, known)
        opened, run = OpenTransfers.of(self.decisions, anew=replace), self.run_of(forecast)
        sharing = self._sharing(forecast, known, rows, linked=bool(opened))
        asked = None if sharing is None else forecast.keys.take(sharing)
        known = (opened := opened.planned_for(asked)).added_to(known)
        prepared, moves = self._prepared(forecast, known, self.policy, rows=sharing)
        outcome = compute(prepared.lines, prepared.shared)
        replaced = self._withdraw(opened.stale(prepared, moves))
        replaced += self._withdraw_stale(prepared, outcome, asked=asked) if replace else 0
        decided = (outcome.quantity > 0) & self._decided_before(run, prepared, outcome)
        until = self.clock.now() + timedelta(days=self.policy.valid_days)
        transfers = [] if moves is None else [transfer_proposals(prepared, moves, until)]
        moved = self.decisions.propose(run, transfers)
        rows = np.flatnonzero((outcome.quantity > 0) & ~decided)
        made = proposals(prepared, outcome, rows, valid_until=until, progress=progress)
        recorded = self.decisions.propose(run, made)
        approved = self.decisions.auto_approve(run, self.policy.auto_approval)
        if computed is not None:
            computed(arithmetic(prepared, outcome))
        return Plan(
            run=run,
            as_of=forecast.as_of,
            considered=len(prepared.sku),
            proposed=recorded.new,
            already_open=recorded.already_open,
            decided_before=int(decided.sum()),
            no_order_needed=int(_enough(outcome).sum()),
            auto_approved=approved,
            value_cents=recorded.value_cents,
            limits=_counts(outcome.hits),
            assumed=_counts(prepared.assumed),
            numbers=recorded.numbers,
            replaced=replaced,
            transfers=moved.numbers,
            unsupplied=_unsupplied(prepared),
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

        The budget is left aside, as it depends on all lines; trucks, pallets and order minimums
        are shared with the lines of the place. Raises NotFound when the forecast has no such
        line.
        """
        forecast = with_warehouses(forecast, known)
        row = _row(forecast, sku, place)
        policy = replace(self.policy, budget_cents=None)
        opened = OpenTransfers.of(self.decisions, anew=False)
        known, rows = opened.added_to(known), row
        if is_shared(known.terms, policy):
            rows = _same(forecast, row, "place")
        if policy.moving.cost is not None or supplying(known):
            rows = np.union1d(rows, _same(forecast, row, "sku"))
        prepared, _ = self._prepared(forecast, known, policy, rows=rows)
        outcome = compute(prepared.lines, prepared.shared)
        at = np.flatnonzero(rows == row)
        (table,) = proposals(prepared, outcome, at, valid_until=None)
        (proposal,) = proposals_of(table)
        return explain_proposal(proposal)

    def execute(self, orders: Orders, *, day: date) -> Executed:
        """Turn all approved and edited decisions into orders placed from `day` on: purchases from
        suppliers, transfers from other places.

        A decision edited to nothing is carried out without an order. Waits for a plan that is
        being made, which counts on what was ordered when it began.
        """
        self.exclusive()
        started = [*self.decisions.start(KIND), *self.decisions.start(TRANSFER)]
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

    def _prepared(
        self, forecast: Forecast, known: Known, policy: Policy, *, rows: Ints | None
    ) -> tuple[Prepared, Transfers | None]:
        """The lines to compute, and the transfers that count in them."""
        prepared = prepare(forecast, known, policy=policy, assumptions=self.assumptions, rows=rows)
        closed = None
        if policy.moving.cost is not None:
            closed = refused(self.decisions, prepared, self.run_of(forecast))
        moves = planned_transfers(prepared, known, policy, closed=closed)
        return (prepared, None) if moves is None else (with_transfers(prepared, moves), moves)

    def _sharing(
        self, forecast: Forecast, known: Known, rows: Ints | None, *, linked: bool
    ) -> Ints | None:
        """These rows with all that share a limit with one of them, or may give it stock; None =
        all of the forecast.

        Under a budget all do; with trucks, pallets or order minimums those of the same places;
        with transfers, or places that supply others, those of the same SKUs.
        """
        if rows is None:
            return None
        shared = is_shared(known.terms, self.policy)
        linked = linked or self.policy.moving.cost is not None or bool(supplying(known))
        if self.policy.budget_cents is not None or (shared and linked):
            return None
        if shared or linked:
            return _same(forecast, rows, "place" if shared else "sku")
        return rows

    def _withdraw_stale(
        self, prepared: Prepared, outcome: Outcome, *, asked: pa.Table | None
    ) -> int:
        """Close the undecided proposals of these lines whose terms are others now.

        `asked`: the sku and place of the lines prepared; None = all that the forecast has.
        """
        found = self.decisions.undecided(KIND, asked)
        lines = lines_of(prepared.sku, prepared.place, of=found)
        terms = found.column("terms").to_pylist()
        stale = [
            number
            for number, line, old in zip(
                found.column("number").to_pylist(), lines.tolist(), terms, strict=True
            )
            if line >= 0 and _now(old) != outcome.terms[line].tolist()
        ]
        return self._withdraw(stale)

    def _withdraw(self, stale: list[int]) -> int:
        """Close proposals that new facts have made stale."""
        return self.decisions.withdraw(stale, reason=STALE) if stale else 0

    def _decided_before(self, run: UUID, prepared: Prepared, outcome: Outcome) -> Bools:
        """The lines that people decided otherwise in this run, with the arithmetic they have now.

        Rejected is a line by all its terms; edited by those that its own order leaves alone, as
        a person who orders less, or nothing, has seen the need.
        """
        found = self.decisions.overruled(KIND, run)
        lines = lines_of(prepared.sku, prepared.place, of=found)
        listed = [_now(terms) for terms in found.column("terms").to_pylist()]
        terms = np.array(listed, np.int64).reshape(-1, len(TERMS))
        same = outcome.terms[lines] == terms
        rejected = np.array(found.column("status").to_pylist(), object) == Status.REJECTED.value
        of_inputs = [TERMS.index(name) for name in INPUT_TERMS]
        stands = np.where(rejected, same.all(axis=1), same[:, of_inputs].all(axis=1))
        decided = np.zeros(len(prepared.sku), bool)
        decided[lines[stands & (lines >= 0)]] = True
        return decided


def _order_line(decision: Decision) -> OrderLine:
    """The order line of an approved decision."""
    inputs, subject = decision.proposal.inputs, decision.proposal.subject
    name = inputs.get("item_name")
    if decision.proposal.kind == TRANSFER:
        return OrderLine(
            sku=subject.sku or "",
            place=subject.place or "",
            supplier=giver_of(decision),
            quantity=decision.value,
            decision=decision.number,
            name="" if name is None else str(name),
            lead_time_days=int(str(inputs["lead_time_days"])),
            transfer=True,
        )
    return OrderLine(
        sku=subject.sku or "",
        place=subject.place or "",
        supplier=str(inputs["supplier"]),
        transfer=bool(inputs.get("by_place")),
        lead_time_days=due if isinstance(due := inputs.get("due_days"), int) else None,
        quantity=decision.value,
        decision=decision.number,
        name="" if name is None else str(name),
    )


def _now(terms: list[int]) -> list[int]:
    """The terms of a decision of an earlier version as those of now: the later ones are none."""
    return terms + [0] * (len(TERMS) - len(terms))


def _same(forecast: Forecast, rows: Ints, column: str) -> Ints:
    """All rows of the forecast with the SKUs, or the places, of these rows."""
    codes = np.asarray(encoded(forecast.keys.column(column)).indices, np.int64)
    return np.flatnonzero(np.isin(codes, np.unique(codes[rows])))


def _row(forecast: Forecast, sku: str, place: str) -> Ints:
    """The forecast's row of an SKU at a place, as an array of one."""
    keys = forecast.keys
    (row,) = Matched(keys, [sku], [place]).rows
    if row >= 0:
        return np.array([row])
    raise NotFound(f"no forecast for {sku} at {place}: check the codes, or plan again")


def _enough(outcome: Outcome) -> Bools:
    """The lines that order nothing as they need nothing."""
    cut = ("not_orderable", "shelf_life_cut", "capacity_cut")
    enough: Bools = outcome.quantity == 0
    for name in cut:
        enough = enough & (outcome.term(name) == 0)
    return enough


def _unsupplied(prepared: Prepared) -> dict[str, int]:
    """Places that others draw on, with the number of SKUs no supplier is agreed for."""
    if prepared.chain is None:
        return {}
    lines = np.flatnonzero(prepared.chain.is_source & prepared.assumed["supplier"])
    places, count = np.unique(prepared.place[lines].astype(str), return_counts=True)
    return dict(zip(places.tolist(), count.tolist(), strict=True))


def _counts(flags: Mapping[str, Bools]) -> dict[str, int]:
    """How many lines each flag is set for, without those of none."""
    return {name: int(flag.sum()) for name, flag in flags.items() if flag.any()}
