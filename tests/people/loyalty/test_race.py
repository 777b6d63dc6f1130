"""Tills at once: a point is spent once and comes back once; without the lock it is not so."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest

from sanhe.core.errors import Conflict, Shortage
from sanhe.core.ledger import PostgresLedger
from sanhe.core.storage import Database
from sanhe.people.loyalty import Points
from sanhe.people.loyalty.purse import MemberPurse

NOON = datetime(2024, 6, 3, 4, tzinfo=UTC)
UNTIL = NOON + timedelta(minutes=15)
Deed = Callable[[Points, int], object]
TILLS = 4


def at_once(database: Database, deed: Deed) -> list[str]:
    """What became of a deed that every till does at once."""
    start = Barrier(TILLS)

    def till(number: int) -> str:
        with database.transaction(actor=f"till {number}") as tx:
            points = Points(tx, PostgresLedger(tx))
            start.wait(20)
            try:
                deed(points, number)
            except (Conflict, Shortage) as error:
                return type(error).__name__
        return "done"

    with ThreadPoolExecutor(TILLS) as pool:
        return sorted(pool.map(till, range(TILLS)))


def hold(points: Points, number: int) -> None:
    points.hold("M1", 60, cause=f"order/{number}", at=NOON, until=UNTIL)


def give_back(points: Points, number: int) -> None:
    points.give_back("M1", 60, cause="order/spent", step=f"till {number}", at=NOON)


def has(database: Database) -> int:
    with database.transaction(actor="reader") as tx:
        return Points(tx, PostgresLedger(tx)).balance("M1").available


@pytest.fixture
def shop(database: Database) -> Database:
    """A member with 100 points who spent 100 more."""
    with database.transaction(actor="shop") as tx:
        ledger = PostgresLedger(tx)
        points = Points(tx, ledger)
        points.earn("M1", 200, cause="a", at=NOON, expires_on=date(2024, 7, 31))
        ledger.post_all(points.hold("M1", 100, cause="order/spent", at=NOON, until=UNTIL))
    return database


def test_one_point_is_spent_once(shop: Database) -> None:
    assert at_once(shop, hold) == ["Shortage"] * (TILLS - 1) + ["done"]
    assert has(shop) == 40


def test_spent_points_come_back_once(shop: Database) -> None:
    assert at_once(shop, give_back) == ["Conflict"] * (TILLS - 1) + ["done"]
    assert has(shop) == 160


def test_without_the_lock_more_comes_back_than_was_spent(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: all tills read what was spent before any writes."""
    read = Barrier(TILLS)
    still_spent = MemberPurse.still_spent

    def slowly(self: MemberPurse, member: str, cause: str) -> dict[str, int]:
        found = still_spent(self, member, cause)
        read.wait(20)
        return found

    monkeypatch.setattr(MemberPurse, "lock", lambda self, member: None)
    monkeypatch.setattr(MemberPurse, "still_spent", slowly)
    assert at_once(shop, give_back) == ["done"] * TILLS
    assert has(shop) == 100 + 60 * TILLS > 200
