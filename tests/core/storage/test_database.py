"""Transactions, roles and migrations."""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, ProgrammingError

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, TooMany
from sanhe.core.settings import Settings
from sanhe.core.storage import Database, EmbeddedServer, database_health, migrations_folder
from sanhe.core.storage.database import CONNECTIONS, urls_of

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


def test_two_who_wait_for_each_other_are_told_to_come_again_and_one_goes_on(
    database: Database,
) -> None:
    both = Barrier(2)

    def take(first: int, second: int) -> str:
        try:
            with database.transaction(actor="planner") as tx:
                tx.connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({first})")
                both.wait(30)
                tx.connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({second})")
        except TooMany as error:
            return str(error)
        return "went on"

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(take, [1, 2], [2, 1]))
    assert told == ["others want the same rows: ask again", "went on"]


def test_who_gets_no_connection_in_time_is_told_to_come_again(
    database: Database, clock: FixedClock
) -> None:
    urls = {"url": database.url, "owner_url": database.owner_url}
    with Database(**urls, clock=clock, wait_seconds=0.1) as hasty:
        with ExitStack() as held:
            for _ in range(CONNECTIONS):
                held.enter_context(hasty.transaction(actor="planner"))
            with pytest.raises(TooMany, match="in use"), hasty.transaction(actor="planner"):
                pass
        with hasty.transaction(actor="planner") as tx:
            tx.connection.exec_driver_sql(BATCH)


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
    names = [revision.revision for revision in revisions][::-1]
    assert names == sorted(set(names))


def test_a_server_that_is_not_there_is_named(clock: FixedClock, tmp_path: object) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql://x@127.0.0.1:1/none")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="SANHE_DATABASE_URL"):
        Database.open(settings, clock=clock)
    with pytest.raises(BadInput, match="no PostgreSQL URL"):
        Database.open(Settings(home=tmp_path, database_url="mysql://x"), clock=clock)  # type: ignore[arg-type]


@pytest.mark.parametrize("sign", ["@", "/", "?", "#", "%", "%zz", ":@", "[", "/?@"])
def test_a_url_that_can_not_be_read_is_refused_without_its_password(
    sign: str, clock: FixedClock, tmp_path: Path
) -> None:
    url = f"postgresql://u:sec{sign}ret@127.0.0.1:1/none"
    with pytest.raises(BadInput) as refused:
        Database.open(Settings(home=tmp_path, database_url=url), clock=clock)
    shown = "".join(traceback.format_exception(refused.value))
    assert "percent-encode" in str(refused.value)
    assert "sec" not in shown.replace("psycopg", "")
    assert "ret@" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:s%40%2F%23@h/d",
        "postgresql://u@h1:1,h2:2/d?password=x",
        "postgresql:///d?host=@name",
        "postgres://u:a:b@[::1]:5432/d",
    ],
)
def test_urls_that_libpq_reads_are_taken(url: str) -> None:
    assert urls_of(url)[1].startswith("postgresql://")


def test_a_failed_statement_does_not_show_what_it_was_given(database: Database) -> None:
    with (
        pytest.raises(DataError) as failed,
        database.transaction(actor="planner") as tx,
    ):
        tx.connection.execute(text("SELECT 1 / 0, CAST(:who AS text)"), {"who": "customer 17"})
    assert "SELECT" in str(failed.value)
    assert "customer 17" not in str(failed.value)


def test_the_owner_can_not_change_what_is_only_added_to(database_settings: Settings) -> None:
    tables = ["fact", "fact_batch", "fact_part", "audit_event", "purchase_order"]
    tables += ["purchase_order_line", "purchase_order_event", "ledger_entry", "decision_event"]
    with psycopg.connect(str(database_settings.database_url), autocommit=True) as owner:
        for table in tables:
            column = owner.execute(f"SELECT * FROM {table}").description[0].name  # type: ignore[index]
            for statement in (
                f"UPDATE {table} SET {column} = {column}"
                if column != "number"
                else f"UPDATE {table} SET number = DEFAULT",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
            ):
                with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
                    owner.execute(statement)


def test_the_health_names_a_login_that_owns_the_tables(database: Database) -> None:
    health = database_health(database)
    assert (health.role, health.login, health.login_owns) == ("sanhe_app", "sanhe_owner", True)
    assert health.owned == 0


def test_the_embedded_login_owns_nothing(server: EmbeddedServer, clock: FixedClock) -> None:
    url, owner_url = urls_of(server)
    with Database(url=url, owner_url=owner_url, clock=clock) as embedded:
        health = database_health(embedded)
    assert (health.login, health.login_owns) == ("sanhe_app", False)


def test_the_search_path_and_time_zone_do_not_depend_on_the_machine(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        assert tx.connection.exec_driver_sql("SHOW timezone").scalar() == "UTC"
        assert isinstance(tx.driver, psycopg.Connection)
