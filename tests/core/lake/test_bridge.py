"""The bridge: each committed fact reaches the lake exactly once."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sanhe.core.facts import Fact, PostgresFacts, facts_table
from sanhe.core.lake import ParquetLake, current_facts, refresh
from sanhe.core.storage import Database, Transaction
from tests.core.facts.samples import TYPES, sale


@pytest.fixture
def lake(tmp_path: Path) -> ParquetLake:
    return ParquetLake(tmp_path / "lake")


def append(tx: Transaction, *rows: Fact) -> None:
    facts = PostgresFacts(tx, TYPES)
    facts.append(facts.open_batch(source="till", name="f"), rows)


def add(database: Database, *rows: Fact) -> None:
    with database.transaction(actor="test") as tx:
        append(tx, *rows)


def held(lake: ParquetLake) -> pa.Table:
    sources = current_facts(lake, ["sale.day"])
    return lake.query(
        f"SELECT * FROM ({sources.sql['sale.day']}) ORDER BY source, external_id",
        tables=sources.tables,
    )


def ids(lake: ParquetLake) -> list[str]:
    return [str(name) for name in held(lake)["external_id"].to_pylist()]


def current(database: Database) -> pa.Table:
    with database.transaction(actor="test") as tx:
        return PostgresFacts(tx, TYPES).current(["sale.day"])


def same(database: Database, lake: ParquetLake) -> bool:
    return bool(held(lake).to_pylist() == current(database).to_pylist())


def test_facts_arrive_with_all_their_columns(database: Database, lake: ParquetLake) -> None:
    full = sale(
        "三合",
        amount_cents=5,
        currency="CNY",
        party="P",
        payload={"in_stock_share": 0.25},
    )
    add(database, full, sale("2", sku="B"), sale("t", type="item.described", payload={"name": "T"}))
    done = refresh(database, lake)
    assert (done.entries, done.types) == (3, ("item.described", "sale.day"))
    got = held(lake).cast(facts_table([]).schema)
    assert got.equals(current(database))
    assert refresh(database, lake).entries == 0


def test_corrections_retractions_and_repeats_hold_as_in_the_database(
    database: Database, lake: ParquetLake
) -> None:
    generator = random.Random(7)
    batches = []
    for step in range(40):
        with database.transaction(actor="test") as tx:
            facts = PostgresFacts(tx, TYPES)
            if generator.random() < 0.3 and batches:
                facts.undo(batches.pop(generator.randrange(len(batches))))
            else:
                batches.append(facts.open_batch(source="till", name="f"))
                rows = [
                    sale(str(generator.randrange(6)), step, revision=generator.randrange(3))
                    for _ in range(4)
                ]
                facts.append(batches[-1], rows)
        if step % 3 == 0:
            refresh(database, lake)
            assert same(database, lake), step
    refresh(database, lake)
    assert same(database, lake)
    assert current(database).num_rows > 0
    files = lake.tables()["facts/sale.day"].files
    assert len(files) <= 13, "small files are put together"


@contextlib.contextmanager
def open_transaction(database: Database) -> Iterator[Transaction]:
    with database.transaction(actor="slow") as tx:
        yield tx


class LatestNumberReader:
    """The negative control: takes all parts above the highest number it has seen."""

    def __init__(self) -> None:
        self.seen = 0
        self.ids: list[str] = []

    def refresh(self, database: Database) -> None:
        rows = database.read_arrow(
            "SELECT part, external_id FROM fact WHERE part > $1 ORDER BY part", (self.seen,)
        ).to_pylist()
        self.ids += [row["external_id"] for row in rows]
        self.seen = max([self.seen, *(row["part"] for row in rows)])


def test_a_transaction_that_commits_late_is_not_lost(database: Database, lake: ParquetLake) -> None:
    control = LatestNumberReader()
    with database.transaction(actor="slow") as slow:
        append(slow, sale("slow"))  # draws the lower number
        add(database, sale("quick", source="erp"))  # commits first
        refresh(database, lake)
        control.refresh(database)
    refresh(database, lake)
    control.refresh(database)
    assert ids(lake) == ["quick", "slow"]
    assert control.ids == ["quick"], "the control shows that the race is real"


def test_an_aborted_transaction_leaves_nothing(database: Database, lake: ParquetLake) -> None:
    with pytest.raises(RuntimeError), database.transaction(actor="test") as tx:
        append(tx, sale("gone"))
        raise RuntimeError
    add(database, sale("stays"))
    refresh(database, lake)
    assert ids(lake) == ["stays"]


def test_concurrent_writers_and_refreshes_lose_and_double_nothing(
    database: Database, lake: ParquetLake
) -> None:
    def write(name: str) -> None:
        generator = random.Random(name)
        for number in range(12):
            with database.transaction(actor="test") as tx:
                append(tx, sale(f"{name}{number}", source=name))
                if generator.random() < 0.5:
                    threading.Event().wait(generator.random() / 100)

    writers = [threading.Thread(target=write, args=(name,)) for name in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    brought = 0
    while any(writer.is_alive() for writer in writers):
        brought += refresh(database, lake).entries
    for writer in writers:
        writer.join()
    brought += refresh(database, lake).entries
    assert brought == 36
    assert len(ids(lake)) == len(set(ids(lake))) == 36


def test_two_refreshes_at_once_bring_each_fact_once(database: Database, lake: ParquetLake) -> None:
    add(database, *(sale(str(n)) for n in range(50)))
    threads = [threading.Thread(target=refresh, args=(database, lake)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids(lake)) == 50


def test_a_lake_of_another_database_is_filled_anew(database: Database, lake: ParquetLake) -> None:
    import psycopg

    add(database, sale("1"))
    refresh(database, lake)
    lake.write("forecast/1", pa.table({"x": [1]}))
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("UPDATE installation SET id = gen_random_uuid()")
    add(database, sale("2"))
    assert refresh(database, lake).entries == 2
    assert ids(lake) == ["1", "2"]
    assert "forecast/1" in lake.tables()
