"""The ledger in PostgreSQL: accounts with their balances, immutable entries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sanhe.core.errors import Conflict, NotFound, Shortage
from sanhe.core.ledger import rules
from sanhe.core.ledger.ports import Account, Balance, Seal, Transfer
from sanhe.core.ledger.rules import Kind
from sanhe.core.ledger.store.proof import seal, verify
from sanhe.core.ledger.tables import check_transfer_table, transfer_table
from sanhe.core.storage import Transaction, copy_in, fetch_arrow

if TYPE_CHECKING:
    import pyarrow as pa

_FEW = 200
"""Up to so many transfers travel as parameters; more are copied into a temporary table."""

_OPEN = sa.text("""
WITH incoming AS (
    SELECT * FROM unnest(
        CAST(:codes AS text[]), CAST(:units AS text[]),
        CAST(:floors AS bigint[]), CAST(:ids AS uuid[])
    ) AS i (code, unit, floor, id)
), opened AS (
    INSERT INTO ledger_account (code, unit, floor)
    SELECT code, unit, floor FROM incoming ORDER BY code COLLATE "C"
    ON CONFLICT (code) DO NOTHING
    RETURNING id, code, unit, floor
), entry AS (
    INSERT INTO ledger_entry (kind, transfer, source, target, amount, reason, reference,
                              effective_at, recorded_at, actor)
    SELECT 'opened', i.id, o.id, o.id, o.floor, o.unit, o.code, :now, :now, :actor
    FROM opened AS o JOIN incoming AS i USING (code)
    ORDER BY o.id
)
SELECT count(*) FROM opened
""")

_OTHER_TERMS = sa.text("""
SELECT a.code, a.unit, a.floor
FROM unnest(CAST(:codes AS text[]), CAST(:units AS text[]), CAST(:floors AS bigint[]))
    AS i (code, unit, floor)
JOIN ledger_account AS a ON a.code = i.code COLLATE "C"
WHERE (a.unit, a.floor) IS DISTINCT FROM (i.unit, i.floor)
ORDER BY a.code LIMIT 1
""")

_STAGE = sa.text("""
CREATE TEMPORARY TABLE IF NOT EXISTS ledger_incoming (
    position bigint, id uuid, source text COLLATE "C", target text COLLATE "C", amount bigint,
    reason text, reference text, effective_at timestamptz
) ON COMMIT DROP
""")
_UNSTAGE = sa.text("TRUNCATE ledger_incoming")
_ANALYZE = sa.text("ANALYZE ledger_incoming")

_PARAMETERS = """
    SELECT position, id, source, target, amount, reason, reference, effective_at
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:sources AS text[]), CAST(:targets AS text[]),
        CAST(:amounts AS bigint[]), CAST(:reasons AS text[]), CAST(:references AS text[]),
        CAST(:moments AS timestamptz[])
    ) WITH ORDINALITY AS i
        (id, source, target, amount, reason, reference, effective_at, position)
"""
_STAGED = "SELECT * FROM ledger_incoming"

# All writers lock accounts in the order of their numbers, so that two never wait for each other.
_LOCK = """
WITH incoming AS ({incoming}), locked AS (
    SELECT id FROM ledger_account
    WHERE code IN (SELECT source COLLATE "C" FROM incoming
                   UNION SELECT target COLLATE "C" FROM incoming)
    ORDER BY id FOR NO KEY UPDATE
)
SELECT count(*) FROM locked
"""

_POST = """
WITH incoming AS ({incoming}), entry AS (
    INSERT INTO ledger_entry (kind, transfer, source, target, amount, reason, reference,
                              effective_at, recorded_at, actor)
    SELECT 'transfer', i.id, s.id, t.id, i.amount, i.reason, i.reference, i.effective_at,
           :now, :actor
    FROM incoming AS i
    JOIN ledger_account AS s ON s.code = i.source COLLATE "C"
    JOIN ledger_account AS t ON t.code = i.target COLLATE "C" AND t.unit = s.unit
    ORDER BY i.position
    ON CONFLICT (transfer) WHERE kind IN ('opened', 'transfer', 'pending') DO NOTHING
    RETURNING source, target, amount
), delta AS (
    SELECT account, sum(amount)::bigint AS amount
    FROM (SELECT source AS account, -amount AS amount FROM entry
          UNION ALL SELECT target, amount FROM entry) AS sides
    GROUP BY account
), moved AS (
    UPDATE ledger_account AS a SET posted = a.posted + d.amount
    FROM delta AS d WHERE a.id = d.account AND d.amount <> 0
)
SELECT count(*) FROM entry
"""

# Rows of a call that were not written as new: with other content, or without a fitting account.
_REFUSED = """
WITH incoming AS ({incoming})
SELECT i.id, i.source, i.target, s.unit AS source_unit, t.unit AS target_unit
FROM incoming AS i
LEFT JOIN ledger_account AS s ON s.code = i.source COLLATE "C"
LEFT JOIN ledger_account AS t ON t.code = i.target COLLATE "C"
LEFT JOIN ledger_entry AS e
    ON e.transfer = i.id AND e.kind IN ('opened', 'transfer', 'pending')
WHERE s.id IS NULL OR t.id IS NULL OR s.unit <> t.unit
   OR (e.kind, e.source, e.target, e.amount, e.reason, e.reference, e.effective_at)
      IS DISTINCT FROM
      ('transfer', s.id, t.id, i.amount, i.reason, i.reference, i.effective_at)
ORDER BY i.position LIMIT 1
"""

_SHORT = """
WITH incoming AS ({incoming}), fresh AS (
    SELECT DISTINCT ON (id) * FROM incoming AS i
    WHERE NOT EXISTS (SELECT FROM ledger_entry AS e WHERE e.transfer = i.id
                      AND e.kind IN ('opened', 'transfer', 'pending'))
), delta AS (
    SELECT code, sum(amount)::bigint AS amount
    FROM (SELECT source AS code, -amount AS amount FROM fresh
          UNION ALL SELECT target, amount FROM fresh) AS sides
    GROUP BY code
)
SELECT a.code, a.posted - a.pending_out AS available, a.floor, d.amount
FROM ledger_account AS a JOIN delta AS d ON a.code = d.code COLLATE "C"
WHERE a.posted - a.pending_out + d.amount < a.floor
ORDER BY a.code LIMIT 1
"""


def _both(statement: str) -> Mapping[bool, sa.TextClause]:
    """The statement for few transfers (as parameters) and for many (staged)."""
    return {
        True: sa.text(statement.format(incoming=_PARAMETERS)),
        False: sa.text(statement.format(incoming=_STAGED)),
    }


_LOCKS, _POSTS, _REFUSALS, _SHORTS = map(_both, (_LOCK, _POST, _REFUSED, _SHORT))

# One conditional statement for one transfer, pending or not: it takes the amount only if the source
# can bear it at the moment its row is locked.
_SINGLE = sa.text("""
WITH locked AS MATERIALIZED (
    SELECT id, code, unit, floor, posted, pending_out FROM ledger_account
    WHERE code IN (CAST(:source AS text) COLLATE "C", CAST(:target AS text) COLLATE "C")
    ORDER BY id FOR NO KEY UPDATE
), entry AS (
    INSERT INTO ledger_entry (kind, transfer, source, target, amount, reason, reference,
                              effective_at, expires_at, recorded_at, actor)
    SELECT :kind, :id, s.id, t.id, :amount, :reason, :reference, :effective_at,
           :expires_at, :now, :actor
    FROM locked AS s, locked AS t
    WHERE s.code = :source AND t.code = :target AND s.unit = t.unit
      AND (s.floor IS NULL OR s.posted - s.pending_out - :amount >= s.floor)
    ON CONFLICT (transfer) WHERE kind IN ('opened', 'transfer', 'pending') DO NOTHING
    RETURNING transfer, source, target, amount, expires_at
), hold AS (
    INSERT INTO ledger_hold (transfer, expires_at)
    SELECT transfer, expires_at FROM entry WHERE expires_at IS NOT NULL
), moved AS (
    UPDATE ledger_account AS a
    SET posted = a.posted + CASE WHEN :kind <> 'transfer' THEN 0
                                 WHEN a.id = e.source THEN -e.amount ELSE e.amount END,
        pending_out = a.pending_out
            + CASE WHEN :kind = 'pending' AND a.id = e.source THEN e.amount ELSE 0 END,
        pending_in = a.pending_in
            + CASE WHEN :kind = 'pending' AND a.id = e.target THEN e.amount ELSE 0 END
    FROM entry AS e WHERE a.id IN (e.source, e.target)
)
SELECT count(*) FROM entry
""")

_KNOWN = sa.text("""
SELECT e.kind, s.code AS source, t.code AS target, e.amount, e.reason, e.reference,
       e.effective_at, e.expires_at
FROM ledger_entry AS e
JOIN ledger_account AS s ON s.id = e.source
JOIN ledger_account AS t ON t.id = e.target
WHERE e.transfer = :id AND e.kind IN ('opened', 'transfer', 'pending')
""")
_CLOSED = sa.text("""
SELECT kind, amount FROM ledger_entry
WHERE transfer = :id AND kind IN ('posted', 'voided')
""")
_TERMS = sa.text("""
SELECT code, unit, floor, posted, pending_out, pending_in FROM ledger_account
WHERE code = ANY (CAST(:codes AS text[]) COLLATE "C")
""")

# Closing entries for pending transfers, whole or (for one) a part; the accounts are locked first.
_CLOSE = sa.text("""
WITH pending AS MATERIALIZED (
    SELECT transfer, source, target, amount, reason, reference FROM ledger_entry
    WHERE transfer = ANY (CAST(:ids AS uuid[])) AND kind = 'pending'
), locked AS MATERIALIZED (
    SELECT id FROM ledger_account
    WHERE id IN (SELECT source FROM pending UNION SELECT target FROM pending)
    ORDER BY id FOR NO KEY UPDATE
), closing AS (
    INSERT INTO ledger_entry (kind, transfer, source, target, amount, reason, reference,
                              effective_at, recorded_at, actor)
    SELECT :kind, p.transfer, p.source, p.target,
           coalesce(CAST(:amount AS bigint), p.amount), p.reason, p.reference, :now, :now, :actor
    FROM pending AS p, (SELECT count(*) AS accounts FROM locked) AS held
    WHERE held.accounts > 1 AND coalesce(CAST(:amount AS bigint), p.amount) <= p.amount
    ORDER BY p.transfer
    ON CONFLICT (transfer) WHERE kind IN ('posted', 'voided') DO NOTHING
    RETURNING transfer, source, target, amount
), released AS (
    DELETE FROM ledger_hold WHERE transfer IN (SELECT transfer FROM closing)
), sides AS (
    SELECT c.source AS account, -c.amount AS posted, p.amount AS pending_out, 0 AS pending_in
    FROM closing AS c JOIN pending AS p USING (transfer)
    UNION ALL
    SELECT c.target, c.amount, 0, p.amount
    FROM closing AS c JOIN pending AS p USING (transfer)
), delta AS (
    SELECT account, sum(posted)::bigint AS posted, sum(pending_out)::bigint AS pending_out,
           sum(pending_in)::bigint AS pending_in
    FROM sides GROUP BY account
), moved AS (
    UPDATE ledger_account AS a
    SET posted = a.posted + CASE WHEN :kind = 'posted' THEN d.posted ELSE 0 END,
        pending_out = a.pending_out - d.pending_out,
        pending_in = a.pending_in - d.pending_in
    FROM delta AS d WHERE a.id = d.account
)
SELECT count(*) FROM closing
""")

# Without a lock: all writers lock accounts first, and an index refuses to close twice.
_DUE = sa.text("SELECT transfer FROM ledger_hold WHERE expires_at <= :now ORDER BY transfer")

_ACCOUNTS = """
SELECT code, unit, floor, posted, pending_out, pending_in FROM ledger_account
WHERE starts_with(code, %s) ORDER BY code
"""


class PostgresLedger:
    """The ledger within one transaction: what it writes is committed or rolled back with it.

    A failed call leaves nothing of itself behind, and the transaction usable. Call `transfer`
    once in a transaction where many run at a time: locks are taken in order within a call.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def open_accounts(self, accounts: Iterable[Account]) -> None:
        """Open accounts; one that exists alike is left as it is, other terms raise Conflict."""
        given = list(accounts)
        if not given:
            return
        for account in given:
            rules.check_account(account)
        parameters = {
            "codes": [account.code for account in given],
            "units": [account.unit for account in given],
            "floors": [account.floor for account in given],
        }
        ids = [rules.opening_id(account.code) for account in given]
        with self._tx.connection.begin_nested():
            opened = self._one(_OPEN, **parameters, ids=ids)[0]
            if opened < len(given):
                other = self._tx.connection.execute(_OTHER_TERMS, parameters).first()
                if other is not None:
                    raise Conflict(
                        rules.other_terms(other.code, unit=other.unit, floor=other.floor)
                    )

    def transfer(self, transfers: Iterable[Transfer] | pa.Table) -> int:
        """Post transfers, all or none; returns how many were new."""
        import pyarrow as pa

        if isinstance(transfers, pa.Table):
            table = check_transfer_table(transfers)
            count = table.num_rows
        else:
            given = list(transfers)
            for transfer in given:
                rules.check_transfer(transfer)
            count = len(given)
            if count > _FEW:
                table = transfer_table(given)
        if not count:
            return 0
        if not isinstance(transfers, pa.Table) and count == 1:
            return int(self._single(given[0], Kind.TRANSFER, expires_at=None))
        if not isinstance(transfers, pa.Table) and count <= _FEW:
            return self._write(count, few=True, parameters=_columns(given))
        self._stage(table)
        return self._write(count, few=False, parameters={})

    def _stage(self, table: pa.Table) -> None:
        import pyarrow as pa

        self._tx.connection.execute(_STAGE)
        self._tx.connection.execute(_UNSTAGE)
        position = pa.array(range(table.num_rows), pa.int64())
        copy_in(self._tx, "ledger_incoming", table.append_column("position", position))
        self._tx.connection.execute(_ANALYZE)

    def _write(self, count: int, *, few: bool, parameters: Mapping[str, Any]) -> int:
        self._tx.connection.execute(_LOCKS[few], parameters)
        try:
            with self._tx.connection.begin_nested():
                new = int(self._one(_POSTS[few], **parameters)[0])
                if new < count:
                    self._refuse(few=few, parameters=parameters)
        except IntegrityError as error:
            row = self._tx.connection.execute(_SHORTS[few], parameters).first()
            if row is None:
                raise
            raise Shortage(
                rules.short(
                    row.code, row.available, floor=row.floor, after=row.available + row.amount
                )
            ) from error
        return new

    def _refuse(self, *, few: bool, parameters: Mapping[str, Any]) -> None:
        """Raise for the first transfer that is neither new nor known alike."""
        row = self._tx.connection.execute(_REFUSALS[few], parameters).first()
        if row is None:
            return
        for code, unit in ((row.source, row.source_unit), (row.target, row.target_unit)):
            if unit is None:
                raise NotFound(rules.not_open(code, row.id))
        rules.check_units(row.source, row.target, units=(row.source_unit, row.target_unit))
        raise Conflict(rules.other_content(row.id))

    def reserve(self, transfer: Transfer, *, expires_at: datetime | None = None) -> bool:
        """Make a pending transfer: the amount is held at the source. False when known alike."""
        rules.check_transfer(transfer)
        if expires_at is not None:
            rules.check_moment(expires_at, place=f"transfer {transfer.id}")
        return self._single(transfer, Kind.PENDING, expires_at=expires_at)

    def _single(self, transfer: Transfer, kind: Kind, *, expires_at: datetime | None) -> bool:
        made = self._one(
            _SINGLE,
            kind=kind.value,
            id=transfer.id,
            source=transfer.source,
            target=transfer.target,
            amount=transfer.amount,
            reason=transfer.reason,
            reference=transfer.reference,
            effective_at=transfer.effective_at,
            expires_at=expires_at,
        )[0]
        if not made:
            self._refuse_single(transfer, kind, expires_at=expires_at)
        return bool(made)

    def _refuse_single(
        self, transfer: Transfer, kind: Kind, *, expires_at: datetime | None
    ) -> None:
        """Raise unless the transfer is known alike."""
        known = self._tx.connection.execute(_KNOWN, {"id": transfer.id}).first()
        if known is not None:
            alike = (
                kind.value,
                transfer.source,
                transfer.target,
                transfer.amount,
                transfer.reason,
                transfer.reference,
                transfer.effective_at,
                expires_at,
            )
            if tuple(known) != alike:
                raise Conflict(rules.other_content(transfer.id))
            return
        codes = (transfer.source, transfer.target)
        found = self._tx.connection.execute(_TERMS, {"codes": list(codes)}).all()
        terms = {row.code: row for row in found}
        for code in codes:
            if code not in terms:
                raise NotFound(rules.not_open(code, transfer.id))
        rules.check_units(*codes, units=(terms[codes[0]].unit, terms[codes[1]].unit))
        source = terms[transfer.source]
        available = source.posted - source.pending_out
        after = available - transfer.amount
        raise Shortage(rules.short(source.code, available, floor=source.floor, after=after))

    def post(self, pending: UUID, *, amount: int | None = None) -> None:
        """Carry out a pending transfer, whole or a part (the rest is released)."""
        if amount is not None and amount < 1:
            self._refuse_closing(pending, Kind.POSTED, amount)
        if not self._close([pending], Kind.POSTED, amount):
            self._refuse_closing(pending, Kind.POSTED, amount)

    def void(self, pending: UUID) -> None:
        """Release a pending transfer; again changes nothing."""
        if not self._close([pending], Kind.VOIDED, None):
            self._refuse_closing(pending, Kind.VOIDED, None)

    def expire(self, now: datetime) -> int:
        """Void the pending transfers whose time is over; returns how many."""
        due = self._tx.connection.execute(_DUE, {"now": now}).scalars().all()
        return self._close(list(due), Kind.VOIDED, None) if due else 0

    def _close(self, ids: list[UUID], kind: Kind, amount: int | None) -> int:
        return int(self._one(_CLOSE, ids=ids, kind=kind.value, amount=amount)[0])

    def _refuse_closing(self, pending: UUID, kind: Kind, amount: int | None) -> None:
        """Raise unless the pending transfer is closed alike."""
        known = self._tx.connection.execute(_KNOWN, {"id": pending}).first()
        if known is None or known.kind != Kind.PENDING.value:
            raise NotFound(rules.not_pending(pending))
        wanted = known.amount
        if kind is Kind.POSTED:
            wanted = rules.posted_amount(known.amount, amount, place=f"transfer {pending}")
        closed = self._tx.connection.execute(_CLOSED, {"id": pending}).first()
        if closed is None or (closed.kind, closed.amount) != (kind.value, wanted):
            found = (kind, wanted) if closed is None else (Kind(closed.kind), closed.amount)
            raise Conflict(rules.already(pending, *found))

    def balances(self, codes: Collection[str]) -> Mapping[str, Balance]:
        """The balances of these accounts; an account that is not open is missing."""
        rows = self._tx.connection.execute(_TERMS, {"codes": list(codes)})
        return {row.code: Balance(row.posted, row.pending_out, row.pending_in) for row in rows}

    def accounts(self, prefix: str = "") -> pa.Table:
        """Open accounts whose code begins with `prefix`, by code, in `ACCOUNT_SCHEMA`."""
        return fetch_arrow(self._tx, _ACCOUNTS, [prefix])

    def seal(self) -> Seal | None:
        """Seal all entries committed since the last seal; None when there are none."""
        return seal(self._tx)

    def verify(self) -> int:
        """Check chain, entries and balances; returns the entries checked."""
        return verify(self._tx)

    def _one(self, statement: sa.TextClause, **parameters: object) -> sa.Row[Any]:
        given = {"now": self._tx.clock.now(), "actor": self._tx.actor, **parameters}
        return self._tx.connection.execute(statement, given).one()


def _columns(transfers: list[Transfer]) -> Mapping[str, Any]:
    """Transfers as parameters of `_PARAMETERS`."""
    return {
        "ids": [transfer.id for transfer in transfers],
        "sources": [transfer.source for transfer in transfers],
        "targets": [transfer.target for transfer in transfers],
        "amounts": [transfer.amount for transfer in transfers],
        "reasons": [transfer.reason for transfer in transfers],
        "references": [transfer.reference for transfer in transfers],
        "moments": [transfer.effective_at for transfer in transfers],
    }
