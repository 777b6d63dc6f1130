"""S11 one membership: the same basket costs the same everywhere, and everyone is told why not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sanhe.core.clock import FixedClock
from sanhe.core.ledger import PostgresLedger
from sanhe.core.storage import Database
from sanhe.people.loyalty import Points, Rewards, Tiers
from sanhe.people.promotions import (
    USUAL,
    Asked,
    Book,
    Coupon,
    Item,
    MemberPrice,
    Off,
    Promotion,
    Shopper,
    Step,
    priced,
)

BEGIN, NOON, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(
    2027, 1, 1, tzinfo=UTC
)  # fmt: skip
BOOK = Book(
    [
        Promotion("member", "member price", MemberPrice(), "price", BEGIN, END),
        Promotion("full", "10 off 100", Off((Step(10_000, 1_000),)), "basket", BEGIN, END),
        Promotion(
            "welcome", "5 off 50", Off((Step(5_000, 500),)), "coupon", BEGIN, END, coupon=True
        ),
    ],
    USUAL,
)
COUPON = Coupon("WELCOME-1", "welcome", BEGIN, END)


def basket(units: int, *, channel: str, tier: str = "gold") -> Asked:
    tea = Item(0, "TEA", units, 4_000, member_price_cents=3_600)
    return Asked((tea,), channel, "S1", NOON, Shopper(tier), (COUPON,))


def test_a_basket_costs_the_same_at_the_till_and_in_the_app() -> None:
    at_till, in_app = (priced(basket(3, channel=one), BOOK) for one in ("till", "app"))
    assert at_till == in_app and at_till.final_cents == 3 * 3_600 - 1_000 - 500
    assert [one.promotion for one in at_till.applied] == ["member", "full", "welcome"]


def test_who_is_refused_a_coupon_is_told_what_would_make_it_valid() -> None:
    found = priced(basket(1, channel="till"), BOOK)
    (why,) = (one for one in found.refused if one.coupon)
    assert str(why) == "its goods come to 3600 cents of 5000: 1400 more are missing"
    guest = priced(basket(1, channel="till", tier=""), BOOK)
    assert "it is for members" in [str(one) for one in guest.refused]


def test_points_earned_online_pay_at_the_till_and_come_back(
    database: Database, clock: FixedClock
) -> None:
    clock.moment = NOON
    until = NOON + timedelta(minutes=15)
    with database.transaction(actor="app") as tx:
        tiers, points = Tiers(tx), Points(tx, PostgresLedger(tx))
        tiers.join("M1", at=NOON)
        online = Rewards(tx, points=points, tiers=tiers)
        assert online.bought("M1", 30_000, cause="order/1", at=NOON) == 300
    with database.transaction(actor="till") as tx:
        ledger = PostgresLedger(tx)
        held = Points(tx, ledger).hold("M1", 200, cause="order/2", at=NOON, until=until)
        ledger.post_all(held)
    with database.transaction(actor="other store") as tx:
        ledger = PostgresLedger(tx)
        tiers, points = Tiers(tx), Points(tx, ledger)
        desk = Rewards(tx, points=points, tiers=tiers)
        points.give_back("M1", 100, cause="order/2", step="half", at=NOON)
        assert points.balance("M1").available == 200
        # All of the first order comes back, though some of its points are spent.
        whole = {"cause": "order/1", "step": "all", "whole": (30_000, 0), "at": NOON}
        assert desk.returned("M1", 30_000, **whole) == 300  # type: ignore[arg-type]
        balance = points.balance("M1")
        assert (balance.available, balance.debt) == (0, 100)
        points.give_back("M1", 100, cause="order/2", step="rest", at=NOON)
        balance = points.balance("M1")
        # What is owed lies there and can't be spent: it ends with its lot, and so does the debt.
        assert (balance.available, balance.debt) == (0, 100)
        assert points.expire(date(2028, 1, 1), limit=10) == 1
        assert points.balance("M1").debt == 0
        assert sum(ledger.accounts("points")["posted"].to_pylist()) == 0
