"""The lake on disk: switched in one step, damaged never silently."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest

from sanhe.core.errors import SanheError, Tampered
from sanhe.core.lake import ParquetLake

WRITER = """
import sys, pyarrow as pa
from pathlib import Path
from sanhe.core.lake import ParquetLake
lake = ParquetLake(Path(sys.argv[1]))
n = 0
while True:
    n += 1
    lake.write("a", pa.table({"n": [n] * 1000}))
    print(n, flush=True)
"""


def numbers(n: int, rows: int = 1000) -> pa.Table:
    return pa.table({"n": [n] * rows})


def test_a_killed_writer_leaves_the_lake_whole(tmp_path: Path) -> None:
    for kill_after_seconds in (0.0, 0.013, 0.037):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(3):
            writer.stdout.readline()
        time.sleep(kill_after_seconds)
        writer.kill()
        lines = writer.stdout.read().split()
        writer.wait()
        held = ParquetLake(tmp_path).read("a")
        assert held.num_rows == 1000
        (number,) = set(held["n"].to_pylist())
        assert number >= (int(lines[-1]) if lines else 3)
        ParquetLake(tmp_path).write("b", numbers(1))


def test_readers_see_whole_tables_while_they_are_replaced(tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path)
    lake.write("a", numbers(0))
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            ParquetLake(tmp_path).write("a", numbers(n))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(60):
            got = lake.query("SELECT count(*) AS c, count(DISTINCT n) AS d FROM a", tables=["a"])
            assert got.to_pylist() == [{"c": 1000, "d": 1}]
    finally:
        stop.set()
        writer.join()


def test_two_writers_lose_no_table(tmp_path: Path) -> None:
    def write(name: str) -> None:
        for n in range(15):
            ParquetLake(tmp_path).write(f"{name}/{n}", numbers(n, rows=1))

    threads = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ParquetLake(tmp_path).tables()) == 30


def test_replaced_files_are_kept_for_their_readers_and_collected_later(tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path)
    first = tmp_path / lake.write("a", numbers(1)).files[0]
    lake.write("a", numbers(2))
    assert first.exists()
    long_ago = time.time() - 7200
    os.utime(first, (long_ago, long_ago))
    lake.write("b", numbers(3))
    assert not first.exists()
    assert lake.read("a")["n"][0].as_py() == 2


def test_a_failed_write_leaves_no_file(tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path)
    with pytest.raises(RuntimeError), lake.new_file("a", numbers(1).schema) as file:
        file.write(numbers(1))
        raise RuntimeError
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_damage_is_named(tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path)
    written = lake.write("a", numbers(1))
    (tmp_path / written.files[0]).unlink()
    with pytest.raises(SanheError, match="is gone"):
        lake.read("a")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(Tampered, match=r"manifest\.json"):
        lake.tables()


def test_verify_names_a_file_with_one_changed_bit(tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path)
    lake.write("a", numbers(1))
    path = tmp_path / lake.write("b", numbers(2)).files[0]
    assert lake.verify() == 2
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(Tampered, match=path.stem):
        lake.verify()
    path.unlink()
    with pytest.raises(Tampered, match="missing"):
        lake.verify()
