"""A database for tests: one embedded server per worker, a fresh migrated copy per test."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.settings import Settings
from sanhe.core.storage import Database, EmbeddedServer, start_server

_TEMPLATE = "sanhe"
_NUMBERS = itertools.count(1)
_FAST = (("fsync", "off"), ("full_page_writes", "off"), ("shared_buffers", "64MB"))


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """The worker's server. Its database `sanhe` is migrated and only copied, never written."""
    home = Path(tempfile.mkdtemp(prefix="sanhe-t-", dir="/tmp"))
    running = start_server(home, options=_FAST)
    try:
        Database.open(
            Settings(home=home), clock=FixedClock(datetime(2024, 6, 3, tzinfo=UTC))
        ).close()
        yield running
    finally:
        running.close()
        shutil.rmtree(home, ignore_errors=True)


def _copy(server: EmbeddedServer) -> str:
    name = f"t{next(_NUMBERS)}"
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} OWNER sanhe_owner")
    return name


def _drop(server: EmbeddedServer, name: str) -> None:
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def clock() -> FixedClock:
    """A clock at Monday, 3 June 2024, 00:00 UTC, moved by the test."""
    return FixedClock(datetime(2024, 6, 3, tzinfo=UTC))


@pytest.fixture
def database_settings(server: EmbeddedServer, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a fresh, migrated database and a home of their own."""
    name = _copy(server)
    url = server.url(user="sanhe_owner", database=name)
    yield Settings(home=tmp_path / "home", database_url=url)
    _drop(server, name)


@pytest.fixture
def database(database_settings: Settings, clock: FixedClock) -> Iterator[Database]:
    """A fresh, migrated database, opened as the application."""
    opened = Database.open(database_settings, clock=clock, migrate=False)
    yield opened
    opened.close()


@pytest.fixture
def new_database(server: EmbeddedServer, clock: FixedClock) -> Iterator[Callable[[], Database]]:
    """A function that opens further fresh databases: for properties that need one per example."""
    made: list[tuple[str, Database]] = []

    def make() -> Database:
        name = _copy(server)
        url = server.url(user="sanhe_owner", database=name)
        settings = Settings(home=Path(tempfile.gettempdir()), database_url=url)
        made.append((name, Database.open(settings, clock=clock, migrate=False)))
        return made[-1][1]

    yield make
    for name, opened in made:
        opened.close()
        _drop(server, name)


@pytest.fixture
def cpu_seconds(database: Database) -> Callable[[Callable[[], object]], float]:
    """A function that tells the CPU seconds of both sides: a busy machine stretches the clock.

    For ratios of two ways within one run; how fast a machine is belongs into bench/.
    """
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc for the server's CPU seconds")

    def server_seconds() -> float:
        with database.transaction(actor="clock") as tx:
            pid = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def spent(work: Callable[[], object]) -> float:
        client, server = time.process_time(), server_seconds()
        work()
        return time.process_time() - client + server_seconds() - server

    return spent
