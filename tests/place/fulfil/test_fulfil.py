"""From a paid order to the shopper's hands: picked, fetched, brought, short, not fetched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sanhe.connectors.courier import Behaviour
from sanhe.core.errors import Conflict, Denied, TooMany
from sanhe.core.settings import Settings
from sanhe.place.fulfil import GUESSES
from sanhe.place.orders import State
from sanhe.wiring import finished
from tests.place.fulfil.store import town


def test_picked_up_with_a_code(database_settings: Settings) -> None:
    with town(database_settings) as at:
        order = at.paid(("A", 2), ("B", 1))
        assert at.run().taken_up == 1
        assert at.run().taken_up == 0
        (task,) = at.tasks("S1", "pick")
        assert [(line.sku, line.quantity) for line in task.lines] == [("A", 2), ("B", 1)]
        assert task.due_at == at.order(order).ready_at
        at.pick("S1")
        (shipment,) = at.shipments(order)
        assert (shipment.state, shipment.fetch_until) == (
            "ready",
            at.clock.now() + timedelta(days=3),
        )
        (hand_over,) = at.tasks("S1", "hand_over")
        with at.sanhe.work(actor="picker") as work, pytest.raises(Conflict):
            finished(work, hand_over.id)
        with pytest.raises(Conflict):
            at.fetch(shipment.id, "12345678")
        code = at.code(shipment.id)
        assert len(code) == 8 and code.isdigit()
        at.fetch(shipment.id, code)
        assert at.order(order).state is State.COMPLETE
        assert at.states(order) == [("S1", "handed")]
        assert at.tasks("S1") == []
        assert (at.free("A", "S1"), at.committed("A", "S1")) == (8, 2)
        at.money_is_exact(order)
        with pytest.raises(Conflict):
            at.fetch(shipment.id, code)


def test_a_code_can_not_be_guessed(database_settings: Settings) -> None:
    with town(database_settings) as at:
        order = at.paid(("A", 1))
        at.run()
        at.pick("S1")
        shipment = at.shipments(order)[0].id
        first = at.code(shipment)
        code = at.code(shipment)
        wrong = "0" * 8 if code != "0" * 8 else "1" * 8
        guesses = [first if first != code else wrong] + [wrong] * (GUESSES - 1)
        for guess in guesses:
            with pytest.raises(Denied):
                at.fetch(shipment, guess)
        for guess in (wrong, code):
            with pytest.raises(TooMany) as refused:
                at.fetch(shipment, guess)
            assert 0 < refused.value.retry_after_seconds <= 600
        at.wait(minutes=10)
        with pytest.raises(Denied):
            at.fetch(shipment, wrong)
        with pytest.raises(TooMany):
            at.fetch(shipment, code)
        at.wait(minutes=10)
        at.fetch(shipment, code)
        assert at.states(order) == [("S1", "handed")]


@pytest.mark.parametrize(
    "first",
    [
        Behaviour(accepts_after=None),
        Behaviour(accepts_after=None, rejects_after=timedelta(seconds=3)),
        Behaviour(is_away=True),
    ],
    ids=["silent", "rejects", "away"],
)
def test_a_courier_that_does_not_take_it_is_followed_by_the_next(
    database_settings: Settings, first: Behaviour
) -> None:
    with town(database_settings, couriers={"swift": first}) as at:
        order = at.paid(("A", 1), at=None)
        at.run()
        shipment = at.shipments(order)[0]
        at.pick(shipment.place)
        ready = at.clock.now()
        for _ in range(60):
            at.run()
            if at.bookings(shipment.id)[-1].state == "accepted":
                break
            at.wait(seconds=1)
        took = at.clock.now() - ready
        assert [one.courier for one in at.bookings(shipment.id)] == ["swift", "slow"]
        assert took < timedelta(seconds=60)
        at.wait(minutes=10)
        at.run()
        assert at.states(order)[0][1] == "away"
        assert at.order(order).state is State.COMPLETE
        at.wait(minutes=40)
        at.run()
        assert at.states(order)[0][1] == "delivered"
        at.money_is_exact(order)
        assert at.tasks(shipment.place) == []


def test_when_no_courier_comes_the_store_is_told_and_they_are_asked_again(
    database_settings: Settings,
) -> None:
    never = Behaviour(rejects_after=timedelta(0))
    with town(database_settings, couriers={"swift": never, "slow": never}) as at:
        order = at.paid(("A", 1), at=None)
        at.run()
        shipment = at.shipments(order)[0]
        at.pick(shipment.place)
        for _ in range(3):
            at.run()
        assert len(at.bookings(shipment.id)) == 2
        note = at.tasks(shipment.place, "hand_over")[0].note
        assert note.startswith("order ") and note.endswith(": no courier takes it: call one")
        at.wait(seconds=61)
        at.run()
        assert [one.courier for one in at.bookings(shipment.id)] == ["swift", "slow", "swift"]
        (task,) = at.tasks(shipment.place, "hand_over")
        with at.sanhe.work(actor="picker") as work:
            work.tasks.take(task.id)
            finished(work, task.id)
        assert at.order(order).state is State.COMPLETE


def test_what_is_not_there_comes_from_the_next_place_or_the_money_goes_back(
    database_settings: Settings,
) -> None:
    with town(database_settings, stock={"S1": 10, "S2": 2, "S3": 9}) as at:
        order = at.paid(("A", 4), ("B", 1))
        at.run()
        at.pick("S1", {"A": 2, "B": 1})
        assert at.states(order) == [("S1", "ready"), ("S2", "picking")]
        assert (at.committed("A", "S1"), at.committed("A", "S2")) == (2, 2)
        at.pick("S2", {"A": 1})
        # S1 gave it up, S3 is too far to go to: one A is paid back.
        assert at.states(order) == [("S1", "ready"), ("S2", "ready")]
        assert at.open_refunds(order) == [1_000]
        at.money_is_exact(order)
        for shipment in at.shipments(order):
            assert at.order(order).state is State.PAID
            at.fetch(shipment.id, at.code(shipment.id))
        assert at.order(order).state is State.COMPLETE
        at.money_is_exact(order)


def test_what_nobody_fetches_is_free_again_and_the_money_goes_back(
    database_settings: Settings,
) -> None:
    with town(database_settings) as at:
        order = at.paid(("A", 3))
        at.run()
        at.pick("S1")
        at.wait(hours=71)
        assert at.run().released == 0
        at.wait(hours=1)
        assert at.run().released == 1
        assert at.run().released == 0
        assert (at.states(order), at.order(order).state) == ([("S1", "released")], State.CANCELLED)
        assert (at.free("A", "S1"), at.open_refunds(order)) == (10, [3_000])
        assert [task.kind for task in at.tasks("S1")] == ["shelf"]
        at.money_is_exact(order)


def test_an_order_that_is_cancelled_takes_its_tasks_along(database_settings: Settings) -> None:
    with town(database_settings) as at:
        order, other = at.paid(("A", 3)), at.paid(("A", 2), ("B", 2))
        at.run()
        with at.sanhe.work(actor="shopper") as work:
            work.orders.cancel(order, "changed my mind")
            work.fulfil.follow(order)
        assert at.states(order) == [("S1", "cancelled")]
        assert len(at.tasks("S1", "pick")) == 1
        at.pick("S1")
        with at.sanhe.work(actor="shopper") as work:
            pieces = [one for one in work.orders.get(other).open_pieces if one.line == 0]
            work.orders.cancel(other, "too many", pieces=pieces)
            work.fulfil.follow(other)
        (back,) = at.tasks("S1", "shelf")
        assert [(line.sku, line.quantity) for line in back.lines] == [("A", 2)]
        shipment = at.shipments(other)[0]
        at.fetch(shipment.id, at.code(shipment.id))
        assert at.order(other).state is State.COMPLETE
        at.money_is_exact(other)
