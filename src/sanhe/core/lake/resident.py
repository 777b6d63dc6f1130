"""A lake whose small, often read tables stay in memory, for a process that serves pages."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import orjson

from sanhe.core.lake.duck import keep_table, memory_database, query_kept
from sanhe.core.lake.ports import Lake, LakeTable

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    import pyarrow.dataset as ds

    from sanhe.core.values import Json


_Asked = tuple[str | bytes, ...]

ANSWERS_BYTES: Final = 64 << 20
"""So much of what was answered is kept by default: the orders of 16 lists of a million lines."""


class ResidentLake:
    """A lake that answers queries on the tables of some folders from memory.

    A table is read when it is first asked for, and again when its files have changed; queries that
    name a table of another folder go to the lake itself. The answers asked for last, up to
    `answers_bytes`, are kept until a table changes. Safe for many threads. `folders` end with a
    slash.
    """

    def __init__(
        self, lake: Lake, *, folders: Sequence[str], answers_bytes: int = ANSWERS_BYTES
    ) -> None:
        self._lake, self._folders = lake, tuple(folders)
        self._answers = _Answers(answers_bytes)
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
        asked: _Asked = (sql, orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS), *tables)
        with self._lock:
            database = self._current(tables)
            state = self._answers.state
            known = self._answers.get(asked)
        if known is None:
            known = query_kept(database, sql, parameters, tables=tables)
            with self._lock:
                self._answers.keep(asked, known, state=state)
        return known

    def _current(self, tables: Sequence[str]) -> duckdb.DuckDBPyConnection:
        """The database with these tables as they are now; those dropped since are let go."""
        have = self._lake.tables()
        if self._database is None:
            self._database = memory_database()
        for name in [*self._files]:
            if name not in have:
                keep_table(self._database, name, None)
                del self._files[name]
                self._answers.forget(name)
        for name in tables:
            kept = have.get(name)
            if kept is None or self._files.get(name) != kept.files:
                keep_table(self._database, name, self._lake.read(name))
                self._answers.forget(name)
                self._files[name] = () if kept is None else kept.files
        return self._database


class _Answers:
    """Answers by what was asked: the text, its parameters, then the tables' names."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._kept: OrderedDict[_Asked, pa.Table] = OrderedDict()
        self.state = 0
        """Another number whenever a table has changed."""

    def get(self, asked: _Asked) -> pa.Table | None:
        """The answer that is kept."""
        if asked in self._kept:
            self._kept.move_to_end(asked)
        return self._kept.get(asked)

    def keep(self, asked: _Asked, answer: pa.Table, *, state: int) -> None:
        """Keep an answer, unless a table may have changed while it was made."""
        if state != self.state or asked in self._kept:
            return
        self._kept[asked] = answer
        self._bytes += _size(asked, answer)
        while self._bytes > self._most_bytes:
            self._bytes -= _size(*self._kept.popitem(last=False))

    def forget(self, table: str) -> None:
        """A table has changed: let go of what was told from it."""
        self.state += 1
        for asked in [one for one in self._kept if table in one[2:]]:
            self._bytes -= _size(asked, self._kept.pop(asked))


def _size(asked: _Asked, answer: pa.Table) -> int:
    """Bytes in memory, about."""
    return int(answer.nbytes) + sum(map(len, asked)) + 1000
