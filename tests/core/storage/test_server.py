"""The embedded server: shared, restarted after every kind of death, as root and as others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sanhe.core.clock import SystemClock
from sanhe.core.errors import BadInput, SanheError
from sanhe.core.settings import Settings
from sanhe.core.storage import Database, start_server
from sanhe.core.storage.server import binaries

COUNT = "SELECT count(*) AS n FROM fact_batch"
ADD = (
    "INSERT INTO fact_batch (id, kind, source, name, digest, actor, begun_at) "
    "VALUES (gen_random_uuid(), 'import', 's', 'n', '', 'planner', now())"
)
OPENER = """
import sys, warnings
warnings.simplefilter("error")
from pathlib import Path
from sanhe.core.clock import SystemClock
from sanhe.core.settings import Settings
from sanhe.core.storage import Database
with Database.open(Settings(home=Path(sys.argv[1])), clock=SystemClock()) as database:
    with database.transaction(actor="planner") as tx:
        tx.connection.exec_driver_sql(sys.argv[2])
    print(database.read_arrow("SELECT count(*) AS n FROM fact_batch")["n"][0], flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sanhe-h-", dir="/tmp"))
    yield folder / "home"
    for data in folder.rglob("postmaster.pid"):
        os.kill(int(data.read_text().split()[0]), signal.SIGQUIT)
        time.sleep(0.5)
    shutil.rmtree(folder, ignore_errors=True)


def opened(home: Path) -> Database:
    return Database.open(Settings(home=home), clock=SystemClock())


def count(database: Database) -> int:
    return int(database.read_arrow(COUNT)["n"][0].as_py())


def add(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        tx.connection.exec_driver_sql(ADD)


def pid_of(home: Path) -> int:
    return int((home / "pg" / "postmaster.pid").read_text().split()[0])


def runs(pid: int) -> bool:
    """Whether it runs; the dead whom nobody has waited for don't count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def opener(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OPENER, str(home), ADD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_last_user_stops_the_server_and_data_stay(home: Path) -> None:
    first = opened(home)
    second = opened(home)
    pid = pid_of(home)
    add(first)
    first.close()
    assert runs(pid)
    assert count(second) == 1
    second.close()
    second.close()
    assert not runs(pid)
    with opened(home) as again:
        assert count(again) == 1


def test_a_data_folder_kept_private_and_tuned_without_losing_durability(home: Path) -> None:
    with opened(home) as database:
        assert (home / "pg").stat().st_mode & 0o077 == 0
        rows = database.read_arrow(
            "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', "
            "'full_page_writes', 'listen_addresses', 'jit', 'data_checksums')"
        ).to_pylist()
    assert {row["name"]: row["setting"] for row in rows} == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "jit": "off",
        "data_checksums": "on",
    }


def test_several_processes_open_a_new_home_at_once(home: Path) -> None:
    users = [opener(home) for _ in range(3)]
    try:
        for user in users:
            assert user.stdout is not None
            line = user.stdout.readline()
            assert line.strip() in {"1", "2", "3"}, user.communicate(timeout=30)[1]
        with opened(home) as database:
            assert count(database) == 3
        pid = pid_of(home)
        assert runs(pid), "others still use it"
    finally:
        for user in users:
            user.communicate("\n", timeout=60)
    assert not runs(pid)


def test_a_killed_user_does_not_keep_the_server_for_ever(home: Path) -> None:
    user = opener(home)
    assert user.stdout is not None
    assert user.stdout.readline().strip() == "1"
    pid = pid_of(home)
    user.kill()
    user.communicate()
    assert runs(pid), "nobody was left to stop it"
    with opened(home) as database:
        assert pid_of(home) == pid
        assert count(database) == 1
    assert not runs(pid)


def test_a_killed_server_recovers_what_was_committed(home: Path) -> None:
    database = opened(home)
    add(database)
    pid = pid_of(home)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(Exception, match=r"terminat|clos|refused|No such"):
        for _ in range(50):
            add(database)
    with opened(home) as again:
        assert pid_of(home) != pid
        assert count(again) >= 1
        add(again)
    database.close()


def test_a_stale_pid_file_whose_number_is_taken_by_another_process(home: Path) -> None:
    """As after a restart of the machine or container: the number belongs to someone else."""
    with opened(home) as database:
        add(database)
        content = (home / "pg" / "postmaster.pid").read_text()
    lines = content.split("\n")
    lines[0] = str(os.getpid())
    (home / "pg" / "postmaster.pid").write_text("\n".join(lines))
    with opened(home) as again:
        assert count(again) == 1


@pytest.mark.parametrize("name", ["long" * 30, "with space, comma's & 三合"])
def test_awkward_paths(home: Path, name: str) -> None:
    place = home / name
    with opened(place) as database:
        add(database)
        assert count(database) == 1
        socket_dir = database.server.socket_dir if database.server else place
        assert socket_dir != place / "pg"
        assert socket_dir.stat().st_mode & 0o077 == 0
    assert not socket_dir.exists()


def test_a_user_with_another_temp_folder_joins_the_running_server(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket lies where the server was started, not where this user would have put it."""
    place = home / ("long" * 30)
    with opened(place) as database:
        add(database)
        assert database.server is not None
        other = home / "tmp"
        other.mkdir(mode=0o755)
        monkeypatch.setattr(tempfile, "tempdir", str(other))
        with opened(place) as joined:
            assert joined.server is not None
            assert joined.server.socket_dir == database.server.socket_dir
            assert count(joined) == 1
        assert not list(other.iterdir())
        assert count(database) == 1
    assert not database.server.socket_dir.exists()


def test_a_socket_folder_of_someone_else_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = home / ("long" * 30)
    with opened(place) as database:
        assert database.server is not None
        socket_dir = database.server.socket_dir
    socket_dir.mkdir()
    socket_dir.chmod(0o777)
    try:
        with pytest.raises(SanheError, match="belongs to someone else"):
            opened(place)
    finally:
        shutil.rmtree(socket_dir)


def test_a_folder_with_other_things_is_not_taken_for_a_database(home: Path) -> None:
    (home / "pg").mkdir(parents=True)
    (home / "pg" / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="no database"):
        opened(home)
    assert (home / "pg" / "notes.txt").read_text() == "mine"


def test_a_database_of_another_major_version_is_named(home: Path) -> None:
    opened(home).close()
    (home / "pg" / "PG_VERSION").write_text("11\n")
    with pytest.raises(BadInput, match="PostgreSQL 11"):
        opened(home)
    (home / "pg" / "PG_VERSION").write_text("18\n")
    opened(home).close()


def test_a_server_that_does_not_start_shows_its_log(home: Path) -> None:
    with pytest.raises(SanheError, match="no_such_setting"):
        start_server(home, options=[("no_such_setting", "1")])
    opened(home).close()


@pytest.mark.parametrize("sign", ["pg.new", "pg.new/base", "pg", "pg/postmaster.pid"])
def test_killed_while_initialising_it_begins_anew(home: Path, sign: str) -> None:
    """Kill it as soon as the sign of a stage appears: the home opens all the same."""
    user = opener(home)
    give_up = time.monotonic() + 60
    while not (home / sign).exists() and time.monotonic() < give_up:
        time.sleep(0.001)
    user.kill()
    user.communicate()
    with opened(home) as database:
        assert count(database) in (0, 1)
    assert not (home / "pg" / "postmaster.pid").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_than_root(home: Path) -> None:
    """Run as nobody, in a home of its own, while root's homes exist on the same machine."""
    other = Path(tempfile.mkdtemp(prefix="sanhe-n-", dir="/tmp"))
    os.chown(other, 65534, 65534)
    # Root opens a home first, so that all of Python is loaded: it may lie where others can't look.
    become = (
        f"first = Database.open(Settings(home=Path({str(home)!r})), clock=SystemClock())\n"
        "first.read_arrow('SELECT 1')\n"
        "first.close()\n"
        "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534); os.chdir('/')\n"
    )
    script = OPENER.replace("with Database", become + "with Database", 1)
    try:
        user = subprocess.run(
            [sys.executable, "-c", script, str(other / "home"), ADD],
            input="\n",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert user.stdout.strip() == "1", user.stderr
        assert (other / "home" / "pg").stat().st_uid == 65534
    finally:
        shutil.rmtree(other)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")
def test_root_opens_the_way_to_its_home_no_further_than_needed(home: Path) -> None:
    home.parent.chmod(0o700)
    with opened(home) as database:
        add(database)
    assert home.parent.stat().st_mode & 0o777 == 0o701
    assert (home / "pg").stat().st_uid != 0


def test_the_binaries_are_those_of_the_newest_version_shipped() -> None:
    found = subprocess.run(
        [binaries() / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    assert binaries().parent.name.removeprefix("pginstall") in found.stdout


def test_the_application_is_a_role_of_its_own_in_the_embedded_server(home: Path) -> None:
    with (
        opened(home) as database,
        psycopg.connect(database.url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SET ROLE sanhe_owner")
