"""Queries on the lake: an in-memory DuckDB that sees the named tables and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sanhe.core.errors import BadInput

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    import pyarrow.dataset as ds

    from sanhe.core.values import Json

_KEPT = "kept"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*")


def checked_name(name: str) -> str:
    """The name of a lake table: letters, digits, `_.-`, parts divided by `/`; else BadInput."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} is no name for a lake table", remedy="use letters, digits, _ . - and /"
        )
    return name


def query_files(
    sql: str,
    parameters: Mapping[str, Json] | None,
    *,
    files: Mapping[str, Sequence[Path]],
    spill: Path,
) -> pa.Table:
    """Run SQL over tables made of Parquet files; large sorts spill into the folder `spill`."""
    connection = _connect(spill)
    try:
        for name, paths in files.items():
            listed = ", ".join(_literal(str(path)) for path in paths)
            view = "CREATE VIEW {} AS SELECT * FROM read_parquet([{}])"
            connection.execute(view.format(_quoted(name), listed))
        allowed = ", ".join(_literal(str(p)) for paths in files.values() for p in paths)
        connection.execute(f"SET allowed_paths = [{allowed}]")
        return _run(connection, sql, parameters)
    finally:
        connection.close()


def query_tables(
    sql: str,
    parameters: Mapping[str, Json] | None,
    *,
    tables: Mapping[str, pa.Table | ds.Dataset],
    spill: Path | None = None,
) -> pa.Table:
    """Run SQL over Arrow tables and datasets; large sorts spill into the folder `spill`."""
    connection = _connect(spill)
    try:
        for name, table in tables.items():
            connection.register(name, table)
        return _run(connection, sql, parameters)
    finally:
        connection.close()


def memory_database() -> duckdb.DuckDBPyConnection:
    """A database in memory that reaches nothing outside, for tables to be kept in."""
    connection = _connect(None)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    connection.execute(f"CREATE SCHEMA {_KEPT}")
    return connection


def keep_table(database: duckdb.DuckDBPyConnection, name: str, rows: pa.Table | None) -> None:
    """Put a table into a `memory_database` in the place of the one there; None = remove it."""
    if rows is None:
        database.execute(f"DROP TABLE {_KEPT}.{_quoted(name)}")
        return
    cursor = database.cursor()
    try:
        cursor.register("incoming", rows)
        create = "CREATE OR REPLACE TABLE {}.{} AS SELECT * FROM incoming"
        cursor.execute(create.format(_KEPT, _quoted(name)))
    finally:
        cursor.close()


def query_kept(
    database: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Mapping[str, Json] | None,
    *,
    tables: Sequence[str],
) -> pa.Table:
    """Run one SELECT over the named tables of a `memory_database`."""
    import duckdb

    statements = duckdb.extract_statements(sql)
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise BadInput("the lake takes queries only", remedy="give a SELECT")
    cursor = database.cursor()
    try:
        # A cursor's own views are seen by it alone, and the tables below by their schema only.
        for name in tables:
            view = "CREATE TEMPORARY VIEW {} AS SELECT * FROM {}.{}"
            cursor.execute(view.format(_quoted(name), _KEPT, _quoted(name)))
        result = cursor.sql(sql, params=dict(parameters) if parameters else None)
        return result.to_arrow_table()
    finally:
        cursor.close()


def _connect(spill: Path | None) -> duckdb.DuckDBPyConnection:
    import duckdb

    config: dict[str, str | bool] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    if spill is not None:
        config["temp_directory"] = str(spill)
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _run(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Json] | None
) -> pa.Table:
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    # Unlike `execute`, `sql` hands its result to Arrow without a copy; it is None for what
    # is no query.
    result = connection.sql(sql, params=dict(parameters) if parameters else None)
    if result is None:
        raise BadInput("the lake takes queries only", remedy="give a SELECT")
    return result.to_arrow_table()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
