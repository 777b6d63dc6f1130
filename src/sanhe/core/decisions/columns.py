"""Proposals as Arrow tables, and what they were computed from as packed snapshots of many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

import orjson

from sanhe.core.decisions import rules
from sanhe.core.decisions.ports import DecisionKind, Effect, Proposal, ProposalTable, Subject

if TYPE_CHECKING:
    import pyarrow as pa

PIECE = 65_536
"""So many proposals are recorded at a time, so that memory stays bounded."""

SNAPSHOT_ROWS = 2048
"""So many proposals share a packed snapshot: opening one costs a few milliseconds."""

SNAPSHOT = ("reason", "method", "inputs", "constraints", "alternatives", "expected", "guard_rails")
"""The columns that are packed; what is searched, summed or constrained stays in rows."""


def tables_of(
    proposals: Iterable[Proposal | ProposalTable], kind_of: Callable[[str], DecisionKind]
) -> Iterator[tuple[ProposalTable, DecisionKind]]:
    """The proposals as checked and complete tables of at most `PIECE` rows, in their order.

    Raises BadInput for one whose arithmetic doesn't add up or doesn't fit its kind.
    """
    for (name, in_columns), group in groupby(
        proposals, key=lambda given: (given.kind, isinstance(given, ProposalTable))
    ):
        kind = kind_of(name)
        for rows in _columnar(group, kind) if in_columns else _gathered(group, kind):
            yield ProposalTable(name, rows), kind


def _columnar(tables: Iterable[Any], kind: DecisionKind) -> Iterator[pa.Table]:
    for table in tables:
        rules.check_table(table, kind)
        rows = complete(table.rows)
        for start in range(0, rows.num_rows, PIECE):
            yield rows.slice(start, PIECE)


def _gathered(proposals: Iterable[Any], kind: DecisionKind) -> Iterator[pa.Table]:
    rest = iter(proposals)
    while piece := list(islice(rest, PIECE)):
        for proposal in piece:
            rules.check_proposal(proposal, kind)
        yield complete(_table_of(piece))


def _table_of(given: Sequence[Proposal]) -> pa.Table:
    """Proposals of one kind as a table; inputs of any shape as JSON."""
    import pyarrow as pa

    text, number, names = pa.string(), pa.int64(), pa.list_(pa.string())
    columns: dict[str, tuple[list[Any], pa.DataType]] = {
        "sku": ([p.subject.sku for p in given], text),
        "place": ([p.subject.place for p in given], text),
        "party": ([p.subject.party for p in given], text),
        "value": ([p.value for p in given], number),
        "value_cents": ([p.value_cents for p in given], number),
        "terms": ([p.terms for p in given], pa.list_(number)),
        "label": ([p.label for p in given], text),
        "valid_until": ([p.valid_until for p in given], pa.timestamp("us", "UTC")),
        "reason": ([p.reason for p in given], text),
        "method": ([p.method for p in given], text),
        "inputs": ([json_text(p.inputs) for p in given], text),
        "constraints": ([p.constraints for p in given], names),
        "alternatives": ([json_text(p.alternatives) for p in given], text),
        "expected": (
            [json_text(rules.effect_json(p.expected)) if p.expected else None for p in given],
            text,
        ),
        "guard_rails": ([p.guard_rails for p in given], names),
    }
    return pa.table({name: pa.array(*column) for name, column in columns.items()})


def complete(rows: pa.Table) -> pa.Table:
    """The table with all its columns: no subject, no text, no limits where none are given."""
    import pyarrow as pa

    text, names = pa.string(), pa.list_(pa.string())
    stand_ins: Mapping[str, tuple[object, pa.DataType]] = {
        "sku": (None, text),
        "place": (None, text),
        "party": (None, text),
        "label": ("", text),
        "valid_until": (None, pa.timestamp("us", "UTC")),
        "reason": ("", text),
        "method": ("", text),
        "inputs": ("{}", text),
        "constraints": (None, names),
        "alternatives": (None, text),
        "expected": (None, text),
        "guard_rails": (None, names),
    }
    for name, (value, kind) in stand_ins.items():
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.repeat(pa.scalar(value, kind), rows.num_rows))
    return rows.combine_chunks()


def proposals_of(table: ProposalTable) -> list[Proposal]:
    """The rows of a table one by one."""
    rows = complete(table.rows)
    plain = rows.drop_columns(list(SNAPSHOT)).to_pylist()
    return [
        Proposal(
            kind=table.kind,
            subject=Subject(row["sku"], row["place"], row["party"]),
            value=row["value"],
            value_cents=row["value_cents"],
            terms=tuple(row["terms"]),
            label=row["label"],
            valid_until=row["valid_until"],
            **packed,
        )
        for row, packed in zip(plain, told(rows), strict=True)
    ]


def pack(rows: pa.Table) -> bytes:
    """What these proposals were computed from: an Arrow stream, compressed."""
    import pyarrow as pa

    kept = rows.select(list(SNAPSHOT))
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1), use_threads=False)
    with pa.ipc.new_stream(sink, kept.schema, options=options) as stream:
        stream.write_table(kept)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def unpack(payload: bytes, rows: Sequence[int]) -> list[dict[str, Any]]:
    """The fields of `SNAPSHOT` of some rows of a packed snapshot, as a proposal takes them."""
    import pyarrow as pa

    with pa.ipc.open_stream(payload) as stream:
        table = stream.read_all()
    return told(table.take(pa.array(rows, pa.int64())))


def told(rows: pa.Table) -> list[dict[str, Any]]:
    """The fields of `SNAPSHOT`, row by row, as `Proposal` has them."""
    import pyarrow as pa

    columns = {name: rows.column(name).to_pylist(maps_as_pydicts="strict") for name in SNAPSHOT}
    for name in ("inputs", "alternatives", "expected"):
        if pa.types.is_string(rows.schema.field(name).type):
            columns[name] = [None if v is None else orjson.loads(v) for v in columns[name]]
    for name in ("constraints", "alternatives", "guard_rails"):
        columns[name] = [tuple(value or ()) for value in columns[name]]
    columns["expected"] = [effect_of(value) for value in columns["expected"]]
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def json_text(value: object) -> str:
    """A value as JSON text."""
    return orjson.dumps(value).decode()


def effect_of(value: Mapping[str, Any] | None) -> Effect | None:
    """An effect from its JSON or struct."""
    if value is None:
        return None
    return Effect(value["metric"], float(value["value"]), float(value["low"]), float(value["high"]))
