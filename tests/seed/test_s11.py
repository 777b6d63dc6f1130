"""S11 one membership: the same basket costs the same everywhere, and everyone is told why not.

A coupon is weighed, published, issued and used once, whoever shows it where.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.errors import Shortage
from sanhe.core.facts import Fact, facts_table
from sanhe.core.ledger import PostgresLedger
from sanhe.core.storage import Database, EmbeddedServer
from sanhe.people.coupons import read_campaign, uses_of
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
    read,
)
from sanhe.wiring import (
    Sanhe,
    approve_promotion,
    check_coupons,
    issue_coupons,
    propose_promotion,
    record_facts,
    run_jobs,
    save_campaign,
    save_promotion,
)
from tests.wiring.installation import installed, opened

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


WELCOME = """{"id": "welcome", "name": "5 off 50", "stage": "coupon", "coupon": true,
 "offer": {"kind": "off", "steps": [{"from_cents": 5000, "off_cents": 500}]},
 "budget_cents": 1000, "per_member": 1,
 "begins_at": "2026-01-01T00:00:00+08:00", "ends_at": "2027-01-01T00:00:00+08:00"}"""
AUTUMN = """{"id": "autumn", "name": "autumn coupons", "promotion": "welcome", "per_member": 1,
 "begins_at": "2026-01-01T00:00:00+08:00", "ends_at": "2027-01-01T00:00:00+08:00"}"""


def published(sanhe: Sanhe) -> None:
    """Receipts of the past, a promotion weighed on them by growth and approved by pricing."""
    sold = [
        Fact(
            "sale.line", "pos", f"L{day}", datetime(2026, 5, day, 4, tzinfo=UTC),
            date(2026, 5, day), "TEA", "S1", None, 2, 8_000, "CNY", {"receipt": f"r{day}"},
        )
        for day in range(20, 30)
    ]  # fmt: skip
    record_facts(sanhe, {"receipts": facts_table(sold)}, source="pos", actor="importer")
    save_promotion(sanhe, read(Promotion, json.loads(WELCOME)), actor="growth")
    weighed = propose_promotion(sanhe, "welcome", actor="growth")
    assert (weighed.evidence.reached, weighed.evidence.discount_cents) == (10, 5_000)
    assert weighed.decision is not None
    approve_promotion(sanhe, "welcome", weighed.decision, reason="fine", actor="pricing")
    run_jobs(sanhe)


def test_a_coupon_is_weighed_published_issued_and_used_once(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    with installed(server, tmp_path) as settings, opened(settings, at=NOON) as sanhe:
        published(sanhe)
        save_campaign(sanhe, read_campaign(json.loads(AUTUMN)), actor="growth")
        made = issue_coupons(sanhe, "autumn", members=["M1", "M1", "M2"], actor="growth")
        assert [one.coupon.member for one in made] == ["M1", "M2"]
        code, another = made[0].code, made[1].code
        shown = check_coupons(sanhe, [code, another], member="M1", actor="app")
        assert str(shown.refused[another]) == (
            "it was given to another member: sign in as the one who has it"
        )
        with sanhe.work(actor="app") as work:
            found = priced(basket_with(shown.coupons), work.promotions.book(at=NOON))
            assert found.final_cents == 8_000 - 500
            until = NOON + timedelta(minutes=15)
            held = {"member": "M1", "at": NOON, "until": until}
            holds = work.coupons.hold(uses_of(found), cause="order 1", **held)
        with pytest.raises(Shortage), sanhe.work(actor="till") as work:
            work.coupons.hold(uses_of(found), cause="order 2", **held)
        with sanhe.work(actor="app") as work:
            work.ledger.post_all(holds)
            assert work.promotions.left_cents(["welcome"]) == {"welcome": 500}
        assert str(check_coupons(sanhe, [code], member="M1", actor="till").refused[code]) == (
            "it was used"
        )
        with sanhe.work(actor="service") as work:
            work.coupons.give_back(uses_of(found), cause="order 1", step="returned", at=NOON)
        assert check_coupons(sanhe, [code], member="M1", actor="till").coupons
        sanhe.verify()


def basket_with(coupons: tuple[Coupon, ...]) -> Asked:
    """Two teas at 40.00."""
    tea = Item(0, "TEA", 2, 4_000)
    return Asked((tea,), "app", "S1", NOON, Shopper("gold"), coupons)


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
