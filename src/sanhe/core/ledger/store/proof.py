"""The ledger's proof in PostgreSQL: sealing in batches, and verifying all of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import sqlalchemy as sa

from sanhe.core.errors import Tampered
from sanhe.core.ledger import rules
from sanhe.core.ledger.ports import Seal
from sanhe.core.ledger.rules import SealedBatch
from sanhe.core.storage import Transaction

_BATCH_ENTRIES = 100_000
_LOCK = 7346711

_ALONE = sa.text("SELECT pg_advisory_xact_lock(:lock)")

_LAST = sa.text("""
SELECT number, last_entry, below, root FROM ledger_seal ORDER BY number DESC LIMIT 1
""")
_HIGHEST = sa.text("SELECT coalesce(max(last_entry), 0) FROM ledger_seal")

_HORIZON = sa.text("""
SELECT pg_snapshot_xmin(s)::text::bigint AS below, pg_snapshot_xmax(s)::text::bigint AS unborn
FROM pg_current_snapshot() AS s
""")

# Entries not sealed yet lie behind the last sealed one, or were written by a transaction that was
# still running then. What stands under a transaction number the server has not given out yet
# was committed in another cluster and came here by a restore: it is settled too.
_UNSEALED = """
    (e.written_by >= :sealed_below OR e.number > :last_entry)
    AND (e.written_by < :below OR e.written_by >= :unborn)
    AND NOT EXISTS (SELECT FROM ledger_leaf AS l WHERE l.entry = e.number)
"""
_RANGE = sa.text(f"""
SELECT min(e.number) AS first, max(e.number) AS last FROM ledger_entry AS e WHERE {_UNSEALED}
""")  # noqa: S608 -- a constant
_LEAVES = sa.text(f"""
INSERT INTO ledger_leaf (entry, seal, hash)
SELECT e.number, :seal, ledger_entry_hash(e) FROM ledger_entry AS e
WHERE e.number BETWEEN :first AND :last AND {_UNSEALED}
ORDER BY e.number
RETURNING entry, hash
""")  # noqa: S608 -- a constant
_SEAL = sa.text("""
INSERT INTO ledger_seal (number, first_entry, last_entry, entries, below, tree, root, sealed_at,
                         actor)
VALUES (:number, :first_entry, :last_entry, :entries, :below, :tree, :root, :sealed_at, :actor)
""")

_SEALS = sa.text("""
SELECT number, first_entry, last_entry, entries, below, tree, root, sealed_at, actor
FROM ledger_seal ORDER BY number
""")
_SEALED_LEAVES = sa.text("""
SELECT seal, entry, hash FROM ledger_leaf WHERE seal <= :last ORDER BY seal, entry
""")
_STRAY_LEAF = sa.text("""
SELECT l.entry FROM ledger_leaf AS l
WHERE NOT EXISTS (SELECT FROM ledger_seal AS s WHERE s.number = l.seal)
ORDER BY l.entry LIMIT 1
""")
_CHANGED_ENTRY = sa.text("""
SELECT l.entry FROM ledger_leaf AS l LEFT JOIN ledger_entry AS e ON e.number = l.entry
WHERE e.number IS NULL OR ledger_entry_hash(e) <> l.hash
ORDER BY l.entry LIMIT 1
""")
_CHANGED_TERMS = sa.text("""
SELECT coalesce(a.code, e.reference) AS code FROM ledger_account AS a
FULL JOIN (SELECT * FROM ledger_entry WHERE kind = 'opened') AS e ON e.source = a.id
WHERE (a.code, a.unit, a.floor) IS DISTINCT FROM (e.reference, e.reason, e.amount)
   OR e.number IS NULL OR a.id IS NULL
ORDER BY 1 LIMIT 1
""")
_CHANGED_BALANCE = sa.text("""
WITH held AS (
    SELECT p.* FROM ledger_entry AS p
    WHERE p.kind = 'pending' AND NOT EXISTS (
        SELECT FROM ledger_entry AS c
        WHERE c.transfer = p.transfer AND c.kind IN ('posted', 'voided'))
), sides AS (
    SELECT source AS account, -amount AS posted, 0 AS pending_out, 0 AS pending_in
    FROM ledger_entry WHERE kind IN ('transfer', 'posted')
    UNION ALL
    SELECT target, amount, 0, 0 FROM ledger_entry WHERE kind IN ('transfer', 'posted')
    UNION ALL SELECT source, 0, amount, 0 FROM held
    UNION ALL SELECT target, 0, 0, amount FROM held
), sums AS (
    SELECT account, sum(posted) AS posted, sum(pending_out) AS pending_out,
           sum(pending_in) AS pending_in
    FROM sides GROUP BY account
)
SELECT coalesce(a.code, 'number ' || s.account) AS code
FROM ledger_account AS a FULL JOIN sums AS s ON s.account = a.id
WHERE a.id IS NULL
   OR a.posted <> coalesce(s.posted, 0)
   OR a.pending_out <> coalesce(s.pending_out, 0)
   OR a.pending_in <> coalesce(s.pending_in, 0)
ORDER BY 1 LIMIT 1
""")
_WRONG_CLOSING = sa.text("""
SELECT c.number FROM ledger_entry AS c
LEFT JOIN ledger_entry AS p ON p.transfer = c.transfer AND p.kind = 'pending'
WHERE c.kind IN ('posted', 'voided')
  AND ((p.source, p.target) IS DISTINCT FROM (c.source, c.target) OR c.amount > p.amount)
ORDER BY c.number LIMIT 1
""")
_CHANGED_HOLD = sa.text("""
WITH expected AS (
    SELECT p.transfer, p.expires_at FROM ledger_entry AS p
    WHERE p.kind = 'pending' AND p.expires_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM ledger_entry AS c
        WHERE c.transfer = p.transfer AND c.kind IN ('posted', 'voided'))
)
SELECT coalesce(h.transfer, e.transfer) AS transfer
FROM ledger_hold AS h FULL JOIN expected AS e ON e.transfer = h.transfer
WHERE h.expires_at IS DISTINCT FROM e.expires_at
ORDER BY 1 LIMIT 1
""")
_COUNT = sa.text("SELECT count(*) FROM ledger_entry")


def seal(tx: Transaction) -> Seal | None:
    """Seal what was committed below the oldest running transaction; returns the last seal.

    One sealing runs at a time; entries are taken in the order of their numbers, at most
    100,000 to a seal.
    """
    connection = tx.connection
    connection.execute(_ALONE, {"lock": _LOCK})
    last = connection.execute(_LAST).first()
    horizon = connection.execute(_HORIZON).one()
    window = {
        "sealed_below": last.below if last else 0,
        "last_entry": connection.execute(_HIGHEST).scalar_one(),
        "below": horizon.below,
        "unborn": horizon.unborn,
    }
    span = connection.execute(_RANGE, window).one()
    if span.first is None:
        return None
    number, root = (last.number, bytes(last.root)) if last else (0, rules.NO_ROOT)
    made: Seal | None = None
    for first in range(span.first, span.last + 1, _BATCH_ENTRIES):
        end = min(first + _BATCH_ENTRIES - 1, span.last)
        rows = connection.execute(
            _LEAVES, {**window, "first": first, "last": end, "seal": number + 1}
        ).all()
        if not rows:
            continue
        number += 1
        # Only the last seal may say that all below the horizon is sealed.
        below = horizon.below if end == span.last else window["sealed_below"]
        made = _write_seal(tx, sorted(rows), number=number, below=below, previous=root)
        root = made.root
    return made


def _write_seal(
    tx: Transaction,
    leaves: list[sa.Row[tuple[int, bytes]]],
    *,
    number: int,
    below: int,
    previous: bytes,
) -> Seal:
    batch = SealedBatch(
        number=number,
        first_entry=leaves[0].entry,
        last_entry=leaves[-1].entry,
        entries=len(leaves),
        below=below,
        tree=rules.tree_root([bytes(row.hash) for row in leaves]),
        sealed_at=tx.clock.now(),
        actor=tx.actor,
    )
    root = rules.chain_root(previous, batch)
    tx.connection.execute(
        _SEAL,
        {
            "number": batch.number,
            "first_entry": batch.first_entry,
            "last_entry": batch.last_entry,
            "entries": batch.entries,
            "below": batch.below,
            "tree": batch.tree,
            "root": root,
            "sealed_at": batch.sealed_at,
            "actor": batch.actor,
        },
    )
    return Seal(batch.number, batch.first_entry, batch.last_entry, root, batch.sealed_at)


def verify(tx: Transaction) -> int:
    """Recompute leaves, trees, chain, terms, balances and holds; returns the entries there are.

    Raises Tampered naming the first record that does not match.
    """
    count = int(tx.connection.execute(_COUNT).scalar_one())
    for statement, what in (
        (_CHANGED_ENTRY, "ledger entry {} does not match its seal"),
        (_STRAY_LEAF, "the seal of ledger entry {} is missing"),
    ):
        _refuse(tx, statement, what)
    _verify_chain(tx)
    for statement, what in (
        (_WRONG_CLOSING, "ledger entry {} closes what was not pending so"),
        (_CHANGED_TERMS, "ledger account {} has other terms than it was opened with"),
        (_CHANGED_BALANCE, "ledger account {} does not match the sum of its entries"),
        (_CHANGED_HOLD, "the hold of transfer {} does not match its entry"),
    ):
        _refuse(tx, statement, what)
    return count


def _refuse(tx: Transaction, statement: sa.TextClause, what: str) -> None:
    found = tx.connection.execute(statement).scalar()
    if found is not None:
        raise Tampered(f"{what.format(found)}: compare it with a backup")


def _verify_chain(tx: Transaction) -> None:
    """Raise Tampered naming the first seal that does not follow from its entries."""
    seals = [
        (
            SealedBatch(
                number=row.number,
                first_entry=row.first_entry,
                last_entry=row.last_entry,
                entries=row.entries,
                below=row.below,
                tree=bytes(row.tree),
                sealed_at=row.sealed_at,
                actor=row.actor,
            ),
            bytes(row.root),
        )
        for row in tx.connection.execute(_SEALS)
    ]
    trees = {
        number: (len(leaves), rules.tree_root(leaves)) for number, leaves in _leaves(tx, len(seals))
    }
    for batch, _ in seals:
        if trees.get(batch.number) != (batch.entries, batch.tree):
            raise Tampered(f"ledger seal {batch.number} does not match its entries")
    rules.check_chain(seals)


def _leaves(tx: Transaction, seals: int) -> Iterator[tuple[int, list[bytes]]]:
    """The leaf hashes of each seal, read as a stream."""
    rows = tx.connection.execute(
        _SEALED_LEAVES, {"last": seals}, execution_options={"stream_results": True}
    )
    for number, group in groupby(rows, key=lambda row: int(row.seal)):
        yield number, [bytes(row.hash) for row in group]
