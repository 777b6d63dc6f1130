"""Another place takes a piece over: stock on both sides exact, price and money as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest

from sanhe.core.errors import Conflict, Shortage
from sanhe.core.storage import Database
from sanhe.goods.stock import Stock
from sanhe.place.orders import Piece, State
from tests.goods.shop import sold
from tests.place.orders.counter import Counter


@pytest.fixture
def counter(database: Database) -> Iterator[Counter]:
    """An order desk in a transaction that is never committed."""
    with database.transaction(actor="tester") as tx:
        yield Counter.of(tx)


def test_a_piece_moves_with_its_stock_and_not_with_its_price(counter: Counter) -> None:
    placed = counter.place(("A", 3))
    counter.pay(placed.id)
    before = counter.money()
    counter.orders.reroute(placed.id, Piece(0, "S1", 2), "S2")
    assert (counter.free("A"), counter.committed("A")) == (9, 1)
    assert (counter.free("A", "S2"), counter.committed("A", "S2")) == (1, 2)
    assert counter.money() == before
    order = counter.orders.get(placed.id)
    assert {(piece.place, piece.units) for piece in order.open_pieces} == {("S1", 1), ("S2", 2)}
    counter.orders.reroute(placed.id, Piece(0, "S2", 1), "S1")
    assert (counter.committed("A"), counter.committed("A", "S2")) == (2, 1)
    assert counter.orders.hand_over(placed.id) is State.COMPLETE
    (line,) = counter.orders.get(placed.id).lines
    assert (line.state.handed, line.state.handed_cents) == (3, 3_000)
    assert counter.tell() == 2
    assert counter.shop.nets()[("A", "S1")] == 8
    assert counter.money() == {"owed": 0, "held": 3_000, "sales": -3_000}


def test_what_two_places_give_of_a_line_is_cancelled_whole(counter: Counter) -> None:
    placed = counter.place(("B", 5))
    counter.pay(placed.id)
    counter.orders.reroute(placed.id, Piece(0, "S1", 2), "S2")
    counter.orders.cancel(placed.id, "no")
    order = counter.orders.get(placed.id)
    assert (order.lines[0].state.cancelled, order.refund_cents) == (5, 1_665)
    assert (counter.free("B"), counter.free("B", "S2"), counter.committed("B")) == (10, 3, 0)


def test_a_place_that_can_not_give_it_changes_nothing(counter: Counter) -> None:
    placed = counter.place(("SET", 2))
    with pytest.raises(Conflict):
        counter.orders.reroute(placed.id, Piece(0, "S1", 1), "S2")
    counter.pay(placed.id)
    order = counter.orders.get(placed.id)
    with pytest.raises(Shortage):
        counter.orders.reroute(placed.id, Piece(0, "S1", 2), "S2")
    with pytest.raises(Shortage):
        counter.orders.reroute(placed.id, Piece(0, "S1", 1), "S2", keep={("S2", "A"): 2})
    with pytest.raises(Conflict):
        counter.orders.reroute(placed.id, Piece(0, "S1", 1), "S1")
    assert counter.orders.get(placed.id) == order
    assert (counter.committed("A"), counter.committed("B"), counter.free("A", "S2")) == (4, 2, 3)


def let_go_of_what_a_till_sold(counter: Counter) -> None:
    placed, unpaid = counter.place(("A", 6)), counter.place(("A", 2))
    counter.pay(placed.id)
    counter.shop.record([sold("till", 7, hour=1)])
    assert (counter.shop.nets()[("A", "S1")], counter.free("A")) == (3, 0)
    counter.orders.reroute(placed.id, Piece(0, "S1", 1), "S2")
    assert (counter.free("A"), counter.committed("A")) == (0, 5)
    counter.orders.cancel(unpaid.id, "no")
    assert counter.free("A") == 0
    counter.orders.cancel(placed.id, "no", pieces=[Piece(0, "S1", 4)])
    assert (counter.free("A"), counter.committed("A")) == (2, 1)
    counter.shop.stock.verify()


def test_what_was_sold_to_others_is_not_free_once_a_promise_is_let_go(counter: Counter) -> None:
    let_go_of_what_a_till_sold(counter)


class Forgetful(Stock):
    """Forgets what is missing when a promise is let go."""

    def settle(self, pairs: object) -> None:
        """Does nothing."""

    def release(self, holds: Sequence[UUID], pairs: object) -> None:
        """Only voids."""
        self._ledger.void_all(holds)


def test_the_test_sees_stock_that_is_not_there(counter: Counter) -> None:
    counter.orders._stock = Forgetful(counter.shop.tx, counter.shop.ledger)
    with pytest.raises(AssertionError):
        let_go_of_what_a_till_sold(counter)
