"""Arrow tables in and out of a transaction."""

from __future__ import annotations

from datetime import UTC, date, datetime

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanhe.core.scope import Scope
from sanhe.core.storage import (
    Database,
    Transaction,
    copy_in,
    copy_in_unless_known,
    fetch_arrow,
    stream_arrow,
)

SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("share", pa.float64()),
        ("text", pa.string()),
        ("truth", pa.bool_()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("terms", pa.list_(pa.int64())),
    ]
)
TABLE = (
    "CREATE TEMPORARY TABLE sample (number bigint, share double precision, text text, "
    "truth boolean, day date, at timestamptz, terms bigint[]) ON COMMIT DROP"
)
COLUMNS = "number, share, text, truth, day, at, terms"

values = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.none() | st.booleans(),
    st.none() | st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    st.none()
    | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(lambda t: t.replace(tzinfo=UTC)),
    st.none() | st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(values, max_size=20))
def test_what_goes_in_comes_out(database: Database, rows: list[tuple[object, ...]]) -> None:
    given_rows = [dict(zip(SCHEMA.names, row, strict=True)) for row in rows]
    table = pa.Table.from_pylist(given_rows, schema=SCHEMA)
    with database.transaction(actor="test") as tx:
        tx.connection.exec_driver_sql(TABLE)
        numbered = table.append_column("line", pa.array(range(table.num_rows), pa.int64()))
        tx.connection.exec_driver_sql("ALTER TABLE sample ADD line bigint")
        assert copy_in(tx, "sample", numbered) == table.num_rows
        got = fetch_arrow(tx, f"SELECT {COLUMNS} FROM sample ORDER BY line")
    assert got.to_pylist() == table.to_pylist()
    assert got.schema == SCHEMA


def prepared(tx: Transaction) -> None:
    tx.connection.exec_driver_sql("CREATE TEMPORARY TABLE t (a bigint PRIMARY KEY, b text)")


def test_parameters_and_own_writes_are_seen(database: Database) -> None:
    with database.transaction(actor="test") as tx:
        prepared(tx)
        copy_in(tx, "t", pa.table({"a": [1, 2, 3], "b": ["x", "it's; DROP", None]}))
        got = fetch_arrow(
            tx, "SELECT a FROM t WHERE b = %s AND a = ANY(%s)", ("it's; DROP", [1, 2])
        )
        assert got["a"].to_pylist() == [2]
        assert fetch_arrow(tx, "SELECT a FROM t WHERE a > 9").num_rows == 0


def test_binary_dictionary_and_null_columns(database: Database) -> None:
    with database.transaction(actor="test") as tx:
        tx.connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE t (b bytea, d text, n text, u uuid, j jsonb)"
        )
        copy_in(
            tx,
            "t",
            pa.table(
                {
                    "b": pa.array([b"\x00\xff", None]),
                    "d": pa.array(["x", "y"]).dictionary_encode(),
                    "n": pa.nulls(2),
                    "u": ["8f3c52a4-6d1b-5c39-9f0e-3a9b3c1d5e70", None],
                    "j": ['{"a": "\\"q\\" \\n"}', None],
                }
            ),
        )
        got = fetch_arrow(tx, "SELECT encode(b, 'hex') AS b, d, n, u, j ->> 'a' AS j FROM t")
    assert got.to_pylist() == [
        {
            "b": "00ff",
            "d": "x",
            "n": None,
            "u": "8f3c52a4-6d1b-5c39-9f0e-3a9b3c1d5e70",
            "j": '"q" \n',
        },
        {"b": None, "d": "y", "n": None, "u": None, "j": None},
    ]


def test_a_taken_key_leaves_the_transaction_usable(database: Database) -> None:
    with database.transaction(actor="test") as tx:
        prepared(tx)
        assert copy_in_unless_known(tx, "t", pa.table({"a": [1, 2], "b": ["x", "y"]}))
        assert not copy_in_unless_known(tx, "t", pa.table({"a": [3, 2], "b": ["z", "z"]}))
        assert fetch_arrow(tx, "SELECT a FROM t ORDER BY a")["a"].to_pylist() == [1, 2]


def test_a_large_result_comes_in_parts(database: Database) -> None:
    query = "SELECT n::bigint AS n, repeat('x', 100) AS text FROM generate_series(1, 400000) AS n"
    with database.transaction(actor="test") as tx:
        parts = list(stream_arrow(tx, query))
    assert len(parts) > 1
    assert pa.concat_tables(parts)["n"].to_pylist() == list(range(1, 400_001))


def test_a_type_without_a_match_is_named(database: Database) -> None:
    with (
        database.transaction(actor="test") as tx,
        pytest.raises(TypeError, match=r"column 'total'.*cast"),
    ):
        fetch_arrow(tx, "SELECT sum(1::bigint) AS total")


def test_rows_copied_into_a_guarded_table_are_held_to_the_scope(database: Database) -> None:
    """Also twice in one transaction, and all or none when a key is taken."""
    rows = pa.table({"sku": ["A", "B"], "place": ["S1", "S1"], "net": [1, 2], "shifts": [0, 0]})
    here, elsewhere = Scope(frozenset({"S1"})), Scope(frozenset({"S2"}))
    with database.transaction(actor="test", scope=here) as tx:
        assert copy_in(tx, "stock_position", rows.slice(0, 1)) == 1
        assert copy_in(tx, "stock_position", rows.slice(1)) == 1
        assert not copy_in_unless_known(tx, "stock_position", rows)
        assert fetch_arrow(tx, "SELECT sku FROM stock_position ORDER BY 1").num_rows == 2
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
        database.transaction(actor="test", scope=elsewhere) as tx,
    ):
        copy_in(tx, "stock_position", rows)
    with database.transaction(actor="test", scope=elsewhere) as tx:
        assert fetch_arrow(tx, "SELECT sku FROM stock_position").num_rows == 0
