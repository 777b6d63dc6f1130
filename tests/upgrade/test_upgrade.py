"""A database of each earlier schema, with data in it, comes to this version and keeps them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput
from sanhe.core.facts import PostgresFacts
from sanhe.core.settings import Settings
from sanhe.core.storage import Database, EmbeddedServer
from sanhe.core.storage.database import urls_of
from sanhe.core.storage.migrate import _config, known_revisions
from tests.core.facts.samples import TYPES, sale
from tests.goods.shop import Shop, counted, received


@pytest.fixture
def empty_url(server: EmbeddedServer) -> Iterator[str]:
    """The owner's URL of a database without tables."""
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE upgrade TEMPLATE template0 OWNER sanhe_owner")
    yield server.url(user="sanhe_owner", database="upgrade")
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE upgrade WITH (FORCE)")


def bring_to(url: str, revision: str) -> None:
    owner_url = urls_of(url)[1]
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(owner_url))
    with engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def run_again(url: str, revision: str) -> None:
    """Run one migration's `upgrade`, whatever the database has seen."""
    owner_url = urls_of(url)[1]
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(owner_url))
    script = ScriptDirectory.from_config(_config()).get_revision(revision)
    with (
        engine.begin() as connection,
        Operations.context(MigrationContext.configure(connection)),
    ):
        script.module.upgrade()
    engine.dispose()


@pytest.mark.parametrize("revision", known_revisions())
def test_facts_survive_the_way_from_each_revision(
    empty_url: str, revision: str, clock: FixedClock, tmp_path: Path
) -> None:
    bring_to(empty_url, revision)
    settings = Settings(home=tmp_path, database_url=empty_url)
    with (
        Database.open(settings, clock=clock, migrate=False) as old,
        old.transaction(actor="test") as tx,
    ):
        facts = PostgresFacts(tx, TYPES)
        facts.append(facts.open_batch(source="till", name="f"), [sale("1"), sale("2")])
        digest = facts.digest()
    with Database.open(settings, clock=clock) as new, new.transaction(actor="test") as tx:
        assert PostgresFacts(tx, TYPES).digest() == digest
        version = tx.connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        assert version == known_revisions()[-1]


def test_lots_of_facts_recorded_before_schema_8_are_known_after_it(
    empty_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    """The same lots as of facts recorded today: the latest standing revision of each counts."""
    settings = Settings(home=tmp_path, database_url=empty_url)
    with Database.open(settings, clock=clock) as new, new.transaction(actor="test") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c", 5, payload=[("lot", "L"), ("expires", "2024-06-09")])])
        shop.record([received("r", 4, order="X", hour=1, payload=[("expires", "2024-06-11")])])
        shop.record(
            [received("r", 4, order="X", hour=1, revision=1, payload=[("expires", "2024-06-12")])]
        )
        wrong = [("expires", "2024-06-19")]
        shop.undo(shop.record([received("r", 4, order="X", hour=1, revision=2, payload=wrong)]))
        known = shop.stock.lots().to_pylist()
    assert [row["expires"].day for row in known] == [9, 12]
    with psycopg.connect(empty_url) as owner:
        owner.execute("ALTER TABLE stock_entry DROP COLUMN expires")
    run_again(empty_url, "0008")
    with Database.open(settings, clock=clock) as new, new.transaction(actor="test") as tx:
        assert Shop.of(tx).stock.lots().to_pylist() == known


def test_a_database_of_a_newer_version_is_left_alone(
    empty_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    bring_to(empty_url, "head")
    with psycopg.connect(empty_url) as owner:
        owner.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(BadInput, match=r"newer version \(schema 9999\)"):
        Database.open(Settings(home=tmp_path, database_url=empty_url), clock=clock)


def test_processes_that_migrate_at_once_wait_for_each_other(empty_url: str, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from sanhe.core.clock import SystemClock; "
        "from sanhe.core.settings import Settings; from sanhe.core.storage import Database; "
        "Database.open(Settings(home=Path(sys.argv[1]), database_url=sys.argv[2]), "
        "clock=SystemClock()).close()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), empty_url],
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors


def test_the_tables_give_the_application_no_more_than_listed(database: Database) -> None:
    """Append-only tables: the application may add and read, nothing else."""
    granted = database.read_arrow(
        "SELECT table_name AS name, string_agg(privilege_type, ',' ORDER BY privilege_type) AS may "
        "FROM information_schema.role_table_grants WHERE grantee = 'sanhe_app' "
        "AND table_name = ANY(ARRAY['fact', 'fact_batch', 'fact_part', 'audit_event', "
        "'installation', 'ledger_entry', 'ledger_seal']) GROUP BY 1"
    ).to_pylist()
    may = {row["name"]: row["may"] for row in granted}
    assert may.pop("installation") == "SELECT"
    assert set(may.values()) == {"INSERT,SELECT"}
    assert len(may) == 6
