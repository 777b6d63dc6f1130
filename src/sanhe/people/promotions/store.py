"""The promotions' tables: every version that was saved, and which of them is published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from sanhe.core.storage import Transaction

_EDITION = sa.text("SELECT edition FROM promotion_book")
# One statement, so that an edition's number and what it holds are of one moment.
_PUBLISHED = sa.text("""
SELECT b.edition, v.terms
FROM promotion_book AS b
LEFT JOIN (promotion AS p JOIN promotion_version AS v
           ON v.promotion = p.id AND v.version = p.published) ON true
""")
_ALONE = sa.text("SELECT FROM promotion_book FOR UPDATE")
# Written after what changes the book: what is read of it before is never kept under this number.
_NEW_EDITION = sa.text("UPDATE promotion_book SET edition = gen_random_uuid()")
_COLUMNS = """
SELECT p.id, p.version, p.published, p.decision, p.published_at, p.withdrawn_at,
    v.terms, v.saved_at, v.saved_by
FROM promotion AS p JOIN promotion_version AS v ON v.promotion = p.id AND v.version = p.version
"""
_GET = sa.text(f"{_COLUMNS} WHERE p.id = ANY (CAST(:ids AS text[])) ORDER BY p.id")
_ALL = sa.text(f"""{_COLUMNS}
WHERE CAST(:state AS text) IS NULL OR :state = CASE
    WHEN p.published IS NOT NULL THEN 'published'
    WHEN p.withdrawn_at IS NOT NULL THEN 'withdrawn' ELSE 'draft' END
ORDER BY v.saved_at DESC, p.id LIMIT :limit OFFSET :offset
""")
_VERSION = sa.text("""
INSERT INTO promotion_version (promotion, version, terms, saved_at, saved_by)
VALUES (:id, :version, CAST(:terms AS jsonb), :now, :actor)
""")
_KEEP = sa.text("""
INSERT INTO promotion (id, version) VALUES (:id, :version)
ON CONFLICT (id) DO UPDATE SET version = excluded.version
""")
_PUBLISH = sa.text("""
UPDATE promotion SET published = :version, decision = :decision, published_at = :now,
    withdrawn_at = NULL WHERE id = :id
""")
_WITHDRAW = sa.text("""
UPDATE promotion SET published = NULL, decision = NULL, published_at = NULL, withdrawn_at = :now
WHERE id = :id AND published IS NOT NULL
""")


def edition(tx: Transaction) -> UUID:
    """The number of the book as it is now."""
    found: UUID = tx.connection.execute(_EDITION).scalar_one()
    return found


def published(tx: Transaction) -> tuple[UUID, list[Any]]:
    """The book's edition, and the terms of all that is published."""
    rows = tx.connection.execute(_PUBLISHED).all()
    return rows[0].edition, [row.terms for row in rows if row.terms is not None]


def alone(tx: Transaction) -> None:
    """Until this transaction ends, nobody else saves, publishes or withdraws."""
    tx.connection.execute(_ALONE)


def get(tx: Transaction, ids: Sequence[str]) -> Sequence[sa.Row[Any]]:
    """These promotions with their newest versions, by id."""
    return tx.connection.execute(_GET, {"ids": list(ids)}).all()


def page(tx: Transaction, *, state: str | None, limit: int, offset: int) -> Sequence[sa.Row[Any]]:
    """Promotions in this state, those saved last first."""
    given = {"state": state, "limit": limit, "offset": offset}
    return tx.connection.execute(_ALL, given).all()


def save(tx: Transaction, promotion: str, terms: object, *, version: int) -> None:
    """Keep a new version."""
    given = {
        "id": promotion,
        "version": version,
        "terms": orjson.dumps(terms).decode(),
        "now": tx.clock.now(),
        "actor": tx.actor,
    }
    tx.connection.execute(_VERSION, given)
    tx.connection.execute(_KEEP, given)


def publish(tx: Transaction, promotion: str, version: int, *, decision: int) -> None:
    """Let a version hold."""
    given = {"id": promotion, "version": version, "decision": decision, "now": tx.clock.now()}
    tx.connection.execute(_PUBLISH, given)
    tx.connection.execute(_NEW_EDITION)


def withdraw(tx: Transaction, promotion: str) -> bool:
    """Let it hold no longer; False where it did not."""
    given = {"id": promotion, "now": tx.clock.now()}
    held = tx.connection.execute(_WITHDRAW, given).rowcount == 1
    tx.connection.execute(_NEW_EDITION)
    return held
