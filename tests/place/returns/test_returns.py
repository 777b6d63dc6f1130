"""Goods that come back: to any store, in part, looked at, paid back once, in the right stock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sanhe.connectors.courier import Behaviour
from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from sanhe.core.values import new_id
from sanhe.place.orders import State
from sanhe.place.returns import Asked, Return, ReturnState, Verdict
from sanhe.wiring import (
    By,
    Sanhe,
    ask_return,
    drop_return,
    inspect_return,
    inspected,
    receive_return,
    tell_sales,
)
from tests.place.fulfil.store import OPENING, Town, fact, town
from tests.wiring.installation import installed


def handed(at: Town, *lines: tuple[str, int]) -> UUID:
    """An order that the shopper has fetched, and that is told as sold."""
    order = at.paid(*lines)
    with at.sanhe.work(actor="till") as work:
        work.orders.hand_over(order)
    tell_sales(at.sanhe)
    return order


def back(at: Town, order: UUID, units: dict[int, int], place: str) -> Return:
    """What a store received."""
    with at.sanhe.work(actor="store") as work:
        asked = work.returns.ask(Asked(order, units, "too small"))
        return work.returns.receive(asked.id, place, units)


def net(at: Town, sku: str, place: str) -> int:
    with at.sanhe.work(actor="reader") as work:
        (row,) = work.stock.positions({(sku, place)}).to_pylist()
    return int(row["net"])


def test_half_of_it_comes_back_to_another_store(database_settings: Settings) -> None:
    with town(database_settings) as at:
        order = handed(at, ("A", 4), ("B", 3))
        assert (net(at, "A", "S1"), net(at, "B", "S1")) == (6, 7)
        came = back(at, order, {0: 3, 1: 2}, "S2")
        (task,) = at.tasks("S2", "inspect")
        assert [(line.sku, line.quantity) for line in task.lines] == [("A", 3), ("B", 2)]
        assert at.open_refunds(order) == []
        verdicts = {0: Verdict(sellable=1, outlet=1, waste=1), 1: Verdict(sellable=2)}
        with at.sanhe.work(actor="store") as work:
            done = inspected(work, came.id, verdicts)
        assert [line.amount_cents for line in done.lines] == [3_000, 666]
        assert at.open_refunds(order) == [3_666]
        assert done.refund is not None
        # What can be sold lies where it came back to, not where it was sold.
        assert (net(at, "A", "S1"), net(at, "A", "S2")) == (6, 4)
        assert (net(at, "B", "S1"), net(at, "B", "S2")) == (7, 5)
        with at.sanhe.work(actor="reader") as work:
            card = work.stock.card("A", "S2").to_pylist()
        moved = [(row["reason"], row["amount"]) for row in card if row["type"] == "stock.moved"]
        assert sorted(moved) == [("outlet", -1), ("return", 3), ("waste", -1)]
        assert at.tasks("S2") == []
        at.money_is_exact(order)


def test_no_more_comes_back_than_was_handed_over(database_settings: Settings) -> None:
    with town(database_settings) as at:
        order = handed(at, ("A", 2))
        paid = at.paid(("A", 1))
        with at.sanhe.work(actor="store") as work:
            for of, units in ((order, {0: 3}), (order, {0: 0}), (paid, {0: 1})):
                with pytest.raises(Conflict):
                    work.returns.ask(Asked(of, units, "why not"))
            with pytest.raises(NotFound):
                work.returns.ask(Asked(order, {7: 1}, "why not"))
            for bad in (
                Asked(order, {}, "x"),
                Asked(order, {0: 1}, ""),
                Asked(order, {0: 1}, "x", "pigeon"),
                Asked(order, {0: 1}, "x", "courier"),
            ):
                with pytest.raises(BadInput):
                    work.returns.ask(bad)
            first = work.returns.ask(Asked(order, {0: 2}, "x"))
            with pytest.raises(Conflict):
                work.returns.ask(Asked(order, {0: 1}, "x"))
            work.returns.drop(first.id, why="keeps it")
            second = work.returns.ask(Asked(order, {0: 1}, "x"))
            with pytest.raises(BadInput):
                work.returns.receive(second.id, "S3", {0: 2})
            with pytest.raises(Conflict):
                work.returns.receive(first.id, "S3", {0: 1})
            with pytest.raises(Conflict):
                work.returns.inspect(second.id, {0: Verdict(1)})
            work.returns.receive(second.id, "S3", {0: 1})
            for verdicts in (
                {},
                {0: Verdict(2)},
                {0: Verdict(2, -1)},
                {0: Verdict(1), 3: Verdict()},
            ):
                with pytest.raises(BadInput):
                    work.returns.inspect(second.id, verdicts)


def test_each_command_takes_effect_once(database_settings: Settings) -> None:
    with town(database_settings) as at:
        order, by = handed(at, ("A", 3)), By("store")
        asked = Asked(order, {0: 2}, "broken")
        told = [ask_return(at.sanhe, asked, key="ask", by=by) for _ in range(2)]
        assert told[0] == told[1]
        assert isinstance(told[0], dict)
        return_ = UUID(str(told[0]["id"]))
        for _ in range(2):
            receive_return(at.sanhe, return_, "S1", counts={0: 2}, key="receive", by=by)
        for key in ("inspect", "inspect", "again"):
            answer = inspect_return(at.sanhe, return_, {0: Verdict(waste=2)}, key=key, by=by)
            assert answer == {"id": str(return_), "amount_cents": 2_000}
        with pytest.raises(Conflict):
            inspect_return(at.sanhe, return_, {0: Verdict(sellable=2)}, key="other", by=by)
        assert at.open_refunds(order) == [2_000]
        assert net(at, "A", "S1") == 7
        at.money_is_exact(order)


def test_what_a_courier_brings_back_is_looked_at(database_settings: Settings) -> None:
    brings_back = Behaviour(returns=True)
    with town(database_settings, couriers={"swift": brings_back}) as at:
        order = at.paid(("A", 2), at=None)
        at.run()
        place = at.shipments(order)[0].place
        at.pick(place)
        at.run()
        at.wait(minutes=11)
        at.run()
        assert at.order(order).state is State.COMPLETE
        at.wait(minutes=30)
        at.run()
        at.run()
        tell_sales(at.sanhe)
        assert at.states(order) == [(place, "returned")]
        assert len(at.tasks(place, "inspect")) == 1
        with at.sanhe.work(actor="store") as work:
            (came,) = work.returns.of(order)
            assert came.state is ReturnState.RECEIVED
            done = inspected(work, came.id, {0: Verdict(sellable=2)})
        assert done.amount_cents == 2_000
        assert net(at, "A", place) == at.free("A", place)
        at.money_is_exact(order)


def test_a_courier_fetches_it_at_the_door(database_settings: Settings) -> None:
    silent = Behaviour(accepts_after=None)
    with town(database_settings, couriers={"swift": silent}) as at:
        order = handed(at, ("A", 2))
        with at.sanhe.work(actor="shopper") as work:
            asked = work.returns.ask(Asked(order, {0: 2}, "too big", "courier", "S2"))
        for _ in range(60):
            at.run()
            at.wait(seconds=1)
        with at.sanhe.work(actor="reader") as work:
            asked_of = work.returns.bookings(asked.id)
        assert [(one.courier, one.state.value) for one in asked_of] == [
            ("swift", "silent"),
            ("slow", "accepted"),
        ]
        at.wait(minutes=45)
        at.run()
        (task,) = at.tasks("S2", "receive")
        assert (task.note, task.lines[0].quantity) == ("courier slow brought it", 2)
        with at.sanhe.work(actor="store") as work:
            work.returns.receive(asked.id, "S2", {0: 2})
            inspected(work, asked.id, {0: Verdict(sellable=2)})
        assert at.tasks("S2") == []
        assert net(at, "A", "S2") == 5
        at.money_is_exact(order)


def test_what_is_kept_after_all_is_not_fetched(database_settings: Settings) -> None:
    with town(database_settings) as at:
        order = handed(at, ("A", 2))
        with at.sanhe.work(actor="shopper") as work:
            asked = work.returns.ask(Asked(order, {0: 2}, "too big", "courier", "S2"))
        at.run()
        drop_return(at.sanhe, asked.id, why="keeps it", key="keeps", by=By("shopper"))
        at.wait(minutes=45)
        at.run()
        with at.sanhe.work(actor="reader") as work:
            (booking,) = work.returns.bookings(asked.id)
        assert booking.state == "cancelled"
        assert at.sanhe.couriers.ask(booking, None) == "cancelled"
        assert at.tasks("S2") == []


@settings(max_examples=15, deadline=timedelta(minutes=5), suppress_health_check=list(HealthCheck))
@given(
    bought=st.integers(1, 9),
    parts=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4), st.integers(0, 4)), max_size=5),
    sku=st.sampled_from(["A", "B"]),
)
def test_however_it_comes_back_money_and_stock_are_exact(
    shared: Town, bought: int, parts: list[tuple[int, int, int]], sku: str
) -> None:
    at = shared
    _restock(at.sanhe, sku)
    order = handed(at, (sku, bought))
    before, left, sellable = net(at, sku, "S2"), bought, 0
    for units, outlet, waste in parts:
        verdict = Verdict(max(units - outlet - waste, 0), min(outlet, units), 0)
        verdict = Verdict(
            verdict.sellable, verdict.outlet, units - verdict.sellable - verdict.outlet
        )
        try:
            came = back(at, order, {0: units}, "S2")
        except Conflict:
            assert units > left
            continue
        with at.sanhe.work(actor="store") as work:
            inspected(work, came.id, {0: verdict})
        left, sellable = left - units, sellable + verdict.sellable
    assert net(at, sku, "S2") == before + sellable
    found = at.order(order)
    assert found.lines[0].state.returned == bought - left
    if left == 0:
        assert found.refund_cents == found.goods_cents
    at.money_is_exact(order)


@pytest.fixture(scope="module")
def shared(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One town for all examples."""
    with installed(server, tmp_path_factory.mktemp("town")) as made, town(made) as at:
        yield at


def _restock(sanhe: Sanhe, sku: str) -> None:
    with sanhe.work(actor="importer") as work:
        batch = work.facts.open_batch(source="erp", name=f"more {new_id()}")
        came = {"quantity": 9, "payload": {"reason": "adjustment"}, "event_at": OPENING}
        more = fact("stock.moved", sku=sku, place="S1", **came)
        work.facts.append(batch, [more])
        work.follow(batch)
