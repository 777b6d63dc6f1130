"""A lake in memory: fresh when files change, quick to forget, closed to what wasn't named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from sanhe.core.errors import BadInput, NotFound
from sanhe.core.lake import ParquetLake, ResidentLake


@pytest.fixture
def lake(tmp_path: Path) -> ParquetLake:
    return ParquetLake(tmp_path)


def total(lake: ResidentLake, name: str = "desk/lines") -> int:
    """The sum of a table's units."""
    found = lake.query(f'SELECT CAST(sum(units) AS BIGINT) AS s FROM "{name}"', tables=[name])
    return int(found["s"][0].as_py())


def test_what_another_process_writes_is_seen_by_the_next_query(lake: ParquetLake) -> None:
    resident = ResidentLake(lake, folders=["desk/"])
    lake.write("desk/lines", pa.table({"units": [1, 2]}))
    assert total(resident) == 3
    lake.write("desk/lines", pa.table({"units": [5], "more": [1]}))
    assert total(resident) == 5
    lake.drop("desk/lines")
    with pytest.raises(NotFound):
        total(resident)
    lake.write("desk/other", pa.table({"units": [7]}))
    assert total(resident, "desk/other") == 7
    with pytest.raises(duckdb.Error):
        resident.query('SELECT * FROM "desk/lines"', tables=["desk/other"])


def test_a_query_changes_nothing_and_sees_only_what_it_names(lake: ParquetLake) -> None:
    resident = ResidentLake(lake, folders=["desk/"])
    for name in ("desk/a", "desk/b"):
        lake.write(name, pa.table({"units": [1]}))
        assert total(resident, name) == 1
    with pytest.raises(duckdb.CatalogException, match="desk/b"):
        resident.query(
            'WITH x AS (SELECT * FROM "desk/b") SELECT * FROM x, "desk/a"', tables=["desk/a"]
        )
    for sql in ('DROP TABLE "desk/a"', 'SELECT 1; DELETE FROM "desk/a"', "CREATE TABLE z (a int)"):
        with pytest.raises(BadInput, match="queries only"):
            resident.query(sql, tables=["desk/a"])
    assert total(resident, "desk/a") == 1


def test_many_threads_read_while_the_table_is_replaced(lake: ParquetLake) -> None:
    resident = ResidentLake(lake, folders=["desk/"])
    lake.write("desk/lines", pa.table({"units": [0] * 100}))

    def read(at: int) -> int:
        if at % 10 == 0:
            lake.write("desk/lines", pa.table({"units": [at] * 100}))
        return total(resident)

    with ThreadPoolExecutor(8) as pool:
        sums = list(pool.map(read, range(200)))
    assert all(one % 1000 == 0 for one in sums)  # never a mix of two tables


def listed(lake: ResidentLake, least: int) -> pa.Table:
    """The units from some number on, in order."""
    sql = 'SELECT units FROM "desk/lines" WHERE units >= $least ORDER BY units'
    return lake.query(sql, {"least": least}, tables=["desk/lines"])


def test_an_answer_is_kept_until_its_table_changes(lake: ParquetLake) -> None:
    resident = ResidentLake(lake, folders=["desk/"])
    lake.write("desk/lines", pa.table({"units": [3, 1, 2]}))
    lake.write("desk/other", pa.table({"units": [1]}))
    first = listed(resident, 2)
    assert first["units"].to_pylist() == [2, 3]
    assert listed(resident, 2) is first
    assert listed(resident, 3)["units"].to_pylist() == [3]  # another question
    assert total(resident, "desk/other") == 1  # another table comes into memory
    assert listed(resident, 2) is first
    lake.write("desk/lines", pa.table({"units": [5, 4]}))
    assert listed(resident, 2)["units"].to_pylist() == [4, 5]
    lake.write("desk/lines", pa.table({"units": [3, 1, 2]}))  # the same again
    assert listed(resident, 2)["units"].to_pylist() == [2, 3]


def test_the_answers_asked_for_last_are_kept(lake: ParquetLake) -> None:
    lake.write("desk/lines", pa.table({"units": list(range(1000))}))
    resident = ResidentLake(lake, folders=["desk/"], answers_bytes=20_000)
    first, second = listed(resident, 0), listed(resident, 1)  # 9 kB each
    assert listed(resident, 0) is first
    third = listed(resident, 2)
    assert listed(resident, 0) is first and listed(resident, 2) is third
    assert listed(resident, 1) is not second
    none = ResidentLake(lake, folders=["desk/"], answers_bytes=0)
    assert listed(none, 0) is not listed(none, 0)
