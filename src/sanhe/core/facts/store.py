"""Facts in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from sanhe.core.errors import BadInput, Code, Conflict, NotFound
from sanhe.core.facts.ports import Appended, Batch, BatchKind, Fact
from sanhe.core.facts.schema import FACT_SCHEMA, StateDigest, facts_table
from sanhe.core.facts.types import FactTypes
from sanhe.core.storage import (
    Transaction,
    copy_in,
    copy_in_unless_known,
    fetch_arrow,
    stream_arrow,
)
from sanhe.core.values import new_id

_CHUNK_ROWS = 200_000

_COLUMNS = (
    "type, source, external_id, revision, event_at, day, sku, place, party, quantity, "
    "amount_cents, currency, payload"
)
_STAGED = ", ".join(f"s.{name}" for name in _COLUMNS.split(", "))
_CONTENT = [
    "type",
    "event_at",
    "day",
    "sku",
    "place",
    "party",
    "quantity",
    "amount_cents",
    "currency",
]
_DIFFERS = " OR ".join(f"s.{name} IS DISTINCT FROM last.{name}" for name in _CONTENT)
_DIFFERS += " OR s.payload::text <> last.payload::text"

_OPEN_BATCH = sa.text(
    "INSERT INTO fact_batch (id, kind, source, name, digest, actor, begun_at, undoes) "
    "VALUES (:id, :kind, :source, :name, :digest, :actor, :begun_at, :undoes) "
    "ON CONFLICT (undoes) DO NOTHING"
)
_CLOSE_PART = sa.text(
    "INSERT INTO fact_part (number, batch, types, new, repeated, rejected) "
    "VALUES (:number, :batch, :types, :new, :repeated, :rejected)"
)
_NEXT_PART = sa.text("SELECT nextval('fact_part_number')")
_LOCK_SOURCE = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:source, 7346703))")
_KIND = sa.text("SELECT kind FROM fact_batch WHERE id = :batch")
_STAGE = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS fact_stage (line bigint NOT NULL, type text, "
    'source text COLLATE "C", external_id text COLLATE "C", revision integer, '
    "event_at timestamptz, day date, sku text, place text, party text, quantity bigint, "
    "amount_cents bigint, currency text, payload json) ON COMMIT DELETE ROWS"
)
_INSERT = sa.text(
    f"INSERT INTO fact (part, entry, stands, {_COLUMNS}) "  # noqa: S608 -- constants
    f"SELECT :part, 0, true, {_STAGED} FROM fact_stage AS s ORDER BY line "
    "ON CONFLICT DO NOTHING"
)
_LAST = (
    "CROSS JOIN LATERAL (SELECT * FROM fact AS f WHERE f.external_id = s.external_id "
    "AND f.source = s.source AND f.revision = s.revision ORDER BY f.entry DESC LIMIT 1) AS last"
)
_INSERT_AGAIN = sa.text(
    f"INSERT INTO fact (part, entry, stands, {_COLUMNS}) "  # noqa: S608 -- constants
    f"SELECT DISTINCT ON (s.external_id, s.source, s.revision) :part, last.entry + 1, true, "
    f"{_STAGED} FROM fact_stage AS s {_LAST} WHERE NOT last.stands "
    "ORDER BY s.external_id, s.source, s.revision, s.line ON CONFLICT DO NOTHING"
)
_CONTRADICTING = sa.text(
    f"SELECT s.source, s.external_id, s.revision FROM fact_stage AS s {_LAST} "  # noqa: S608
    f"WHERE {_DIFFERS} ORDER BY s.line"
)
_SOURCES = sa.text(
    "SELECT DISTINCT source FROM fact WHERE part IN "
    "(SELECT number FROM fact_part WHERE batch = :batch) ORDER BY source"
)
_RETRACT = sa.text(
    f"INSERT INTO fact (part, entry, stands, {_COLUMNS}) "  # noqa: S608 -- constants
    f"SELECT :part, s.entry + 1, false, {_STAGED} FROM fact AS s "
    "WHERE s.part IN (SELECT number FROM fact_part WHERE batch = :batch) AND s.stands "
    "AND NOT EXISTS (SELECT 1 FROM fact AS f WHERE f.external_id = s.external_id "
    "AND f.source = s.source AND f.revision = s.revision AND f.entry > s.entry)"
)
_TYPES_OF = sa.text(
    "SELECT coalesce(array_agg(DISTINCT t.type), '{}') "
    "FROM fact_part AS p, unnest(p.types) AS t (type) WHERE p.batch = :batch"
)
_BATCH = (
    "SELECT b.id, b.kind, b.source, b.name, b.digest, b.actor, b.begun_at, b.undoes, "
    "u.id AS undone_by, coalesce(sum(p.new), 0)::bigint AS new, "
    "coalesce(sum(p.repeated), 0)::bigint AS repeated, "
    "coalesce(sum(p.rejected), 0)::bigint AS rejected "
    "FROM fact_batch AS b LEFT JOIN fact_batch AS u ON u.undoes = b.id "
    "LEFT JOIN fact_part AS p ON p.batch = b.id WHERE {} GROUP BY b.id, u.id ORDER BY b.number"
)
_BATCHES = sa.text(_BATCH.format("b.kind <> 'sync'"))
_ONE_BATCH = sa.text(_BATCH.format("b.id = :batch"))

# Parts name the types they hold, so that a small type is found without reading the large ones.
_PARTS_OF_TYPES = (
    "coalesce((SELECT array_agg(number) FROM fact_part WHERE types && %s::text[]), '{}')"
)
_CURRENT = (
    f"SELECT {_COLUMNS} FROM ("  # noqa: S608 -- constants
    f"SELECT DISTINCT ON (type, source, external_id) {_COLUMNS} FROM ("
    "SELECT DISTINCT ON (type, source, external_id, revision) * FROM fact "
    f"WHERE part = ANY({_PARTS_OF_TYPES}) AND type = ANY(%s::text[]) "
    "ORDER BY type, source, external_id, revision, entry DESC) AS last "
    "WHERE stands ORDER BY type, source, external_id, revision DESC) AS held "
    "ORDER BY type, source, external_id"
)
_KEYS_OF_BATCH = (
    "SELECT DISTINCT type, source, external_id FROM fact WHERE part IN "
    "(SELECT number FROM fact_part WHERE batch = %s) AND type = ANY(%s::text[])"
)
_CURRENT_OF = (
    f"SELECT DISTINCT ON (type, source, external_id) {_COLUMNS} FROM ("  # noqa: S608
    "SELECT DISTINCT ON (f.type, f.source, f.external_id, f.revision) f.* "
    f"FROM fact AS f JOIN ({_KEYS_OF_BATCH}) AS k USING (type, source, external_id) "
    "ORDER BY f.type, f.source, f.external_id, f.revision, f.entry DESC) AS last "
    "WHERE stands ORDER BY type, source, external_id, revision DESC"
)
_TOUCHED = (
    "SELECT DISTINCT f.type, f.source, f.external_id, f.sku, f.place, f.party "  # noqa: S608
    f"FROM fact AS f JOIN ({_KEYS_OF_BATCH}) AS k USING (type, source, external_id) "
    "ORDER BY f.type, f.source, f.external_id, f.sku, f.place, f.party"
)


class PostgresFacts:
    """Facts kept by one transaction's database."""

    def __init__(self, tx: Transaction, types: FactTypes) -> None:
        self._tx, self._types = tx, types

    def open_batch(
        self, *, source: str, name: str, digest: str = "", kind: BatchKind = "import"
    ) -> UUID:
        """Begin a batch by the transaction's actor and return its id."""
        batch = new_id()
        self._begin(batch, kind=kind, source=source, name=name, digest=digest)
        return batch

    def append(self, batch: UUID, facts: Iterable[Fact] | pa.Table) -> Appended:
        """Record facts under the batch; see the port."""
        self._require_open(batch)
        given = facts if isinstance(facts, pa.Table) else facts_table(facts)
        table = self._types.checked(given)
        if table.num_rows == 0:
            return Appended(0, 0)
        for source in sorted(pc.unique(table["source"]).to_pylist()):
            # Two imports of one source would meet at the same keys and stop each other.
            self._tx.connection.execute(_LOCK_SOURCE, {"source": source})
        part = self._next_part()
        self._tx.connection.exec_driver_sql(_STAGE)
        new = 0
        contradicting: list[tuple[str, str, int]] = []
        for start in range(0, table.num_rows, _CHUNK_ROWS):
            chunk = table.slice(start, _CHUNK_ROWS)
            # A first delivery is all new; once something was known, the rest is likely known too.
            if new == start and self._add_all(part, chunk):
                new += chunk.num_rows
                continue
            added, against = self._append_chunk(part, chunk)
            new += added
            contradicting += against
        repeated = table.num_rows - new - len(contradicting)
        types = pc.unique(table["type"]).to_pylist() if new else []
        self._close_part(part, batch, types=types, new=new, repeated=repeated)
        return Appended(new, repeated, tuple(contradicting))

    def reject(self, batch: UUID, rows: int) -> None:
        """Count rows of a delivery that were refused before they became facts."""
        self._require_open(batch)
        self._close_part(self._next_part(), batch, types=[], rejected=rows)

    def undo(self, batch: UUID) -> UUID:
        """Compensate a batch by a new batch of retractions; see the port."""
        kind = self._require_batch(batch)
        if kind == "undo":
            raise Conflict(f"batch {batch} is itself an undo; import its file again instead")
        undo = new_id()
        for source in self._tx.connection.execute(_SOURCES, {"batch": batch}).scalars().all():
            self._tx.connection.execute(_LOCK_SOURCE, {"source": source})
        found = self.batch(batch)
        done = self._begin(
            undo, kind="undo", source=found.source, name=found.name, digest="", undoes=batch
        )
        if not done:
            raise Conflict(f"batch {batch} has been undone already", code=Code.UNDONE)
        part = self._next_part()
        types = self._tx.connection.execute(_TYPES_OF, {"batch": batch}).scalar_one()
        given = {"part": part, "batch": batch}
        retracted = self._tx.connection.execute(_RETRACT, given).rowcount
        self._close_part(part, undo, types=types, new=retracted)
        return undo

    def batch(self, batch: UUID) -> Batch:
        """One batch; see the port."""
        row = self._tx.connection.execute(_ONE_BATCH, {"batch": batch}).mappings().first()
        if row is None:
            raise NotFound(_no_batch(batch))
        return Batch(**row)

    def batches(self) -> list[Batch]:
        """What was taken in and undone, oldest first; see the port."""
        return [Batch(**row) for row in self._tx.connection.execute(_BATCHES).mappings()]

    def current(self, types: Collection[str]) -> pa.Table:
        """The canonical state of these types; see the port."""
        wanted = sorted(types)
        return _typed(fetch_arrow(self._tx, _CURRENT, (wanted, wanted)))

    def current_of(self, batch: UUID, types: Collection[str]) -> pa.Table:
        """The current facts of the external ids this batch touched; see the port."""
        return _typed(fetch_arrow(self._tx, _CURRENT_OF, (batch, sorted(types))))

    def touched(self, batch: UUID, types: Collection[str]) -> pa.Table:
        """What the facts this batch touched are and ever were about; see the port."""
        return fetch_arrow(self._tx, _TOUCHED, (batch, sorted(types)))

    def digest(self) -> str:
        """A SHA-256 over the canonical state of all types."""
        digest = StateDigest()
        for type_ in self._recorded_types():
            for table in stream_arrow(self._tx, _CURRENT, ([type_], [type_])):
                digest.feed(table)
        return digest.hexdigest()

    def _add_all(self, part: int, rows: pa.Table) -> bool:
        """Write one chunk straight into the table; False when a row of it is known."""
        count = rows.num_rows
        for name, value in (("part", pa.scalar(part)), ("entry", pa.scalar(0))):
            rows = rows.append_column(name, pa.repeat(value, count))
        rows = rows.append_column("stands", pa.repeat(pa.scalar(True), count))
        return copy_in_unless_known(self._tx, "fact", rows)

    def _append_chunk(self, part: int, rows: pa.Table) -> tuple[int, list[tuple[str, str, int]]]:
        """Stage and insert one chunk; the slow path runs only when something was known."""
        connection = self._tx.connection
        line = pa.array(range(rows.num_rows), pa.int64())
        connection.exec_driver_sql("TRUNCATE fact_stage")
        copy_in(self._tx, "fact_stage", rows.add_column(0, "line", line))
        new = connection.execute(_INSERT, {"part": part}).rowcount
        if new == rows.num_rows:
            return new, []
        connection.exec_driver_sql("ANALYZE fact_stage")
        new += connection.execute(_INSERT_AGAIN, {"part": part}).rowcount
        against = connection.execute(_CONTRADICTING).all()
        return new, [(row.source, row.external_id, row.revision) for row in against]

    def _begin(
        self,
        batch: UUID,
        *,
        kind: str,
        source: str,
        name: str,
        digest: str,
        undoes: UUID | None = None,
    ) -> bool:
        if not source:
            raise BadInput("a batch needs the name of its source", remedy="give e.g. erp or till")
        given: dict[str, Any] = {"id": batch, "kind": kind, "source": source, "name": name}
        given |= {"digest": digest, "actor": self._tx.actor, "undoes": undoes}
        given["begun_at"] = self._tx.clock.now()
        return self._tx.connection.execute(_OPEN_BATCH, given).rowcount == 1

    def _next_part(self) -> int:
        return int(self._tx.connection.execute(_NEXT_PART).scalar_one())

    def _close_part(
        self,
        part: int,
        batch: UUID,
        *,
        types: list[str],
        new: int = 0,
        repeated: int = 0,
        rejected: int = 0,
    ) -> None:
        given = {"number": part, "batch": batch, "types": types, "new": new}
        given |= {"repeated": repeated, "rejected": rejected}
        self._tx.connection.execute(_CLOSE_PART, given)

    def _require_batch(self, batch: UUID) -> str:
        kind = self._tx.connection.execute(_KIND, {"batch": batch}).scalar_one_or_none()
        if kind is None:
            raise NotFound(_no_batch(batch))
        return str(kind)

    def _require_open(self, batch: UUID) -> None:
        if self._require_batch(batch) == "undo":
            raise Conflict(f"batch {batch} is an undo; open a new one for new facts")

    def _recorded_types(self) -> Iterator[str]:
        query = sa.text("SELECT DISTINCT unnest(types) FROM fact_part")
        yield from sorted(self._tx.connection.execute(query).scalars())


def _no_batch(batch: UUID) -> str:
    return f"there is no batch {batch}; `sanhe imports` shows them"


def _typed(table: pa.Table) -> pa.Table:
    return table.cast(FACT_SCHEMA)
