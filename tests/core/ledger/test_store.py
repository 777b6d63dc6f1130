"""The ledger in PostgreSQL under races, kills and other roles, with negative controls."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlsplit

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa
from psycopg import errors
from sqlalchemy.exc import OperationalError

from sanhe.core.errors import Shortage, TooMany
from sanhe.core.ledger import Account, PostgresLedger, Seal, Transfer
from sanhe.core.settings import Settings
from sanhe.core.storage import Database, EmbeddedServer, Transaction
from sanhe.core.values import derived_id, new_id

NOON = datetime(2024, 6, 3, 12, tzinfo=UTC)
SHELF, LOOSE, WORLD = "shelf", "loose", "world"


def move(source: str, target: str, *, amount: int = 1, name: str = "") -> Transfer:
    return Transfer(
        derived_id("store", name) if name else new_id(),
        source,
        target,
        amount=amount,
        reason="sale",
        reference="receipt",
        effective_at=NOON,
    )


@pytest.fixture
def stocked(database: Database) -> Database:
    """Twenty pieces on a bounded shelf, twenty on one without a floor."""
    with database.transaction(actor="till") as tx:
        ledger = PostgresLedger(tx)
        ledger.open_accounts(
            [Account(WORLD, "u"), Account(SHELF, "u", floor=0), Account(LOOSE, "u")]
        )
        ledger.transfer([move(WORLD, SHELF, amount=20), move(WORLD, LOOSE, amount=20)])
    return database


def available(database: Database, code: str) -> int:
    with database.transaction(actor="auditor") as tx:
        ledger = PostgresLedger(tx)
        ledger.verify()
        return ledger.balances([code])[code].available


def together(act: Callable[[int], int], threads: int) -> int:
    """Run `act` in threads that start at once; the sum of what they return."""
    gate = threading.Barrier(threads)

    def run(number: int) -> int:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(run, range(threads)))


def single(ledger: PostgresLedger) -> None:
    ledger.transfer([move(SHELF, WORLD)])


def several(ledger: PostgresLedger) -> None:
    ledger.transfer([move(SHELF, WORLD), move(WORLD, LOOSE)])


def reserve(ledger: PostgresLedger) -> None:
    ledger.reserve(move(SHELF, WORLD))


def reserve_and_post(ledger: PostgresLedger) -> None:
    pending = move(SHELF, WORLD)
    ledger.reserve(pending)
    ledger.post(pending.id)


@pytest.mark.parametrize("take", [single, several, reserve, reserve_and_post])
def test_the_last_units_are_given_once(
    stocked: Database, take: Callable[[PostgresLedger], None]
) -> None:
    def buy(_: int) -> int:
        got = 0
        for _ in range(8):
            try:
                with stocked.transaction(actor="till") as tx:
                    take(PostgresLedger(tx))
                got += 1
            except Shortage:
                continue
        return got

    assert together(buy, 6) == 20
    assert available(stocked, SHELF) == 0


def test_checking_before_taking_oversells(stocked: Database) -> None:
    """The negative control: without a floor, a check in Python lets all through at once."""
    checked = threading.Barrier(6)

    def buy(_: int) -> int:
        with stocked.transaction(actor="till") as tx:
            free = PostgresLedger(tx).balances([LOOSE])[LOOSE].available
        checked.wait()
        if free < 15:
            return 0
        with stocked.transaction(actor="till") as tx:
            PostgresLedger(tx).transfer([move(LOOSE, WORLD, amount=15)])
        return 15

    assert together(buy, 6) == 90
    assert available(stocked, LOOSE) == -70


def test_sixty_four_at_once_never_get_more_than_there_is(stocked: Database) -> None:
    """Singles, pairs of accounts and batches of groups race for the same twenty pieces."""

    def buy(number: int) -> int:
        wanted = [move(SHELF, WORLD), move(SHELF, LOOSE)]
        with stocked.transaction(actor="till") as tx:
            ledger = PostgresLedger(tx)
            if number % 3 == 0:
                return 2 * sum(ledger.reserve_each([wanted, [move(SHELF, WORLD, amount=2)]]))
            try:
                return ledger.reserve_all(wanted, keep={SHELF: 0})
            except Shortage:
                return 0

    assert together(buy, 64) == 20
    assert available(stocked, SHELF) == 0


def test_one_cart_sent_by_all_is_reserved_once(stocked: Database) -> None:
    cart = [move(SHELF, WORLD, amount=9, name="a"), move(SHELF, LOOSE, amount=9, name="b")]

    def send(number: int) -> int:
        with stocked.transaction(actor="till") as tx:
            ledger = PostgresLedger(tx)
            if number % 2:
                assert ledger.reserve_each([cart]) == [True]
                return 0
            return ledger.reserve_all(cart)

    together(send, 16)
    assert available(stocked, SHELF) == 2
    assert together(send, 4) == 0


def naive(database: Database, checked: threading.Barrier) -> int:
    """The negative control: reads what is free, decides in Python, then writes."""
    free = sa.text("SELECT posted - pending_out FROM ledger_account WHERE code = :code")
    take = sa.text("UPDATE ledger_account SET pending_out = pending_out + 1 WHERE code = :code")
    with database.transaction(actor="naive") as tx:
        seen = tx.connection.execute(free, {"code": LOOSE}).scalar_one()
    checked.wait()
    if seen < 1:
        return 0
    with database.transaction(actor="naive") as tx:
        tx.connection.execute(take, {"code": LOOSE})
    return 1


def test_sixty_four_at_once_oversell_where_python_decides(stocked: Database) -> None:
    checked = threading.Barrier(64)
    assert together(lambda _: naive(stocked, checked), 64) == 64
    with stocked.transaction(actor="auditor") as tx:
        assert PostgresLedger(tx).balances([LOOSE])[LOOSE].available == 20 - 64


def test_carts_in_opposite_order_do_not_deadlock(stocked: Database) -> None:
    codes = [f"a{n:03}" for n in range(40)]
    with stocked.transaction(actor="till") as tx:
        PostgresLedger(tx).open_accounts([Account(code, "u") for code in codes])

    def reserve(number: int) -> int:
        order = codes if number % 2 else list(reversed(codes))
        for _ in range(4):
            cart = [move(code, WORLD) for code in order]
            with stocked.transaction(actor="till") as tx:
                if number < 2:
                    PostgresLedger(tx).reserve_each([[transfer] for transfer in cart])
                else:
                    PostgresLedger(tx).reserve_all(cart)
            with stocked.transaction(actor="till") as tx:
                PostgresLedger(tx).void_all([transfer.id for transfer in cart])
        return 4

    assert together(reserve, 4) == 16
    assert available(stocked, codes[0]) == 0


def test_one_reservation_is_closed_once(stocked: Database) -> None:
    pending = move(SHELF, WORLD, amount=5, name="cart")
    with stocked.transaction(actor="till") as tx:
        PostgresLedger(tx).reserve(pending, expires_at=NOON)

    def close(number: int) -> int:
        with stocked.transaction(actor="till") as tx:
            if number % 2:
                PostgresLedger(tx).void(pending.id)
                return 0
            return PostgresLedger(tx).expire(NOON)

    together(close, 6)
    assert available(stocked, SHELF) == 20


def test_expiring_and_voiding_at_once_do_not_deadlock(stocked: Database) -> None:
    names = [f"cart {n}" for n in range(20)]
    with stocked.transaction(actor="till") as tx:
        for name in names:
            PostgresLedger(tx).reserve(move(SHELF, WORLD, name=name), expires_at=NOON)

    def close(number: int) -> int:
        if number % 2:
            for name in names:
                with stocked.transaction(actor="till") as tx:
                    PostgresLedger(tx).void(derived_id("store", name))
            return 0
        expired = 0
        for _ in range(5):
            with stocked.transaction(actor="till") as tx:
                expired += PostgresLedger(tx).expire(NOON)
        return expired

    assert together(close, 6) <= 20
    assert available(stocked, SHELF) == 20


def test_one_id_moves_once_however_often_it_is_sent(stocked: Database) -> None:
    sale = move(SHELF, WORLD, amount=3, name="sale")
    others = [move(WORLD, LOOSE, name=f"other {n}") for n in range(300)]

    def send(number: int) -> int:
        with stocked.transaction(actor="till") as tx:
            batch = [sale] if number % 2 else [*others, sale]
            return PostgresLedger(tx).transfer(batch)

    assert together(send, 4) == 301
    assert available(stocked, SHELF) == 17
    assert available(stocked, LOOSE) == 320


def test_batches_in_opposite_order_do_not_deadlock(stocked: Database) -> None:
    codes = [f"a{n:03}" for n in range(300)]
    with stocked.transaction(actor="till") as tx:
        PostgresLedger(tx).open_accounts([Account(code, "u") for code in codes])

    def post(number: int) -> int:
        order = codes if number % 2 else list(reversed(codes))
        for _ in range(4):
            with stocked.transaction(actor="till") as tx:
                PostgresLedger(tx).transfer([move(WORLD, code) for code in order])
        return 4

    assert together(post, 4) == 16
    assert available(stocked, codes[0]) == 16


def test_updates_in_opposite_order_deadlock(stocked: Database) -> None:
    """The negative control: the same rows, locked one by one in opposite order."""
    gate = threading.Barrier(2)
    update = sa.text("UPDATE ledger_account SET posted = posted WHERE code = :code")

    def lock(number: int) -> int:
        order = [SHELF, LOOSE] if number else [LOOSE, SHELF]
        try:
            with stocked.transaction(actor="till") as tx:
                tx.connection.execute(update, {"code": order[0]})
                gate.wait()
                tx.connection.execute(update, {"code": order[1]})
        except TooMany as error:  # what a transaction makes of a deadlock
            cause = error.__cause__
            return int(
                isinstance(cause, OperationalError)
                and isinstance(cause.orig, errors.DeadlockDetected)
            )
        return 0

    assert together(lock, 2) == 1


def test_a_rolled_back_transaction_leaves_nothing(stocked: Database) -> None:
    with pytest.raises(ZeroDivisionError), stocked.transaction(actor="till") as tx:
        ledger = PostgresLedger(tx)
        ledger.open_accounts([Account("new", "u")])
        ledger.transfer([move(WORLD, "new") for _ in range(500)])
        ledger.reserve(move(SHELF, WORLD, name="cart"), expires_at=NOON)
        ledger.seal()
        raise ZeroDivisionError
    assert available(stocked, SHELF) == 20
    rows = stocked.read_arrow("SELECT count(*) AS n FROM ledger_entry").to_pylist()
    assert rows == [{"n": 5}]


KILLED = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
sys.path.insert(0, os.getcwd())
from sanhe.core.clock import SystemClock
from sanhe.core.ledger import PostgresLedger
from sanhe.core.settings import Settings
from sanhe.core.storage import Database
from tests.core.ledger.test_store import SHELF, WORLD, move

settings = Settings(home=Path("unused"), database_url=os.environ["LEDGER_URL"])
database = Database.open(settings, clock=SystemClock(), migrate=False)
with database.transaction(actor="till") as tx:
    ledger = PostgresLedger(tx)
    ledger.transfer([move(SHELF, WORLD, name=f"sale {n}") for n in range(5)])
    ledger.reserve(move(SHELF, WORLD, name="cart"))
    if os.environ["LEDGER_END"] == "kill":
        print("written", flush=True)
        time.sleep(60)
print("committed", flush=True)
"""


def run_till(settings: Settings, end: str) -> None:
    """A process that sells; with "kill" it is killed between writing and committing."""
    environment = {**os.environ, "LEDGER_URL": str(settings.database_url), "LEDGER_END": end}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        assert said == ("written" if end == "kill" else "committed")
        if end == "kill":
            process.send_signal(signal.SIGKILL)


def test_a_killed_process_leaves_nothing_half_written(
    stocked: Database, database_settings: Settings
) -> None:
    run_till(database_settings, "kill")
    assert available(stocked, SHELF) == 20
    run_till(database_settings, "commit")
    assert available(stocked, SHELF) == 14
    run_till(database_settings, "commit")
    assert available(stocked, SHELF) == 14


def test_a_bulk_costs_a_small_part_of_one_by_one(
    stocked: Database, cpu_seconds: Callable[[Callable[[], object]], float]
) -> None:
    many, few, shelves = 50_000, 200, 5_000
    codes = [f"stock.on_hand/S001/SKU-{n}" for n in range(shelves)]
    with stocked.transaction(actor="till") as tx:
        PostgresLedger(tx).open_accounts([Account(code, "u", floor=0) for code in codes])

    def table(count: int) -> pa.Table:
        return pa.table(
            {
                "id": [str(new_id()) for _ in range(count)],
                "source": [WORLD] * count,
                "target": [codes[n % shelves] for n in range(count)],
                "amount": pa.array([5] * count, pa.int64()),
                "reason": ["count"] * count,
                "reference": [f"fact {n}" for n in range(count)],
                "effective_at": pa.array([NOON] * count, pa.timestamp("us", "UTC")),
            }
        )

    def post(batches: list[pa.Table]) -> int:
        with stocked.transaction(actor="till") as tx:
            return sum(PostgresLedger(tx).transfer(batch) for batch in batches)

    bulk, single = [table(many)], [table(1) for _ in range(few)]
    one_by_one = cpu_seconds(lambda: post(single)) / few
    together = cpu_seconds(lambda: post(bulk)) / many
    assert available(stocked, codes[0]) == 5 * (many // shelves + few)
    assert together < one_by_one / 10


def test_the_application_cannot_rewrite_the_ledger(stocked: Database) -> None:
    forbidden = [
        "UPDATE ledger_entry SET amount = 1",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry",
        "UPDATE ledger_account SET floor = NULL",
        "UPDATE ledger_account SET code = 'x'",
        "DELETE FROM ledger_account",
        "UPDATE ledger_seal SET root = ''",
        "DELETE FROM ledger_seal",
        "UPDATE ledger_leaf SET hash = ''",
        "DELETE FROM ledger_leaf",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
        "DROP TABLE ledger_entry",
    ]
    for statement in forbidden:
        with (
            pytest.raises(sa.exc.ProgrammingError) as caught,
            stocked.transaction(actor="intruder") as tx,
        ):
            tx.connection.exec_driver_sql(statement)
        assert isinstance(caught.value.orig, errors.InsufficientPrivilege), statement


def test_a_trigger_stops_the_owner_too(stocked: Database) -> None:
    for statement in (
        "UPDATE ledger_entry SET amount = 1",
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_seal",
        "TRUNCATE ledger_leaf",
    ):
        with (
            psycopg.connect(stocked.owner_url) as owner,
            pytest.raises(errors.RestrictViolation, match="append-only"),
        ):
            owner.execute(statement)


def test_the_floor_is_held_by_the_database_itself(stocked: Database) -> None:
    for column in ("posted = -1", "pending_out = 21"):
        with (
            pytest.raises(sa.exc.IntegrityError, match="ledger_account_floor"),
            stocked.transaction(actor="till") as tx,
        ):
            tx.connection.exec_driver_sql(
                f"UPDATE ledger_account SET {column} WHERE code = '{SHELF}'"
            )


def seal(database: Database) -> Seal | None:
    with database.transaction(actor="sealer") as tx:
        return PostgresLedger(tx).seal()


def unsealed(database: Database) -> int:
    found = database.read_arrow(
        "SELECT count(*) AS n FROM ledger_entry AS e"
        " WHERE NOT EXISTS (SELECT FROM ledger_leaf AS l WHERE l.entry = e.number)"
    )
    return int(found.to_pylist()[0]["n"])


def numbers_above(tx: Transaction, last: int) -> list[int]:
    """The naive reader of the negative control: all that is visible above the last number."""
    statement = sa.text("SELECT number FROM ledger_entry WHERE number > :last ORDER BY number")
    return list(tx.connection.execute(statement, {"last": last}).scalars())


def test_an_entry_that_commits_late_is_sealed(stocked: Database) -> None:
    # Accounts of its own: else the fast one would wait for the slow one.
    with stocked.transaction(actor="fast till") as tx:
        PostgresLedger(tx).open_accounts([Account("drawer", "u"), Account("safe", "u")])
    first = seal(stocked)
    assert first is not None
    with stocked.transaction(actor="slow till") as slow:
        PostgresLedger(slow).transfer([move(SHELF, WORLD)])
        with stocked.transaction(actor="fast till") as fast:
            PostgresLedger(fast).transfer([move("drawer", "safe")])
        # The naive reader takes the fast entry and its number as its mark ...
        with stocked.transaction(actor="naive") as tx:
            naive = numbers_above(tx, first.last_entry)
        assert len(naive) == 1
        assert seal(stocked) is None
    # ... and never sees the slow one, which has the lower number. Ours does.
    with stocked.transaction(actor="naive") as tx:
        assert numbers_above(tx, naive[-1]) == []
    second = seal(stocked)
    assert second is not None
    assert second.first_entry == naive[-1] - 1
    assert unsealed(stocked) == 0
    assert available(stocked, SHELF) == 19


def test_sealing_among_writers_takes_each_entry_once(stocked: Database) -> None:
    def act(number: int) -> int:
        for turn in range(6):
            if number == 0:
                seal(stocked)
                continue
            with stocked.transaction(actor="till") as tx:
                PostgresLedger(tx).transfer([move(WORLD, f"own {number}")])
                time.sleep(0.01 * ((number * 7 + turn * 3) % 4))
        return 0

    with stocked.transaction(actor="till") as tx:
        PostgresLedger(tx).open_accounts([Account(f"own {n}", "u") for n in range(1, 4)])
    together(act, 4)
    seal(stocked)
    assert unsealed(stocked) == 0
    available(stocked, SHELF)


def test_entries_restored_from_another_cluster_are_sealed(
    stocked: Database, server: EmbeddedServer
) -> None:
    """A restored row keeps a transaction number this server has not given out yet."""
    name = urlsplit(stocked.owner_url).path[1:]
    with psycopg.connect(server.url(user="postgres", database=name)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE ledger_entry SET written_by = written_by + 1000000000000")
    assert seal(stocked) is not None
    assert unsealed(stocked) == 0
    with stocked.transaction(actor="till") as tx:
        PostgresLedger(tx).transfer([move(SHELF, WORLD)])
    assert seal(stocked) is not None
    assert unsealed(stocked) == 0
    assert seal(stocked) is None
    assert available(stocked, SHELF) == 19
