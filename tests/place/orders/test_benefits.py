"""Orders with promotions, coupons, points and stored value: held, paid, given back to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from sanhe.core.errors import BadInput, Conflict, Shortage
from sanhe.core.storage import Database, Transaction
from sanhe.people.coupons import Campaign
from sanhe.people.promotions import FreePostage, Gift, MemberPrice, Percent, Promotion, Why
from sanhe.place.orders import (
    AtPlace,
    Basket,
    Piece,
    Placed,
    Placing,
    Plan,
    State,
    Tenders,
    sale_facts,
)
from tests.place.orders.counter import Counter, basket_of

MEMBER = "M1"


@pytest.fixture
def counter(database: Database) -> Iterator[Counter]:
    """An order desk in a transaction that is never committed; M1 is a member of the first tier
    with 2,000 points and 50 yuan of stored value."""
    with database.transaction(actor="tester") as tx:
        yield opened(tx)


def opened(tx: Transaction) -> Counter:
    made = Counter.of(tx)
    now = made.clock.now()
    made.members.tiers.join(MEMBER, at=now)
    last = date(2099, 12, 31)
    made.members.points.earn(MEMBER, 2_000, cause="welcome", at=now, expires_on=last)
    made.members.stored.top_up(MEMBER, 4_000, given_cents=1_000, cause="slip 1", at=now)
    return made


def held(counter: Counter, name: str, **terms: Any) -> Promotion:
    """A promotion that holds now."""
    now = counter.clock.now()
    given: dict[str, Any] = {
        "stage": "basket",
        "begins_at": now - timedelta(days=1),
        "ends_at": now + timedelta(days=30),
    }
    promotion = Promotion(id=name, name=name, **{**given, **terms})
    counter.publish(promotion)
    return promotion


def coupon(counter: Counter, promotion: str, *, member: str | None = None) -> str:
    """The code of a coupon of a promotion, issued now."""
    now = counter.clock.now()
    campaign = Campaign(f"C {promotion}", "for a test", promotion, now, now + timedelta(days=7))
    counter.members.coupons.save(campaign)
    members = [member] if member else []
    (new,) = counter.members.coupons.issue(campaign.id, members=members, count=0 if member else 1)
    return new.code


def place(counter: Counter, basket: Basket) -> Placed:
    total = counter.orders.quote(basket, AtPlace()).total_cents
    return counter.orders.place(Placing(basket, total), AtPlace())


def points(counter: Counter) -> int:
    return counter.members.points.balance(MEMBER).available


def stored(counter: Counter) -> int:
    return counter.members.stored.balance(MEMBER).available_cents


def member_of(*lines: tuple[str, int], **given: Any) -> Basket:
    return replace(basket_of(*lines), member=MEMBER, **given)


def test_a_coupon_takes_its_share_off_each_line_and_tax_is_of_what_is_left(
    counter: Counter,
) -> None:
    held(counter, "TEN", stage="coupon", offer=Percent(1_000), coupon=True)
    basket = replace(basket_of(("A", 3), ("B", 1)), coupons=(coupon(counter, "TEN"),))
    quote = counter.orders.quote(basket, AtPlace())
    assert [(line.amount_cents, line.tax_cents) for line in quote.lines] == [
        (2_700, 311),
        (300, 35),
    ]
    assert [[one.cents for one in line.discounts] for line in quote.lines] == [[300], [33]]
    assert quote.total_cents == 3_000 == quote.tenders.money_cents
    order = counter.orders.get(place(counter, basket).id)
    assert [line.discounts for line in order.lines] == [line.discounts for line in quote.lines]
    assert basket.coupons[0] not in str(order)


def test_what_promotions_took_off_is_told_when_the_goods_leave(counter: Counter) -> None:
    """A third of it leaves first; a bundle's discount is shared by its components."""
    held(counter, "TEN", stage="coupon", offer=Percent(1_000), coupon=True)
    code = coupon(counter, "TEN")
    placed = place(counter, replace(basket_of(("A", 3), ("SET", 1)), coupons=(code,)))
    counter.pay(placed.id)
    lines = counter.orders.get(placed.id).lines
    told = []
    for pieces in ([Piece(0, "S1", 1)], None):
        counter.orders.hand_over(placed.id, pieces)
        sold = counter.orders.untold(limit=10)
        told += sale_facts(sold, {"S1": ("Asia/Shanghai", time())})
        counter.orders.told(sold)
    assert len({(one.type, one.external_id) for one in told}) == len(told)
    given = [one for one in told if one.type == "discount.given"]
    assert [(one.sku, one.quantity, one.amount_cents) for one in given[:2]] == [
        ("A", 1, 100),
        ("A", 2, 200),
    ]
    whole = sum(one.cents for line in lines for one in line.discounts)
    assert sum(one.amount_cents or 0 for one in given) == whole == 300 + lines[1].discounts[0].cents
    assert {one.sku for one in given[2:]} == {"A", "B"}, "the bundle's components"
    assert {one.payload["promotion"] for one in given} == {"TEN"}
    assert all(one.payload["coupon"] is True for one in given) and code not in str(told)
    paid = sum(one.amount_cents or 0 for one in told if one.type == "sale.line")
    assert paid == placed.total_cents


def test_a_coupon_is_for_one_order_until_that_one_is_let_go(counter: Counter) -> None:
    held(counter, "TEN", stage="coupon", offer=Percent(1_000), coupon=True)
    basket = replace(basket_of(("A", 1)), coupons=(coupon(counter, "TEN"),))
    first = place(counter, basket)
    assert first.total_cents == 900
    again = counter.orders.quote(basket, AtPlace())
    assert again.total_cents == 1_000
    assert [str(lack) for lack in again.unusable.values()] == [
        "it lies in another basket: pay or cancel that one"
    ]
    with pytest.raises(Conflict):
        counter.orders.place(Placing(basket, 900), AtPlace())
    counter.orders.cancel(first.id, "changed my mind")
    assert place(counter, basket).total_cents == 900


def test_a_budget_is_never_overspent_and_comes_back_with_the_whole(counter: Counter) -> None:
    held(counter, "TEN", offer=Percent(1_000), budget_cents=250)
    order = place(counter, basket_of(("A", 2)))
    assert order.total_cents == 1_800
    poor = counter.orders.quote(basket_of(("A", 1)), AtPlace())
    assert (poor.total_cents, [str(one) for one in poor.refused]) == (
        1_000,
        ["50 cents are left for it, and it would take 100"],
    )
    counter.pay(order.id)
    counter.orders.cancel(order.id, "no")
    assert counter.orders.quote(basket_of(("A", 1)), AtPlace()).total_cents == 900


def test_a_basket_is_priced_by_the_promotions_of_another_moment(counter: Counter) -> None:
    tomorrow = counter.clock.now() + timedelta(days=1)
    held(counter, "TEN", offer=Percent(1_000), begins_at=tomorrow)
    basket = basket_of(("A", 1))
    assert counter.orders.quote(basket, AtPlace()).total_cents == 1_000
    assert counter.orders.quote(basket, AtPlace(), at=tomorrow).total_cents == 900


def test_members_have_their_price_and_guests_do_not(counter: Counter) -> None:
    held(counter, "MEMBERS", stage="price", offer=MemberPrice())
    counter.set_member_price("A", 800)
    assert counter.orders.quote(member_of(("A", 1)), AtPlace()).total_cents == 800
    assert counter.orders.quote(basket_of(("A", 1)), AtPlace()).total_cents == 1_000


def test_a_gift_comes_along_while_there_is_one(counter: Counter) -> None:
    held(counter, "PRESENT", stage="postage", offer=Gift("GIFT", 4), minimum_cents=2_000)
    assert len(counter.orders.quote(basket_of(("A", 1)), AtPlace()).lines) == 1
    for left in (6, 2):
        order = counter.orders.get(place(counter, basket_of(("A", 2))).id)
        assert [line.sku for line in order.lines] == ["A", "GIFT"]
        assert (order.lines[1].state.quantity, order.total_cents) == (4, 2_000)
        assert counter.free("GIFT") == left
    late = counter.orders.get(place(counter, basket_of(("A", 2))).id)
    assert [line.sku for line in late.lines] == ["A"] and not late.uses
    assert counter.free("GIFT") == 2


class Brought(AtPlace):
    """From a place by a courier, for eight yuan."""

    def choose(self, *given: Any, **more: Any) -> Plan:
        return replace(super().choose(*given, **more), delivery_cents=800)


def test_postage_is_given_as_far_as_it_goes(counter: Counter) -> None:
    held(counter, "FREE", stage="postage", offer=FreePostage(most_cents=500), minimum_cents=1_000)
    quote = counter.orders.quote(basket_of(("A", 1)), Brought())
    assert (quote.plan.delivery_cents, quote.delivery_cents, quote.total_cents) == (800, 300, 1_300)
    assert counter.orders.quote(basket_of(("B", 1)), Brought()).total_cents == 1_133


def test_postage_comes_out_of_its_budget(counter: Counter) -> None:
    """Of 1,000 cents the first delivery takes 800, the second 200; then it is spent."""
    held(counter, "FREE", stage="postage", offer=FreePostage(), budget_cents=1_000)
    first = counter.orders.quote(basket_of(("A", 1)), Brought())
    assert (first.delivery_cents, first.uses[0].cents) == (0, 800)
    whole = Placing(basket_of(("A", 1)), first.total_cents)
    placed = counter.orders.place(whole, Brought())
    assert counter.members.promotions.left_cents(["FREE"]) == {"FREE": 200}
    second = counter.orders.quote(basket_of(("A", 1)), Brought())
    assert (second.delivery_cents, second.uses[0].cents) == (600, 200)
    counter.orders.place(Placing(basket_of(("A", 1)), second.total_cents), Brought())
    third = counter.orders.quote(basket_of(("A", 1)), Brought())
    assert third.delivery_cents == 800 and not third.uses
    assert [one.why for one in third.refused] == [Why.BUDGET]
    counter.orders.cancel(placed.id, reason="changed mind")
    assert counter.members.promotions.left_cents(["FREE"]) == {"FREE": 800}
    atplace = counter.orders.quote(basket_of(("A", 1)), AtPlace())
    assert [one.cents for one in atplace.uses] == [0], "nothing is given where nothing is charged"


def test_points_and_stored_value_are_held_spent_and_freed(counter: Counter) -> None:
    basket = member_of(("A", 3), points=600, stored_cents=1_400)
    order = place(counter, basket)
    assert (order.total_cents, order.due_cents) == (3_000, 1_000)
    assert (points(counter), stored(counter)) == (1_400, 3_600)
    counter.orders.cancel(order.id, "no")
    assert (points(counter), stored(counter)) == (2_000, 5_000)
    order = place(counter, basket)
    counter.clock.moment += timedelta(minutes=20)
    counter.orders.expire()
    assert (points(counter), stored(counter)) == (2_000, 5_000)


def test_what_needs_no_money_is_paid_at_once(counter: Counter) -> None:
    order = place(counter, member_of(("A", 2), points=1_000, stored_cents=1_000))
    assert (order.state, order.due_cents) == (State.PAID, 0)
    assert (points(counter), stored(counter)) == (1_000, 4_000)
    assert counter.orders.hand_over(order.id) is State.COMPLETE
    assert counter.orders.take_back(order.id, {0: 2}, "back") is None
    # Ten points were earned for what stored value paid, and went with it.
    assert (points(counter), stored(counter)) == (2_000, 5_000)


@pytest.mark.parametrize(
    ("given", "place_"),
    [
        ({"points": 501}, "points"),
        ({"points": -1}, "points"),
        ({"stored_cents": 1_001}, "stored_cents"),
        ({"points": 500, "stored_cents": 501}, "stored_cents"),
        ({"points": 1, "member": None}, "points"),
        ({"coupons": ("X", "X")}, "coupons"),
    ],
)
def test_what_can_t_be_paid_so_is_refused_by_its_field(
    counter: Counter, given: dict[str, Any], place_: str
) -> None:
    basket = replace(member_of(("A", 1)), **given)
    with pytest.raises(BadInput) as refused:
        counter.orders.quote(basket, AtPlace())
    assert refused.value.place == place_


def test_nobody_pays_with_more_than_they_have(counter: Counter) -> None:
    for given in ({"points": 2_001}, {"stored_cents": 5_001}):
        with pytest.raises(Shortage):
            counter.orders.quote(member_of(("A", 6), **given), AtPlace())


def test_of_many_at_once_each_points_go_to_one(counter: Counter) -> None:
    basket = member_of(("A", 4), points=1_500)
    told = counter.orders.place_each([Placing(basket, 4_000)] * 2, AtPlace())
    assert [type(one) for one in told] == [Placed, Shortage]
    assert (counter.free("A"), points(counter)) == (6, 500)


def test_who_is_refused_for_points_keeps_no_coupon(counter: Counter) -> None:
    held(counter, "TEN", stage="coupon", offer=Percent(1_000), coupon=True, budget_cents=1_000)
    now = counter.clock.now()
    campaign = Campaign("C", "for a test", "TEN", now, now + timedelta(days=7))
    counter.members.coupons.save(campaign)
    first, other = (one.code for one in counter.members.coupons.issue("C", count=2))
    baskets = [member_of(("A", 4), points=1_500, coupons=(code,)) for code in (first, other)]
    told = counter.orders.place_each([Placing(one, 3_600) for one in baskets], AtPlace())
    assert [type(one) for one in told] == [Placed, Shortage]
    assert counter.members.promotions.left_cents(["TEN"]) == {"TEN": 600}
    assert counter.orders.quote(replace(baskets[1], points=0), AtPlace()).total_cents == 3_600


# 4 A at 1,000 and 3 B at 333: 4,999 cents, 10 % off by a coupon: 3,600 and 899, 4,499 in all.
LINES = (("A", 4), ("B", 3))
PAID = {"points": 1_499, "stored_cents": 1_111}
STEPS = ({0: 1}, {0: 2, 1: 1}, {0: 1, 1: 1}, {1: 1})


def whole(counter: Counter) -> UUID:
    """An order paid with a coupon, points, stored value and money, all of it handed over."""
    held(counter, "TEN", stage="coupon", offer=Percent(1_000), coupon=True)
    basket = member_of(*LINES, **PAID, coupons=(coupon(counter, "TEN", member=MEMBER),))
    order = place(counter, basket)
    assert (order.total_cents, order.due_cents) == (4_499, 4_499 - 1_499 - 1_111)
    counter.pay(order.id)
    counter.orders.hand_over(order.id)
    return order.id


def state(counter: Counter, order: UUID) -> tuple[object, ...]:
    """All that a return may touch: points, stored value, money, commission, coupon, tax."""
    found = counter.orders.get(order)
    money = sum(one.amount_cents for one in counter.orders.refunds(order))
    carried = counter.members.coupons.of_member(MEMBER, at=counter.clock.now())
    return (
        points(counter),
        stored(counter),
        money,
        found.commission_base_cents,
        [line.kept_tax_cents for line in found.lines],
        [str(one.lack) for one in carried],
    )


def test_half_comes_back_in_two_steps_after_a_change_of_tier(counter: Counter) -> None:
    order = whole(counter)
    # 2,000 - 1,499, and a point for each 100 cents of 4,499 that no points paid: 30.
    assert state(counter, order)[:4] == (501 + 30, 5_000 - 1_111, 0, 4_499 - 414 - 103)
    counter.members.tiers.qualify(MEMBER, 600_000, cause="elsewhere", at=counter.clock.now())
    counter.members.tiers.evaluate(counter.clock.now().date(), limit=10)
    assert counter.members.tiers.tier(MEMBER, at=counter.clock.now()) == "gold"

    # One A: 900 of 4,499 cents. Exact shares: points 299.87, stored 222.25, money 377.88.
    counter.orders.take_back(order, {0: 1}, "too much")
    back = Tenders(300, 300, 222, 378)
    assert counter.orders.get(order).tenders.share(900) == back
    # 601 of the 3,000 cents that no points paid: 6 of 30 points.
    assert state(counter, order)[:3] == (501 + 300 + 24, 3_889 + 222, 378)

    # Another A and a B (300 of 899 cents): 2,100 of 4,499. Exact: 699.69, 518.59, 881.72.
    counter.orders.take_back(order, {0: 1, 1: 1}, "too much")
    assert counter.orders.get(order).tenders.share(2_100) == Tenders(700, 700, 518, 882)
    assert state(counter, order)[:3] == (501 + 700 + 16, 3_889 + 518, 882)
    found = counter.orders.get(order)
    assert found.commission_base_cents == found.kept_cents - 207 - 69
    assert [str(one.lack) for one in counter.members.coupons.of_member(MEMBER, at=found.placed_at)]


def test_all_of_it_in_any_steps_leaves_everything_as_it_was(database: Database) -> None:
    ends = set()
    for steps in permutations(STEPS):
        with database.transaction(actor="tester") as tx:
            nested = tx.connection.begin_nested()
            made = opened(tx)
            order = whole(made)
            for step in steps:
                made.orders.take_back(order, step, "back")
            for refund in made.orders.refunds(order):
                made.orders.refunded(refund.id)
            ends.add(str(state(made, order)))
            assert made.money() == {"owed": 0, "held": 0, "sales": 0}
            made.shop.ledger.verify()
            nested.rollback()
    assert len(ends) == 1
