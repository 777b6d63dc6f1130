"""Many do the same to one order at once: it happens once, and stock and money stay exact."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from sanhe.core.errors import SanheError
from sanhe.core.settings import Settings
from sanhe.place.orders import Order, Orders, State
from sanhe.wiring import By, cancel_order
from tests.place.fulfil.store import Town, town

AT_ONCE = 4


@pytest.fixture
def at(database_settings: Settings) -> Iterator[Town]:
    """A town with plenty of stock."""
    with town(database_settings, stock={"S1": 60, "S2": 60, "S3": 60}) as made:
        yield made


def at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """What came of each: its answer, or the refusal."""

    def tried(task: Callable[[], Any]) -> Any:
        try:
            return task()
        except SanheError as error:
            return error

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(tried, tasks))


def test_an_order_is_taken_up_once(at: Town) -> None:
    ids = [at.paid(("A", 1)) for _ in range(12)]

    def take_up() -> int:
        with at.sanhe.work(actor="worker") as work:
            return work.fulfil.take_up(limit=3)

    assert sum(at_once(*[take_up] * 8)) <= 12
    at.run()
    assert [len(at.shipments(order)) for order in ids] == [1] * 12
    assert len(at.tasks("S1", "pick")) == 12


def test_read_first_and_written_later_the_same_order_is_taken_up_twice(
    at: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: without the lock the race is there to be lost."""
    ids = [at.paid(("A", 1)) for _ in range(6)]
    all_read = threading.Barrier(AT_ONCE)

    def unlocked(self: Orders, *, limit: int) -> list[Order]:
        all_read.wait(10)
        return self.find(ids)

    monkeypatch.setattr(Orders, "take_up", unlocked)

    def take_up() -> int:
        with at.sanhe.work(actor="worker") as work:
            return work.fulfil.take_up()

    at_once(*[take_up] * AT_ONCE)
    assert max(len(at.shipments(order)) for order in ids) > 1


def race(at: Town, round_: int) -> UUID:
    """Cancelled, fetched by code, released and picked again, all at once."""
    order = at.paid(("A", 2), ("B", 1))
    at.run()
    at.pick("S1")
    (shipment,) = at.shipments(order)
    code = at.code(shipment.id)
    at.wait(hours=73)
    by, name = By("shopper"), f"cancel {round_}"

    def release() -> bool:
        with at.sanhe.work(actor="upkeep") as work:
            return work.fulfil.release(shipment.id)

    at_once(
        lambda: at.fetch(shipment.id, code),
        lambda: cancel_order(at.sanhe, order, reason="no", pieces=None, key=name, by=by),
        release,
        lambda: at.fetch(shipment.id, code),
        release,
    )
    return order


def test_fetched_cancelled_or_released_but_one_of_them(at: Town) -> None:
    for round_ in range(6):
        order = race(at, round_)
        (shipment,) = at.shipments(order)
        state = at.order(order).state
        assert (shipment.state.value, state) in {
            ("handed", State.COMPLETE),
            ("cancelled", State.CANCELLED),
            ("released", State.CANCELLED),
        }
        back = at.open_refunds(order)
        assert back == ([] if state is State.COMPLETE else [2_333])
        at.money_is_exact(order)


def test_a_last_unit_elsewhere_goes_to_one_of_two_short_orders(
    database_settings: Settings,
) -> None:
    with town(database_settings, stock={"S1": 2, "S2": 1, "S3": 0}) as at:
        first, second = at.paid(("A", 1)), at.paid(("A", 1))
        at.run()
        ids = {order: at.shipments(order)[0].id for order in (first, second)}

        def short(order: UUID) -> Callable[[], Any]:
            def run() -> Any:
                with at.sanhe.work(actor="picker") as work:
                    return work.fulfil.picked(ids[order], {"A": 0})

            return run

        at_once(short(first), short(second))
        outcome = sorted(str(at.order(order).state.value) for order in (first, second))
        assert outcome == ["cancelled", "paid"]
        assert (at.free("A", "S2"), at.committed("A", "S2")) == (0, 1)
        for order in (first, second):
            at.money_is_exact(order)
