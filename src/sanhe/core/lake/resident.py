"""A lake whose small, often read tables stay in memory, for a process that serves pages."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sanhe.core.lake.duck import keep_table, memory_database, query_kept
from sanhe.core.lake.ports import Lake, LakeTable

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    import pyarrow.dataset as ds

    from sanhe.core.values import Json


class ResidentLake:
    """A lake that answers queries on the tables of some folders from memory.

    A table is read when it is first asked for, and again when its files have changed; queries that
    name a table of another folder go to the lake itself. Safe for many threads. `folders` end
    with a slash.
    """

    def __init__(self, lake: Lake, *, folders: Sequence[str]) -> None:
        self._lake, self._folders = lake, tuple(folders)
        self._lock = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None
        self._files: dict[str, tuple[str, ...]] = {}

    def tables(self) -> Mapping[str, LakeTable]:
        """What the lake's manifest holds now."""
        return self._lake.tables()

    def write(
        self, name: str, table: pa.Table, *, details: Mapping[str, Json] | None = None
    ) -> LakeTable:
        """Replace a table of the lake."""
        return self._lake.write(name, table, details=details)

    def drop(self, name: str) -> None:
        """Remove a table of the lake. Raises NotFound."""
        self._lake.drop(name)

    def read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A whole table of the lake. Raises NotFound."""
        return self._lake.read(name, columns)

    def dataset(self, name: str) -> ds.Dataset:
        """A table of the lake to be scanned. Raises NotFound."""
        return self._lake.dataset(name)

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Json] | None = None,
        *,
        tables: Sequence[str],
    ) -> pa.Table:
        """Run DuckDB SQL over the named tables only; `$name` marks a parameter."""
        if not tables or not all(name.startswith(self._folders) for name in tables):
            return self._lake.query(sql, parameters, tables=tables)
        with self._lock:
            database = self._current(tables)
        return query_kept(database, sql, parameters, tables=tables)

    def _current(self, tables: Sequence[str]) -> duckdb.DuckDBPyConnection:
        """The database with these tables as they are now; those dropped since are let go."""
        have = self._lake.tables()
        if self._database is None:
            self._database = memory_database()
        for name in [*self._files]:
            if name not in have:
                keep_table(self._database, name, None)
                del self._files[name]
        for name in tables:
            kept = have.get(name)
            if kept is None or self._files.get(name) != kept.files:
                keep_table(self._database, name, self._lake.read(name))
                self._files[name] = () if kept is None else kept.files
        return self._database
