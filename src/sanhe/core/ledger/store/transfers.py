"""The ledger in PostgreSQL: accounts with their balances, immutable entries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sanhe.core.errors import Conflict, NotFound, Shortage
from sanhe.core.ledger import rules
from sanhe.core.ledger.ports import NOTHING_KEPT, Account, Balance, Hold, Seal, Transfer
from sanhe.core.ledger.rules import Kind
from sanhe.core.ledger.store import pending
from sanhe.core.ledger.store.incoming import PARAMETERS, rows_of
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
        True: sa.text(statement.format(incoming=PARAMETERS)),
        False: sa.text(statement.format(incoming=_STAGED)),
    }


_LOCKS, _POSTS, _REFUSALS, _SHORTS = map(_both, (_LOCK, _POST, _REFUSED, _SHORT))

# One conditional statement for one transfer: it takes the amount only if the source can bear it at
# the moment its row is locked.
_SINGLE = sa.text("""
WITH locked AS MATERIALIZED (
    SELECT id, code, unit, floor, posted, pending_out FROM ledger_account
    WHERE code IN (CAST(:source AS text) COLLATE "C", CAST(:target AS text) COLLATE "C")
    ORDER BY id FOR NO KEY UPDATE
), entry AS (
    INSERT INTO ledger_entry (kind, transfer, source, target, amount, reason, reference,
                              effective_at, recorded_at, actor)
    SELECT 'transfer', :id, s.id, t.id, :amount, :reason, :reference, :effective_at, :now, :actor
    FROM locked AS s, locked AS t
    WHERE s.code = :source AND t.code = :target AND s.unit = t.unit
      AND (s.floor IS NULL OR s.posted - s.pending_out - :amount >= s.floor)
    ON CONFLICT (transfer) WHERE kind IN ('opened', 'transfer', 'pending') DO NOTHING
    RETURNING source, target, amount
), moved AS (
    UPDATE ledger_account AS a
    SET posted = a.posted + CASE WHEN a.id = e.source THEN -e.amount ELSE e.amount END
    FROM entry AS e WHERE a.id IN (e.source, e.target)
)
SELECT count(*) FROM entry
""")

_OF_CODES = """
SELECT code, posted, pending_out, pending_in FROM ledger_account
WHERE code = ANY (CAST(:codes AS text[]) COLLATE "C")
"""
_BALANCES = {
    False: sa.text(_OF_CODES),
    True: sa.text(f"{_OF_CODES} ORDER BY id FOR NO KEY UPDATE"),
}

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
            return self._single(given[0])
        if not isinstance(transfers, pa.Table) and count <= _FEW:
            return self._write(count, few=True, parameters={"transfers": rows_of(given)})
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
            raise _shortage(row) from error
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
        short = self._tx.connection.execute(_SHORTS[few], parameters).first()
        if short is not None:
            raise _shortage(short)
        raise Conflict(rules.other_content(row.id))

    def _single(self, transfer: Transfer) -> int:
        new = self._one(
            _SINGLE,
            id=transfer.id,
            source=transfer.source,
            target=transfer.target,
            amount=transfer.amount,
            reason=transfer.reason,
            reference=transfer.reference,
            effective_at=transfer.effective_at,
        )[0]
        if not new:
            self._refuse(few=True, parameters={"transfers": rows_of([transfer])})
        return int(new)

    def reserve(self, transfer: Transfer, *, expires_at: datetime | None = None) -> bool:
        """Make a pending transfer: the amount is held at the source. False when known alike."""
        return bool(self.reserve_all([transfer], expires_at=expires_at))

    def reserve_all(
        self,
        transfers: Sequence[Transfer],
        *,
        expires_at: datetime | None = None,
        keep: Mapping[str, int] = NOTHING_KEPT,
    ) -> int:
        """Make pending transfers, all or none; returns how many were new."""
        return pending.reserve_all(self._tx, transfers, expires_at=expires_at, keep=keep)

    def reserve_each(
        self,
        groups: Sequence[Sequence[Transfer]],
        *,
        expires_at: datetime | None = None,
        keep: Mapping[str, int] = NOTHING_KEPT,
    ) -> list[bool]:
        """Reserve group by group in the order given, each whole or not at all."""
        return pending.reserve_each(self._tx, groups, expires_at=expires_at, keep=keep)

    def post(self, reserved: UUID, *, amount: int | None = None) -> None:
        """Carry out a pending transfer, whole or a part (the rest is released)."""
        pending.post(self._tx, reserved, amount)

    def post_all(self, reserved: Sequence[UUID]) -> int:
        """Carry out pending transfers whole, all or none; returns how many were open."""
        return pending.close_all(self._tx, reserved, Kind.POSTED)

    def void(self, reserved: UUID) -> None:
        """Release a pending transfer; again changes nothing."""
        self.void_all([reserved])

    def void_all(self, reserved: Sequence[UUID]) -> int:
        """Release pending transfers, all or none; returns how many were open."""
        return pending.close_all(self._tx, reserved, Kind.VOIDED)

    def expire(self, now: datetime) -> int:
        """Void the pending transfers whose time is over; returns how many."""
        return pending.expire(self._tx, now)

    def holds(self, codes: Collection[str]) -> list[Hold]:
        """The open pending transfers out of these accounts that end by themselves."""
        return pending.holds(self._tx, codes)

    def outcomes(self, reserved: Collection[UUID]) -> Mapping[UUID, int]:
        """How much of these pending transfers was carried out, 0 of one that was released."""
        return pending.outcomes(self._tx, reserved)

    def balances(self, codes: Collection[str], *, lock: bool = False) -> Mapping[str, Balance]:
        """The balances of these accounts; an account that is not open is missing."""
        rows = self._tx.connection.execute(_BALANCES[lock], {"codes": list(codes)})
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


def _shortage(row: sa.Row[Any]) -> Shortage:
    """The refusal of an account as `_SHORT` tells it."""
    after = row.available + row.amount
    return Shortage(rules.short(row.code, row.available, floor=row.floor, after=after))
