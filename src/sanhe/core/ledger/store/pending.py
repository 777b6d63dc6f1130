"""Pending transfers in PostgreSQL: reserved all or none or group by group, posted, voided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from sanhe.core.errors import Conflict, NotFound, Shortage
from sanhe.core.ledger import rules
from sanhe.core.ledger.ports import Hold, Transfer
from sanhe.core.ledger.rules import Kind
from sanhe.core.ledger.store.incoming import PARAMETERS, rows_of
from sanhe.core.storage import Transaction

# All writers lock accounts in the order of their numbers, so that two never wait for each other.
_LOCKED = """
    SELECT id, code, unit, floor, posted - pending_out AS available FROM ledger_account
    WHERE code = ANY (CAST(:codes AS text[]) COLLATE "C")
    ORDER BY id FOR NO KEY UPDATE
"""

# What entries make of the accounts: `entry` are the rows just written, all of them pending.
_HELD = """
hold AS (
    INSERT INTO ledger_hold (transfer, expires_at)
    SELECT transfer, expires_at FROM entry WHERE expires_at IS NOT NULL
), delta AS (
    SELECT account, sum(gone)::bigint AS gone, sum(coming)::bigint AS coming
    FROM (SELECT source AS account, amount AS gone, 0 AS coming FROM entry
          UNION ALL SELECT target, 0, amount FROM entry) AS sides
    GROUP BY account
), moved AS (
    UPDATE ledger_account AS a
    SET pending_out = a.pending_out + d.gone, pending_in = a.pending_in + d.coming
    FROM delta AS d WHERE a.id = d.account
)
SELECT count(*) FROM entry
"""

_ENTRY = """
    INSERT INTO ledger_entry (kind, transfer, source, target, amount, reason, reference,
                              effective_at, expires_at, recorded_at, actor)
    SELECT 'pending', w.id, w.source_id, w.target_id, w.amount, w.reason, w.reference,
           w.effective_at, CAST(:expires_at AS timestamptz), :now, :actor
"""
_UNLESS_KNOWN = """
    ON CONFLICT (transfer) WHERE kind IN ('opened', 'transfer', 'pending') DO NOTHING
    RETURNING transfer, source, target, amount, expires_at
"""
_KEPT = """
    SELECT * FROM unnest(CAST(:kept AS text[]), CAST(:keep AS bigint[])) AS k (code, keep)
"""

# One conditional statement: the amounts are taken only if every source can bear its share at the
# moment all rows are locked.
_RESERVE = sa.text(f"""
WITH locked AS MATERIALIZED ({_LOCKED}), wanted AS MATERIALIZED (
    SELECT DISTINCT ON (i.id) i.*, s.id AS source_id, t.id AS target_id
    FROM ({PARAMETERS}) AS i
    JOIN locked AS s ON s.code = i.source COLLATE "C"
    JOIN locked AS t ON t.code = i.target COLLATE "C" AND t.unit = s.unit
    WHERE NOT EXISTS (SELECT FROM ledger_entry AS e WHERE e.transfer = i.id
                      AND e.kind IN ('opened', 'transfer', 'pending'))
    ORDER BY i.id, i.position
), short AS (
    SELECT FROM (SELECT source_id, sum(amount) AS amount FROM wanted GROUP BY source_id) AS need
    JOIN locked AS l ON l.id = need.source_id
    LEFT JOIN ({_KEPT}) AS k ON k.code COLLATE "C" = l.code
    WHERE l.available - need.amount < greatest(l.floor, k.keep)
), entry AS (
    {_ENTRY}
    FROM wanted AS w WHERE NOT EXISTS (SELECT FROM short)
    ORDER BY w.position
    {_UNLESS_KNOWN}
), {_HELD}
""")  # noqa: S608 -- made of constants

# The first of the call that was not written as new and is not known alike. The last columns tell
# a shortage: of all that is not known and leaves the same account.
_REFUSED = sa.text(f"""
WITH incoming AS ({PARAMETERS}), known AS (
    SELECT e.* FROM ledger_entry AS e JOIN (SELECT DISTINCT id FROM incoming) AS i
    ON e.transfer = i.id AND e.kind IN ('opened', 'transfer', 'pending')
), need AS (
    SELECT source, sum(amount) AS amount
    FROM (SELECT DISTINCT ON (id) source, amount FROM incoming
          WHERE id NOT IN (SELECT transfer FROM known) ORDER BY id, position) AS fresh
    GROUP BY source
)
SELECT i.id, i.source, i.target, s.unit AS source_unit, t.unit AS target_unit,
       e.transfer IS NOT NULL AS is_known, s.posted - s.pending_out AS available,
       greatest(s.floor, k.keep) AS least,
       s.posted - s.pending_out - need.amount AS after
FROM incoming AS i
LEFT JOIN ledger_account AS s ON s.code = i.source COLLATE "C"
LEFT JOIN ledger_account AS t ON t.code = i.target COLLATE "C"
LEFT JOIN known AS e ON e.transfer = i.id
LEFT JOIN need ON need.source = i.source
LEFT JOIN ({_KEPT}) AS k ON k.code = i.source
WHERE s.id IS NULL OR t.id IS NULL OR s.unit <> t.unit
   OR e.transfer IS NULL AND s.posted - s.pending_out - need.amount < greatest(s.floor, k.keep)
   OR e.transfer IS NOT NULL AND
      (e.kind, e.source, e.target, e.amount, e.reason, e.reference, e.effective_at, e.expires_at)
      IS DISTINCT FROM ('pending', s.id, t.id, i.amount, i.reason, i.reference, i.effective_at,
                        CAST(:expires_at AS timestamptz))
ORDER BY s.id IS NULL OR t.id IS NULL OR s.unit <> t.unit DESC, e.transfer IS NULL, i.position
LIMIT 1
""")  # noqa: S608 -- made of constants

_LOCK = sa.text(_LOCKED)
_WRITE = sa.text(f"""
WITH entry AS (
    {_ENTRY}
    FROM (
        SELECT i.*, s.id AS source_id, t.id AS target_id
        FROM ({PARAMETERS}) AS i
        JOIN ledger_account AS s ON s.code = i.source COLLATE "C"
        JOIN ledger_account AS t ON t.code = i.target COLLATE "C"
    ) AS w
    ORDER BY w.position
    {_UNLESS_KNOWN}
), {_HELD}
""")  # noqa: S608 -- made of constants
_KNOWN = sa.text("""
SELECT e.transfer AS id, e.kind, s.code AS source, t.code AS target, e.amount, e.reason,
       e.reference, e.effective_at, e.expires_at
FROM ledger_entry AS e
JOIN ledger_account AS s ON s.id = e.source
JOIN ledger_account AS t ON t.id = e.target
WHERE e.transfer = ANY (CAST(:ids AS uuid[])) AND e.kind IN ('opened', 'transfer', 'pending')
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

# Of these ids the first that is not pending, or was closed in another way.
_NOT_CLOSED_ALIKE = sa.text("""
SELECT i.id, p.amount AS reserved, c.kind, c.amount
FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS i (id, position)
LEFT JOIN ledger_entry AS p ON p.transfer = i.id AND p.kind = 'pending'
LEFT JOIN ledger_entry AS c ON c.transfer = i.id AND c.kind IN ('posted', 'voided')
WHERE p.transfer IS NULL OR c.transfer IS NULL OR c.kind <> :kind
   OR c.amount <> coalesce(CAST(:amount AS bigint), p.amount)
ORDER BY i.position LIMIT 1
""")

_HOLDS = sa.text("""
SELECT e.transfer, a.code AS source, e.amount, e.reference, e.expires_at
FROM ledger_hold AS h
JOIN ledger_entry AS e ON e.transfer = h.transfer AND e.kind IN ('opened', 'transfer', 'pending')
JOIN ledger_account AS a ON a.id = e.source
WHERE a.code = ANY (CAST(:codes AS text[]) COLLATE "C")
ORDER BY e.number
""")

_OUTCOMES = sa.text("""
SELECT transfer, CASE WHEN kind = 'posted' THEN amount ELSE 0 END AS carried_out FROM ledger_entry
WHERE transfer = ANY (CAST(:ids AS uuid[])) AND kind IN ('posted', 'voided')
""")

# Without a lock: all writers lock accounts first, and an index refuses to close twice.
_DUE = sa.text("SELECT transfer FROM ledger_hold WHERE expires_at <= :now ORDER BY transfer")


def reserve_all(
    tx: Transaction,
    transfers: Sequence[Transfer],
    *,
    expires_at: datetime | None,
    keep: Mapping[str, int],
) -> int:
    """Make pending transfers, all or none; returns how many were new. See the port."""
    rules.check_reservations(transfers, expires_at=expires_at, keep=keep)
    if not transfers:
        return 0
    given = {
        **_codes(transfers),
        "transfers": rows_of(transfers),
        "kept": list(keep),
        "keep": list(keep.values()),
        "expires_at": expires_at,
    }
    try:
        with tx.connection.begin_nested():
            return _reserve(tx, given, len(transfers))
    except sa.exc.IntegrityError:
        # The server holds a row's floor against the row as the statement first saw it, before it
        # looks at what others made of it since: what was let go while we waited counts as held.
        # With the accounts locked there is nothing more to wait for.
        with tx.connection.begin_nested():
            tx.connection.execute(_LOCK, {"codes": given["codes"]})
            return _reserve(tx, given, len(transfers))


def _reserve(tx: Transaction, given: Mapping[str, Any], count: int) -> int:
    """How many of these were new; raises where not all are made."""
    new = _one(tx, _RESERVE, given)
    if new < count and (refused := tx.connection.execute(_REFUSED, given).first()):
        # Whoever wrote one of them while we waited for the accounts is only seen now, and has
        # taken what the statement still counted as wanted. With the locks held, this is exact.
        new = 0 if refused.is_known else _one(tx, _RESERVE, given)
        if refused := tx.connection.execute(_REFUSED, given).first():
            _refuse(refused)
    return new


def _refuse(row: sa.Row[Any]) -> None:
    for code, unit in ((row.source, row.source_unit), (row.target, row.target_unit)):
        if unit is None:
            raise NotFound(rules.not_open(code, row.id))
    rules.check_units(row.source, row.target, units=(row.source_unit, row.target_unit))
    if row.is_known:
        raise Conflict(rules.other_content(row.id))
    raise Shortage(rules.short(row.source, row.available, floor=row.least, after=row.after))


def reserve_each(
    tx: Transaction,
    groups: Sequence[Sequence[Transfer]],
    *,
    expires_at: datetime | None,
    keep: Mapping[str, int],
) -> list[bool]:
    """Reserve group by group, each whole or not at all. See the port.

    One statement locks the accounts of all groups, a second one reads which transfers are known
    by then; what fits is worked out here, and a third makes it so.
    """
    flat = [transfer for group in groups for transfer in group]
    rules.check_reservations(flat, expires_at=expires_at, keep=keep)
    if not flat:
        return [True] * len(groups)
    accounts = _locked(tx, flat)
    known = _known_alike(tx, flat, expires_at=expires_at)
    free = {
        code: (row.available, rules.least(row.floor, keep.get(code)))
        for code, row in accounts.items()
    }
    granted, taken = rules.take_each(groups, free, known=known)
    given = {"transfers": rows_of(taken), "expires_at": expires_at}
    with tx.connection.begin_nested():
        if _one(tx, _WRITE, given) < len(taken):
            # A twin would have waited for our accounts: this one is between others.
            _known_alike(tx, [*taken], expires_at=expires_at)
            raise Conflict("one of these ids was just used between other accounts: use a new id")
    return granted


def _locked(tx: Transaction, transfers: Sequence[Transfer]) -> Mapping[str, sa.Row[Any]]:
    """The accounts of these transfers by code, locked; raises where one can't be made."""
    accounts = {row.code: row for row in tx.connection.execute(_LOCK, _codes(transfers))}
    for transfer in transfers:
        for code in (transfer.source, transfer.target):
            if code not in accounts:
                raise NotFound(rules.not_open(code, transfer.id))
        units = accounts[transfer.source].unit, accounts[transfer.target].unit
        rules.check_units(transfer.source, transfer.target, units=units)
    return accounts


def _codes(transfers: Sequence[Transfer]) -> dict[str, list[str]]:
    both = [(transfer.source, transfer.target) for transfer in transfers]
    return {"codes": list(dict.fromkeys(code for codes in both for code in codes))}


def _known_alike(
    tx: Transaction, transfers: Sequence[Transfer], *, expires_at: datetime | None
) -> frozenset[UUID]:
    """The ids of these that are pending already; raises Conflict for one with other content."""
    ids = [transfer.id for transfer in transfers]
    rows = tx.connection.execute(_KNOWN, {"ids": ids})
    known = {row.id: tuple(row)[1:] for row in rows}
    for transfer in transfers if known else ():
        if transfer.id in known and known[transfer.id] != _content(transfer, expires_at):
            raise Conflict(rules.other_content(transfer.id))
    return frozenset(known)


def _content(transfer: Transfer, expires_at: datetime | None) -> tuple[object, ...]:
    """What `_KNOWN` tells of a pending transfer, besides its id."""
    return (
        Kind.PENDING.value,
        transfer.source,
        transfer.target,
        transfer.amount,
        transfer.reason,
        transfer.reference,
        transfer.effective_at,
        expires_at,
    )


def close_all(tx: Transaction, ids: Sequence[UUID], kind: Kind) -> int:
    """Close pending transfers whole, all or none; returns how many were open. See the port."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return 0
    with _undone_if_refused(tx, len(wanted)):
        return _close(tx, wanted, kind, amount=None)


def post(tx: Transaction, pending: UUID, amount: int | None) -> None:
    """Carry out a pending transfer, whole or a part (the rest is released)."""
    if amount is not None and amount < 1:
        _check_closed(tx, [pending], Kind.POSTED, amount=amount)
    _close(tx, [pending], Kind.POSTED, amount=amount)


def expire(tx: Transaction, now: datetime) -> int:
    """Void the pending transfers whose time is over; returns how many."""
    due = list(tx.connection.execute(_DUE, {"now": now}).scalars())
    return _one(tx, _CLOSE, {"ids": due, "kind": "voided", "amount": None}) if due else 0


def holds(tx: Transaction, codes: Collection[str]) -> list[Hold]:
    """The open pending transfers out of these accounts that end by themselves, oldest first."""
    return [Hold(*row) for row in tx.connection.execute(_HOLDS, {"codes": list(codes)})]


def outcomes(tx: Transaction, reserved: Collection[UUID]) -> dict[UUID, int]:
    """How much of these pending transfers was carried out; see the port."""
    rows = tx.connection.execute(_OUTCOMES, {"ids": list(reserved)})
    return {row.transfer: row.carried_out for row in rows}


def _close(tx: Transaction, ids: list[UUID], kind: Kind, *, amount: int | None) -> int:
    closed = _one(tx, _CLOSE, {"ids": ids, "kind": kind.value, "amount": amount})
    if closed < len(ids):
        _check_closed(tx, ids, kind, amount=amount)
    return closed


def _check_closed(tx: Transaction, ids: list[UUID], kind: Kind, *, amount: int | None) -> None:
    """Raise unless these pending transfers are closed alike."""
    given = {"ids": ids, "kind": kind.value, "amount": amount}
    row = tx.connection.execute(_NOT_CLOSED_ALIKE, given).first()
    if row is None:
        return
    if row.reserved is None:
        raise NotFound(rules.not_pending(row.id))
    wanted = row.reserved
    if kind is Kind.POSTED:
        wanted = rules.posted_amount(row.reserved, amount, place=f"transfer {row.id}")
    found = (kind, wanted) if row.kind is None else (Kind(row.kind), row.amount)
    raise Conflict(rules.already(row.id, *found))


def _undone_if_refused(tx: Transaction, count: int) -> AbstractContextManager[object]:
    """A savepoint where a refused call may have written a part of itself: never for a single."""
    return tx.connection.begin_nested() if count > 1 else nullcontext()


def _one(tx: Transaction, statement: sa.TextClause, given: Mapping[str, Any]) -> int:
    written = {"now": tx.clock.now(), "actor": tx.actor, **given}
    return int(tx.connection.execute(statement, written).scalar_one())
