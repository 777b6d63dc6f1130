"""Many baskets want one coupon, one budget, one member's last time: as many win as may."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread

import psycopg
import pytest

from sanhe.core.errors import Shortage, Tampered
from sanhe.core.storage import Database
from sanhe.people.coupons import Use
from tests.people.coupons.desk import FULL, Desk, use

MANY = 8


def winners(database: Database, folder: Path, used: Use, *, member: str | None = None) -> int:
    """How many of eight baskets hold it that all ask at once."""
    barrier, won = Barrier(MANY), list[int]()

    def run(number: int) -> None:
        with database.transaction(actor="till") as tx:
            desk = Desk.of(tx, folder)
            barrier.wait()
            try:
                desk.ledger.post_all(desk.hold(used, cause=f"basket {number}", member=member))
            except Shortage:
                return
            won.append(number)

    threads = [Thread(target=run, args=(number,)) for number in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(won)


def verify(database: Database, folder: Path) -> None:
    with database.transaction(actor="auditor") as tx:
        Desk.of(tx, folder).ledger.verify()


def without_floors(database: Database, prefix: str) -> None:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(
            "UPDATE ledger_account SET floor = NULL WHERE starts_with(code, %s)", [prefix]
        )


@pytest.mark.parametrize("held_before", [False, True])
def test_one_of_many_has_the_coupon(
    database: Database, tmp_path: Path, *, held_before: bool
) -> None:
    with database.transaction(actor="growth") as tx:
        desk = Desk.of(tx, tmp_path)
        desk.campaign()
        code = desk.code()
        if held_before:
            desk.ledger.void_all(desk.hold(use(code), cause="before"))
    assert winners(database, tmp_path, use(code)) == 1
    verify(database, tmp_path)


def test_without_the_ledgers_condition_many_have_it(database: Database, tmp_path: Path) -> None:
    with database.transaction(actor="growth") as tx:
        desk = Desk.of(tx, tmp_path)
        desk.campaign()
        code = desk.code()
        desk.ledger.void_all(desk.hold(use(code), cause="before"))
    without_floors(database, "coupon/")
    assert winners(database, tmp_path, use(code)) == MANY
    with pytest.raises(Tampered, match="has other terms than it was opened with"):
        verify(database, tmp_path)


def test_a_budget_is_never_overdrawn(database: Database, tmp_path: Path) -> None:
    with database.transaction(actor="growth") as tx:
        Desk.of(tx, tmp_path).publish(replace(FULL, budget_cents=3_999))
    assert winners(database, tmp_path, Use("full", "", 1_000)) == 3
    with database.transaction(actor="growth") as tx:
        assert Desk.of(tx, tmp_path).promotions.left_cents(["full"]) == {"full": 999}


def test_a_member_has_it_as_often_as_may_be(database: Database, tmp_path: Path) -> None:
    with database.transaction(actor="growth") as tx:
        Desk.of(tx, tmp_path).publish(replace(FULL, per_member=2))
    assert winners(database, tmp_path, Use("full", "", 1_000), member="M1") == 2


def test_what_is_let_go_while_another_waits_for_it_is_that_others(
    database: Database, tmp_path: Path
) -> None:
    with database.transaction(actor="growth") as tx:
        desk = Desk.of(tx, tmp_path)
        desk.campaign()
        code = desk.code()
        holds = desk.hold(use(code), cause="first")
    won: list[str] = []

    def second() -> None:
        with database.transaction(actor="till") as tx:
            Desk.of(tx, tmp_path).hold(use(code), cause="second")
            won.append("second")

    waiting = Thread(target=second)
    with database.transaction(actor="till") as tx:
        Desk.of(tx, tmp_path).ledger.void_all(holds)
        waiting.start()
        waits_for_a_lock(database)
    waiting.join()
    assert won == ["second"]


def waits_for_a_lock(database: Database) -> None:
    """Until some connection waits for another."""
    until = time.monotonic() + 60
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while not (owner.execute(query).fetchone() or (0,))[0]:
            assert time.monotonic() < until
            time.sleep(0.01)
