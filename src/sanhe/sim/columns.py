"""Put facts together as Arrow columns, thousands at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from sanhe.core.facts import FACT_SCHEMA

if TYPE_CHECKING:
    from sanhe.core.values import Json
    from sanhe.sim.arrays import Ints

SOURCE = "sim"
ZONE = timezone(timedelta(hours=8))
"""China Standard Time, the zone of all simulated places; it has no summer time."""

Column: TypeAlias = "Sequence[str | None] | Sequence[int | None] | pa.Array | Ints | str | None"


def fact_rows(
    kind: str,
    *,
    ids: Sequence[str] | pa.Array,
    days: Sequence[date] | pa.Array,
    hour: int,
    payload: Sequence[str] | pa.Array,
    sku: Column = None,
    place: Column = None,
    party: Column = None,
    quantity: Column = None,
    amount_cents: Column = None,
    moments: Sequence[datetime] | None = None,
    revision: Sequence[int] | None = None,
) -> pa.Table:
    """Facts of one type as an Arrow table in FACT_SCHEMA.

    `hour` is the local hour of the event on its day (negative = the day before); `moments`
    gives the event times themselves where they differ from the day. A column left out is null.
    """
    day_column = pa.array(days, pa.date32()) if not isinstance(days, pa.Array) else days
    count = len(day_column)
    if moments is None:
        midnight = np.asarray(day_column).astype("datetime64[us]")
        event_at = pa.array(midnight + np.timedelta64(hour - 8, "h"), pa.timestamp("us", "UTC"))
    else:
        event_at = pa.array(moments, pa.timestamp("us", "UTC"))
    amounts = _column(amount_cents, count, pa.int64())
    columns = {
        "type": _constant(kind, count),
        "source": _constant(SOURCE, count),
        "external_id": _column(ids, count, pa.string()),
        "revision": _column(revision or [0] * count, count, pa.int32()),
        "event_at": event_at,
        "day": day_column,
        "sku": _column(sku, count, pa.string()),
        "place": _column(place, count, pa.string()),
        "party": _column(party, count, pa.string()),
        "quantity": _column(quantity, count, pa.int64()),
        "amount_cents": amounts,
        "currency": _constant(None if amount_cents is None else "CNY", count),
        "payload": _column(payload, count, pa.string()),
    }
    return pa.table(columns).select(FACT_SCHEMA.names).cast(FACT_SCHEMA)


def payload_text(fields: Mapping[str, Json]) -> str:
    """A payload as canonical JSON: sorted keys, no blanks, fields that are None left out."""
    kept = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def taken(names: Sequence[str], numbers: Ints) -> pa.Array:
    """names[numbers] as an Arrow column."""
    return pa.array(list(names), pa.string()).take(pa.array(numbers, pa.int64()))


def joined(*parts: pa.Array | str) -> pa.Array:
    """Text columns joined by "/"; a plain string stands in every row."""
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(*parts, "/")


def day_column(first_day: date, indices: Ints) -> pa.Array:
    """Day indices as dates."""
    days = np.datetime64(first_day, "D") + indices.astype("timedelta64[D]")
    return pa.array(days, pa.date32())


def moment_of(day: date, hour: int) -> datetime:
    """A local hour of a day, timezone-aware."""
    return datetime.combine(day, time(0), ZONE) + timedelta(hours=hour)


def empty_facts() -> pa.Table:
    """No facts, in FACT_SCHEMA."""
    return FACT_SCHEMA.empty_table()


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """The tables one after another, in FACT_SCHEMA."""
    return pa.concat_tables([empty_facts(), *tables])


def _constant(value: str | None, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), count)


def _column(values: Column, count: int, kind: pa.DataType) -> pa.Array:
    if values is None or isinstance(values, str):
        return pa.repeat(pa.scalar(values, kind), count)
    return pa.array(values, kind) if not isinstance(values, pa.Array) else values.cast(kind)
