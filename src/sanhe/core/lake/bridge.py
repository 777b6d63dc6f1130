"""The bridge: brings committed facts from the database into the lake, each exactly once.

Numbers drawn from a sequence commit out of order, so that "all above the highest number seen"
loses rows. The bridge goes by transaction ids instead: it reads the facts of transactions in
[low, high), where high is the oldest transaction still running (`pg_snapshot_xmin`). All below
it have ended, so that the interval is complete for ever; the next run begins at high.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sanhe.core.lake.current import FACTS_FOLDER, PLAIN
from sanhe.core.lake.parquet import NewFile, ParquetLake
from sanhe.core.lake.ports import LakeTable
from sanhe.core.storage import Database

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.values import Json

_STATE = "facts"
_MOST_FILES = 12
_SMALL_BYTES = 40_000_000

_SLICE_ROWS = 300_000

_PARTS = "SELECT number, new AS entries FROM fact_part WHERE xid >= $1 AND xid < $2 ORDER BY number"
_WHERE = (
    "WHERE part BETWEEN $3 AND $4 "
    "AND part IN (SELECT number FROM fact_part WHERE xid >= $1 AND xid < $2)"
)
_ENTRIES = (
    "SELECT type, source, external_id, revision, event_at, day, sku, place, party, "  # noqa: S608
    f"quantity, amount_cents, currency, payload::text AS payload, entry, stands FROM fact {_WHERE}"
)
_TOUCHED = (
    "SELECT DISTINCT type, sku, place FROM fact "
    "WHERE part BETWEEN $3 AND $4 "
    "AND part IN (SELECT number FROM fact_part WHERE xid >= $1 AND xid < $2)"
)
_POSITION = (
    "SELECT (SELECT id::text FROM installation) AS installation, "
    "pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS below, "
    "(SELECT count(*) FROM fact_part "
    "WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint) AS waiting"
)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh brought: `entries` new entries of facts in `types`, all below `below`.

    `waiting` parts of facts are committed and not brought: an older transaction still runs.
    """

    entries: int
    types: tuple[str, ...]
    below: int
    waiting: int


def refresh(database: Database, lake: ParquetLake) -> Refreshed:
    """Bring the facts committed since the last refresh into the lake's tables `facts/TYPE`.

    Reads only new facts. A lake filled from another database, or from one that was restored,
    is filled anew. Facts of the caller's own open transaction are not seen.
    """
    with lake.exclusive("bridge"):
        position = database.read_arrow(_POSITION).to_pylist()[0]
        manifest = lake.manifest()
        state = manifest.states.get(_STATE, {})
        known = {n: t for n, t in manifest.tables.items() if n.startswith(FACTS_FOLDER)}
        same = state.get("installation") == position["installation"]
        low = int(str(state["below"])) if same else 0
        high = max(low, int(position["below"]))
        changed: dict[str, LakeTable | None] = {} if same else dict.fromkeys(known)
        old = known if same else {}
        with _Exports(lake) as exports:
            if high > low:
                exports.take(database, low, high)
            now = database.clock.now()
            for type_, export in exports.done().items():
                name = FACTS_FOLDER + type_
                changed[name] = _compacted(lake, _joined(name, old.get(name), export, at=now))
        installation = str(position["installation"])
        reached: dict[str, Json] = {"installation": installation, "below": high}
        if changed or reached != state:
            lake.switch(changed, states={_STATE: reached})
        types = tuple(sorted(exports.done()))
        return Refreshed(exports.entries, types, high, int(position["waiting"]))


def touched(database: Database, since: int, below: int) -> pa.Table:
    """What facts spoke of whose transactions lie in [since, below): type, sku, place, each once.

    The borders are those of `Refreshed.below`: between two refreshes, this is what the second
    one brought, corrections and retractions included. `sku` and `place` are null where a fact
    names none.
    """
    numbers = database.read_arrow(_PARTS, (since, below))["number"].to_pylist()
    first, last = (numbers[0], numbers[-1]) if numbers else (0, -1)
    return database.read_arrow(_TOUCHED, (since, below, first, last))


@dataclass(slots=True)
class _Export:
    file: NewFile
    plain: bool


class _Exports:
    """One new file for each type, written while the entries stream by."""

    def __init__(self, lake: ParquetLake) -> None:
        self._lake = lake
        self._files = contextlib.ExitStack()
        self._exports: dict[str, _Export] = {}
        self.entries = 0

    def __enter__(self) -> _Exports:
        return self

    def __exit__(self, *details: object) -> None:
        # An error here or in the stream drops the unfinished files.
        self._files.__exit__(*details)  # type: ignore[arg-type]

    def take(self, database: Database, low: int, high: int) -> None:
        """Read the entries of the transactions in [low, high), some parts at a time, by type.

        A query with parameters arrives whole before its first row can be used: slices bound it.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        for first, last in _slices(database.read_arrow(_PARTS, (low, high))):
            with database.stream_arrow(_ENTRIES, (low, high, first, last)) as reader:
                for batch in _gathered(reader):
                    table = batch.cast(_entry_schema())
                    for type_ in pc.unique(table["type"]).to_pylist():
                        rows = table.filter(pc.equal(table["type"], pa.scalar(type_)))
                        self._write(type_, rows)

    def done(self) -> dict[str, _Export]:
        """The finished exports by type."""
        self._files.close()
        return self._exports

    def _write(self, type_: str, rows: pa.Table) -> None:
        import pyarrow.compute as pc

        export = self._exports.get(type_)
        if export is None:
            file = self._files.enter_context(
                self._lake.new_file(FACTS_FOLDER + type_, _entry_schema())
            )
            export = self._exports[type_] = _Export(file, True)
        export.file.write(rows)
        mended = pc.max(pc.add(rows["revision"], rows["entry"])).as_py()
        export.plain = export.plain and mended == 0
        self.entries += rows.num_rows


def _slices(parts: pa.Table) -> Iterator[tuple[int, int]]:
    """First and last part of runs of parts that hold about _SLICE_ROWS entries together."""
    first, rows = None, 0
    numbers = parts["number"].to_pylist()
    for number, new in zip(numbers, parts["entries"].to_pylist(), strict=True):
        first = number if first is None else first
        rows += new
        if rows >= _SLICE_ROWS:
            yield first, number
            first, rows = None, 0
    if first is not None:
        yield first, numbers[-1]


def _gathered(reader: pa.RecordBatchReader, least_rows: int = 131_072) -> Iterator[pa.Table]:
    """The stream's batches put together to row groups worth having."""
    import pyarrow as pa

    pending: list[pa.RecordBatch] = []
    rows = 0
    for batch in reader:
        pending.append(batch)
        rows += batch.num_rows
        if rows >= least_rows:
            yield pa.Table.from_batches(pending)
            pending, rows = [], 0
    if rows:
        yield pa.Table.from_batches(pending)


def _entry_schema() -> pa.Schema:
    import pyarrow as pa

    from sanhe.core.facts import FACT_SCHEMA

    return FACT_SCHEMA.append(pa.field("entry", pa.int32())).append(pa.field("stands", pa.bool_()))


def _joined(name: str, old: LakeTable | None, export: _Export, *, at: datetime) -> LakeTable:
    """The table with the new file."""
    if old is None:
        return LakeTable(name, (export.file.path,), export.file.rows, at, {PLAIN: export.plain})
    plain = bool(old.details[PLAIN]) and export.plain
    return replace(
        old,
        files=(*old.files, export.file.path),
        rows=old.rows + export.file.rows,
        written_at=at,
        details={PLAIN: plain},
    )


def _compacted(lake: ParquetLake, table: LakeTable) -> LakeTable:
    """The table with its small files put into one, once they have become many."""
    import pyarrow.parquet as pq

    sizes = {file: (lake.folder / file).stat().st_size for file in table.files}
    small = [file for file, size in sizes.items() if size < _SMALL_BYTES]
    if len(small) <= _MOST_FILES:
        return table
    with lake.new_file(table.name, _entry_schema()) as merged:
        for file in small:
            with pq.ParquetFile(lake.folder / file) as part:
                for group in range(part.num_row_groups):
                    merged.write(part.read_row_group(group))
    large = [file for file in table.files if file not in small]
    return replace(table, files=(*large, merged.path))
