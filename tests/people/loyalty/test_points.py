"""Points: lots, holds, what comes back, what is owed; the same again changes nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, Conflict, Shortage
from sanhe.core.ledger import MemoryLedger, PostgresLedger
from sanhe.core.storage import Database
from sanhe.people.loyalty import MemoryEntries, Points, PointsBook

NOON = datetime(2024, 6, 3, 4, tzinfo=UTC)
UNTIL = NOON + timedelta(minutes=15)
JUNE, JULY, AUGUST = date(2024, 6, 30), date(2024, 7, 31), date(2024, 8, 31)


class Memory:
    """Points in memory."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOON)
        self.ledger = MemoryLedger(self.clock)
        self.points = PointsBook(self.ledger, MemoryEntries(), clock=self.clock)

    def earn(self, points: int, cause: str, *, ends: date, at: datetime = NOON) -> None:
        self.points.earn("M1", points, cause=cause, at=at, expires_on=ends)

    def spend(self, points: int, cause: str) -> None:
        self.ledger.post_all(self.points.hold("M1", points, cause=cause, at=NOON, until=UNTIL))

    @property
    def lots(self) -> dict[date, int]:
        return {lot.expires_on: lot.points for lot in self.points.balance("M1").lots}

    @property
    def available(self) -> int:
        return self.points.balance("M1").available


@pytest.fixture
def shop() -> Memory:
    """A member with three lots of a hundred points."""
    made = Memory()
    for cause, day in (("a", AUGUST), ("b", JUNE), ("c", JULY)):
        made.earn(100, cause, ends=day)
    return made


def test_points_are_spent_out_of_the_lots_that_end_first(shop: Memory) -> None:
    held = shop.points.hold("M1", 150, cause="order/1", at=NOON, until=UNTIL)
    balance = shop.points.balance("M1")
    assert (balance.available, balance.held) == (150, 150)
    shop.ledger.post_all(held)
    assert shop.lots == {JULY: 50, AUGUST: 100}
    assert shop.points.balance("M1").held == 0


def test_the_same_again_changes_nothing(shop: Memory) -> None:
    shop.earn(100, "a", ends=AUGUST, at=NOON + timedelta(days=1))
    first = shop.points.hold("M1", 150, cause="order/1", at=NOON, until=UNTIL)
    assert shop.points.hold("M1", 150, cause="order/1", at=UNTIL, until=UNTIL) == first
    shop.ledger.post_all(first)
    for _ in range(2):
        shop.points.give_back("M1", 30, cause="order/1", step="return/1", at=NOON)
        shop.points.take_back("M1", 20, cause="a", step="return/1", at=NOON)
    assert shop.available == 300 - 150 + 30 - 20
    with pytest.raises(Conflict, match="with 150, not 151"):
        shop.points.hold("M1", 151, cause="order/1", at=NOON, until=UNTIL)
    with pytest.raises(Conflict, match="with 100, not 99"):
        shop.earn(99, "a", ends=AUGUST)


def test_more_than_there_is_can_not_be_held(shop: Memory) -> None:
    with pytest.raises(Shortage, match="has 300 points to spend, not 301"):
        shop.points.hold("M1", 301, cause="order/1", at=NOON, until=UNTIL)
    with pytest.raises(Shortage, match="has 0"):
        shop.points.hold("nobody", 1, cause="order/1", at=NOON, until=UNTIL)
    assert shop.available == 300


def test_what_was_spent_comes_back_the_last_to_end_first(shop: Memory) -> None:
    shop.spend(150, "order/1")
    shop.points.give_back("M1", 60, cause="order/1", step="1", at=NOON)
    assert shop.lots == {JUNE: 10, JULY: 100, AUGUST: 100}
    with pytest.raises(Conflict, match="90 are spent for order/1: 91 can't come back"):
        shop.points.give_back("M1", 91, cause="order/1", step="2", at=NOON)
    shop.points.give_back("M1", 90, cause="order/1", step="2", at=NOON)
    assert shop.lots == {JUNE: 100, JULY: 100, AUGUST: 100}


def test_what_was_held_and_not_spent_does_not_come_back(shop: Memory) -> None:
    held = shop.points.hold("M1", 50, cause="order/1", at=NOON, until=UNTIL)
    for _ in range(2):
        with pytest.raises(Conflict, match="0 are spent"):
            shop.points.give_back("M1", 50, cause="order/1", step="1", at=NOON)
        shop.ledger.void_all(held)
    assert shop.available == 300


def test_points_whose_lot_is_over_come_back_with_days_of_grace(shop: Memory) -> None:
    shop.spend(150, "order/1")
    late = datetime(2024, 7, 10, 4, tzinfo=UTC)
    shop.clock.moment = late
    shop.points.give_back("M1", 150, cause="order/1", step="1", at=late)
    assert shop.lots == {JULY: 100, date(2024, 8, 9): 100, AUGUST: 100}


def test_what_was_earned_is_taken_from_its_own_lot_then_others_then_owed(shop: Memory) -> None:
    shop.spend(130, "order/1")
    shop.points.take_back("M1", 100, cause="c", step="1", at=NOON)
    assert shop.lots == {AUGUST: 70}
    shop.points.take_back("M1", 100, cause="b", step="1", at=NOON)
    balance = shop.points.balance("M1")
    assert (balance.available, balance.debt, balance.lots) == (0, 30, ())
    with pytest.raises(Conflict, match="0 points count for b"):
        shop.points.take_back("M1", 1, cause="b", step="2", at=NOON)
    shop.earn(50, "d", ends=JULY)
    assert (shop.lots, shop.points.balance("M1").debt) == ({JULY: 20}, 0)


def test_what_is_owed_can_not_be_spent_though_it_lies_there(shop: Memory) -> None:
    held = shop.points.hold("M1", 300, cause="order/1", at=NOON, until=UNTIL)
    shop.points.take_back("M1", 100, cause="a", step="1", at=NOON)
    shop.ledger.void_all(held)
    balance = shop.points.balance("M1")
    assert (balance.available, balance.debt) == (200, 100)
    with pytest.raises(Shortage, match="has 200"):
        shop.points.hold("M1", 201, cause="order/2", at=NOON, until=UNTIL)


def test_points_end_with_their_last_day_and_pay_what_is_owed_first(shop: Memory) -> None:
    held = shop.points.hold("M1", 300, cause="order/1", at=NOON, until=UNTIL)
    shop.points.take_back("M1", 30, cause="a", step="1", at=NOON)
    shop.ledger.void_all(held)
    last_moment = datetime(2024, 6, 30, 15, 59, tzinfo=UTC)
    shop.clock.moment = last_moment
    assert shop.available == 270
    shop.clock.moment = last_moment + timedelta(minutes=1)
    assert (shop.available, shop.points.balance("M1").debt) == (200, 0)
    assert shop.points.expire(date(2024, 7, 1), limit=10) == 1
    assert shop.points.expire(date(2024, 7, 1), limit=10) == 0
    assert shop.lots == {JULY: 100, AUGUST: 100}
    lines = shop.points.history("M1", limit=2).lines
    assert [(line.what, line.amount) for line in lines] == [("expired", -70), ("settled", -30)]


def test_what_is_held_outlives_its_day_until_it_is_freed(shop: Memory) -> None:
    held = shop.points.hold("M1", 40, cause="order/1", at=NOON, until=UNTIL)
    shop.clock.moment = datetime(2024, 7, 1, 4, tzinfo=UTC)
    assert shop.points.expire(date(2024, 7, 1), limit=10) == 1
    assert shop.points.expire(date(2024, 7, 1), limit=10) == 0
    shop.ledger.void_all(held)
    assert shop.available == 200
    assert shop.points.expire(date(2024, 7, 2), limit=10) == 1
    assert shop.points.expire(date(2024, 7, 3), limit=10) == 0


def test_a_correction_takes_what_is_there(shop: Memory) -> None:
    for _ in range(2):
        shop.points.remove("M1", 120, cause="adjust/1", at=NOON, note="given twice")
    assert shop.available == 180
    with pytest.raises(Shortage, match="has 180 points, not 181"):
        shop.points.remove("M1", 181, cause="adjust/2", at=NOON)
    assert shop.points.history("M1", limit=1).lines[0].note == "given twice"


def test_what_can_not_be_is_refused(shop: Memory) -> None:
    with pytest.raises(BadInput, match="below 0"):
        shop.earn(-1, "x", ends=JUNE)
    with pytest.raises(BadInput, match="would end on 2024-06-02"):
        shop.earn(1, "x", ends=date(2024, 6, 2))
    with pytest.raises(BadInput, match="no cause"):
        shop.earn(1, "", ends=JUNE)
    with pytest.raises(BadInput, match="no member"):
        shop.points.hold("", 1, cause="order/1", at=NOON, until=UNTIL)
    shop.earn(0, "y", ends=JUNE)
    assert shop.available == 300


def test_the_history_tells_what_became_of_holds(shop: Memory) -> None:
    shop.spend(10, "order/1")
    freed = shop.points.hold("M1", 20, cause="order/2", at=NOON, until=UNTIL)
    shop.points.hold("M1", 30, cause="order/3", at=NOON, until=UNTIL)
    shop.ledger.void_all(freed)
    first = shop.points.history("M1", limit=4)
    told = [(line.what, line.cause, line.amount) for line in first.lines]
    assert told == [
        ("held", "order/3", -30),
        ("freed", "order/2", 0),
        ("spent", "order/1", -10),
        ("earned", "c", 100),
    ]
    rest = shop.points.history("M1", limit=4, before=first.next)
    assert [line.cause for line in rest.lines] == ["b", "a"] and rest.next is None


def test_all_of_it_is_kept_in_the_database(database: Database) -> None:
    with database.transaction(actor="shop") as tx:
        ledger = PostgresLedger(tx)
        points = Points(tx, ledger)
        for cause, day in (("a", JULY), ("b", JUNE)):
            points.earn("M/1", 100, cause=cause, at=NOON, expires_on=day)
        held = points.hold("M/1", 150, cause="order/1", at=NOON, until=UNTIL)
    with database.transaction(actor="shop") as tx:
        ledger = PostgresLedger(tx)
        points = Points(tx, ledger)
        assert points.hold("M/1", 150, cause="order/1", at=UNTIL, until=UNTIL) == held
        ledger.post_all(held)
        points.give_back("M/1", 50, cause="order/1", step="1", at=NOON)
        points.take_back("M/1", 30, cause="b", step="1", at=NOON)
        assert [lot.points for lot in points.balance("M/1").lots] == [70]
        assert points.expire(date(2024, 8, 1), limit=10) == 1
        assert points.expire(date(2024, 8, 1), limit=10) == 0
        page = points.history("M/1", limit=3)
        assert [line.what for line in page.lines] == ["expired", "taken_back", "given_back"]
        assert page.lines[0].actor == "shop" and page.next is not None
        codes = ledger.accounts("points/")["code"].to_pylist()
        assert codes == ["points/M%2F1/2024-06-30", "points/M%2F1/2024-07-31"]
