"""Decisions as rows of the database: proposals into the columns of a bulk copy, records back."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from sanhe.core.decisions.columns import SNAPSHOT_ROWS, effect_of
from sanhe.core.decisions.ports import Decision, Event, Proposal, Status, Subject

if TYPE_CHECKING:
    import pyarrow as pa


def decision_rows(
    rows: pa.Table,
    *,
    constant: Mapping[str, object],
    numbers: Sequence[int],
    snapshots: Sequence[int],
) -> pa.Table:
    """Proposals as the columns of the table `decision`.

    `constant` are the columns that are the same in every row. `numbers` are theirs, in order;
    `snapshots` those of the packed snapshots of `SNAPSHOT_ROWS` each.
    """
    import pyarrow as pa

    count = rows.num_rows
    at = np.arange(count)
    columns: dict[str, Any] = {
        "number": pa.array(numbers, pa.int64()),
        "id": _new_ids(count),
        **{name: pa.repeat(_scalar(value), count) for name, value in constant.items()},
        **{name: rows.column(name) for name in ("sku", "place", "party", "value", "value_cents")},
        "proposed_value": rows.column("value"),
        **{name: rows.column(name) for name in ("terms", "label", "valid_until")},
        "snapshot": np.asarray(snapshots, np.int64)[at // SNAPSHOT_ROWS],
        "snapshot_row": at % SNAPSHOT_ROWS,
    }
    return pa.table(columns)


def _scalar(value: object) -> pa.Scalar:
    import pyarrow as pa

    if isinstance(value, datetime):
        return pa.scalar(value, pa.timestamp("us", "UTC"))
    return pa.scalar(str(value) if isinstance(value, UUID) else value)


def _new_ids(count: int) -> pa.Array:
    """New UUIDv7 (`core.values.new_id`), all at once, as hexadecimal text."""
    import pyarrow as pa

    octets = np.frombuffer(os.urandom(16 * count), np.uint8).reshape(count, 16).copy()
    stamp = (time.time_ns() // 1_000_000).to_bytes(6, "big")
    octets[:, :6] = np.frombuffer(stamp, np.uint8)
    octets[:, 6] = octets[:, 6] & 0x0F | 0x70
    octets[:, 8] = octets[:, 8] & 0x3F | 0x80
    ends = pa.py_buffer(32 * np.arange(count + 1, dtype=np.int32))
    text = pa.py_buffer(octets.tobytes().hex().encode())
    return pa.StringArray.from_buffers(count, ends, text)


def decision_of(
    row: Any, packed: Mapping[str, Any] | None, events: Sequence[Event] | None = None
) -> Decision:
    """A decision from its record, its row of the packed snapshot and, if wanted, its events.

    Without a packed snapshot it was recorded by an earlier version, which kept all in the record.
    """
    proposal = Proposal(
        kind=row.kind,
        subject=Subject(row.sku, row.place, row.party),
        value=row.proposed_value,
        value_cents=row.value_cents,
        terms=tuple(row.terms),
        label=row.label,
        valid_until=row.valid_until,
        **(_kept_in_record(row) if packed is None else packed),
    )
    first: tuple[Event, ...] = ()
    if events is not None and row.created_by is not None:
        first = (Event(row.created_at, row.created_by, Status.PROPOSED, ""),)
    return Decision(
        id=row.id,
        number=row.number,
        run=row.run,
        proposal=proposal,
        status=Status(row.status),
        value=row.value,
        created_at=row.created_at,
        snoozed_until=row.snoozed_until,
        actions=tuple(row.actions or ()),
        arm=row.arm,
        measured=effect_of(row.measured),
        history=(*first, *(events or ())),
        kind_version=row.kind_version,
    )


def _kept_in_record(row: Any) -> dict[str, Any]:
    """What `columns.SNAPSHOT` names, of a decision of an earlier version."""
    return {
        "reason": row.reason,
        "method": row.method,
        "inputs": row.inputs,
        "constraints": tuple(row.constraints or ()),
        "alternatives": tuple(row.alternatives or ()),
        "expected": effect_of(row.expected),
        "guard_rails": tuple(row.guard_rails or ()),
    }


def event_of(row: Any) -> Event:
    """An event from its record."""
    return Event(row.at, row.actor, Status(row.status), row.reason, row.value, row.details or {})
