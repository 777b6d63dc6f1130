"""Stock by lot: what is left of each expiry, first expired first out."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.core.storage import Database
from sanhe.goods.stock.lots import UNDATED, LotEvents, remaining_lots
from tests.goods.shop import Shop, counted, moved, received, sold

Event = tuple[int, int, int]
"""Day, expiry and quantity."""


def left_one_by_one(events: list[Event], net: int) -> dict[int, int]:
    """The same for one SKU × place, unit by unit."""
    left: dict[int, int] = {}

    def take(units: int, order: list[int]) -> None:
        for expiry in [one for one in order for _ in range(left[one])][:units]:
            left[expiry] -= 1

    for day, expires, quantity in sorted(events, key=lambda one: (one[0], one[2] < 0, one[1])):
        if quantity > 0:
            left[expires] = left.get(expires, 0) + quantity
            continue
        own = [one for one in left if one == expires < UNDATED]
        fresh = [one for one in sorted(left) if one >= day and one not in own]
        stale = [one for one in sorted(left) if one < day and one not in own]
        take(-quantity, [*own, *fresh, *stale])
    take(sum(left.values()) - max(net, 0), sorted(left))
    return {expires: units for expires, units in left.items() if units}


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.sampled_from([*range(1, 9), UNDATED]),
        st.integers(-9, 9).filter(bool),
    ),
    max_size=12,
    # One row for each day, expiry and direction, as they are read.
    unique_by=lambda event: (event[0], event[1], event[2] > 0),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=4))
def test_arrays_give_what_single_units_give(pairs: list[list[Event]]) -> None:
    nets = [sum(quantity for *_, quantity in events) for events in pairs]
    rows = [(at, *event) for at, events in enumerate(pairs) for event in events]
    table = np.array(rows, np.int64).reshape(-1, 4)
    events = LotEvents(*table.T)
    left = remaining_lots(events, net=np.array(nets))
    found: list[dict[int, int]] = [{} for _ in pairs]
    for pair, expires, quantity in zip(left.pair, left.expires, left.quantity, strict=True):
        found[pair][int(expires)] = int(quantity)
    assert found == [left_one_by_one(*one) for one in zip(pairs, nets, strict=True)]
    assert [sum(one.values()) for one in found] == [max(net, 0) for net in nets]


def lots(shop: Shop) -> list[tuple[str, date, int]]:
    return [
        (row["place"], row["expires"], row["quantity"]) for row in shop.stock.lots().to_pylist()
    ]


def dated(day: int, lot: str = "") -> list[tuple[str, object]]:
    named: list[tuple[str, object]] = [("lot", lot)] if lot else []
    return [*named, ("expires", f"2024-06-{day:02}")]


def test_sales_take_the_lot_that_expires_first(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c", 10, payload=dated(5, "L1"))])
        shop.record([received("r", 6, order="X", hour=24, payload=dated(9, "L2"))])
        assert lots(shop) == [("S1", date(2024, 6, 5), 10), ("S1", date(2024, 6, 9), 6)]
        shop.record([sold("s", 12, hour=30)])
        assert lots(shop) == [("S1", date(2024, 6, 9), 4)]
        assert shop.nets() == {("A", "S1"): 4}


def test_what_expired_is_left_when_later_sales_can_only_be_of_other_lots(
    database: Database,
) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c", 10, payload=dated(4, "L1"))])
        shop.record([received("r", 6, order="X", hour=24, payload=dated(20, "L2"))])
        shop.record([sold("s", 5, hour=72)])
        assert lots(shop) == [("S1", date(2024, 6, 4), 10), ("S1", date(2024, 6, 20), 1)]
        shop.record([moved("waste", -10, hour=73, payload=[("lot", "L1")])])
        assert lots(shop) == [("S1", date(2024, 6, 20), 1)]


def test_a_lot_is_known_elsewhere_by_its_name(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c", 10, payload=dated(9, "L1")), counted("d", 0, place="S2")])
        moves = [("lot", "L1")]
        shop.record(
            [
                moved("out", -4, hour=1, payload=moves),
                moved("in", 4, hour=1, place="S2", payload=moves),
            ]
        )
        assert lots(shop) == [("S1", date(2024, 6, 9), 6), ("S2", date(2024, 6, 9), 4)]


def test_a_count_by_lot_begins_anew_and_one_without_lots_goes_on(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record(
            [
                counted("a1", 4, payload=dated(6, "L1")),
                counted("a2", 8, payload=dated(8, "L2")),
            ]
        )
        shop.record([counted("b", 9, hour=5)])
        assert lots(shop) == [("S1", date(2024, 6, 6), 1), ("S1", date(2024, 6, 8), 8)]
        shop.record([counted("e", 3, hour=9, payload=dated(7, "L3"))])
        assert lots(shop) == [("S1", date(2024, 6, 7), 3)]


def test_a_corrected_expiry_and_an_undone_one(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c", 10)])
        assert lots(shop) == []
        batch = shop.record([counted("c", 10, revision=1, payload=dated(9))])
        assert lots(shop) == [("S1", date(2024, 6, 9), 10)]
        shop.record([counted("c", 10, revision=2, payload=dated(12))])
        assert lots(shop) == [("S1", date(2024, 6, 12), 10)]
        shop.undo(batch)
        assert lots(shop) == [("S1", date(2024, 6, 12), 10)]


def test_a_retailer_without_lots_has_none(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c", 10), received("r", 5, order="X", hour=1), sold("s", 3, hour=2)])
        assert shop.stock.lots().num_rows == 0
