"""Decisions in memory: for tests and simulations; they pass the same conformance suite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING
from uuid import UUID

from sanhe.core.clock import Clock
from sanhe.core.decisions import rules
from sanhe.core.decisions.columns import proposals_of
from sanhe.core.decisions.ports import (
    OPEN,
    AutoApproval,
    Decision,
    DecisionKind,
    Effect,
    Event,
    ListedDecision,
    Proposal,
    ProposalTable,
    Proposed,
    Status,
    Subject,
)
from sanhe.core.decisions.rules import covers
from sanhe.core.errors import Conflict, NotFound
from sanhe.core.values import Json, new_id

if TYPE_CHECKING:
    import pyarrow as pa


class MemoryDecisions:
    """Decisions that live as long as the process; each call is all or nothing."""

    def __init__(self, clock: Clock, *, actor: str = "memory") -> None:
        self.clock, self.actor = clock, actor
        self._kinds: dict[str, dict[int, DecisionKind]] = {}
        self._decisions: dict[int, Decision] = {}
        self._open: dict[tuple[str, Subject], int] = {}

    def register(self, kind: DecisionKind) -> None:
        """Publish a kind; the same version with other terms raises Conflict."""
        rules.check_kind(kind)
        versions = self._kinds.setdefault(kind.name, {})
        if kind.version in versions:
            rules.check_same_kind(versions[kind.version], kind)
        versions[kind.version] = kind

    def kind(self, name: str, *, version: int | None = None) -> DecisionKind:
        """The kind in this version, or its latest one. Raises NotFound."""
        versions = self._kinds.get(name, {})
        wanted = max(versions, default=0) if version is None else version
        if wanted not in versions:
            raise NotFound(rules.not_registered(name))
        return versions[wanted]

    def propose(self, run: UUID, proposals: Iterable[Proposal | ProposalTable]) -> Proposed:
        """Record proposals; a subject with an open decision of the kind is left out and counted."""
        fresh: dict[tuple[str, Subject], tuple[Proposal, int]] = {}
        already_open = 0
        for proposal in chain.from_iterable(map(self._one_by_one, proposals)):
            kind = self.kind(proposal.kind)
            rules.check_proposal(proposal, kind)
            key = (proposal.kind, proposal.subject)
            if key in self._open or key in fresh:
                already_open += 1
            else:
                fresh[key] = (proposal, kind.version)
        numbers = [self._record(run, *given) for given in fresh.values()]
        cents = sum(proposal.value_cents for proposal, _ in fresh.values())
        return Proposed(len(numbers), already_open, tuple(numbers), cents)

    def _one_by_one(self, given: Proposal | ProposalTable) -> Iterable[Proposal]:
        if isinstance(given, Proposal):
            return (given,)
        rules.check_table(given, self.kind(given.kind))
        return proposals_of(given)

    def get(self, number: int) -> Decision:
        """The decision with its history. Raises NotFound."""
        if number not in self._decisions:
            raise NotFound(rules.no_decision([number]))
        return self._decisions[number]

    def subjects(self, numbers: Collection[int]) -> Mapping[int, Subject]:
        """What these decisions are about; those that are not there are left out."""
        known = (number for number in numbers if number in self._decisions)
        return {number: self._decisions[number].proposal.subject for number in known}

    def kinds(self, numbers: Collection[int]) -> Mapping[int, str]:
        """Of which kind these decisions are; those that are not there are left out."""
        known = (number for number in numbers if number in self._decisions)
        return {number: self._decisions[number].proposal.kind for number in known}

    def find(
        self,
        *,
        kind: str | None = None,
        statuses: Collection[Status] | None = None,
        run: UUID | None = None,
        sku: str | None = None,
        place: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Decision]:
        """Decisions by money at stake, largest first, without histories."""
        found = [
            replace(decision, history=())
            for decision in self._decisions.values()
            if (kind is None or decision.proposal.kind == kind)
            and (statuses is None or decision.status in statuses)
            and (run is None or decision.run == run)
            and (sku is None or decision.proposal.subject.sku == sku)
            and (place is None or decision.proposal.subject.place == place)
        ]
        found.sort(key=lambda decision: (-decision.proposal.value_cents, decision.number))
        return found[offset : offset + limit]

    def listed(
        self,
        *,
        kind: str | None = None,
        statuses: Collection[Status] | None = None,
        sku: str | None = None,
        places: Collection[str] | None = None,
        lines: pa.Table | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[ListedDecision]:
        """Like `find`, without opening what the decisions were made of."""
        every = len(self._decisions)
        found = self.find(kind=kind, statuses=statuses, sku=sku, limit=every)
        found = _within(found, places, lines)[offset : offset + limit]
        return [
            ListedDecision(
                number=one.number,
                kind=one.proposal.kind,
                sku=one.proposal.subject.sku,
                place=one.proposal.subject.place,
                party=one.proposal.subject.party,
                status=one.status,
                label=one.proposal.label,
                value=one.value,
                proposed_value=one.proposal.value,
                value_cents=one.proposal.value_cents,
                created_at=one.created_at,
                valid_until=one.proposal.valid_until,
                terms=one.proposal.terms,
            )
            for one in found
        ]

    def count(
        self,
        *,
        kind: str | None = None,
        statuses: Collection[Status] | None = None,
        sku: str | None = None,
        place: str | None = None,
        places: Collection[str] | None = None,
        lines: pa.Table | None = None,
        most: int | None = None,
    ) -> int:
        """How many there are, counted up to `most`."""
        every = len(self._decisions)
        found = self.find(kind=kind, statuses=statuses, sku=sku, place=place, limit=every)
        count = len(_within(found, places, lines))
        return count if most is None else min(count, most)

    def tally(
        self,
        kind: str,
        *,
        places: Collection[str] | None = None,
        lines: pa.Table | None = None,
    ) -> Mapping[Status, tuple[int, int]]:
        """How many decisions of a kind stand in each status, and the money at stake in them."""
        found: dict[Status, tuple[int, int]] = {}
        for decision in _within(self.find(kind=kind, limit=len(self._decisions)), places, lines):
            count, cents = found.get(decision.status, (0, 0))
            found[decision.status] = count + 1, cents + decision.proposal.value_cents
        return found

    def overruled(self, kind: str, run: UUID) -> pa.Table:
        """What people closed otherwise than this run proposed."""
        import pyarrow as pa

        found = [
            decision
            for decision in self._decisions.values()
            if decision.proposal.kind == kind
            and decision.run == run
            and rules.is_overruled(decision)
        ]
        text = pa.string()
        return pa.table(
            {
                "sku": pa.array([d.proposal.subject.sku for d in found], text),
                "place": pa.array([d.proposal.subject.place for d in found], text),
                "party": pa.array([d.proposal.subject.party for d in found], text),
                "status": pa.array([d.status.value for d in found], text),
                "terms": pa.array([d.proposal.terms for d in found], pa.list_(pa.int64())),
            }
        )

    def undecided(self, kind: str, lines: pa.Table | None = None) -> pa.Table:
        """The proposals of a kind that nobody has decided on, of all lines or these."""
        import pyarrow as pa

        asked = None if lines is None else {(r["sku"], r["place"]) for r in lines.to_pylist()}
        found = [
            decision
            for decision in self._decisions.values()
            if decision.proposal.kind == kind
            and decision.status is Status.PROPOSED
            and (asked is None or _line_of(decision) in asked)
        ]
        text, number = pa.string(), pa.int64()
        return pa.table(
            {
                "number": pa.array([d.number for d in found], number),
                "sku": pa.array([d.proposal.subject.sku for d in found], text),
                "place": pa.array([d.proposal.subject.place for d in found], text),
                "party": pa.array([d.proposal.subject.party for d in found], text),
                "terms": pa.array([d.proposal.terms for d in found], pa.list_(number)),
            }
        )

    def standing(self, kind: str, lines: pa.Table) -> pa.Table:
        """The newest decision of each of these lines that has any."""
        import pyarrow as pa

        asked = {(row["sku"], row["place"]) for row in lines.to_pylist()}
        newest = {
            _line_of(decision): decision
            for _, decision in sorted(self._decisions.items())
            if decision.proposal.kind == kind and _line_of(decision) in asked
        }
        text, number = pa.string(), pa.int64()
        found = list(newest.values())
        return pa.table(
            {
                "sku": pa.array([d.proposal.subject.sku for d in found], text),
                "place": pa.array([d.proposal.subject.place for d in found], text),
                "number": pa.array([d.number for d in found], number),
                "status": pa.array([d.status.value for d in found], text),
                "value": pa.array([d.value for d in found], number),
                "proposed_value": pa.array([d.proposal.value for d in found], number),
                "value_cents": pa.array([d.proposal.value_cents for d in found], number),
                "label": pa.array([d.proposal.label for d in found], text),
                "valid_until": pa.array(
                    [d.proposal.valid_until for d in found], pa.timestamp("us", "UTC")
                ),
            }
        )

    def withdraw(self, numbers: Collection[int], *, reason: str) -> int:
        """Close proposals that no longer hold; a reason is required."""
        rules.check_reason(reason, action="withdraw")
        return self._move_all(numbers, Status.EXPIRED, reason)

    def exclusive(self, kind: str) -> None:
        """Nothing to keep out: one unit of work at a time uses this store."""

    def approve(self, numbers: Collection[int], *, reason: str = "") -> int:
        """Approve proposed or snoozed decisions. Raises NotFound, Conflict, all or none."""
        return self._move_all(numbers, Status.APPROVED, reason)

    def edit(self, number: int, value: int, *, reason: str) -> None:
        """Approve with another value ≥ 0; a reason is required (BadInput)."""
        rules.check_reason(reason, action="edit")
        rules.check_edited_value(value, number=number)
        decision = self.get(number)
        rules.check_move(number, decision.status, Status.EDITED)
        self._check_valid(decision)
        changed = replace(decision, value=value, snoozed_until=None)
        self._move(changed, self._event(Status.EDITED, reason, value=value))

    def reject(self, numbers: Collection[int], *, reason: str) -> int:
        """Close without action; a reason is required."""
        rules.check_reason(reason, action="reject")
        return self._move_all(numbers, Status.REJECTED, reason)

    def snooze(self, numbers: Collection[int], *, until: datetime, reason: str = "") -> int:
        """Put off until a later moment; it stays open, so that nothing is proposed twice."""
        rules.check_until(until, self.clock.now())
        details: Mapping[str, Json] = {"until": until.isoformat()}
        return self._move_all(
            numbers,
            Status.SNOOZED,
            reason,
            details=details,
            change=lambda decision: replace(decision, snoozed_until=until),
        )

    def auto_approve(self, run: UUID, rules: Sequence[AutoApproval]) -> int:
        """Approve the run's valid proposals that a rule covers; returns how many."""
        approved = 0
        now = self.clock.now()
        for rule in rules:
            for decision in list(self._decisions.values()):
                if decision.run != run or decision.status is not Status.PROPOSED:
                    continue
                name = f"rule {rule.name}"
                until = decision.proposal.valid_until
                if covers(rule, decision.proposal) and (until is None or until > now):
                    event = self._event(Status.APPROVED, name)
                    by: Mapping[str, Json] = {"by": self.actor}
                    self._move(decision, replace(event, actor=name, details=by))
                    approved += 1
        return approved

    def start(self, kind: str, *, limit: int = 100_000) -> list[Decision]:
        """Take approved and edited decisions into EXECUTING, locked against other workers."""
        ready = [
            decision
            for decision in self._decisions.values()
            if decision.proposal.kind == kind
            and decision.status in {Status.APPROVED, Status.EDITED}
        ][:limit]
        for decision in ready:
            self._move(decision, self._event(Status.EXECUTING, ""))
        return [replace(self._decisions[d.number], history=()) for d in ready]

    def executed(self, actions: Mapping[int, Sequence[str]]) -> None:
        """Close decisions as executed with the ids of the actions that carried them out."""
        self._move_all(
            actions.keys(),
            Status.EXECUTED,
            "",
            change=lambda decision: replace(decision, actions=tuple(actions[decision.number])),
        )

    def failed(self, number: int, *, reason: str) -> None:
        """Close as failed, with the reason."""
        rules.check_reason(reason, action="fail")
        self._move_all([number], Status.FAILED, reason)

    def measured(self, number: int, effect: Effect) -> None:
        """Record what an executed decision was measured to have done."""
        rules.check_effect(effect, number=number)
        self._move_all(
            [number],
            Status.MEASURED,
            "",
            details=rules.effect_json(effect),
            change=lambda decision: replace(decision, measured=effect),
        )

    def expire(self) -> int:
        """Close proposals whose validity is over and wake those snoozed long enough."""
        now = self.clock.now()
        changed = 0
        for decision in list(self._decisions.values()):
            until = decision.proposal.valid_until
            if decision.status not in {Status.PROPOSED, Status.SNOOZED}:
                continue
            if until is not None and max(until, decision.snoozed_until or until) <= now:
                self._move(decision, self._event(Status.EXPIRED, rules.OVER))
                changed += 1
            elif decision.snoozed_until is not None and decision.snoozed_until <= now:
                awake = replace(decision, snoozed_until=None)
                self._move(awake, self._event(Status.PROPOSED, rules.AWAKE))
                changed += 1
        return changed

    def _record(self, run: UUID, proposal: Proposal, version: int) -> int:
        number = len(self._decisions) + 1
        self._open[(proposal.kind, proposal.subject)] = number
        self._decisions[number] = Decision(
            id=new_id(),
            number=number,
            run=run,
            proposal=proposal,
            status=Status.PROPOSED,
            value=proposal.value,
            created_at=self.clock.now(),
            history=(self._event(Status.PROPOSED, ""),),
            kind_version=version,
        )
        return number

    def _check_valid(self, decision: Decision) -> None:
        until, now = decision.proposal.valid_until, self.clock.now()
        rules.check_valid(decision.number, decision.status, valid_until=until, now=now)

    def _event(self, status: Status, reason: str, *, value: int | None = None) -> Event:
        return Event(self.clock.now(), self.actor, status, reason, value)

    def _move_all(
        self,
        numbers: Collection[int],
        status: Status,
        reason: str,
        *,
        details: Mapping[str, Json] | None = None,
        change: Callable[[Decision], Decision] = lambda decision: decision,
    ) -> int:
        wanted = sorted(set(numbers))
        missing = [number for number in wanted if number not in self._decisions]
        if missing:
            raise NotFound(rules.no_decision(missing))
        found = [self._decisions[number] for number in wanted]
        for decision in found:
            rules.check_move(decision.number, decision.status, status)
            if status is Status.APPROVED:
                self._check_valid(decision)
        for decision in found:
            awake = replace(decision, snoozed_until=None)
            event = replace(self._event(status, reason), details=dict(details or {}))
            self._move(change(awake), event)
        return len(wanted)

    def _move(self, decision: Decision, event: Event) -> None:
        present = self._decisions[decision.number].status
        if not rules.allowed(present, event.status):
            raise Conflict(f"decision {decision.number} can't become {event.status.value}")
        self._decisions[decision.number] = replace(
            decision, status=event.status, history=(*decision.history, event)
        )
        if event.status not in OPEN:
            self._open.pop((decision.proposal.kind, decision.proposal.subject), None)


def _within(
    found: Sequence[Decision], places: Collection[str] | None, lines: pa.Table | None
) -> list[Decision]:
    """Those of these places and of these lines; None = of all."""
    named = None if lines is None else {(row["sku"], row["place"]) for row in lines.to_pylist()}
    return [
        one
        for one in found
        if (places is None or one.proposal.subject.place in places)
        and (named is None or _line_of(one) in named)
    ]


def _line_of(decision: Decision) -> tuple[str | None, str | None]:
    subject = decision.proposal.subject
    return subject.sku, subject.place
