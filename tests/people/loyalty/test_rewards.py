"""What earns points: orders by tier and day, and events, each capped by its name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.ledger import PostgresLedger
from sanhe.core.storage import Database
from sanhe.people.loyalty import (
    Life,
    Points,
    Policy,
    Rewards,
    StoredValue,
    Tiers,
    Until,
    last_day,
    liability,
    points_for,
    share,
)

NOON = datetime(2024, 6, 3, 4, tzinfo=UTC)
MEMBER_DAY = datetime(2024, 6, 8, 4, tzinfo=UTC)
DAY = timedelta(days=1)


class Club:
    """The façades of one transaction, with two members."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.clock = clock
        clock.moment = NOON
        with database.transaction(actor="shop") as tx:
            self._hold(tx)
            for member in ("M1", "M2"):
                self.tiers.join(member, at=NOON)

    def _hold(self, tx: object) -> None:
        self.ledger = PostgresLedger(tx)  # type: ignore[arg-type]
        self.points = Points(tx, self.ledger)  # type: ignore[arg-type]
        self.tiers = Tiers(tx)  # type: ignore[arg-type]
        self.rewards = Rewards(tx, points=self.points, tiers=self.tiers)  # type: ignore[arg-type]
        self.stored = StoredValue(tx, self.ledger, "CNY")  # type: ignore[arg-type]

    def has(self, member: str) -> int:
        return self.points.balance(member).available


@pytest.fixture
def club(database: Database, clock: FixedClock) -> Iterator[Club]:
    """The club within a transaction."""
    made = Club(database, clock)
    with database.transaction(actor="shop") as tx:
        made._hold(tx)
        yield made


def test_an_order_earns_by_tier_and_day_once(club: Club) -> None:
    assert club.rewards.points_of("M1", 19_999, at=NOON) == 199
    assert club.rewards.points_of("M1", 19_999, at=MEMBER_DAY) == 399
    assert club.rewards.points_of("guest", 19_999, at=NOON) == 0
    assert club.rewards.bought("guest", 19_999, cause="order/0", at=NOON) == 0
    assert club.rewards.bought("M1", 600_000, cause="order/1", at=NOON) == 6_000
    club.tiers.evaluate(date(2024, 6, 3), limit=10)
    assert club.rewards.points_of("M1", 19_999, at=NOON) == 299
    assert club.rewards.bought("M1", 600_000, cause="order/1", at=MEMBER_DAY) == 6_000
    assert club.has("M1") == 6_000


@given(
    earned=st.integers(0, 10_000),
    worth=st.integers(1, 100_000),
    cuts=st.lists(st.integers(0, 100_000), max_size=4),
)
def test_however_a_return_is_split_it_takes_the_same(
    earned: int, worth: int, cuts: list[int]
) -> None:
    marks = [0, *sorted(min(cut, worth) for cut in cuts), worth]
    parts = [
        share(earned, high, worth) - share(earned, low, worth) for low, high in pairwise(marks)
    ]
    assert sum(parts) == earned and all(part >= 0 for part in parts)


def test_returned_goods_take_their_points_back(club: Club) -> None:
    club.rewards.bought("M1", 10_001, cause="order/1", at=NOON)
    step = {"cause": "order/1", "at": NOON}
    for _ in range(2):
        first = club.rewards.returned("M1", 3_333, step="r1", whole=(10_001, 0), **step)
    second = club.rewards.returned("M1", 6_668, step="r2", whole=(10_001, 3_333), **step)
    assert (first, second, club.has("M1")) == (33, 67, 0)
    assert club.rewards.returned("guest", 5, step="r1", whole=(9, 0), **step) == 0
    with pytest.raises(BadInput, match="can't come back"):
        club.rewards.returned("M1", 7, step="r3", whole=(10_001, 10_000), **step)


def test_events_are_capped_by_their_names(club: Club) -> None:
    late = datetime(2024, 6, 3, 15, 59, tzinfo=UTC)
    for at in (NOON, late):
        assert club.rewards.sign_in("M1", at=at) == 2
    assert club.has("M1") == 2
    club.rewards.sign_in("M1", at=late + timedelta(minutes=1))
    assert club.has("M1") == 4  # the next day has begun in Shanghai
    for at in (NOON, NOON + 30 * DAY):
        assert club.rewards.birthday("M1", at=at) == 200
        assert club.rewards.task("M1", "profile", at=at) == 50
    assert club.has("M1") == 254
    with pytest.raises(NotFound, match="no task 'dance': it has first_review, profile"):
        club.rewards.task("M1", "dance", at=NOON)
    with pytest.raises(NotFound, match="guest is no member"):
        club.rewards.sign_in("guest", at=NOON)


def test_a_friend_counts_once_the_first_order_has_stayed_bought(club: Club) -> None:
    for _ in range(2):
        club.rewards.refer("M1", "M2", at=NOON)
    assert club.rewards.settle_referrals(date(2025, 1, 1), limit=10) == 0
    club.rewards.bought("M2", 5_000, cause="order/1", at=NOON)
    club.rewards.returned("M2", 5_000, cause="order/1", step="r", whole=(5_000, 0), at=NOON)
    club.rewards.bought("M2", 5_000, cause="order/1", at=NOON)  # told late, once more
    assert club.rewards.settle_referrals(date(2025, 1, 1), limit=10) == 0
    club.rewards.bought("M2", 5_000, cause="order/2", at=NOON)
    assert club.rewards.settle_referrals(date(2024, 6, 9), limit=10) == 0
    assert club.rewards.settle_referrals(date(2024, 6, 10), limit=10) == 1
    assert club.rewards.settle_referrals(date(2024, 6, 10), limit=10) == 0
    assert (club.has("M1"), club.has("M2")) == (500, 150)


def test_who_can_not_be_brought(club: Club) -> None:
    club.tiers.join("M3", at=NOON)
    club.rewards.bought("M3", 1, cause="order/1", at=NOON)
    with pytest.raises(Conflict, match="M3 has bought before"):
        club.rewards.refer("M1", "M3", at=NOON)
    club.rewards.refer("M1", "M2", at=NOON)
    with pytest.raises(Conflict, match="brought by another"):
        club.rewards.refer("M3", "M2", at=NOON)
    with pytest.raises(BadInput, match="themselves"):
        club.rewards.refer("M1", "M1", at=NOON)
    with pytest.raises(NotFound, match="guest"):
        club.rewards.refer("M1", "guest", at=NOON)


def test_what_is_outstanding_is_told_by_the_month_it_ends(club: Club) -> None:
    for cause, day in (("a", date(2024, 7, 31)), ("b", date(2024, 7, 1)), ("c", date(2024, 9, 1))):
        club.points.earn("M1", 333, cause=cause, at=NOON, expires_on=day)
    club.points.hold("M1", 300, cause="order/1", at=NOON, until=NOON + DAY)
    club.points.earn("M2", 5, cause="x", at=NOON, expires_on=date(2024, 7, 31))
    club.points.remove("M2", 5, cause="y", at=NOON)
    club.points.take_back("M2", 5, cause="x", step="1", at=NOON)
    club.stored.top_up("M1", 900, given_cents=90, cause="p", at=NOON)
    told = liability(club.ledger, Policy.load(), as_of=date(2024, 7, 1))
    found = [(one.month, one.points, one.expected_points) for one in told.months]
    assert found == [("2024-07", 666, 532), ("2024-09", 333, 266)]
    assert (told.points, told.expected_cents, told.owed_points) == (999, 798, 5)
    assert (told.stored_paid_cents, told.stored_given_cents) == (900, 90)
    later = liability(club.ledger, Policy.load(), as_of=date(2024, 7, 2))
    assert later.points == 666


def test_points_live_as_long_as_the_policy_says() -> None:
    day = date(2024, 2, 29)
    assert last_day(Life(Until.MONTH, 12), day) == date(2025, 2, 28)
    assert last_day(Life(Until.YEAR, 1), day) == date(2025, 12, 31)
    assert last_day(Life(Until.DAYS, 365), day) == date(2025, 2, 28)
    assert points_for(-5, per_100_yuan=100) == 0
