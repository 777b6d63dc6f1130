"""The lake in memory: the double of the port."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sanhe.core.clock import Clock, SystemClock
from sanhe.core.errors import NotFound
from sanhe.core.lake.duck import checked_name, query_tables
from sanhe.core.lake.ports import LakeTable

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

    from sanhe.core.values import Json


class MemoryLake:
    """Tables kept as Arrow tables."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._tables: dict[str, LakeTable] = {}
        self._rows: dict[str, pa.Table] = {}

    def tables(self) -> Mapping[str, LakeTable]:
        """What is held now."""
        return dict(self._tables)

    def write(
        self, name: str, table: pa.Table, *, details: Mapping[str, Json] | None = None
    ) -> LakeTable:
        """Replace a table."""
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        file = hashlib.sha256(sink.getvalue()).hexdigest()[:32]
        written = LakeTable(
            checked_name(name), (file,), table.num_rows, self._clock.now(), dict(details or {})
        )
        self._tables[name], self._rows[name] = written, table
        return written

    def drop(self, name: str) -> None:
        """Remove a table. Raises NotFound."""
        self._require(name)
        del self._tables[name], self._rows[name]

    def read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A whole table. Raises NotFound."""
        rows = self._require(name)
        return rows if columns is None else rows.select(list(columns))

    def dataset(self, name: str) -> ds.Dataset:
        """A table to be scanned. Raises NotFound."""
        import pyarrow.dataset as ds

        return ds.dataset(self._require(name))

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Json] | None = None,
        *,
        tables: Sequence[str],
    ) -> pa.Table:
        """Run DuckDB SQL over the named tables only."""
        named = {name: self._require(name) for name in tables}
        return query_tables(sql, parameters, tables=named)

    def _require(self, name: str) -> pa.Table:
        if name not in self._rows:
            raise NotFound(f"the lake holds no table {name!r}")
        return self._rows[name]
