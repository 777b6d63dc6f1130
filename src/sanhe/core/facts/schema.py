"""Facts as Arrow tables: the schema, the way from and to objects, the digest of a state."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from sanhe.core.errors import BadInput
from sanhe.core.facts.ports import Fact

if TYPE_CHECKING:
    from collections.abc import Mapping

FACT_SCHEMA = pa.schema(
    [
        pa.field("type", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("external_id", pa.string(), nullable=False),
        pa.field("revision", pa.int32(), nullable=False),
        pa.field("event_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("day", pa.date32(), nullable=False),
        ("sku", pa.string()),
        ("place", pa.string()),
        ("party", pa.string()),
        ("quantity", pa.int64()),
        ("amount_cents", pa.int64()),
        ("currency", pa.string()),
        pa.field("payload", pa.string(), nullable=False),
    ]
)
"""The columns of facts, in order. `payload` is JSON with sorted keys."""

REQUIRED = tuple(field.name for field in FACT_SCHEMA if not field.nullable)
KEY = ("source", "external_id", "revision")
SORT = [("type", "ascending"), ("source", "ascending"), ("external_id", "ascending")]


def facts_table(facts: Iterable[Fact]) -> pa.Table:
    """Facts as an Arrow table in `FACT_SCHEMA`; times are brought to UTC.

    Raises BadInput for a time without a zone or a value that does not fit its column.
    """
    rows: list[dict[str, Any]] = []
    for fact in facts:
        row = {name: getattr(fact, name) for name in FACT_SCHEMA.names}
        if fact.event_at.tzinfo is None:
            raise BadInput(
                f"{fact.event_at} has no time zone",
                place=f"fact {fact.external_id} of {fact.source}",
                remedy="give an offset such as +08:00",
            )
        row["event_at"] = fact.event_at.astimezone(UTC)
        row["payload"] = payload_text(fact.payload)
        rows.append(row)
    try:
        return pa.Table.from_pylist(rows, schema=FACT_SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise BadInput(f"a fact does not fit its columns: {error}") from error


def table_facts(table: pa.Table) -> list[Fact]:
    """The rows of an Arrow table as facts."""
    rows = table.select(FACT_SCHEMA.names).to_pylist()
    return [Fact(**{**row, "payload": orjson.loads(row["payload"])}) for row in rows]


def payload_text(payload: Mapping[str, object]) -> str:
    """A payload as canonical JSON: sorted keys, no blanks, fields that are null left out."""
    kept = {name: value for name, value in payload.items() if value is not None}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()


class StateDigest:
    """SHA-256 over rows in `FACT_SCHEMA`, fed in canonical order in tables of any size."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def feed(self, table: pa.Table) -> None:
        """Add rows: each is one line of its columns as text, null distinct from empty."""
        import pyarrow.compute as pc

        for start in range(0, table.num_rows, 100_000):
            rows = table.slice(start, 100_000)
            texts = []
            for field in FACT_SCHEMA:
                column = rows.column(field.name).cast(field.type)
                if pa.types.is_timestamp(field.type):
                    column = column.cast(pa.int64())
                elif pa.types.is_date(field.type):
                    column = column.cast(pa.int32())
                # A mark before each value tells an empty text from null.
                marked = pc.binary_join_element_wise("=", column.cast(pa.string()), "")
                texts.append(pc.fill_null(marked, "-"))
            lines = pc.binary_join_element_wise(*texts, "\n", "\x1f")
            for chunk in lines.chunks:
                offset, size = _span(chunk)
                self._hash.update(memoryview(chunk.buffers()[2])[offset : offset + size])

    def hexdigest(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


def _span(chunk: pa.StringArray) -> tuple[int, int]:
    """Where the text of a string array begins in its buffer, and its length in bytes."""
    if len(chunk) == 0:
        return 0, 0
    offsets = pa.Array.from_buffers(
        pa.int32(), len(chunk) + 1, [None, chunk.buffers()[1]], offset=chunk.offset
    )
    begin, end = offsets[0].as_py(), offsets[-1].as_py()
    return begin, end - begin
