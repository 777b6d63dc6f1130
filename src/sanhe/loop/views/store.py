"""The table of saved views."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from sanhe.core.storage import Transaction

_READ = sa.text("""
SELECT name, search FROM saved_view WHERE account = :account AND page = :page ORDER BY name
""")
_WRITE = sa.text("""
INSERT INTO saved_view (account, page, name, search, kept_at)
VALUES (:account, :page, :name, :search, :now)
ON CONFLICT (account, page, name) DO UPDATE SET search = EXCLUDED.search, kept_at = EXCLUDED.kept_at
""")
_COUNT = sa.text("SELECT count(*) FROM saved_view WHERE account = :account")
_DELETE = sa.text("""
DELETE FROM saved_view WHERE account = :account AND page = :page AND name = :name
""")


def read(tx: Transaction, account: UUID, page: str) -> list[tuple[str, str]]:
    """Names and parameters of an account's views of a page."""
    rows = tx.connection.execute(_READ, {"account": account, "page": page})
    return [(row.name, row.search) for row in rows]


def write(tx: Transaction, account: UUID, page: str, *, name: str, search: str) -> None:
    """Put a view in."""
    given = {"account": account, "page": page, "name": name, "search": search}
    tx.connection.execute(_WRITE, {**given, "now": tx.clock.now()})


def count(tx: Transaction, account: UUID) -> int:
    """How many views an account has."""
    return int(tx.connection.execute(_COUNT, {"account": account}).scalar_one())


def delete(tx: Transaction, account: UUID, page: str, *, name: str) -> bool:
    """Take a view out; False where there is none."""
    given = {"account": account, "page": page, "name": name}
    return bool(tx.connection.execute(_DELETE, given).rowcount)
