"""Queue and outbox in PostgreSQL: rollbacks, kills, two at once, other roles."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors

from sanhe.core.jobs import Message, Outbox, PostgresJobs, PostgresOutbox, deliver, run_worker
from sanhe.core.settings import Settings
from sanhe.core.storage import Database, Transaction


def queued(database: Database) -> dict[str, int]:
    with database.transaction(actor="auditor") as tx:
        return dict(PostgresJobs(tx).counts())


def test_a_rolled_back_transaction_queues_and_sends_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction(actor="planner") as tx:
        PostgresJobs(tx).defer("note", {})
        PostgresOutbox(tx).put("purchase_order", "PO-1", {})
        raise ZeroDivisionError
    assert queued(database) == {}
    with database.transaction(actor="planner") as tx:
        assert PostgresOutbox(tx).pending("purchase_order") == []


def test_a_job_starts_only_after_the_commit(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        PostgresJobs(tx).defer("note", {})
        assert run_worker(database, {"note": lambda: None}).succeeded == 0
    assert run_worker(database, {"note": lambda: None}).succeeded == 1


def test_a_task_that_fails_takes_its_writes_back(database: Database) -> None:
    def half() -> None:
        with database.transaction(actor="worker") as tx:
            PostgresOutbox(tx).put("purchase_order", "PO-1", {})
            raise ZeroDivisionError

    with database.transaction(actor="planner") as tx:
        PostgresJobs(tx).defer("half", {})
    assert run_worker(database, {"half": half}).failed == 1
    with database.transaction(actor="planner") as tx:
        assert PostgresOutbox(tx).pending("purchase_order") == []


def test_a_lost_connection_and_a_deadlock_are_tried_again(database: Database) -> None:
    """The real faults: a session that is ended, and two that wait for each other."""
    tries: list[str] = []

    def cut() -> None:
        with database.transaction(actor="worker") as tx:
            PostgresOutbox(tx).put("purchase_order", f"PO-{len(tries)}", {})
            tries.append("cut")
            if len(tries) == 1:
                end_session(database, tx)
            elif len(tries) == 2:
                meet_in_a_deadlock(database, tx)

    def wrong() -> None:
        with database.transaction(actor="worker") as tx:
            tx.connection.exec_driver_sql("SELECT 1 / 0")

    with database.transaction(actor="planner") as tx:
        PostgresJobs(tx).defer("cut", {})
        PostgresJobs(tx).defer("wrong", {})
    done = run_worker(database, {"cut": cut, "wrong": wrong})
    # The control: an error that comes again each time fails at once.
    assert (done.succeeded, done.retried, done.failed) == (1, 2, 1)
    assert "DivisionByZero" in done.failures[0]
    with database.transaction(actor="planner") as tx:
        keys = [message.key for message in PostgresOutbox(tx).pending("purchase_order")]
    assert keys == ["PO-2"], "what the first two tries wrote is gone"


def end_session(database: Database, tx: Transaction) -> None:
    """End the session below this transaction, as a restart of the server does."""
    mine = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with psycopg.connect(database.owner_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [mine])
    tx.connection.exec_driver_sql("SELECT 1")


def meet_in_a_deadlock(database: Database, tx: Transaction) -> None:
    """Take two locks in the other order than another transaction, and wait first.

    Who waits first looks for a deadlock first, and is the one that loses.
    """
    with ThreadPoolExecutor(1) as pool, psycopg.connect(database.owner_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(1)")
        tx.connection.exec_driver_sql("SELECT pg_advisory_xact_lock(2)")

        def wait_second() -> None:
            time.sleep(0.3)
            other.execute("SELECT pg_advisory_xact_lock(2)")

        waits = pool.submit(wait_second)
        try:
            tx.connection.exec_driver_sql("SELECT pg_advisory_xact_lock(1)")
        finally:
            waits.result(timeout=30)


KILLED = """
import os, time
from pathlib import Path
from sanhe.core.clock import SystemClock
from sanhe.core.jobs import PostgresOutbox, run_worker
from sanhe.core.settings import Settings
from sanhe.core.storage import Database

settings = Settings(home=Path("unused"), database_url=os.environ["JOBS_URL"])
database = Database.open(settings, clock=SystemClock(), migrate=False)

def slow():
    print("started", flush=True)
    time.sleep(60)

def send():
    with database.transaction(actor="outbox") as tx:
        box = PostgresOutbox(tx)
        (message,) = box.pending("purchase_order")
        with open(os.environ["JOBS_FILE"], "a") as file:
            file.write(message.key + "\\n")
        print("started", flush=True)
        time.sleep(60)

if os.environ["JOBS_TASK"] == "slow":
    run_worker(database, {"slow": slow})
else:
    send()
"""


def kill_while_running(settings: Settings, task: str, file: Path) -> None:
    """A process that begins its work and is killed in the middle of it."""
    environment = {
        **os.environ,
        "JOBS_URL": str(settings.database_url),
        "JOBS_TASK": task,
        "JOBS_FILE": str(file),
    }
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "started"
        process.send_signal(signal.SIGKILL)


def test_a_killed_workers_job_is_run_again(
    database: Database, database_settings: Settings, tmp_path: Path
) -> None:
    with database.transaction(actor="planner") as tx:
        PostgresJobs(tx).defer("slow", {})
    kill_while_running(database_settings, "slow", tmp_path / "unused")
    assert queued(database) == {"doing": 1}
    ran: list[int] = []
    # The negative control: while the dead worker may still live, its job is left alone.
    run_worker(database, {"slow": lambda: ran.append(1)}, stalled_after_seconds=3600)
    assert ran == []
    run_worker(database, {"slow": lambda: ran.append(1)}, stalled_after_seconds=0)
    assert ran == [1]
    assert queued(database) == {"succeeded": 1}


def test_a_crash_before_the_mark_delivers_the_same_key_again(
    database: Database, database_settings: Settings, tmp_path: Path
) -> None:
    sent = tmp_path / "sent"
    with database.transaction(actor="planner") as tx:
        PostgresOutbox(tx).put("purchase_order", "PO-1", {"lines": []})
    kill_while_running(database_settings, "send", sent)
    assert sent.read_text() == "PO-1\n"

    def receive(message: Message) -> None:
        sent.write_text(sent.read_text() + message.key + "\n")

    assert deliver(lambda: outbox(database), "purchase_order", receive) == 1
    assert sent.read_text() == "PO-1\nPO-1\n"
    assert deliver(lambda: outbox(database), "purchase_order", receive) == 0


@contextmanager
def outbox(database: Database) -> Iterator[Outbox]:
    with database.transaction(actor="outbox") as tx:
        yield PostgresOutbox(tx)


def test_two_deliverers_share_the_messages(database: Database) -> None:
    keys = [f"PO-{n}" for n in range(40)]
    with database.transaction(actor="planner") as tx:
        for key in keys:
            PostgresOutbox(tx).put("purchase_order", key, {})
    taken: list[str] = []
    gate = threading.Barrier(3)

    def act(_: int) -> int:
        gate.wait()
        return deliver(
            lambda: outbox(database), "purchase_order", lambda message: taken.append(message.key)
        )

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(act, range(3))) == 40
    assert sorted(taken) == sorted(keys)


def test_the_application_cannot_rewrite_queue_or_outbox(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        PostgresJobs(tx).defer("note", {})
        PostgresOutbox(tx).put("purchase_order", "PO-1", {})
    for statement in (
        "UPDATE outbox SET payload = '{}'",
        "DELETE FROM outbox",
        "DELETE FROM procrastinate_jobs",
        "DELETE FROM procrastinate_events",
        "UPDATE procrastinate_events SET at = now()",
    ):
        with (
            pytest.raises(sa.exc.ProgrammingError) as caught,
            database.transaction(actor="intruder") as tx,
        ):
            tx.connection.exec_driver_sql(statement)
        assert isinstance(caught.value.orig, errors.InsufficientPrivilege), statement
