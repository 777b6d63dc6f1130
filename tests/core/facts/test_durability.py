"""Faults: killed while importing, two imports at once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from sanhe.core.facts import Appended, PostgresFacts
from sanhe.core.storage import Database
from tests.core.facts.samples import TYPES, sale

ROWS = 2000
IMPORTER = """
import sys
from pathlib import Path
from sanhe.core.clock import SystemClock
from sanhe.core.facts import PostgresFacts
from sanhe.core.settings import Settings
from sanhe.core.storage import Database
from tests.core.facts.samples import TYPES, sale

one_transaction = sys.argv[2] == "one"
settings = Settings(home=Path("/tmp"), database_url=sys.argv[1])
database = Database.open(settings, clock=SystemClock(), migrate=False)

def rows(part):
    return [sale(f"{part}/{n}") for n in range(500)]

if one_transaction:
    with database.transaction(actor="test") as tx:
        facts = PostgresFacts(tx, TYPES)
        batch = facts.open_batch(source="till", name="f")
        for part in range(4):
            facts.append(batch, rows(part))
            print(part, flush=True)
            if part == 2:
                sys.stdin.readline()
else:
    for part in range(4):
        with database.transaction(actor="test") as tx:
            facts = PostgresFacts(tx, TYPES)
            facts.append(facts.open_batch(source="till", name="f"), rows(part))
        print(part, flush=True)
        if part == 2:
            sys.stdin.readline()
"""


def killed_after_three_of_four_parts(database: Database, how: str) -> None:
    importer = subprocess.Popen(
        [sys.executable, "-c", IMPORTER, database.owner_url, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert importer.stdout is not None
    for part in range(3):
        assert importer.stdout.readline().strip() == str(part)
    importer.kill()
    importer.communicate()


def counts(database: Database) -> Counter[str]:
    return Counter(
        database.read_arrow(
            "SELECT (SELECT count(*) FROM fact) AS fact, "
            "(SELECT count(*) FROM fact_batch) AS batch, (SELECT count(*) FROM fact_part) AS part"
        ).to_pylist()[0]
    )


def append_all(database: Database) -> Appended:
    with database.transaction(actor="test") as tx:
        facts = PostgresFacts(tx, TYPES)
        rows = [sale(f"{part}/{n}") for part in range(4) for n in range(500)]
        return facts.append(facts.open_batch(source="till", name="f"), rows)


def test_a_killed_import_leaves_nothing_half_written(database: Database) -> None:
    killed_after_three_of_four_parts(database, "one")
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:  # the server ends the orphan's transaction
        busy = "SELECT count(*) AS n FROM pg_stat_activity WHERE state LIKE '%in transaction%'"
        if database.read_arrow(busy)["n"][0].as_py() == 0:
            break
        time.sleep(0.05)
    assert counts(database) == Counter(fact=0, batch=0, part=0)
    assert append_all(database).new == ROWS


def test_the_control_cut_into_transactions_is_half_written(database: Database) -> None:
    """The negative control: without one transaction the same kill leaves three quarters."""
    killed_after_three_of_four_parts(database, "four")
    assert counts(database)["fact"] == 1500
    done = append_all(database)
    assert (done.new, done.repeated) == (500, 1500), "importing again completes it all the same"


@pytest.mark.parametrize("rivals", [2, 4])
def test_the_same_delivery_at_once_is_written_once(database: Database, rivals: int) -> None:
    outcomes: list[Appended] = []

    def deliver() -> None:
        outcomes.append(append_all(database))

    threads = [threading.Thread(target=deliver) for _ in range(rivals)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome.new for outcome in outcomes) == ROWS
    assert sum(outcome.repeated for outcome in outcomes) == ROWS * (rivals - 1)
    assert counts(database)["fact"] == ROWS


def test_overlapping_deliveries_in_opposite_order_do_not_stop_each_other(
    database: Database,
) -> None:
    def deliver(order: int) -> None:
        with database.transaction(actor="test") as tx:
            facts = PostgresFacts(tx, TYPES)
            batch = facts.open_batch(source="till", name="f")
            for number in range(200)[::order]:
                facts.append(batch, [sale(str(number))])

    threads = [threading.Thread(target=deliver, args=(order,)) for order in (1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(database)["fact"] == 200
