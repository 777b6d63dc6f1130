"""Arrow tables in and out of a transaction by COPY, the fastest way PostgreSQL has."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from psycopg import sql

from sanhe.core.storage.database import Transaction

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 65_536

_COPY = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT csv)")
_INCOMING = sql.SQL(
    "CREATE TEMPORARY TABLE {incoming} ON COMMIT DROP AS SELECT {columns} FROM {table} WHERE false"
)
_COPY_INCOMING = sql.SQL("COPY {incoming} ({columns}) FROM STDIN (FORMAT csv)")
_TAKE_INCOMING = sql.SQL(
    "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {incoming}"
)
_DROP_INCOMING = sql.SQL("DROP TABLE {incoming}")


def copy_in(tx: Transaction, table: str, rows: pa.Table) -> int:
    """Append an Arrow table to a database table of the same column names; returns the rows.

    Text goes into text, uuid and jsonb columns; lists of integers into arrays; binary into
    bytea. Part of the transaction. PostgreSQL refuses COPY into a table whose rows are guarded:
    there the rows go through a temporary table, and each is held to the policy.
    """
    if rows.num_rows == 0:
        return 0
    names = {
        "table": sql.Identifier(*table.split(".")),
        "incoming": sql.Identifier("copy_incoming"),
        "columns": sql.SQL(", ").join(sql.Identifier(name) for name in rows.column_names),
    }
    with tx.driver.cursor() as cursor:
        cursor.execute("SELECT row_security_active(%s)", [table])
        guarded = cursor.fetchone() == (True,)
        if guarded:
            cursor.execute(_INCOMING.format(**names))
        target = _COPY_INCOMING if guarded else _COPY
        with cursor.copy(target.format(**names)) as copy:
            for block in _csv_blocks(rows):
                copy.write(block)
        if guarded:
            cursor.execute(_TAKE_INCOMING.format(**names))
            cursor.execute(_DROP_INCOMING.format(**names))
    return int(rows.num_rows)


def copy_in_unless_known(tx: Transaction, table: str, rows: pa.Table) -> bool:
    """Like `copy_in`, all or none: False, with nothing written, when a unique key is taken."""
    import psycopg

    savepoint = tx.connection.begin_nested()
    try:
        copy_in(tx, table, rows)
    except psycopg.errors.UniqueViolation:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


def fetch_arrow(tx: Transaction, query: str, parameters: Sequence[object] = ()) -> pa.Table:
    """Run a query inside the transaction and return an Arrow table; `%s` marks a parameter.

    It sees what the transaction itself has written, unlike `Database.read_arrow`. json, jsonb
    and uuid come as strings, arrays of integers as lists. Raises TypeError for a column type
    without an Arrow match, such as numeric: cast it in the query.
    """
    import pyarrow as pa

    batches = list(stream_arrow(tx, query, parameters))
    return pa.concat_tables(batches)


def stream_arrow(
    tx: Transaction, query: str, parameters: Sequence[object] = ()
) -> Iterator[pa.Table]:
    """Like `fetch_arrow`, as a stream of tables of some 16 MB; at least one, maybe empty."""
    from pyarrow import csv

    schema = _schema(tx, query, parameters)
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(sql.SQL(query))
    with tx.driver.cursor() as cursor, cursor.copy(statement, tuple(parameters) or None) as copy:
        pending = bytearray()
        given = False
        for block in copy:
            pending += block
            if len(pending) >= 1 << 24:
                # The server sends whole rows, so that a block ends where a row does.
                yield _parse(csv, bytes(pending), schema)
                given = True
                pending.clear()
        if pending or not given:
            yield _parse(csv, bytes(pending), schema)


def _csv_blocks(rows: pa.Table) -> Iterator[bytes]:
    from pyarrow import csv

    options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
    plain = _plain(rows)
    for start in range(0, plain.num_rows, _BATCH_ROWS):
        sink = io.BytesIO()
        csv.write_csv(plain.slice(start, _BATCH_ROWS), sink, options)
        yield sink.getvalue()


def _plain(rows: pa.Table) -> pa.Table:
    """The table with lists and binaries as PostgreSQL literals, as CSV knows neither."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for index, field in enumerate(rows.schema):
        column = rows.column(index)
        if pa.types.is_dictionary(field.type):
            column = column.cast(field.type.value_type)
        elif pa.types.is_list(field.type) or pa.types.is_large_list(field.type):
            texts = column.cast(pa.list_(pa.string()))
            joined = pc.binary_join(texts, ",")
            column = pc.binary_join_element_wise("{", joined, "}", "")
        elif pa.types.is_binary(field.type) or pa.types.is_fixed_size_binary(field.type):
            column = pa.array(
                [None if v is None else "\\x" + v.hex() for v in column.to_pylist()], pa.string()
            )
        elif not pa.types.is_null(field.type):
            continue
        else:
            column = column.cast(pa.string())
        rows = rows.set_column(index, field.name, column)
    return rows


def _schema(tx: Transaction, query: str, parameters: Sequence[object]) -> pa.Schema:
    """The Arrow schema of a query's result, from the types the server reports."""
    import pyarrow as pa

    types = {
        **dict.fromkeys((18, 19, 25, 114, 1042, 1043, 2950, 3802), pa.string()),
        16: pa.bool_(),
        20: pa.int64(),
        21: pa.int16(),
        23: pa.int32(),
        26: pa.int64(),
        700: pa.float32(),
        701: pa.float64(),
        1007: pa.list_(pa.int32()),
        1016: pa.list_(pa.int64()),
        1082: pa.date32(),
        1114: pa.timestamp("us"),
        1184: pa.timestamp("us", "UTC"),
    }
    probe = sql.SQL("SELECT * FROM ({}) AS probe LIMIT 0").format(sql.SQL(query))
    with tx.driver.cursor() as cursor:
        cursor.execute(probe, tuple(parameters) or None)
        description = cursor.description or ()
    fields = []
    for column in description:
        if column.type_code not in types:
            raise TypeError(f"column {column.name!r} has no Arrow type: cast it in the query")
        fields.append(pa.field(column.name, types[column.type_code]))
    return pa.schema(fields)


def _parse(csv: object, data: bytes, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as reader

    if not data:
        return schema.empty_table()
    lists = {f.name: f.type for f in schema if pa.types.is_list(f.type)}
    read = {f.name: pa.string() if f.name in lists else f.type for f in schema}
    table = reader.read_csv(
        io.BytesIO(data),
        read_options=reader.ReadOptions(column_names=schema.names, use_threads=False),
        parse_options=reader.ParseOptions(newlines_in_values=True),
        convert_options=reader.ConvertOptions(
            column_types=read,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
    for name, kind in lists.items():
        index = schema.get_field_index(name)
        inner = pc.utf8_slice_codeunits(table.column(index), 1, -1)
        split = pc.split_pattern(inner, ",")
        empty = pa.scalar([], pa.list_(pa.string()))
        split = pc.if_else(pc.equal(inner, ""), empty, split)
        table = table.set_column(index, name, split.cast(kind))
    return table.cast(schema)
