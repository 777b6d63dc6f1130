"""Decisions in PostgreSQL: records with their present status, and append-only events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from sanhe.core.decisions import rules
from sanhe.core.decisions.columns import SNAPSHOT_ROWS, json_text, pack, tables_of, unpack
from sanhe.core.decisions.ports import (
    LISTED,
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
from sanhe.core.decisions.rows import decision_of, decision_rows, event_of
from sanhe.core.decisions.search import RECORD, Search
from sanhe.core.errors import NotFound
from sanhe.core.storage import Transaction, copy_in, copy_in_unless_known, fetch_arrow
from sanhe.core.values import Json

if TYPE_CHECKING:
    import pyarrow as pa

_READ_SNAPSHOTS = 64
"""So many packed snapshots are read at a time, so that memory stays bounded."""

_MANY = 1000
"""From so many recorded at a time on, the server is told to count the table anew."""

_OPEN = "('proposed', 'snoozed', 'approved', 'edited', 'executing')"
_RECORD = ", ".join(RECORD)

_REGISTER = sa.text("""
INSERT INTO decision_kind (name, version, owner, unit, terms, meaning)
VALUES (:name, :version, :owner, :unit, CAST(:terms AS text[]), :meaning)
ON CONFLICT (name, version) DO NOTHING
""")
_MEANING = sa.text("""
UPDATE decision_kind SET meaning = :meaning
WHERE name = :name AND version = :version AND meaning <> :meaning
""")
_KIND = sa.text("""
SELECT name, owner, version, unit, terms, meaning FROM decision_kind
WHERE name = :name AND (CAST(:version AS integer) IS NULL OR version = :version)
ORDER BY version DESC LIMIT 1
""")

_CLEAN = sa.text(f"""
SELECT NOT EXISTS (SELECT FROM decision WHERE kind = :kind AND status IN {_OPEN})
""")  # noqa: S608 -- a constant
_STAGE = sa.text("""
CREATE TEMPORARY TABLE IF NOT EXISTS decision_incoming (
    position bigint, sku text, place text, party text
) ON COMMIT DROP
""")
_UNSTAGE = sa.text("TRUNCATE decision_incoming")
_ANALYZE = sa.text("ANALYZE decision_incoming")
_NOT_OPEN = sa.text(f"""
SELECT min(i.position) FROM decision_incoming AS i
WHERE NOT EXISTS (
    SELECT FROM decision AS d
    WHERE d.status IN {_OPEN} AND d.kind = :kind
      AND coalesce(d.sku, '') = coalesce(i.sku, '')
      AND coalesce(d.place, '') = coalesce(i.place, '')
      AND coalesce(d.party, '') = coalesce(i.party, ''))
GROUP BY i.sku, i.place, i.party
ORDER BY 1
""")  # noqa: S608 -- a constant
_COUNTED = sa.text("SELECT decision_counted()")
_NUMBERS = sa.text("""
SELECT array_agg(nextval(CAST(:sequence AS regclass))) FROM generate_series(1, :count)
""")
_SNAPSHOT = sa.text("""
INSERT INTO decision_snapshot (number, payload) OVERRIDING SYSTEM VALUE VALUES (:number, :payload)
""")
_PAYLOADS = sa.text("""
SELECT number, payload FROM decision_snapshot WHERE number = ANY (CAST(:numbers AS bigint[]))
""")
_OVERRULED = """
SELECT sku, place, party, status, terms FROM decision
WHERE run = %s AND kind = %s
  AND (status = 'rejected' OR (status IN ('executed', 'measured') AND value <> proposed_value))
ORDER BY number
"""

_UNDECIDED = """
SELECT number, sku, place, party, terms FROM decision
WHERE kind = %s AND status = 'proposed' ORDER BY number
"""
# Line by line along the index of open decisions: OFFSET 0 keeps it so.
_UNDECIDED_OF = """
SELECT found.* FROM unnest(%s::text[], %s::text[]) AS line (sku, place)
CROSS JOIN LATERAL (
    SELECT number, sku, place, party, terms FROM decision
    WHERE kind = %s AND status = 'proposed'
        AND sku = line.sku AND place = line.place
    OFFSET 0
) AS found ORDER BY number
"""

# The open one of a line along the index of these; else the last along that of closed ones.
_STANDS = "number, status, value, proposed_value, value_cents, label, valid_until"
_STANDING = f"""
SELECT line.sku, line.place, found.*
FROM unnest(%s::text[], %s::text[]) AS line (sku, place)
CROSS JOIN LATERAL (
    (
        SELECT {_STANDS} FROM decision
        WHERE kind = %s AND status IN {_OPEN} AND sku = line.sku AND place = line.place
            AND party IS NULL
    ) UNION ALL (
        SELECT {_STANDS} FROM decision
        WHERE kind = %s AND status NOT IN {_OPEN} AND sku = line.sku AND place = line.place
        ORDER BY number DESC LIMIT 1
    ) ORDER BY number DESC LIMIT 1
) AS found
"""  # noqa: S608 -- constants

_GET = sa.text(f"SELECT {_RECORD} FROM decision WHERE number = :number")  # noqa: S608
_SUBJECTS = sa.text("""
SELECT number, kind, sku, place, party FROM decision WHERE number = ANY (CAST(:numbers AS bigint[]))
""")
_HISTORY = sa.text("""
SELECT at, actor, status, reason, value, details FROM decision_event
WHERE decision = :number ORDER BY number
""")
_EXCLUSIVE = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('decisions ' || :kind, 0))")
_LOCK = sa.text("""
SELECT number, status, valid_until FROM decision WHERE number = ANY (CAST(:numbers AS bigint[]))
ORDER BY number FOR NO KEY UPDATE
""")
_MOVE = sa.text("""
WITH moved AS (
    UPDATE decision SET status = :status, snoozed_until = :until,
        value = coalesce(CAST(:value AS bigint), value),
        measured = coalesce(CAST(:measured AS jsonb), measured)
    WHERE number = ANY (CAST(:numbers AS bigint[]))
    RETURNING number
)
INSERT INTO decision_event (decision, at, actor, status, reason, value, details)
SELECT number, :now, :actor, :status, :reason, CAST(:value AS bigint), CAST(:details AS jsonb)
FROM moved ORDER BY number
""")
_EXECUTED = sa.text("""
WITH moved AS (
    UPDATE decision AS d SET status = 'executed', actions = g.actions
    FROM unnest(CAST(:numbers AS bigint[]), CAST(:actions AS jsonb[])) AS g (number, actions)
    WHERE d.number = g.number
    RETURNING d.number
)
INSERT INTO decision_event (decision, at, actor, status, reason)
SELECT number, :now, :actor, 'executed', '' FROM moved ORDER BY number
""")
_AUTO_APPROVE = sa.text("""
WITH covered AS (
    SELECT number FROM decision
    WHERE run = :run AND kind = :kind AND status = 'proposed' AND value_cents <= :most
      AND (valid_until IS NULL OR valid_until > :now)
      AND (:all_labels OR label ^@ ANY (CAST(:labels AS text[])))
    ORDER BY number FOR NO KEY UPDATE
), moved AS (
    UPDATE decision SET status = 'approved'
    WHERE number IN (SELECT number FROM covered)
    RETURNING number
), event AS (
    INSERT INTO decision_event (decision, at, actor, status, reason, details)
    SELECT number, :now, :rule, 'approved', :rule, CAST(:details AS jsonb)
    FROM moved ORDER BY number
)
SELECT count(*) FROM moved
""")
_START = sa.text(f"""
WITH ready AS (
    SELECT number FROM decision WHERE kind = :kind AND status IN ('approved', 'edited')
    ORDER BY number LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
), moved AS (
    UPDATE decision SET status = 'executing'
    WHERE number IN (SELECT number FROM ready)
    RETURNING {_RECORD}
), event AS (
    INSERT INTO decision_event (decision, at, actor, status, reason)
    SELECT number, :now, :actor, 'executing', '' FROM moved ORDER BY number
)
SELECT * FROM moved ORDER BY number
""")  # noqa: S608 -- a constant
_EXPIRE = sa.text("""
WITH due AS (
    SELECT number,
           -- due and no longer valid is over, whether it was put off or not
           CASE WHEN valid_until <= :now THEN 'expired' ELSE 'proposed' END AS status,
           CASE WHEN valid_until <= :now THEN CAST(:over AS text) ELSE CAST(:awake AS text) END
               AS reason
    FROM decision
    WHERE status IN ('proposed', 'snoozed')
      AND CASE status WHEN 'snoozed' THEN snoozed_until <= :now ELSE valid_until <= :now END
    ORDER BY number FOR NO KEY UPDATE SKIP LOCKED
), moved AS (
    UPDATE decision AS d SET status = due.status, snoozed_until = NULL
    FROM due WHERE d.number = due.number
), event AS (
    INSERT INTO decision_event (decision, at, actor, status, reason)
    SELECT number, :now, :actor, status, reason FROM due ORDER BY number
)
SELECT count(*) FROM due
""")


class PostgresDecisions:
    """Decisions within one transaction; a failed call leaves nothing of itself behind."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def register(self, kind: DecisionKind) -> None:
        """Publish a kind; the same version with other terms raises Conflict."""
        rules.check_kind(kind)
        values: dict[str, Any] = {
            "name": kind.name,
            "version": kind.version,
            "owner": kind.owner,
            "unit": kind.unit,
            "terms": list(kind.terms),
            "meaning": kind.meaning,
        }
        self._run(_REGISTER, **values)
        known = self.kind(kind.name, version=kind.version)
        rules.check_same_kind(known, kind)
        if known.meaning != kind.meaning:
            self._run(_MEANING, name=kind.name, version=kind.version, meaning=kind.meaning)

    def kind(self, name: str, *, version: int | None = None) -> DecisionKind:
        """The kind in this version, or its latest one. Raises NotFound."""
        row = self._run(_KIND, name=name, version=version).first()
        if row is None:
            raise NotFound(rules.not_registered(name))
        return DecisionKind(
            row.name,
            row.owner,
            row.version,
            unit=row.unit,
            terms=tuple(row.terms),
            meaning=row.meaning,
        )

    def propose(self, run: UUID, proposals: Iterable[Proposal | ProposalTable]) -> Proposed:
        """Record proposals; a subject with an open decision of the kind is left out and counted."""
        numbers: list[int] = []
        given = cents = 0
        clean = cache(lambda kind: bool(self._run(_CLEAN, kind=kind).scalar_one()))
        with self._tx.connection.begin_nested():
            for table, kind in tables_of(proposals, cache(self.kind)):
                given += table.rows.num_rows
                rows = table.rows if clean(kind.name) else self._not_open(table.rows, kind)
                # One that was opened meanwhile, or stands twice in the rows, refuses them all.
                while (made := self._record(run, rows, kind)) is None:
                    rows = self._not_open(rows, kind)
                numbers += made
                cents += sum(rows.column("value_cents").to_pylist())
        if len(numbers) >= _MANY:
            self._run(_COUNTED)
        return Proposed(len(numbers), given - len(numbers), tuple(numbers), cents)

    def _not_open(self, rows: pa.Table, kind: DecisionKind) -> pa.Table:
        """The rows without those whose subject has one open; each subject once.

        Left out before the insert, as numbers that people type should not run away.
        """
        import pyarrow as pa

        self._run(_STAGE)
        self._run(_UNSTAGE)
        position = pa.array(range(rows.num_rows), pa.int64())
        keys = rows.select(["sku", "place", "party"]).append_column("position", position)
        copy_in(self._tx, "decision_incoming", keys)
        self._run(_ANALYZE)
        left = self._run(_NOT_OPEN, kind=kind.name).scalars().all()
        return rows.take(pa.array(left, pa.int64()))

    def _record(self, run: UUID, rows: pa.Table, kind: DecisionKind) -> list[int] | None:
        """Write the rows and their snapshots; None, with nothing written, when one is open.

        The unique index decides between two that propose at the same time.
        """
        count = rows.num_rows
        if count == 0:
            return []
        numbers = self._numbers("decision_number_seq", count)
        snapshots = self._numbers("decision_snapshot_number_seq", -(-count // SNAPSHOT_ROWS))
        constant = {
            "run": run,
            "kind": kind.name,
            "kind_version": kind.version,
            "created_at": self._tx.clock.now(),
            "created_by": self._tx.actor,
        }
        records = decision_rows(rows, constant=constant, numbers=numbers, snapshots=snapshots)
        if not copy_in_unless_known(self._tx, "decision", records):
            return None
        for at, number in enumerate(snapshots):
            payload = pack(rows.slice(at * SNAPSHOT_ROWS, SNAPSHOT_ROWS))
            self._run(_SNAPSHOT, number=number, payload=payload)
        return numbers

    def _numbers(self, sequence: str, count: int) -> list[int]:
        """The next numbers of a table, in ascending order."""
        found: list[int] = self._run(_NUMBERS, sequence=sequence, count=count).scalar_one()
        return found

    def get(self, number: int) -> Decision:
        """The decision with its history. Raises NotFound."""
        rows = self._run(_GET, number=number).all()
        if not rows:
            raise NotFound(rules.no_decision([number]))
        events = [event_of(event) for event in self._run(_HISTORY, number=number)]
        return self._opened(rows, events)[0]

    def subjects(self, numbers: Collection[int]) -> Mapping[int, Subject]:
        """What these decisions are about; those that are not there are left out."""
        rows = self._run(_SUBJECTS, numbers=sorted(numbers))
        return {row.number: Subject(row.sku, row.place, row.party) for row in rows}

    def kinds(self, numbers: Collection[int]) -> Mapping[int, str]:
        """Of which kind these decisions are; those that are not there are left out."""
        return {row.number: row.kind for row in self._run(_SUBJECTS, numbers=sorted(numbers))}

    def _opened(self, rows: Sequence[Any], events: Sequence[Event] | None = None) -> list[Decision]:
        """Decisions of their records, each with its row of the packed snapshot."""
        wanted: dict[int, list[int]] = {}
        for row in rows:
            if row.snapshot is not None:
                wanted.setdefault(row.snapshot, []).append(row.snapshot_row)
        packed: dict[tuple[int, int], dict[str, Any]] = {}
        snapshots = list(wanted)
        for start in range(0, len(snapshots), _READ_SNAPSHOTS):
            some = snapshots[start : start + _READ_SNAPSHOTS]
            for found in self._run(_PAYLOADS, numbers=some):
                told = unpack(found.payload, wanted[found.number])
                keys = ((found.number, row) for row in wanted[found.number])
                packed.update(zip(keys, told, strict=True))
        return [decision_of(r, packed.get((r.snapshot, r.snapshot_row)), events) for r in rows]

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
        search = self._search(kind=kind, statuses=statuses, run=run, sku=sku, place=place)
        statement = search.by_money(RECORD, limit=limit, offset=offset)
        return self._opened(self._tx.connection.execute(statement).all())

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
        search = self._search(kind=kind, statuses=statuses, sku=sku, places=places, lines=lines)
        statement = search.by_money(LISTED, limit=limit, offset=offset)
        rows = self._tx.connection.execute(statement).mappings()
        return [
            ListedDecision(**{**row, "status": Status(row["status"]), "terms": tuple(row["terms"])})
            for row in rows
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
        search = self._search(
            kind=kind, statuses=statuses, sku=sku, place=place, places=places, lines=lines
        )
        return int(self._tx.connection.execute(search.count(most=most)).scalar_one())

    def tally(
        self,
        kind: str,
        *,
        places: Collection[str] | None = None,
        lines: pa.Table | None = None,
    ) -> Mapping[Status, tuple[int, int]]:
        """How many decisions of a kind stand in each status, and the money at stake in them."""
        search = self._search(kind=kind, places=places, lines=lines)
        rows = self._tx.connection.execute(search.tally())
        return {Status(row.status): (row.decisions, row.cents) for row in rows}

    def _search(self, **wanted: Any) -> Search:
        return Search(**wanted, scope=self._tx.scope.places)

    def overruled(self, kind: str, run: UUID) -> pa.Table:
        """What people closed otherwise than this run proposed."""
        return fetch_arrow(self._tx, _OVERRULED, (str(run), kind))

    def undecided(self, kind: str, lines: pa.Table | None = None) -> pa.Table:
        """The proposals of a kind that nobody has decided on, of all lines or these."""
        if lines is None:
            return fetch_arrow(self._tx, _UNDECIDED, (kind,))
        of = (lines.column(name).to_pylist() for name in ("sku", "place"))
        return fetch_arrow(self._tx, _UNDECIDED_OF, (*of, kind))

    def standing(self, kind: str, lines: pa.Table) -> pa.Table:
        """The newest decision of each of these lines that has any."""
        of = [lines.column(name).to_pylist() for name in ("sku", "place")]
        return fetch_arrow(self._tx, _STANDING, (*of, kind, kind))

    def withdraw(self, numbers: Collection[int], *, reason: str) -> int:
        """Close proposals that no longer hold; a reason is required."""
        rules.check_reason(reason, action="withdraw")
        return self._move(numbers, Status.EXPIRED, reason)

    def exclusive(self, kind: str) -> None:
        """Let one transaction at a time propose or carry out this kind, until it ends."""
        self._run(_EXCLUSIVE, kind=kind)

    def approve(self, numbers: Collection[int], *, reason: str = "") -> int:
        """Approve proposed or snoozed decisions. Raises NotFound, Conflict, all or none."""
        return self._move(numbers, Status.APPROVED, reason)

    def edit(self, number: int, value: int, *, reason: str) -> None:
        """Approve with another value ≥ 0; a reason is required (BadInput)."""
        rules.check_reason(reason, action="edit")
        rules.check_edited_value(value, number=number)
        self._move([number], Status.EDITED, reason, value=value)

    def reject(self, numbers: Collection[int], *, reason: str) -> int:
        """Close without action; a reason is required."""
        rules.check_reason(reason, action="reject")
        return self._move(numbers, Status.REJECTED, reason)

    def snooze(self, numbers: Collection[int], *, until: datetime, reason: str = "") -> int:
        """Put off until a later moment; it stays open, so that nothing is proposed twice."""
        rules.check_until(until, self._tx.clock.now())
        details: Mapping[str, Json] = {"until": until.isoformat()}
        return self._move(numbers, Status.SNOOZED, reason, until=until, details=details)

    def auto_approve(self, run: UUID, rules: Sequence[AutoApproval]) -> int:
        """Approve the run's valid proposals that a rule covers; returns how many."""
        details = json_text({"by": self._tx.actor})
        return sum(
            self._run(
                _AUTO_APPROVE,
                run=run,
                kind=rule.kind,
                most=rule.max_value_cents,
                labels=sorted(rule.labels),
                all_labels=not rule.labels,
                rule=f"rule {rule.name}",
                details=details,
            ).scalar_one()
            for rule in rules
        )

    def start(self, kind: str, *, limit: int = 100_000) -> list[Decision]:
        """Take approved and edited decisions into EXECUTING, locked against other workers."""
        return self._opened(self._run(_START, kind=kind, limit=limit).all())

    def executed(self, actions: Mapping[int, Sequence[str]]) -> None:
        """Close decisions as executed with the ids of the actions that carried them out."""
        numbers = self._lock(actions.keys(), Status.EXECUTED)
        if numbers:
            texts = [json_text(list(actions[number])) for number in numbers]
            self._run(_EXECUTED, numbers=numbers, actions=texts)

    def failed(self, number: int, *, reason: str) -> None:
        """Close as failed, with the reason."""
        rules.check_reason(reason, action="fail")
        self._move([number], Status.FAILED, reason)

    def measured(self, number: int, effect: Effect) -> None:
        """Record what an executed decision was measured to have done."""
        rules.check_effect(effect, number=number)
        details = rules.effect_json(effect)
        self._move([number], Status.MEASURED, "", details=details, measured=json_text(details))

    def expire(self) -> int:
        """Close proposals whose validity is over and wake those snoozed long enough."""
        return int(self._run(_EXPIRE, over=rules.OVER, awake=rules.AWAKE).scalar_one())

    def _lock(self, numbers: Collection[int], status: Status) -> list[int]:
        """Lock these decisions; raise NotFound or Conflict unless all may move there."""
        wanted = sorted(set(numbers))
        found = {row.number: row for row in self._run(_LOCK, numbers=wanted)}
        missing = [number for number in wanted if number not in found]
        if missing:
            raise NotFound(rules.no_decision(missing))
        now = self._tx.clock.now()
        for number in wanted:
            present, until = Status(found[number].status), found[number].valid_until
            rules.check_move(number, present, status)
            if status in {Status.APPROVED, Status.EDITED}:
                rules.check_valid(number, present, valid_until=until, now=now)
        return wanted

    def _move(
        self,
        numbers: Collection[int],
        status: Status,
        reason: str,
        *,
        value: int | None = None,
        until: datetime | None = None,
        measured: str | None = None,
        details: Mapping[str, Json] | None = None,
    ) -> int:
        wanted = self._lock(numbers, status)
        if wanted:
            self._run(
                _MOVE,
                numbers=wanted,
                status=status.value,
                reason=reason,
                value=value,
                until=until,
                measured=measured,
                details=None if details is None else json_text(details),
            )
        return len(wanted)

    def _run(self, statement: sa.TextClause, **parameters: object) -> sa.CursorResult[Any]:
        given = {"now": self._tx.clock.now(), "actor": self._tx.actor, **parameters}
        return self._tx.connection.execute(statement, given)
