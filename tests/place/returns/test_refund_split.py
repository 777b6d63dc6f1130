"""X5: paid with a coupon, points, stored value and money, half of it returned in another store, in
two steps, after a change of tier: everything is exact to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sanhe.core.settings import Settings
from sanhe.people.coupons import Campaign
from sanhe.people.promotions import Percent, Promotion
from sanhe.place.orders import Basket, BasketLine, Delivery, PaymentNotice, Placing, State, Tenders
from sanhe.place.returns import Asked, Verdict
from sanhe.wiring import By, ask_return, inspect_return, receive_return, tell_sales
from tests.people.promotions.publishing import publish
from tests.place.fulfil.store import Town, town

MEMBER, STORE = "M1", By("store")


def welcomed(at: Town) -> str:
    """A member with 3,000 points and 50 yuan, of which 10 were given; the code of a coupon."""
    now = at.clock.now()
    ends_at = now + timedelta(days=30)
    with at.sanhe.work(actor="tester") as work:
        work.tiers.join(MEMBER, at=now)
        work.points.earn(MEMBER, 3_000, cause="welcome", at=now, expires_on=date(2099, 1, 1))
        work.stored.top_up(MEMBER, 4_000, given_cents=1_000, cause="slip", at=now)
        ten = Promotion("TEN", "10 % off", Percent(1_000), "coupon", now, ends_at, coupon=True)
        publish(work.promotions, work.decisions, replace(ten, budget_cents=100_000))
        work.coupons.save(Campaign("C", "for a test", "TEN", now, ends_at))
        return work.coupons.issue("C", members=[MEMBER])[0].code


def fetched(at: Town, code: str) -> UUID:
    """4 A and 3 B for 4,499 cents: 1,499 by points, 1,111 of stored value, 1,889 in cash."""
    lines = (BasketLine("A", 4), BasketLine("B", 3))
    paid: dict[str, Any] = {"coupons": (code,), "points": 1_499, "stored_cents": 1_111}
    basket = Basket("web", "CNY", lines, Delivery("pickup", "S1"), MEMBER, **paid)
    with at.sanhe.work(actor="shopper") as work:
        placed = work.orders.place(Placing(basket, 4_499), work.sourcing)
    with at.sanhe.work(actor="till") as work:
        now = at.clock.now()
        work.orders.settle(PaymentNotice("cash", "slip 1", placed.id, 1_889, "CNY", now))
        assert work.orders.hand_over(placed.id) is State.COMPLETE
    tell_sales(at.sanhe)
    return placed.id


def returned(at: Town, order: UUID, units: dict[int, int], *, step: str) -> None:
    """Units come back to another store and can all be sold."""
    asked = ask_return(at.sanhe, Asked(order, units, "too small"), key=f"ask-{step}", by=STORE)
    assert isinstance(asked, dict)
    came = UUID(str(asked["id"]))
    receive_return(at.sanhe, came, "S2", counts=units, key=f"receive-{step}", by=STORE)
    found = {line: Verdict(sellable=count) for line, count in units.items()}
    for _ in range(2):  # told again, it is done once
        inspect_return(at.sanhe, came, found, key=f"inspect-{step}", by=STORE)


def had(at: Town, order: UUID) -> tuple[int, int, int, int, bool]:
    """Points, stored value, cash that goes back, what is left of the budget, and whether the
    coupon can be used."""
    with at.sanhe.work(actor="reader") as work:
        (coupon,) = work.coupons.of_member(MEMBER, at=at.clock.now())
        return (
            work.points.balance(MEMBER).available,
            work.stored.balance(MEMBER).available_cents,
            sum(one.amount_cents for one in work.orders.refunds(order)),
            work.promotions.left_cents(["TEN"])["TEN"],
            coupon.lack is None,
        )


def promoted(at: Town) -> None:
    """The member rises to the highest tier, for which points are worth half as much again."""
    with at.sanhe.work(actor="tester") as work:
        work.tiers.qualify(MEMBER, 600_000, cause="elsewhere", at=at.clock.now())
    at.wait(days=1)
    with at.sanhe.work(actor="tester") as work:
        work.tiers.evaluate(at.clock.now().date(), limit=10)
        assert work.tiers.tier(MEMBER, at=at.clock.now()) == "gold"


def test_half_comes_back_to_another_store_in_two_steps(database_settings: Settings) -> None:
    with town(database_settings) as at:
        order = fetched(at, welcomed(at))
        # Earned: a point for each of the 30 yuan that no points paid.
        assert had(at, order) == (1_501 + 30, 5_000 - 1_111, 0, 100_000 - 500, False)
        promoted(at)
        returned(at, order, {0: 1}, step="one")
        assert at.order(order).tenders.share(900) == Tenders(300, 300, 222, 378)
        assert had(at, order)[:3] == (1_501 + 300 + 24, 3_889 + 222, 378)
        returned(at, order, {0: 1, 1: 1}, step="two")
        assert had(at, order) == (1_501 + 700 + 16, 3_889 + 518, 882, 99_500, False)
        found = at.order(order)
        # 2 A and 2 B are kept: 1,800 and 599 cents with 207 and 69 of tax in them.
        assert (found.kept_cents, found.commission_base_cents) == (2_399, 2_399 - 207 - 69)
        assert [line.kept_tax_cents for line in found.lines] == [207, 69]
        returned(at, order, {0: 2, 1: 2}, step="rest")
        assert had(at, order) == (3_000, 5_000, 1_889, 100_000, True)
        assert at.order(order).commission_base_cents == 0
        at.money_is_exact(order)
        at.sanhe.verify()
        with at.sanhe.work(actor="auditor") as work:
            accounts = work.ledger.accounts().group_by("unit").aggregate([("posted", "sum")])
            assert not any(accounts["posted_sum"].to_pylist())
