"""Orders on the real database: stock, money and state stay exact, whatever is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from sanhe.core.errors import BadInput, Conflict, NotFound, Shortage
from sanhe.core.storage import Database
from sanhe.place.orders import (
    AtPlace,
    Basket,
    Delivery,
    Outcome,
    Piece,
    Placed,
    Placing,
    Plan,
    PricedLine,
    State,
    Wanted,
)
from tests.place.orders.counter import Counter, basket_of


@pytest.fixture
def counter(database: Database) -> Iterator[Counter]:
    """An order desk in a transaction that is never committed."""
    with database.transaction(actor="tester") as tx:
        yield Counter.of(tx)


def later(counter: Counter, minutes: int) -> None:
    counter.clock.moment += timedelta(minutes=minutes)


def test_an_order_holds_its_stock_and_payment_commits_it(counter: Counter) -> None:
    placed = counter.place(("A", 3), ("B", 2))
    assert (placed.state, placed.total_cents) == (State.PLACED, 3_666)
    assert (counter.free("A"), counter.free("B"), counter.committed("A")) == (7, 8, 0)
    assert counter.pay(placed.id).outcome is Outcome.TAKEN
    assert (counter.free("A"), counter.committed("A"), counter.committed("B")) == (7, 3, 2)
    assert counter.money() == {"owed": -3_666, "held": 3_666, "sales": 0}
    assert counter.shop.nets()[("A", "S1")] == 10
    assert counter.orders.hand_over(placed.id) is State.COMPLETE
    assert counter.money() == {"owed": 0, "held": 3_666, "sales": -3_666}
    assert counter.tell() == 2 and counter.tell() == 0
    assert (counter.shop.nets()[("A", "S1")], counter.free("A"), counter.committed("A")) == (
        7,
        7,
        0,
    )
    counter.shop.stock.verify()
    kinds = [event.kind for event in counter.orders.timeline(placed.id)]
    assert kinds == ["placed", "paid", "handed_over"]


def test_more_than_there_is_is_not_ordered_and_nothing_is_held(counter: Counter) -> None:
    with pytest.raises(Shortage, match="B"):
        counter.place(("A", 2), ("B", 11))
    assert (counter.free("A"), counter.free("B")) == (10, 10)
    assert counter.orders.page() == ([], 0)


def test_the_same_sku_in_two_lines_is_held_for_both(counter: Counter) -> None:
    with pytest.raises(Shortage):
        counter.place(("A", 6), ("A", 5))
    placed = counter.place(("A", 6), ("A", 4))
    assert counter.free("A") == 0
    counter.pay(placed.id)
    counter.orders.hand_over(placed.id)
    counter.tell()
    assert counter.shop.nets()[("A", "S1")] == 0


def test_a_bundle_holds_all_of_its_components_or_none(counter: Counter) -> None:
    placed = counter.place(("SET", 4))
    assert (counter.free("A"), counter.free("B")) == (2, 6)
    with pytest.raises(Shortage):
        counter.place(("SET", 2))
    assert (counter.free("A"), counter.free("B")) == (2, 6)
    counter.pay(placed.id)
    counter.orders.cancel(placed.id, "one too many", pieces=[Piece(0, "S1", 1)])
    counter.orders.hand_over(placed.id)
    assert counter.tell() == 2
    assert (counter.shop.nets()[("A", "S1")], counter.shop.nets()[("B", "S1")]) == (4, 7)


def test_a_payment_told_again_changes_nothing(counter: Counter) -> None:
    placed = counter.place(("A", 1))
    first = counter.pay(placed.id, reference="wx1")
    before = counter.money()
    assert counter.pay(placed.id, reference="wx1") == first
    assert counter.money() == before
    with pytest.raises(Conflict, match="other content"):
        counter.pay(placed.id, reference="wx1", cents=7)


def test_a_second_payment_goes_back(counter: Counter) -> None:
    placed = counter.place(("A", 1))
    counter.pay(placed.id)
    twice = counter.pay(placed.id, reference="wx2")
    assert twice.outcome is Outcome.TWICE and twice.refund is not None
    assert counter.money() == {"owed": -2_000, "held": 2_000, "sales": 0}
    assert counter.orders.refunded(twice.refund)
    assert not counter.orders.refunded(twice.refund)
    assert counter.money() == {"owed": -1_000, "held": 1_000, "sales": 0}


def test_a_payment_after_the_time_goes_back_and_the_stock_stays_free(counter: Counter) -> None:
    placed = counter.place(("A", 10))
    later(counter, 15)
    late = counter.pay(placed.id)
    assert late.outcome is Outcome.LATE and late.refund is not None
    assert counter.orders.get(placed.id).state is State.EXPIRED
    assert counter.free("A") == 10
    other = counter.place(("A", 10))
    assert counter.pay(other.id).outcome is Outcome.TAKEN
    assert counter.orders.refunded(late.refund)
    assert counter.money()["held"] == 10_000


def test_what_is_not_paid_in_time_is_let_go(counter: Counter) -> None:
    first, second = counter.place(("A", 4)), counter.place(("B", 1))
    counter.pay(second.id)
    assert counter.orders.expire() == []
    later(counter, 15)
    assert counter.orders.expire() == [first.id]
    assert counter.orders.expire() == []
    assert counter.free("A") == 10
    assert counter.orders.get(first.id).closed_at == counter.clock.now()
    with pytest.raises(Conflict):
        counter.orders.hand_over(first.id)


def test_another_amount_is_not_taken(counter: Counter) -> None:
    placed = counter.place(("A", 1))
    differs = counter.pay(placed.id, cents=999)
    assert differs.outcome is Outcome.DIFFERS and differs.refund is not None
    assert counter.orders.get(placed.id).state is State.PLACED
    assert counter.pay(placed.id).outcome is Outcome.TAKEN


def test_an_order_is_cancelled_before_and_after_payment(counter: Counter) -> None:
    unpaid, paid = counter.place(("A", 2)), counter.place(("B", 3))
    with pytest.raises(Conflict):
        counter.orders.cancel(unpaid.id, "less", pieces=[Piece(0, "S1", 1)])
    assert counter.orders.cancel(unpaid.id, "changed mind") is None
    assert counter.orders.cancel(unpaid.id, "changed mind") is None
    assert counter.pay(unpaid.id).outcome is Outcome.CLOSED
    counter.pay(paid.id)
    part = counter.orders.cancel(paid.id, "less", pieces=[Piece(0, "S1", 2)])
    assert part is not None
    assert (counter.free("B"), counter.committed("B")) == (9, 1)
    rest = counter.orders.cancel(paid.id, "all of it")
    assert counter.orders.get(paid.id).state is State.CANCELLED
    amounts = sorted(refund.amount_cents for refund in counter.orders.refunds(paid.id))
    assert amounts == [333, 666] and rest != part
    assert counter.free("B") == 10


def test_what_was_handed_over_comes_back_to_the_cent(counter: Counter) -> None:
    placed = counter.place(("B", 3))
    counter.pay(placed.id)
    counter.orders.hand_over(placed.id, [Piece(0, "S1", 2)])
    with pytest.raises(Conflict):
        counter.orders.take_back(placed.id, {0: 3}, "broken")
    counter.orders.take_back(placed.id, {0: 1}, "broken")
    counter.orders.hand_over(placed.id)
    counter.orders.take_back(placed.id, {0: 2}, "too late")
    back = counter.orders.refunds(placed.id)
    assert sum(refund.amount_cents for refund in back) == 999
    for refund in back:
        counter.orders.refunded(refund.id)
    assert counter.money() == {"owed": 0, "held": 0, "sales": 0}


@pytest.mark.parametrize("units", [0, -1, 4])
def test_no_more_is_handed_over_than_is_open(counter: Counter, units: int) -> None:
    placed = counter.place(("A", 3))
    counter.pay(placed.id)
    with pytest.raises(Conflict):
        counter.orders.hand_over(placed.id, [Piece(0, "S1", units)])
    with pytest.raises(Conflict):
        counter.orders.hand_over(placed.id, [Piece(0, "S2", 1)])
    with pytest.raises(Conflict):
        counter.orders.hand_over(placed.id, [Piece(0, "S1", 2), Piece(0, "S1", 1)])


def test_a_price_that_changed_is_not_agreed(counter: Counter) -> None:
    with pytest.raises(Conflict, match="1000 now"):
        counter.orders.place(Placing(basket_of(("A", 1)), 900), AtPlace())
    assert counter.free("A") == 10


def test_what_costs_nothing_is_paid_at_once(counter: Counter) -> None:
    placed = counter.place(("GIFT", 2))
    assert placed.state is State.PAID
    assert counter.committed("GIFT") == 2
    assert counter.orders.hand_over(placed.id) is State.COMPLETE
    assert counter.orders.take_back(placed.id, {0: 1}, "not wanted") is None


def test_many_at_once_are_served_in_order_and_leave_the_same_rows(counter: Counter) -> None:
    asked = [Placing(basket_of(("A", units)), units * 1_000) for units in (4, 5, 3, 1)]
    asked.insert(1, Placing(basket_of(("NO", 1)), 1))
    outcomes = counter.orders.place_each(asked, AtPlace())
    assert [type(one) for one in outcomes] == [Placed, BadInput, Placed, Shortage, Placed]
    assert counter.free("A") == 0
    first = outcomes[0]
    assert isinstance(first, Placed)
    assert counter.orders.get(first.id).number == first.number
    assert counter.pay(first.id).outcome is Outcome.TAKEN


@dataclass
class Keeping:
    """All from the named place, where three of each stay unless it is carried away at once."""

    asked: int = 0

    def choose(self, basket: Basket, lines: Sequence[PricedLine], *, now: datetime) -> Plan:
        self.asked += 1
        plan = AtPlace().choose(basket, lines, now=now)
        kept = 0 if basket.delivery.method == "carry" else 3
        return replace(plan, keep={(plan.place, line.sku): kept for line in lines if kept})


def test_what_stays_for_others_stays_only_from_those_who_leave_it(counter: Counter) -> None:
    fetched = Placing(basket_of(("A", 2)), 2_000)
    carried = replace(fetched, basket=replace(fetched.basket, delivery=Delivery("carry", "S1")))
    outcomes = counter.orders.place_each([fetched] * 3 + [carried] * 2, Keeping())
    assert [type(one) for one in outcomes] == [Placed, Shortage, Shortage, Placed, Placed]
    assert counter.free("A") == 4


def test_those_who_want_the_same_have_one_quote(counter: Counter) -> None:
    wanted, sourcing = basket_of(("A", 1)), Keeping()
    asked = [Placing(replace(wanted, member=f"m{number}"), 1_000) for number in range(5)]
    asked += [Placing(basket_of(("B", 1)), 333), Placing(wanted, 999)]
    outcomes = counter.orders.place_each(asked, sourcing)
    assert [type(one) for one in outcomes] == [Placed] * 6 + [Conflict]
    assert sourcing.asked == 2
    members = {counter.orders.get(one.id).member for one in outcomes if isinstance(one, Placed)}
    assert members == {"m0", "m1", "m2", "m3", "m4", None}


def test_a_channel_draws_from_its_quota_then_from_the_open_stock(counter: Counter) -> None:
    counter.shop.stock.allot("livestream", "S1", "A", quantity=4)
    assert counter.free("A") == 6
    asked = [
        Placing(basket_of(("A", 3), channel="livestream"), 3_000),
        Placing(basket_of(("A", 3), channel="livestream"), 3_000),
        Placing(basket_of(("A", 3), channel="web"), 3_000),
        Placing(basket_of(("A", 1), channel="web"), 1_000),
    ]
    outcomes = counter.orders.place_each(asked, AtPlace())
    assert [isinstance(one, Placed) for one in outcomes] == [True] * 4
    assert counter.free("A") == 0
    with pytest.raises(Shortage):
        counter.place(("A", 1), channel="livestream")


def test_orders_are_found(counter: Counter) -> None:
    first, second = counter.place(("A", 1)), counter.place(("B", 1), place="S2")
    for wanted in (
        Wanted(number=second.number),
        Wanted(places=["S2"]),
        Wanted(sku="B"),
        Wanted(text="B"),
        Wanted(text=str(second.number)),
        Wanted(places=["S2"], sku="B", states=[State.PLACED], channel="web"),
    ):
        found, total = counter.orders.page(wanted)
        assert ([one.id for one in found], total) == ([second.id], 1)
    found, total = counter.orders.page(Wanted(states=[State.PLACED]), limit=1)
    assert ([one.id for one in found], total) == ([second.id], 2)
    assert (
        counter.orders.page(Wanted(states=[State.PLACED]), limit=1, offset=1)[0][0].id == first.id
    )
    nobody = UUID(int=1)
    with pytest.raises(NotFound):
        counter.orders.get(nobody)
    with pytest.raises(NotFound):
        counter.orders.hand_over(nobody)
    with pytest.raises(NotFound):
        counter.orders.cancel(nobody, "")
    with pytest.raises(NotFound):
        counter.orders.take_back(first.id, {9: 1}, "")
