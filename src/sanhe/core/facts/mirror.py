"""Mirrors: the current facts of a type as typed rows of a table, kept in line batch by batch.

Projections stand on them. A mirror holds one row for each current fact of its type, keyed as the
fact is by (external id, source); which of several facts about one thing counts is decided when
reading. So any order, repetition or split of batches ends in the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from uuid import UUID

import sqlalchemy as sa

from sanhe.core.storage import Transaction

KEYS_OF_BATCH = """
    SELECT DISTINCT f.type, f.source, f.external_id
    FROM fact_part AS p JOIN fact AS f ON f.part = p.number
    WHERE p.batch = :batch AND f.type = ANY(:types)
"""
"""The keys (type, source, external_id) of these types that a batch touched."""

CURRENT_OF_BATCH = f"""
    SELECT DISTINCT ON (external_id, source, type) *
    FROM (
        SELECT DISTINCT ON (f.external_id, f.source, f.type, f.revision) f.*
        FROM fact AS f JOIN ({KEYS_OF_BATCH}) AS touched USING (external_id, source, type)
        ORDER BY f.external_id, f.source, f.type, f.revision, f.entry DESC
    ) AS last
    WHERE stands
    ORDER BY external_id, source, type, revision DESC
"""  # noqa: S608 -- made of constants
"""The current facts of the keys a batch touched; a key without one is missing."""


class Mirror:
    """Keeps `table` in line with the current facts of `type`.

    `columns` gives for each column of the table, besides external_id, source, event_at and day,
    the SQL expression over the fact's columns; `only` the facts that count, as an SQL condition.
    Constants of the code only.
    """

    def __init__(
        self, table: str, type_: str, columns: Mapping[str, str], *, only: str = "true"
    ) -> None:
        self.table, self.type = table, type_
        self._columns, self._only = dict(columns), only

    def apply(self, tx: Transaction, batch: UUID) -> None:
        """Replace the rows of all keys that the batch touched by the facts that hold now."""
        given = {"batch": batch, "types": [self.type]}
        tx.connection.execute(self._delete, given)
        tx.connection.execute(self._insert, given)

    @cached_property
    def _delete(self) -> sa.TextClause:
        return sa.text(
            f"DELETE FROM {self.table} AS m USING ({KEYS_OF_BATCH}) AS touched "  # noqa: S608
            "WHERE m.external_id = touched.external_id AND m.source = touched.source"
        )

    @cached_property
    def _insert(self) -> sa.TextClause:
        names = ", ".join(["external_id", "source", "event_at", "day", *self._columns])
        values = ", ".join(["external_id", "source", "event_at", "day", *self._columns.values()])
        return sa.text(
            f"INSERT INTO {self.table} ({names}) "  # noqa: S608 -- made of constants
            f"SELECT {values} FROM ({CURRENT_OF_BATCH}) AS held WHERE {self._only}"
        )


_TYPES = sa.text("""
    SELECT DISTINCT held.type
    FROM fact_part AS p, unnest(p.types) AS held (type) WHERE p.batch = :batch
""")


def types_of(tx: Transaction, batch: UUID) -> frozenset[str]:
    """The fact types that a batch touched, without a look at the facts."""
    return frozenset(tx.connection.execute(_TYPES, {"batch": batch}).scalars())


def follow(tx: Transaction, batch: UUID, name: str, *, mirrors: Sequence[Mirror]) -> None:
    """Bring the mirrors of the state called `name` in line with the facts a batch touched."""
    touched = types_of(tx, batch)
    concerned = [mirror for mirror in mirrors if mirror.type in touched]
    if concerned:
        lock(tx, name)
    for mirror in concerned:
        mirror.apply(tx, batch)


_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def lock(tx: Transaction, name: str) -> None:
    """Let one transaction at a time follow facts into the state called `name`, until it ends.

    What others committed before is seen afterwards, as each statement reads a fresh snapshot.
    """
    tx.connection.execute(_LOCK, {"name": name})
