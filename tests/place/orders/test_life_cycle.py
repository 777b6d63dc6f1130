"""Any order of placing, paying, cancelling, handing over, returning, expiring and repeating.

After each step stock, money, points, stored value, the coupon and state are what the orders say,
recomputed here from the orders alone. The second test takes a guard away and must see it.
"""

from __future__ import annotations

from collections import Counter as Bag
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sanhe.core.errors import BadInput, Conflict, Shortage
from sanhe.core.storage import Database
from sanhe.people.coupons import Campaign
from sanhe.people.promotions import Percent, Promotion
from sanhe.place.orders import AtPlace, Basket, Order, Outcome, Piece, Placing, State
from sanhe.place.orders.rules import LineState
from tests.goods.shop import sold
from tests.place.orders.counter import Counter, basket_of

PLACES, SKUS = ("S1", "S2"), ("A", "B", "SET")
MEMBER, POINTS, STORED = "M1", 1_000, 2_000
WANTED = st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 4)), min_size=1, max_size=3)


class LifeCycle(RuleBasedStateMachine):
    """One shop, any number of orders; whatever is refused must leave no trace."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self._opened = self.database.transaction(actor="tester")
        self.tx = self._opened.__enter__()
        self.nested = self.tx.connection.begin_nested()
        self.counter = Counter.of(self.tx)
        self.start = self.counter.clock.now()
        self.code = self._welcome()
        self.initial = self.counter.shop.nets()
        self.ids: list[UUID] = []
        self.paid: list[tuple[UUID, str]] = []
        self.tilled: Bag[tuple[str, str]] = Bag()

    def teardown(self) -> None:
        self.nested.rollback()
        self.counter.clock.moment = self.start
        self._opened.__exit__(None, None, None)

    def _welcome(self) -> str:
        """Let the member have points, stored value and a coupon; its code."""
        members, now = self.counter.members, self.start
        members.tiers.join(MEMBER, at=now)
        forever = date(2099, 12, 31)
        members.points.earn(MEMBER, POINTS, cause="welcome", at=now, expires_on=forever)
        members.stored.top_up(MEMBER, STORED, given_cents=0, cause="slip", at=now)
        until = now + timedelta(days=30)
        off = Percent(1_500)
        self.counter.publish(Promotion("OFF", "Off", off, "coupon", now, until, coupon=True))
        members.coupons.save(Campaign("C", "for a test", "OFF", now, until))
        (new,) = members.coupons.issue("C", members=[MEMBER])
        return new.code

    @initialize()
    def open_shop(self) -> None:
        self.place([("A", 1)], "S1")

    @rule(wanted=WANTED, place=st.sampled_from(PLACES))
    def place(self, wanted: list[tuple[str, int]], place: str) -> None:
        self._place(basket_of(*wanted, place=place))

    @rule(
        wanted=WANTED,
        place=st.sampled_from(PLACES),
        points=st.integers(0, 400),
        stored=st.integers(0, 900),
        coupon=st.booleans(),
    )
    def place_as_member(
        self, wanted: list[tuple[str, int]], place: str, points: int, stored: int, coupon: bool
    ) -> None:
        basket = replace(
            basket_of(*wanted, place=place),
            member=MEMBER,
            points=points,
            stored_cents=stored,
            coupons=(self.code,) if coupon else (),
        )
        with suppress(BadInput):  # more than may be paid so
            self._place(basket)

    def _place(self, basket: Basket) -> None:
        place = basket.delivery.place or ""
        before = [self.counter.free(sku, place) for sku in ("A", "B")], self._purse()
        try:
            total = self.counter.orders.quote(basket, AtPlace()).total_cents
            self.ids.append(self.counter.orders.place(Placing(basket, total), AtPlace()).id)
        except Shortage:
            after = [self.counter.free(sku, place) for sku in ("A", "B")], self._purse()
            assert after == before

    @rule(data=st.data(), wrong=st.sampled_from([0, 0, 0, 1]))
    def pay(self, data: st.DataObject, wrong: int) -> None:
        order = data.draw(st.sampled_from(self.ids))
        known = [name for one, name in self.paid if one == order]
        name = data.draw(st.sampled_from([*known, f"wx{len(self.paid)}"]))
        cents = self.counter.orders.get(order).tenders.money_cents + wrong
        if cents == 0:
            return
        try:
            settled = self.counter.pay(order, cents=cents, reference=name)
        except Conflict:
            assert name in known
            return
        if name not in known:
            self.paid.append((order, name))
            told = self.counter.orders.payments(order)
            assert sum(one.outcome is Outcome.TAKEN for one in told) <= 1
        assert (settled.outcome is Outcome.TAKEN) == (settled.refund is None)

    @rule(data=st.data(), whole=st.booleans())
    def cancel(self, data: st.DataObject, whole: bool) -> None:
        order = self.counter.orders.get(data.draw(st.sampled_from(self.ids)))
        pieces = None if whole else self._some(data, order)
        try:
            self.counter.orders.cancel(order.id, "no", pieces=pieces)
        except Conflict:
            assert self.counter.orders.get(order.id) == order

    @rule(data=st.data(), whole=st.booleans())
    def hand_over(self, data: st.DataObject, whole: bool) -> None:
        order = self.counter.orders.get(data.draw(st.sampled_from(self.ids)))
        pieces = None if whole else self._some(data, order)
        try:
            self.counter.orders.hand_over(order.id, pieces)
        except Conflict:
            assert self.counter.orders.get(order.id) == order

    @rule(data=st.data(), to=st.sampled_from(PLACES))
    def reroute(self, data: st.DataObject, to: str) -> None:
        order = self.counter.orders.get(data.draw(st.sampled_from(self.ids)))
        place = data.draw(st.sampled_from(PLACES))
        piece = Piece(0, place, data.draw(st.integers(1, 4)))
        try:
            self.counter.orders.reroute(order.id, piece, to)
        except (Conflict, Shortage):
            assert self.counter.orders.get(order.id) == order
            return
        after = self.counter.orders.get(order.id)
        assert [line.state for line in after.lines] == [line.state for line in order.lines]
        assert (after.state, after.total_cents) == (order.state, order.total_cents)

    @rule(sku=st.sampled_from(["A", "B"]), place=st.sampled_from(PLACES), units=st.integers(1, 4))
    def till_sells(self, sku: str, place: str, units: int) -> None:
        """A till has sold them already, promised to others or not."""
        self.tilled[sku, place] += units
        name = f"till {len(self.tilled)} {self.tilled.total()}"
        self.counter.shop.record([sold(name, units, hour=1, sku=sku, place=place)])

    @rule(data=st.data(), units=st.integers(1, 3))
    def take_back(self, data: st.DataObject, units: int) -> None:
        order = self.counter.orders.get(data.draw(st.sampled_from(self.ids)))
        line = data.draw(st.sampled_from(order.lines)).line
        try:
            self.counter.orders.take_back(order.id, {line: units}, "back")
        except Conflict:
            assert self.counter.orders.get(order.id) == order

    @rule(minutes=st.integers(1, 20))
    def wait(self, minutes: int) -> None:
        self.counter.clock.moment += timedelta(minutes=minutes)

    @rule()
    def expire(self) -> None:
        self.counter.orders.expire()

    @rule()
    def tell(self) -> None:
        self.counter.tell()

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def give_money_back(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.ids))
        for refund in self.counter.orders.refunds(order):
            first = self.counter.orders.refunded(refund.id)
            assert first == (refund.done_at is None)

    @invariant()
    def stock_is_what_orders_say(self) -> None:
        held: Bag[tuple[str, str]] = Bag()
        committed: Bag[tuple[str, str]] = Bag()
        gone: Bag[tuple[str, str]] = Bag()
        untold = {(one.sku, one.place): 0 for one in self.counter.orders.untold(limit=1000)}
        for one in self.counter.orders.untold(limit=1000):
            untold[(one.sku, one.place)] += one.quantity
        for order in self.all():
            for part in order.parts:
                pair = (part.sku, part.place)
                gone[pair] += part.handed * part.each
                if order.state is State.PLACED:
                    held[pair] += part.open * part.each
                else:
                    committed[pair] += part.open * part.each
        nets = self.counter.shop.nets()
        for (sku, place), before in self.initial.items():
            pair = (sku, place)
            waiting = untold.get(pair, 0)
            assert self.counter.committed(sku, place) == committed[pair] + waiting
            assert nets[pair] == before - gone[pair] - self.tilled[pair] + waiting
            free = nets[pair] - committed[pair] - waiting - held[pair]
            assert self.counter.free(sku, place) == max(free, 0)
            if not self.tilled[pair]:
                assert free >= 0

    @invariant()
    def money_is_what_orders_say(self) -> None:
        for place in PLACES:
            held = earned = owed = 0
            for order in [one for one in self.all() if one.place == place]:
                told = sum(one.amount_cents for one in self.counter.orders.payments(order.id))
                asked = self.counter.orders.refunds(order.id)
                done = sum(one.amount_cents for one in asked if one.done_at is not None)
                back = sum(one.amount_cents for one in asked)
                held += told - done
                # What points and stored value paid is received, and goes back at once.
                if order.paid_cents:
                    gone = order.tenders.share(order.refund_cents)
                    told += order.points_cents + order.stored_cents
                    back += gone.points_cents + gone.stored_cents
                    done += gone.points_cents + gone.stored_cents
                net = order.kept_cents
                earned, owed = earned + net, owed + told - done - net
                kept = order.state in {State.PLACED, State.PAID}
                open_cents = sum(worth_of_the_open(one.state) for one in order.lines)
                waits = open_cents if kept and order.paid_cents else 0
                assert told - back - net == waits, order
            found = self.counter.money(place)
            assert found == {"owed": -owed, "held": held, "sales": -earned}

    @invariant()
    def members_have_what_orders_say(self) -> None:
        points, stored, is_used = POINTS, STORED, False
        for order in self.all():
            gone = order.tenders.share(order.refund_cents)
            if order.state is State.PLACED or order.paid_cents:
                points += gone.points - order.points
                stored += gone.stored_cents - order.stored_cents
                undone = all(line.state.is_undone for line in order.lines)
                is_used = is_used or (bool(order.uses) and not undone)
            if order.state is State.COMPLETE:
                whole = order.rewarded_cents(order.handed_cents)
                back = whole - order.rewarded_cents(order.kept_cents)
                points += whole // 100 - (whole // 100 * back // whole if whole else 0)
        assert self._purse() == (points, stored, is_used)

    def _purse(self) -> tuple[int, int, bool]:
        """Points, stored value, and whether the coupon is used or held."""
        members, now = self.counter.members, self.counter.clock.now()
        balance = members.points.balance(MEMBER)
        (carried,) = members.coupons.of_member(MEMBER, at=now)
        stored = members.stored.balance(MEMBER).available_cents
        return balance.available - balance.debt, stored, carried.lack is not None

    @invariant()
    def the_books_balance(self) -> None:
        ledger = self.counter.shop.ledger
        ledger.verify()
        self.counter.shop.stock.verify()
        accounts = ledger.accounts().group_by("unit").aggregate([("posted", "sum")])
        assert not any(accounts["posted_sum"].to_pylist())

    def all(self) -> list[Order]:
        return self.counter.orders.find(self.ids)

    def _some(self, data: st.DataObject, order: Order) -> list[Piece]:
        line = data.draw(st.sampled_from(order.lines)).line
        place = data.draw(st.sampled_from([order.place, *PLACES]))
        return [Piece(line, place, data.draw(st.integers(1, 4)))]


def worth_of_the_open(line: LineState) -> int:
    return line.worth_cents(line.open)


def run(
    database: Database, machine: type[LifeCycle], *, examples: int, shrink: bool = True
) -> None:
    machine.database = database
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[phase for phase in Phase if shrink or phase is not Phase.shrink],
        ),
    )


def test_stock_money_and_state_stay_exact(database: Database) -> None:
    run(database, LifeCycle, examples=20)


class Careless(LifeCycle):
    """Frees the stock of a cancelled part, and forgets to give the money back."""

    def __init__(self) -> None:
        super().__init__()
        orders = self.counter.orders
        orders._give_back = lambda *_, **__: None  # type: ignore[method-assign]


def test_the_test_sees_money_that_is_not_given_back(database: Database) -> None:
    with pytest.raises(AssertionError):
        run(database, Careless, examples=300, shrink=False)
