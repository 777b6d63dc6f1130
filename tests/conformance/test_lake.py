"""What every implementation of the lake port does."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, NotFound
from sanhe.core.facts import facts_table
from sanhe.core.lake import (
    Lake,
    MemoryLake,
    ParquetLake,
    ResidentLake,
    current_facts,
    rows_of,
    write_facts,
)
from tests.core.facts.samples import sale


@pytest.fixture(params=["memory", "parquet", "resident"])
def lake(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Lake:
    if request.param == "memory":
        return MemoryLake(clock)
    kept = ParquetLake(tmp_path / "la'ke", clock=clock)
    return ResidentLake(kept, folders=[""]) if request.param == "resident" else kept


ROWS = pa.table({"sku": ["A", "B", None], "units": [1, 2, 3]})


def test_a_table_is_written_read_and_replaced(lake: Lake, clock: FixedClock) -> None:
    assert dict(lake.tables()) == {}
    written = lake.write("forecast/1", ROWS, details={"method": "mean", "notes": ["a"]})
    assert lake.tables()["forecast/1"] == written
    assert (written.rows, written.written_at) == (3, clock.moment)
    assert written.details == {"method": "mean", "notes": ["a"]}
    assert lake.read("forecast/1").equals(ROWS)
    assert lake.read("forecast/1", ["units"]).column_names == ["units"]
    other = lake.write("forecast/1", ROWS.slice(0, 1))
    assert lake.read("forecast/1").num_rows == 1
    assert other.files != written.files


def test_a_query_sees_the_named_tables_and_its_parameters(lake: Lake) -> None:
    lake.write("a/b.c", ROWS)
    lake.write("d", pa.table({"sku": ["A"], "name": ["Tea"]}))
    got = lake.query(
        'SELECT name, units + $more AS units FROM "a/b.c" JOIN d USING (sku)',
        {"more": 10},
        tables=["a/b.c", "d"],
    )
    assert got.to_pylist() == [{"name": "Tea", "units": 11}]
    with pytest.raises(duckdb.CatalogException):
        lake.query("SELECT * FROM d", tables=["a/b.c"])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/hostname'",
        "COPY d TO '/tmp/sanhe-leak.csv'",
        "ATTACH '/tmp/sanhe-leak.db'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ],
)
def test_a_query_reaches_nothing_outside(lake: Lake, sql: str) -> None:
    lake.write("d", ROWS)
    with pytest.raises((duckdb.Error, BadInput)):
        lake.query(sql, tables=["d"])
    assert not Path("/tmp/sanhe-leak.csv").exists()


def test_local_arrow_tables_are_not_picked_up_by_name(lake: Lake) -> None:
    secret = pa.table({"x": [1]})
    assert secret.num_rows == 1
    with pytest.raises(duckdb.Error):
        lake.query("SELECT * FROM secret", tables=[])


def test_what_is_not_there_is_named(lake: Lake) -> None:
    for call in (
        lambda: lake.read("none"),
        lambda: lake.query("SELECT 1", tables=["none"]),
        lambda: lake.drop("none"),
    ):
        with pytest.raises(NotFound, match="none"):
            call()
    for name in ("../x", "", "a//b", "/a", "a b", ".hidden"):
        with pytest.raises(BadInput):
            lake.write(name, ROWS)


def test_rows_are_found_by_their_keys(lake: Lake) -> None:
    lake.write("d", pa.concat_tables([ROWS, ROWS]))
    assert rows_of(lake, "d", {"sku": "B"})["units"].to_pylist() == [2, 2]
    assert rows_of(lake, "d", {"sku": "' OR true --"}).num_rows == 0
    with pytest.raises(NotFound, match="none"):
        rows_of(lake, "none", {"sku": "A"})


def test_a_dropped_table_is_gone(lake: Lake) -> None:
    lake.write("d", ROWS)
    lake.drop("d")
    assert "d" not in lake.tables()


def test_an_empty_table_keeps_its_columns(lake: Lake) -> None:
    lake.write("d", ROWS.slice(0, 0))
    assert lake.read("d").schema == ROWS.schema
    assert lake.query("SELECT count(*) AS n FROM d", tables=["d"])["n"].to_pylist() == [0]


def test_current_facts_are_sub_queries_also_for_types_never_recorded(lake: Lake) -> None:
    facts = facts_table([sale("1", 3, payload={"in_stock_share": 0.5}), sale("2", 4)])
    write_facts(lake, facts)
    sources = current_facts(lake, ["sale.day", "item.described"])
    assert sources.tables == ("facts/sale.day",)
    got = lake.query(
        f"SELECT sum(quantity)::BIGINT AS units, max(payload ->> 'in_stock_share') AS share "
        f"FROM ({sources.sql['sale.day']})",
        tables=sources.tables,
    )
    assert got.to_pylist() == [{"units": 7, "share": "0.5"}]
    empty = lake.query(sources.sql["item.described"], tables=sources.tables)
    assert empty.num_rows == 0
    assert empty.column_names == facts.column_names
