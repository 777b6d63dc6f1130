"""Keys per person: erased for good, also in backups; wrapped anew; saved and loaded apart."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from sanhe.core.audit import PostgresAudit
from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, Code, NotFound, Tampered
from sanhe.core.persons import (
    UNSAVED,
    Given,
    KeyAway,
    MasterKeys,
    Persons,
    load_keys,
    rotate,
    save_keys,
    store,
)
from sanhe.core.settings import Settings
from sanhe.core.storage import Database, backup, restore

LI, WANG = "member/M-1", "order/7"


@pytest.fixture
def master(tmp_path: Path) -> MasterKeys:
    return MasterKeys(tmp_path / "persons.key")


@contextmanager
def persons(database: Database, master: MasterKeys) -> Iterator[Persons]:
    with database.transaction(actor="lin") as tx:
        yield Persons(tx, PostgresAudit(tx), master=master)


def seal(database: Database, master: MasterKeys, person: str = LI, text: str = "张小明") -> bytes:
    with persons(database, master) as work:
        return work.seal(person, "name", text)


def opened(
    database: Database, master: MasterKeys, sealed: bytes, *, person: str = LI, field: str = "name"
) -> str:
    with persons(database, master) as work:
        return work.open(person, field, sealed)


def erase(database: Database, master: MasterKeys, person: str = LI) -> bool:
    with persons(database, master) as work:
        return work.erase(person, "asked by mail")


def is_erased(database: Database, master: MasterKeys, sealed: bytes) -> bool:
    with pytest.raises(NotFound) as refused:
        opened(database, master, sealed)
    return refused.value.code is Code.ERASED


def test_sealed_and_opened_under_one_key_for_a_person(
    database: Database, master: MasterKeys
) -> None:
    one, two = seal(database, master), seal(database, master, text="李雷")
    assert (opened(database, master, one), opened(database, master, two)) == ("张小明", "李雷")
    with persons(database, master) as work:
        assert sum(work.masters().values()) == 1
        many = work.seal_each([Given(person, "name", person) for person in (LI, WANG, "order/8")])
        assert [
            work.open(person, "name", one)
            for person, one in zip((LI, WANG, "order/8"), many, strict=True)
        ] == [LI, WANG, "order/8"]
        assert sum(work.masters().values()) == 3


def test_another_field_or_person_opens_nothing(database: Database, master: MasterKeys) -> None:
    sealed = seal(database, master)
    seal(database, master, WANG)
    with pytest.raises(Tampered):
        opened(database, master, sealed, field="phone")
    with pytest.raises(Tampered):
        opened(database, master, sealed, person=WANG)
    with pytest.raises(Tampered):
        opened(database, master, b"plain")


def test_erased_for_good_once_and_kept_in_the_trail(database: Database, master: MasterKeys) -> None:
    sealed, other = seal(database, master), seal(database, master, WANG)
    assert erase(database, master)
    assert not erase(database, master)
    assert is_erased(database, master, sealed)
    assert opened(database, master, other, person=WANG) == "张小明"
    with database.transaction(actor="lin") as tx:
        (entry,) = PostgresAudit(tx).trail(subject=LI)
    assert (entry.action, entry.actor) == ("person erased", "lin")
    assert entry.details == {"reason": "asked by mail"}
    # Who comes back is sealed under a new key; what was before stays erased.
    again = seal(database, master)
    assert opened(database, master, again) == "张小明"
    assert is_erased(database, master, sealed)


def test_no_plaintext_and_no_key_lies_in_the_database(
    database: Database, master: MasterKeys
) -> None:
    sealed = seal(database, master)
    assert "张小明".encode() not in sealed
    rows = database.read_arrow("SELECT wrapped FROM person_key")["wrapped"].to_pylist()
    (secret,) = (one.secret for one in master.read())
    assert all(secret not in row and len(row) == 60 for row in rows)
    assert secret.hex() in master.file.read_text()
    assert master.file.stat().st_mode & 0o777 == 0o600


def test_the_database_keeps_what_was_erased(database: Database, master: MasterKeys) -> None:
    seal(database, master)
    erase(database, master)
    with pytest.raises(sa.exc.DBAPIError), database.transaction(actor="lin") as tx:
        tx.connection.exec_driver_sql("DELETE FROM person_erasure")


def test_a_missing_or_wrong_master_key_is_named(database: Database, master: MasterKeys) -> None:
    sealed = seal(database, master)
    right = master.file.read_bytes()
    master.file.unlink()
    for deed in (lambda: seal(database, master), lambda: opened(database, master, sealed)):
        with pytest.raises(KeyAway, match="is missing: bring the file back"):
            deed()
    assert not master.file.exists(), "a second master key would lock the data for good"
    other = MasterKeys(master.file.with_name("other"))
    other.make_first()
    shutil.copy(other.file, master.file)
    with pytest.raises(KeyAway, match="another installation"):
        opened(database, master, sealed)
    master.file.write_bytes(b"no key\n")
    with pytest.raises(KeyAway, match="holds no master key"):
        opened(database, master, sealed)
    master.file.write_bytes(right)
    master.file.chmod(0o644)
    with pytest.raises(KeyAway, match="chmod 600"):
        opened(database, master, sealed)
    master.file.chmod(0o600)
    assert opened(database, master, sealed) == "张小明"


def test_rotation_wraps_anew_and_the_old_master_opens_nothing(
    database: Database, master: MasterKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_AT_ONCE", 2)
    many = {f"order/{number}": seal(database, master, f"order/{number}") for number in range(5)}
    old = master.file.read_bytes()
    assert rotate(database, master) == 5
    assert len(master.read()) == 1
    assert master.file.read_bytes() != old
    for person, sealed in many.items():
        assert opened(database, master, sealed, person=person) == "张小明"
    master.file.write_bytes(old)
    with pytest.raises(KeyAway, match="another installation"):
        opened(database, master, many["order/0"], person="order/0")


def test_a_rotation_that_was_cut_is_made_up_for(
    database: Database, master: MasterKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_AT_ONCE", 1)
    many = {f"order/{number}": seal(database, master, f"order/{number}") for number in range(3)}
    rewrap, calls = store.rewrap, []

    def cut(*given: object) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        rewrap(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "rewrap", cut)
    with pytest.raises(KeyboardInterrupt):
        rotate(database, master)
    assert len(master.read()) == 2
    for person, sealed in many.items():
        assert opened(database, master, sealed, person=person) == "张小明"
    monkeypatch.setattr(store, "rewrap", rewrap)
    assert rotate(database, master) == 3
    assert len(master.read()) == 1
    for person, sealed in many.items():
        assert opened(database, master, sealed, person=person) == "张小明"


def in_thread(deed: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=deed)
    thread.start()
    return thread


def waits(database: Database) -> bool:
    """Whether somebody waits for a lock; only the owner may know."""
    query = (
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND datname = current_database()"
    )
    with psycopg.connect(database.owner_url) as connection:
        return connection.execute(query).fetchone() is not None


def until_waiting(database: Database, thread: threading.Thread) -> bool:
    """Whether the thread comes to wait for a lock before it ends."""
    while thread.is_alive():
        if waits(database):
            return True
        thread.join(0.02)
    return False


@pytest.mark.parametrize("holds", [True, False])
def test_who_seals_is_waited_for_by_who_erases(
    database: Database, master: MasterKeys, monkeypatch: pytest.MonkeyPatch, holds: bool
) -> None:
    seal(database, master)
    if not holds:  # The control: without the lock the key goes while somebody seals with it.
        unlocked = str(store._HOLD).replace("FOR KEY SHARE", "")
        monkeypatch.setattr(store, "_HOLD", sa.text(unlocked))
    with persons(database, master) as work:
        sealed = work.seal(LI, "name", "张小明")
        thread = in_thread(lambda: erase(database, master))
        assert until_waiting(database, thread) is holds
    thread.join()
    assert is_erased(database, master, sealed)


def test_who_erases_is_waited_for_and_then_there_is_a_new_key(
    database: Database, master: MasterKeys
) -> None:
    seal(database, master)
    made: list[bytes] = []
    with persons(database, master) as work:
        work.erase(LI, "asked")
        thread = in_thread(lambda: made.append(seal(database, master)))
        assert until_waiting(database, thread)
    thread.join()
    assert opened(database, master, made[0]) == "张小明"


def test_many_who_come_at_once_share_one_key(database: Database, master: MasterKeys) -> None:
    made: list[bytes] = []
    threads = [in_thread(lambda: made.append(seal(database, master))) for _ in range(8)]
    for thread in threads:
        thread.join()
    assert [opened(database, master, one) for one in made] == ["张小明"] * 8
    with persons(database, master) as work:
        assert sum(work.masters().values()) == 1


@pytest.fixture
def place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sanhe-p-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("erased", [True, False])
def test_a_restored_backup_opens_what_was_not_erased(
    database: Database, master: MasterKeys, clock: FixedClock, place: Path, erased: bool
) -> None:
    sealed, other = seal(database, master), seal(database, master, WANG)
    backup(database, place / "saved", folders={}, without=UNSAVED)
    if erased:
        erase(database, master)
    assert save_keys(database, place / "keys") == (1 if erased else 2)
    assert (place / "keys").stat().st_mode & 0o777 == 0o600
    settings = Settings(home=place / "new")
    restore(place / "saved", settings, folders=(), clock=clock)
    with Database.open(settings, clock=clock) as again:
        with pytest.raises(KeyAway, match="load the keys"):
            opened(again, master, sealed)
        assert load_keys(again, place / "keys") == (1 if erased else 2)
        assert load_keys(again, place / "keys") == 0
        assert opened(again, master, other, person=WANG) == "张小明"
        if erased:
            assert is_erased(again, master, sealed)
        else:
            assert opened(again, master, sealed) == "张小明"


def test_an_older_file_of_keys_brings_nobody_back(
    database: Database, master: MasterKeys, place: Path
) -> None:
    sealed = seal(database, master)
    save_keys(database, place / "keys")
    erase(database, master)
    assert load_keys(database, place / "keys") == 0
    assert is_erased(database, master, sealed)


def test_who_was_sealed_anew_before_the_keys_came_back_has_both(
    database: Database, master: MasterKeys, place: Path, new_database: Callable[[], Database]
) -> None:
    sealed = seal(database, master)
    save_keys(database, place / "keys")
    restored = new_database()
    newer = seal(restored, master)
    assert load_keys(restored, place / "keys") == 1
    assert opened(restored, master, sealed) == opened(restored, master, newer) == "张小明"
    assert erase(restored, master)
    assert is_erased(restored, master, sealed)
    assert is_erased(restored, master, newer)


@pytest.mark.parametrize("spoil", [lambda all_: all_[:300], lambda _: "", lambda _: "["])
def test_a_file_that_is_not_whole_is_refused(
    database: Database, master: MasterKeys, place: Path, spoil: Callable[[str], str]
) -> None:
    for number in range(3):
        seal(database, master, f"order/{number}")
    save_keys(database, place / "keys")
    (place / "keys").write_text(spoil((place / "keys").read_text()))
    with database.transaction(actor="lin") as tx:
        tx.connection.exec_driver_sql("DELETE FROM person_key")
    with pytest.raises(BadInput, match=r"can't be read|is not whole"):
        load_keys(database, place / "keys")
    with persons(database, master) as work:
        assert work.masters() == {}
