"""The decision port: one record for all that is decided, from proposal to measured effect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from sanhe.core.values import Json

if TYPE_CHECKING:
    import pyarrow as pa


class Status(StrEnum):
    """The life of a decision. Open = PROPOSED, SNOOZED, APPROVED, EDITED, EXECUTING."""

    PROPOSED = "proposed"
    SNOOZED = "snoozed"
    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"
    EXECUTING = "executing"
    EXECUTED = "executed"
    FAILED = "failed"
    MEASURED = "measured"
    EXPIRED = "expired"


OPEN = frozenset(
    {Status.PROPOSED, Status.SNOOZED, Status.APPROVED, Status.EDITED, Status.EXECUTING}
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is decided about: at most one open decision of a kind for each subject."""

    sku: str | None = None
    place: str | None = None
    party: str | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """An expected or measured effect: `metric` with its unit last, and a 90 % interval."""

    metric: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class DecisionKind:
    """What a kind of decision is: registered once by its owner, explicitly, in the wiring.

    `terms` names the terms of its arithmetic in order; a proposal's term values sum to its
    value. `unit` is the unit of the value and every term. `meaning` is for people.
    """

    name: str
    owner: str
    version: int
    unit: str
    terms: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposed decision with all that is needed to judge it.

    `terms` are integers in the order of the kind's term names; their sum is `value`, held by a
    database constraint. `value_cents` is the money at stake. `inputs` is the snapshot the
    arithmetic was computed from; inputs that were assumed are named under its key "assumed".
    `constraints` names the limits that were hit. `alternatives` are other values considered.
    `label` is the class that steers review and auto-approval, e.g. "AX".
    """

    kind: str
    subject: Subject
    value: int
    value_cents: int
    terms: tuple[int, ...]
    reason: str
    inputs: Mapping[str, Json]
    method: str
    constraints: tuple[str, ...] = ()
    alternatives: tuple[Mapping[str, Json], ...] = ()
    expected: Effect | None = None
    guard_rails: tuple[str, ...] = ()
    label: str = ""
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProposalTable:
    """Many proposals of one kind, column by column: `Proposal` for a million lines.

    `rows` has a column for each field of `Proposal` but the kind, with the subject as `sku`,
    `place` and `party` (text, null = none). `value`, `value_cents`: int64. `terms`: lists of
    int64. `valid_until`: timestamps with a zone. `constraints`, `guard_rails`: lists of text.
    `inputs`: a struct with a field for each input. `alternatives`: lists of structs. `expected`:
    a struct of metric, value, low, high. Of these three each may also be JSON as text. Only
    value, value_cents and terms are required; see `columns.complete` for what stands in.
    """

    kind: str
    rows: pa.Table


@dataclass(frozen=True, slots=True)
class Event:
    """One step in a decision's life: who, when, to which status, why, and an edited value."""

    at: datetime
    actor: str
    status: Status
    reason: str
    value: int | None = None
    details: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """A recorded decision. `number` is the short handle people type; `value` is the present one
    (`proposal.value` unless edited); `kind_version` is that of its arithmetic."""

    id: UUID
    number: int
    run: UUID
    proposal: Proposal
    status: Status
    value: int
    created_at: datetime
    snoozed_until: datetime | None = None
    actions: tuple[str, ...] = ()
    arm: str | None = None
    measured: Effect | None = None
    history: tuple[Event, ...] = ()
    kind_version: int = 1


@dataclass(frozen=True, slots=True)
class ListedDecision:
    """A decision as lists show it: what stands in its row, none of what it was computed from."""

    number: int
    kind: str
    sku: str | None
    place: str | None
    party: str | None
    status: Status
    label: str
    value: int
    proposed_value: int
    value_cents: int
    created_at: datetime
    valid_until: datetime | None
    terms: tuple[int, ...]


LISTED = tuple(ListedDecision.__dataclass_fields__)
"""The columns of lists."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """The outcome of proposing: new decisions with their numbers in the order they were proposed
    and the money at stake in them, and how many subjects had one open."""

    new: int
    already_open: int
    numbers: tuple[int, ...] = ()
    value_cents: int = 0


@dataclass(frozen=True, slots=True)
class AutoApproval:
    """A rule that approves by itself: kind, classes and the most money at stake.

    `labels`: a proposal fits when its label begins with one of them; empty = all.
    """

    kind: str
    labels: frozenset[str]
    max_value_cents: int
    name: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rule that comes nearest to approving a proposal says of it.

    `fits_class`: the proposal's class is one of the rule's. `over_cents`: by how much its money at
    stake is above the rule's most, 0 = within.
    """

    rule: AutoApproval
    fits_class: bool
    over_cents: int

    @property
    def approves(self) -> bool:
        """Whether the rule approves the proposal by itself."""
        return self.fits_class and self.over_cents == 0


class Decisions(Protocol):
    """Keeps decisions. Two implementations: Postgres and in memory."""

    def register(self, kind: DecisionKind) -> None:
        """Publish a kind; the same version with other terms raises Conflict."""
        ...

    def kind(self, name: str, *, version: int | None = None) -> DecisionKind:
        """The kind in this version, or its latest one. Raises NotFound."""
        ...

    def propose(self, run: UUID, proposals: Iterable[Proposal | ProposalTable]) -> Proposed:
        """Record proposals; a subject with an open decision of the kind is left out and counted.

        One by one or as tables, in this order. All or none; a long iterable is taken piece by
        piece. Raises NotFound for a kind that is not registered, BadInput when terms don't sum
        to the value or don't fit the kind.
        """
        ...

    def get(self, number: int) -> Decision:
        """The decision with its history. Raises NotFound."""
        ...

    def subjects(self, numbers: Collection[int]) -> Mapping[int, Subject]:
        """What these decisions are about; those that are not there are left out."""
        ...

    def kinds(self, numbers: Collection[int]) -> Mapping[int, str]:
        """Of which kind these decisions are; those that are not there are left out."""
        ...

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
        ...

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
        """Like `find`, without opening what the decisions were made of: quick for long lists.

        `places`: of one of these; `lines`: of one of these, columns sku and place; None = of all.
        """
        ...

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
        """How many there are, counted up to `most`: quick among a million."""
        ...

    def tally(
        self,
        kind: str,
        *,
        places: Collection[str] | None = None,
        lines: pa.Table | None = None,
    ) -> Mapping[Status, tuple[int, int]]:
        """How many decisions of a kind stand in each status, and the money at stake in them.

        `places`, `lines`: as in `listed`. Statuses that none stands in are left out.
        """
        ...

    def overruled(self, kind: str, run: UUID) -> pa.Table:
        """What people closed otherwise than this run proposed: rejected, or carried out with
        another value.

        Columns: sku, place, party, status, terms (lists of int64); no snapshot is opened.
        """
        ...

    def undecided(self, kind: str, lines: pa.Table | None = None) -> pa.Table:
        """The proposals of a kind that nobody has decided on, oldest first.

        `lines`: columns sku and place, each line once; only proposals of these, None = of all.
        Columns: number, sku, place, party, terms (lists of int64); no snapshot is opened.
        """
        ...

    def standing(self, kind: str, lines: pa.Table) -> pa.Table:
        """The newest decision of a kind of each of these lines that has any, closed or not.

        `lines`: columns sku and place, each line once. Columns: sku, place, number, status, value,
        proposed_value, value_cents, label, valid_until; no snapshot is opened.
        """
        ...

    def withdraw(self, numbers: Collection[int], *, reason: str) -> int:
        """Close proposals that no longer hold as EXPIRED; a reason is required (BadInput).

        Raises NotFound, or Conflict for one that was decided on, all or none.
        """
        ...

    def exclusive(self, kind: str) -> None:
        """Let one unit of work at a time propose or carry out this kind, until it ends.

        Take it before reading what the proposals are computed from: what others carried out
        before is then seen, and nothing is carried out between the reading and the proposing.
        """
        ...

    def approve(self, numbers: Collection[int], *, reason: str = "") -> int:
        """Approve proposed or snoozed decisions. Raises NotFound, Conflict, all or none.

        What is no longer valid is a Conflict: its arithmetic is of another day.
        """
        ...

    def edit(self, number: int, value: int, *, reason: str) -> None:
        """Approve with another value ≥ 0; a reason is required (BadInput).

        What is approved or edited and not yet taken by `start` may be edited again. A proposal
        that is no longer valid is a Conflict.
        """
        ...

    def reject(self, numbers: Collection[int], *, reason: str) -> int:
        """Close without action; a reason is required. Approved ones not yet started too."""
        ...

    def snooze(self, numbers: Collection[int], *, until: datetime, reason: str = "") -> int:
        """Put off until a later moment; it stays open, so that nothing is proposed twice.

        It stays put off until then even when its validity ends before.
        """
        ...

    def auto_approve(self, run: UUID, rules: Sequence[AutoApproval]) -> int:
        """Approve the run's valid proposals that a rule covers, in the rule's name.

        Returns how many.
        """
        ...

    def start(self, kind: str, *, limit: int = 100_000) -> list[Decision]:
        """Take approved and edited decisions into EXECUTING, locked against other workers."""
        ...

    def executed(self, actions: Mapping[int, Sequence[str]]) -> None:
        """Close decisions as executed with the ids of the actions that carried them out."""
        ...

    def failed(self, number: int, *, reason: str) -> None:
        """Close as failed, with the reason."""
        ...

    def measured(self, number: int, effect: Effect) -> None:
        """Record what an executed decision was measured to have done."""
        ...

    def expire(self) -> int:
        """Close proposals whose validity is over and wake those snoozed long enough.

        A snoozed one whose validity ends meanwhile is closed when it would wake. Returns how
        many changed.
        """
        ...
