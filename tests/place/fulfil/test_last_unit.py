"""X1: the last unit, wanted by an offline till, a pick-up and a livestream: one has it, the others
are answered at once."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from sanhe.core.errors import Shortage
from sanhe.core.settings import Settings
from sanhe.place.orders import State
from sanhe.wiring import sync_device
from tests.place.devices.till import Till
from tests.place.fulfil.store import Town, town


def offline_till(at: Town, place: str = "S1") -> Till:
    """A till of a store that has been registered for a day."""
    till = Till()
    at.clock.moment -= timedelta(days=1)
    with at.sanhe.work(actor="manager") as work:
        work.devices.register(till.name, place, till.public_key)
    at.clock.moment += timedelta(days=1)
    return till


def sync(at: Town, till: Till) -> float:
    """Deliver what the till has; the seconds until it and all it means is done."""
    began = time.perf_counter()
    sync_device(at.sanhe, till.name, till.events, actor=f"till {till.name}")
    return time.perf_counter() - began


def test_the_till_has_it_and_the_others_get_it_elsewhere_within_two_seconds(
    database_settings: Settings,
) -> None:
    with town(database_settings, stock={"S1": 1, "S2": 1, "S3": 0}) as at:
        till = offline_till(at)
        till.sell("A", at=at.clock.now().isoformat())
        pickup = at.paid(("A", 1))
        # The livestream comes second: S1 has nothing left to promise, S2 gives.
        stream = at.paid(("A", 1), at=None, channel="livestream")
        with pytest.raises(Shortage):
            at.place(("A", 1), at=None, channel="livestream")
        at.run()
        assert (at.states(pickup), at.states(stream)) == ([("S1", "picking")], [("S2", "picking")])
        assert sync(at, till) < 2
        # Nobody has one more: who picks up has the money back, the livestream keeps its own.
        assert (at.order(pickup).state, at.open_refunds(pickup)) == (State.CANCELLED, [1_000])
        assert at.order(stream).state is State.PAID
        assert at.states(pickup) == [("S1", "cancelled")]
        assert (at.free("A", "S1"), at.committed("A", "S1")) == (0, 0)
        assert (at.free("A", "S2"), at.committed("A", "S2")) == (0, 1)
        assert at.run().answered == ()
        for order in (pickup, stream):
            at.money_is_exact(order)


def test_the_next_best_place_is_near_by(database_settings: Settings) -> None:
    with town(database_settings, stock={"S1": 1, "S2": 2, "S3": 5}) as at:
        till = offline_till(at)
        till.sell("A", at=at.clock.now().isoformat())
        pickup = at.paid(("A", 1))
        assert sync(at, till) < 2
        # It was not taken up yet: what is made of it later is made at the place that has it.
        at.run()
        assert at.states(pickup) == [("S2", "picking")]
        assert (at.committed("A", "S1"), at.committed("A", "S2")) == (0, 1)
        assert at.events(pickup) == ["placed", "paid", "moved"]
        at.money_is_exact(pickup)


def test_who_has_not_paid_loses_first_and_what_is_picked_is_there(
    database_settings: Settings,
) -> None:
    with town(database_settings, stock={"S1": 3, "S2": 0, "S3": 0}) as at:
        till = offline_till(at)
        till.sell("A", 2, at=at.clock.now().isoformat())
        picked = at.paid(("A", 1))
        at.run()
        at.pick("S1")
        paid, unpaid = at.paid(("A", 1)), at.place(("A", 1)).id
        sync(at, till)
        assert at.order(unpaid).state is State.CANCELLED
        assert at.order(paid).state is State.CANCELLED
        assert at.states(picked) == [("S1", "ready")]
        till.sell("A", 1, at=at.clock.now().isoformat())
        sync(at, till)
        # More was sold than lay there, and the one in the bag is there: it is to be counted.
        assert at.states(picked) == [("S1", "ready")]
        assert [task.subject for task in at.tasks("S1", "discrepancy")] == ["stock A"]
