"""Backup, restore and the check of a backup."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, Tampered
from sanhe.core.facts import PostgresFacts
from sanhe.core.lake import ParquetLake, current_facts, refresh
from sanhe.core.settings import Settings
from sanhe.core.storage import Database, backup, check_backup, restore, try_restore
from sanhe.core.storage.archive import without_password
from tests.core.facts.samples import TYPES, sale


@pytest.fixture
def place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sanhe-b-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def add(database: Database, *ids: str) -> None:
    with database.transaction(actor="test") as tx:
        facts = PostgresFacts(tx, TYPES)
        facts.append(facts.open_batch(source="till", name="f"), [sale(name) for name in ids])


def digest(database: Database) -> str:
    with database.transaction(actor="test") as tx:
        return PostgresFacts(tx, TYPES).digest()


def lake_ids(lake: ParquetLake) -> list[str]:
    sources = current_facts(lake, ["sale.day"])
    query = f"SELECT external_id FROM ({sources.sql['sale.day']}) ORDER BY 1"
    return list(lake.query(query, tables=sources.tables)["external_id"].to_pylist())


@pytest.fixture
def saved(database: Database, place: Path) -> Path:
    """A backup of two facts and a lake that holds them."""
    add(database, "1", "2")
    lake = ParquetLake(place / "lake")
    refresh(database, lake)
    backup(database, place / "saved", folders={"lake": lake.folder, "orders": place / "none"})
    return place / "saved"


def test_a_restored_installation_is_the_saved_one(
    database: Database, saved: Path, place: Path, clock: FixedClock
) -> None:
    before = digest(database)
    home = place / "new"
    restored = restore(saved, Settings(home=home), folders=("lake", "orders"), clock=clock)
    assert restored == check_backup(saved)
    assert restored.rows["public.fact"] == 2
    with Database.open(Settings(home=home), clock=clock) as again:
        assert digest(again) == before
        add(again, "3")
        lake = ParquetLake(home / "lake")
        refresh(again, lake)
        assert lake_ids(lake) == ["1", "2", "3"]
        refused = again.read_arrow("SELECT has_table_privilege('fact', 'DELETE') AS may")
        assert refused["may"].to_pylist() == [False]


def empty(database: Database) -> None:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("DROP SCHEMA public CASCADE")
        owner.execute("CREATE SCHEMA public")
        owner.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")


def test_a_restore_into_a_database_of_ones_own(
    new_database: Callable[[], Database], saved: Path, place: Path, clock: FixedClock
) -> None:
    target = new_database()
    settings = Settings(home=place / "new", database_url=target.owner_url)
    with pytest.raises(BadInput, match="holds tables already"):
        restore(saved, settings, folders=("lake",), clock=clock)
    assert not (place / "new").exists()
    empty(target)
    restore(saved, settings, folders=("lake",), clock=clock)
    with Database.open(settings, clock=clock) as again:
        assert again.read_arrow("SELECT count(*) AS n FROM fact")["n"].to_pylist() == [2]


def test_a_home_with_data_and_a_taken_name_are_refused(
    database: Database, saved: Path, place: Path, clock: FixedClock
) -> None:
    (place / "mine").mkdir()
    (place / "mine" / "file").write_text("mine")
    with pytest.raises(BadInput, match="holds data already"):
        restore(saved, Settings(home=place / "mine"), folders=(), clock=clock)
    with pytest.raises(BadInput, match="exists already"):
        backup(database, saved, folders={})
    with pytest.raises(BadInput, match="no backup"):
        check_backup(place / "mine")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["database.dump", "lake/manifest.json", "manifest.json"])
def test_one_changed_bit_is_named(saved: Path, name: str, place: Path, clock: FixedClock) -> None:
    check_backup(saved)
    flip(saved / name)
    with pytest.raises(Tampered, match=name):
        check_backup(saved)
    with pytest.raises(Tampered):
        restore(saved, Settings(home=place / "new"), folders=(), clock=clock)
    assert not (place / "new").exists()


def test_missing_and_foreign_files_are_named(saved: Path) -> None:
    (saved / "note.txt").write_text("x")
    with pytest.raises(Tampered, match=r"note\.txt does not belong"):
        check_backup(saved)
    (saved / "note.txt").unlink()
    (saved / "database.dump").unlink()
    with pytest.raises(Tampered, match=r"database\.dump is missing"):
        check_backup(saved)


def test_a_backup_of_a_newer_version_is_named(saved: Path, place: Path, clock: FixedClock) -> None:
    import hashlib

    manifest = saved / "manifest.json"
    text = manifest.read_text().replace('"revision": "0', '"revision": "9')
    manifest.write_text(text)
    (saved / "manifest.sha256").write_text(hashlib.sha256(text.encode()).hexdigest())
    with pytest.raises(BadInput, match="newer version"):
        restore(saved, Settings(home=place / "new"), folders=(), clock=clock)


def test_a_trial_restore_proves_a_backup_and_leaves_nothing(saved: Path, clock: FixedClock) -> None:
    assert try_restore(saved, clock=clock).rows["public.fact"] == 2


def test_work_goes_on_while_it_is_saved(database: Database, place: Path) -> None:
    """The rows in the manifest are those of the dump, whatever is written meanwhile."""
    import threading

    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            add(database, str(number))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            backup(database, place / f"saved{number}", folders={})
    finally:
        stop.set()
        writer.join()
    assert try_restore(place / "saved2", clock=FixedClock(database.clock.now())).rows["public.fact"]


RESTORER = """
import sys
from pathlib import Path
from sanhe.core.clock import SystemClock
from sanhe.core.settings import Settings
from sanhe.core.storage import restore
restore(Path(sys.argv[1]), Settings(home=Path(sys.argv[2])), folders=("lake",), clock=SystemClock())
"""


def test_a_killed_restore_leaves_an_empty_home_and_can_be_repeated(
    saved: Path, place: Path, clock: FixedClock
) -> None:
    home = place / "new"
    killed = subprocess.Popen([sys.executable, "-c", RESTORER, str(saved), str(home)])
    give_up = time.monotonic() + 60
    while not list(place.glob(".new.restoring-*/pg")) and time.monotonic() < give_up:
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not home.exists()
    assert list(place.glob(".new.restoring-*/pg")), "the kill came in the middle"
    restore(saved, Settings(home=home), folders=("lake",), clock=clock)
    assert not list(place.glob(".new.restoring-*/pg/PG_VERSION"))
    with Database.open(Settings(home=home), clock=clock) as again:
        assert again.read_arrow("SELECT count(*) AS n FROM fact")["n"].to_pylist() == [2]


KILLED = """
import os, signal, sys
from pathlib import Path
from sanhe.core.clock import SystemClock
from sanhe.core.settings import Settings
from sanhe.core.storage import archive

def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)

source, home, url, point = sys.argv[1:]
if point == "loaded":
    archive._settle = die
elif point == "settled":
    Path.rename = die
settings = Settings(home=Path(home), database_url=url)
archive.restore(Path(source), settings, folders=("lake",), clock=SystemClock())
"""


@pytest.mark.parametrize("point", ["loaded", "settled"])
def test_a_killed_restore_into_a_database_of_ones_own_can_be_repeated(
    new_database: Callable[[], Database], saved: Path, place: Path, clock: FixedClock, point: str
) -> None:
    target = new_database()
    empty(target)
    home = place / "new"
    command = [sys.executable, "-c", KILLED, str(saved), str(home), target.owner_url, point]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not home.exists()
    settings = Settings(home=home, database_url=target.owner_url)
    restored = restore(saved, settings, folders=("lake",), clock=clock)
    assert restored.rows["public.fact"] == 2
    with Database.open(settings, clock=clock) as again:
        assert again.read_arrow("SELECT count(*) AS n FROM fact")["n"].to_pylist() == [2]
        assert again.read_arrow("SELECT DISTINCT xid FROM fact_part")["xid"].to_pylist() == [0]
        left = again.read_arrow("SELECT to_regclass('sanhe_restoring') IS NULL AS gone")
        assert left["gone"].to_pylist() == [True]
        add(again, "3")
        lake = ParquetLake(home / "lake")
        refresh(again, lake)
        assert lake_ids(lake) == ["1", "2", "3"]


def test_what_another_backup_left_is_not_taken_for_this_one(
    database: Database, new_database: Callable[[], Database], saved: Path, place: Path
) -> None:
    """Negative control: a mark counts for the one backup that it names."""
    backup(database, place / "later", folders={})
    target = new_database()
    empty(target)
    command = [sys.executable, "-c", KILLED, str(saved), str(place / "new"), target.owner_url]
    subprocess.run([*command, "settled"], check=False)
    settings = Settings(home=place / "new", database_url=target.owner_url)
    with pytest.raises(BadInput, match="holds tables already"):
        restore(place / "later", settings, folders=(), clock=FixedClock(database.clock.now()))


def test_a_password_is_not_shown_to_other_users() -> None:
    shown, password = without_password("postgresql://u:s%20cret@h:5433/d?sslmode=require")
    assert password == "s cret"
    assert sorted(shown.split()) == ["dbname=d", "host=h", "port=5433", "sslmode=require", "user=u"]
    assert without_password("postgresql:///d?host=/tmp") == ("dbname=d host=/tmp", None)
