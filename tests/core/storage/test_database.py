"""Transactions, roles and migrations."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy.exc import ProgrammingError

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput
from sanhe.core.settings import Settings
from sanhe.core.storage import Database, migrations_folder

BATCH = (
    "INSERT INTO fact_batch (id, kind, source, name, digest, actor, begun_at) "
    "VALUES (gen_random_uuid(), 'import', 's', 'n', '', 'planner', now())"
)


def count(database: Database) -> int:
    return int(database.read_arrow("SELECT count(*) FROM fact_batch").column(0)[0].as_py())


def test_a_transaction_commits_at_the_end_and_rolls_back_on_an_error(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        tx.connection.exec_driver_sql(BATCH)
        assert count(database) == 0
    assert count(database) == 1
    with pytest.raises(RuntimeError), database.transaction(actor="planner") as tx:
        tx.connection.exec_driver_sql(BATCH)
        raise RuntimeError
    assert count(database) == 1


def test_the_application_owns_nothing_and_can_neither_change_nor_delete_facts(
    database: Database,
) -> None:
    row = database.read_arrow(
        "SELECT r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, "
        "(SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid) AS owned "
        "FROM pg_roles r WHERE r.rolname = current_user AND current_user = 'sanhe_app'"
    ).to_pylist()
    assert [list(r.values()) for r in row] == [[False, False, False, False, 0]]
    for statement in ("UPDATE fact_batch SET name = ''", "DELETE FROM fact_batch"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            database.transaction(actor="planner") as tx,
        ):
            tx.connection.exec_driver_sql(statement)


def test_reading_arrow_can_not_write(database: Database) -> None:
    with pytest.raises(Exception, match="read-only"):
        database.read_arrow(BATCH + " RETURNING number")


def test_migrating_twice_changes_nothing(database_settings: Settings, clock: FixedClock) -> None:
    for _ in range(2):
        Database.open(database_settings, clock=clock).close()


def test_migrations_are_one_line() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    script = ScriptDirectory.from_config(config)
    assert len(script.get_heads()) == 1
    revisions = list(script.walk_revisions())
    assert all(not isinstance(revision.down_revision, tuple) for revision in revisions)
    assert [r.revision for r in revisions][::-1] == [
        f"{number:04d}" for number in range(1, len(revisions) + 1)
    ]


def test_a_server_that_is_not_there_is_named(clock: FixedClock, tmp_path: object) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql://x@127.0.0.1:1/none")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="SANHE_DATABASE_URL"):
        Database.open(settings, clock=clock)
    with pytest.raises(BadInput, match="no PostgreSQL URL"):
        Database.open(Settings(home=tmp_path, database_url="mysql://x"), clock=clock)  # type: ignore[arg-type]


def test_the_search_path_and_time_zone_do_not_depend_on_the_machine(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        assert tx.connection.exec_driver_sql("SHOW timezone").scalar() == "UTC"
        assert isinstance(tx.driver, psycopg.Connection)
