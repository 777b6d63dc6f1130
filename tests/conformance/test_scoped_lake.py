"""What a scope shows of every implementation of the lake: the rows of its places, no others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.errors import Denied, NotFound
from sanhe.core.facts import Fact, facts_table
from sanhe.core.lake import Lake, MemoryLake, ParquetLake, current_facts, scoped, write_facts
from sanhe.core.scope import EVERYTHING, Scope
from tests.core.facts.samples import sale

STORE = Scope(frozenset({"S1"}))
REGION = Scope(frozenset({"S1", "S2"}))
SUPPLIER = Scope(None, frozenset({"V1"}))
NOWHERE = Scope(frozenset())

PLAN = pa.table({"sku": ["A", "A", "B", "A"], "place": ["S1", "S2", "S3", None], "n": [1, 2, 4, 8]})
MODELS = pa.table({"kind": ["counts"], "fitted": [b"trees"]})
ITEMS = pa.table({"sku": ["A", "B"], "place": pa.array([None, "S3"], pa.string())})


@pytest.fixture(params=["memory", "parquet"])
def lake(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Lake:
    kept: Lake = MemoryLake(clock)
    if request.param == "parquet":
        kept = ParquetLake(tmp_path / "la'ke", clock=clock)
    kept.write("plan/2024", PLAN)
    kept.write("sums", pa.table({"category": ["tea"], "n": [15]}))
    kept.write("forecast_model/1", MODELS)
    kept.write("facts/item.described", ITEMS)
    return kept


def wide(lake: Lake, scope: Scope) -> Lake:
    """The control: a lake that guards nothing."""
    return lake


def leaks(lake: Lake, guard: Callable[[Lake, Scope], Lake]) -> list[str]:
    """Rows of other places that a store sees by any way of reading."""
    seen = guard(lake, STORE)
    ways = {
        "read": lambda: seen.read("plan/2024"),
        "columns": lambda: seen.read("plan/2024", ["place", "n"]),
        "query": lambda: seen.query('SELECT place FROM "plan/2024"', tables=["plan/2024"]),
        "any filter": lambda: seen.query(
            """SELECT place FROM "plan/2024" WHERE n > 1 OR place = 'S2' OR true""",
            tables=["plan/2024"],
        ),
        "dataset": lambda: seen.dataset("plan/2024").to_table(),
    }
    return [
        f"{name}: {place}"
        for name, way in ways.items()
        for place in way()["place"].to_pylist()
        if place != "S1"
    ]


def test_no_way_of_reading_shows_a_row_of_another_place(lake: Lake) -> None:
    assert leaks(lake, scoped) == []


def test_the_check_of_leaks_can_fail(lake: Lake) -> None:
    ways = {leak.split(":")[0] for leak in leaks(lake, wide)}
    assert ways == {"read", "columns", "query", "any filter", "dataset"}


@pytest.mark.parametrize(
    ("scope", "total"), [(STORE, 1), (REGION, 3), (NOWHERE, 0), (EVERYTHING, 15)]
)
def test_a_scope_sees_all_rows_of_its_places(lake: Lake, scope: Scope, total: int) -> None:
    seen = scoped(lake, scope)
    assert sum(seen.read("plan/2024")["n"].to_pylist()) == total
    got = seen.query(
        'SELECT coalesce(sum(n), 0)::BIGINT AS n FROM "plan/2024" WHERE n >= $least',
        {"least": 1},
        tables=["plan/2024"],
    )
    assert got["n"].to_pylist() == [total]
    assert seen.read("plan/2024").schema == PLAN.schema


def test_rows_without_a_place_are_seen_where_they_hold_everywhere(lake: Lake) -> None:
    items = "facts/item.described"
    seen = scoped(lake, STORE, everywhere=[items])
    assert seen.read(items)["sku"].to_pylist() == ["A"]
    assert scoped(lake, STORE).read(items).num_rows == 0
    whole = scoped(lake, EVERYTHING).read("facts/item.described")
    assert whole["sku"].to_pylist() == ["A", "B"]


def test_a_table_without_places_is_for_who_sees_them_all_unless_it_is_harmless(lake: Lake) -> None:
    for scope in (STORE, NOWHERE):
        seen = scoped(lake, scope)
        assert set(seen.tables()) == {"plan/2024", "forecast_model/1", "facts/item.described"}
        assert seen.read("forecast_model/1").num_rows == 1
        for call in (
            lambda seen=seen: seen.read("sums"),
            lambda seen=seen: seen.query("SELECT 1", tables=["sums"]),
        ):
            with pytest.raises(Denied, match="not divided by place"):
                call()
    assert scoped(lake, EVERYTHING).read("sums").num_rows == 1


def test_a_supplier_reads_nothing_of_the_lake(lake: Lake) -> None:
    seen = scoped(lake, SUPPLIER)
    assert dict(seen.tables()) == {}
    for name in ("plan/2024", "sums", "forecast_model/1"):
        with pytest.raises(Denied, match="suppliers"):
            seen.read(name)


def test_it_is_read_only_for_everybody(lake: Lake) -> None:
    for scope in (EVERYTHING, STORE):
        for call in (
            lambda scope=scope: scoped(lake, scope).write("plan/2024", PLAN),
            lambda scope=scope: scoped(lake, scope).drop("plan/2024"),
        ):
            with pytest.raises(Denied, match="can't be changed"):
                call()
    with pytest.raises(NotFound):
        scoped(lake, STORE).read("none")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_parquet('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM sums",
        "SET enable_external_access = true",
        "COPY \"plan/2024\" TO '/tmp/sanhe-leak.csv'",
    ],
)
def test_a_query_reaches_neither_files_nor_other_tables(lake: Lake, sql: str) -> None:
    file = "/none.parquet"
    if isinstance(lake, ParquetLake):
        file = str(lake.folder / lake.tables()["plan/2024"].files[0]).replace("'", "''")
    with pytest.raises(duckdb.Error):
        scoped(lake, STORE).query(sql.format(file=file), tables=["plan/2024"])
    assert not Path("/tmp/sanhe-leak.csv").exists()


def test_current_facts_are_those_of_the_places(lake: Lake) -> None:
    facts: list[Fact] = [sale("1", 3), sale("2", 4)]
    write_facts(lake, facts_table(facts))
    place = facts[0].place
    assert place is not None
    for scope, units in ((Scope(frozenset({place})), 7), (NOWHERE, None)):
        seen = scoped(lake, scope)
        sources = current_facts(seen, ["sale.day"])
        total = f"SELECT sum(quantity)::BIGINT AS n FROM ({sources.sql['sale.day']})"
        assert seen.query(total, tables=sources.tables)["n"].to_pylist() == [units]
