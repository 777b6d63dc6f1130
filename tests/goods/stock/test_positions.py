"""Positions on the ledger follow the facts, in any order, any number of times."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanhe.core.errors import Conflict, Tampered
from sanhe.core.facts import Fact
from sanhe.core.ledger import Transfer
from sanhe.core.storage import Database
from sanhe.goods.stock import (
    StockEvent,
    desired_entries,
    discrepancy_account,
    on_hand_account,
    unit_of,
    world_account,
)
from sanhe.goods.stock.follow import follow
from sanhe.goods.stock.rules import DIRECTION
from tests.goods.shop import DAY, START, Shop, counted, fact, moved, received, rolled_back, sold


def test_without_a_count_the_stock_is_unknown(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([sold("s1", 3), moved("m1", 9), received("r1", 5, order="X")])
        assert shop.state() == []
        assert shop.ledger.accounts("").num_rows == 0


def test_a_first_count_late_takes_what_came_after_it(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([sold("before", 3, hour=1), sold("after", 2, hour=5)])
        shop.record([counted("c", 10, hour=3)])
        assert shop.nets() == {("A", "S1"): 8}
        shop.record([counted("earlier", 20, hour=0)])
        assert shop.nets() == {("A", "S1"): 8}
        assert [row["amount"] for row in shop.stock.card("A", "S1").to_pylist()] == [20, -3, -7, -2]


def test_a_late_movement_changes_the_adjustment_not_the_stock(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c1", 10), counted("c2", 6, hour=9)])
        shop.record([sold("late", 3, hour=4)])
        assert shop.nets() == {("A", "S1"): 6}
        card = shop.stock.card("A", "S1").to_pylist()
        assert [(row["reason"], row["amount"], row["net"]) for row in card] == [
            ("count", 10, 10),
            ("sale", -3, 7),
            ("count", -1, 6),
        ]


def test_a_revision_moves_stock_to_another_place(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c1", 10), counted("c2", 10, place="S2")])
        shop.record([sold("s", 4, hour=2)])
        shop.record([sold("s", 3, hour=2, place="S2", revision=1)])
        assert shop.nets() == {("A", "S1"): 10, ("A", "S2"): 7}
        shop.record([sold("s", 9, hour=2, revision=0)])
        assert shop.nets() == {("A", "S1"): 10, ("A", "S2"): 7}


def test_undo_restores_the_balances_exactly(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c1", 10), sold("s0", 1, hour=1)])
        before = shop.state(), shop.on_the_books()
        batch = shop.record(
            [
                sold("s0", 5, hour=1, revision=1),
                sold("s1", 30, hour=2),
                counted("c2", 3, hour=3),
                counted("other", 8, place="S9"),
            ]
        )
        assert shop.state() != before[0]
        shop.undo(batch)
        assert shop.state() == before[0]
        assert shop.on_the_books() == before[1]


def test_stock_below_zero_is_a_discrepancy_and_listed(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c1", -3), counted("c2", 4, sku="B")])
        balances = shop.ledger.balances(
            [on_hand_account("S1", "A"), discrepancy_account("S1", "A")]
        )
        assert [balance.posted for balance in balances.values()] == [0, -3]
        assert shop.stock.discrepancies().select(["sku", "discrepancy"]).to_pylist() == [
            {"sku": "A", "discrepancy": -3}
        ]
        shop.record([moved("m", 5, hour=1)])
        assert shop.stock.discrepancies().num_rows == 0
        assert shop.nets()["A", "S1"] == 2


def test_a_sale_of_what_is_reserved_is_a_discrepancy(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c1", 5)])
        pick_up = Transfer(
            id=UUID(int=1),
            source=on_hand_account("S1", "A"),
            target=world_account("A"),
            amount=4,
            reason="pick-up",
            reference="order 1",
            effective_at=START,
        )
        shop.ledger.reserve(pick_up)
        shop.record([sold("till", 3, hour=1)])
        row = shop.stock.positions().to_pylist()[0]
        assert (row["on_hand"], row["reserved"], row["discrepancy"], row["net"]) == (4, 4, -2, 2)
        shop.ledger.void(UUID(int=1))
        shop.record([sold("till 2", 1, hour=2)])
        row = shop.stock.positions().to_pylist()[0]
        assert (row["on_hand"], row["reserved"], row["discrepancy"], row["net"]) == (1, 0, 0, 1)


def test_positions_of_chosen_pairs(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c1", 5), counted("c2", 6, sku="B"), counted("c3", 7, place="S2")])
        found = shop.stock.positions([("B", "S1"), ("A", "S2"), ("C", "S1")])
        assert found.select(["sku", "place", "on_hand"]).to_pylist() == [
            {"sku": "A", "place": "S2", "on_hand": 7},
            {"sku": "B", "place": "S1", "on_hand": 6},
        ]


def test_verify_names_the_position_that_does_not_match(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c1", 5), counted("c2", 6, sku="B")])
        assert shop.stock.verify() == 2
        forged = Transfer(
            id=UUID(int=2),
            source=world_account("B"),
            target=on_hand_account("S1", "B"),
            amount=1,
            reason="forged",
            reference="",
            effective_at=START,
        )
        shop.ledger.transfer([forged])
        with pytest.raises(Tampered, match="stock of B at S1"):
            shop.stock.verify()


def test_the_ledger_holds_the_unit_of_the_sku(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c1", 5)])
        rows = shop.ledger.accounts("stock.").to_pylist()
        assert {(row["code"], row["unit"], row["floor"]) for row in rows} == {
            (on_hand_account("S1", "A"), unit_of("A"), 0),
            (discrepancy_account("S1", "A"), unit_of("A"), None),
            (world_account("A"), unit_of("A"), None),
        }


def test_sales_told_by_a_total_and_by_till_lines_are_refused(database: Database) -> None:
    """Taken off twice the stock would be wrong; which is right only the retailer knows."""

    def told(kind: str, name: str, **columns: object) -> Fact:
        return fact(kind, name, hour=5, quantity=4, **columns)  # type: ignore[arg-type]

    line, total = told("sale.line", "line"), told("sale.day", "total")
    with database.transaction(actor="tester") as tx:
        for first, second in ((line, total), (total, line)):
            with rolled_back(tx) as shop:
                shop.record([counted("c", 10), first])
                with pytest.raises(Conflict, match="A at S1 on 2024-06-03 is sold twice"):
                    shop.record([second])
        with rolled_back(tx) as shop, pytest.raises(Conflict, match="sold twice"):
            shop.record([counted("c", 10), line, total])
        with rolled_back(tx) as shop:
            batch = shop.record([counted("c", 10), line, told("sale.day", "b", sku="B")])
            shop.record([told("sale.day", "elsewhere", place="S2")])
            shop.record([told("sale.day", "next", day=DAY + timedelta(days=1))])
            assert shop.nets() == {("A", "S1"): 2}
            # Undoing what told them first lets the other tell them.
            shop.undo(batch)
            shop.record([counted("d", 10), total])
            assert shop.nets() == {("A", "S1"): 2}


NAMES = st.tuples(st.integers(0, 7).map(str), st.integers(0, 2))


@st.composite
def contents(draw: st.DrawFn, name: tuple[str, int]) -> Fact:
    """What a name and revision says: the same name always says the same."""
    hour, quantity = draw(st.integers(0, 6)), draw(st.integers(-9, 9))
    columns = {"place": draw(st.sampled_from(["S1", "S2"])), "revision": name[1], "hour": hour}
    make = draw(st.sampled_from(["count", "move", "sale", "day", "receipt"]))
    if make == "count":
        lot = draw(st.sampled_from(["", "L1", "L2"]))
        payload = [("lot", lot)] if lot else []
        return counted(name[0], quantity, payload=payload, **columns)
    if make == "move":
        return moved(name[0], quantity, **columns)
    if make == "receipt":
        return received(name[0], abs(quantity), order="X", **columns)
    if make == "day":
        # On a day of its own: a total and till lines of one day are refused.
        columns["day"] = date(2025, 1, 1)
        return fact("sale.day", name[0], quantity=abs(quantity), **columns)  # type: ignore[arg-type]
    return sold(name[0], quantity, **columns)


@st.composite
def stories(draw: st.DrawFn) -> list[Fact]:
    names = draw(st.lists(NAMES, min_size=1, max_size=14, unique=True))
    return [draw(contents(name)) for name in names]


def expected_nets(shop: Shop) -> dict[tuple[str, str], int]:
    """The definition, applied to all current facts at once."""
    rows = shop.tx.connection.execute(sa.text("SELECT * FROM fact_current")).mappings()
    pairs: dict[tuple[str, str], list[StockEvent]] = {}
    for row in rows:
        event = StockEvent(
            row["source"],
            row["external_id"],
            row["type"],
            row["event_at"],
            row["quantity"] * DIRECTION[row["type"]],
            row["payload"].get("lot", ""),
        )
        pairs.setdefault((row["sku"], row["place"]), []).append(event)
    return {
        pair: sum(desired_entries(events).values())
        for pair, events in pairs.items()
        if any(event.is_count for event in events)
    }


def record_split(shop: Shop, facts: Sequence[Fact], cuts: Sequence[int]) -> None:
    """Record facts in batches that end at the cuts."""
    ends = sorted({cut % (len(facts) + 1) for cut in cuts} | {len(facts)})
    start = 0
    for end in ends:
        shop.record(facts[start:end])
        start = end


def race(database: Database, *, guarded: bool) -> tuple[dict[object, int], dict[object, int]]:
    """Two imports of one SKU × place, both appended before either follows: the nets as they come
    out, and as they should be."""
    both_appended = threading.Barrier(2, timeout=30)

    def till(name: str) -> None:
        with database.transaction(actor=name) as tx:
            shop = Shop.of(tx, in_memory=False)
            batch = shop.facts.open_batch(source=name, name=name)
            shop.facts.append(batch, [sold(name, 3, hour=4, source=name)])
            both_appended.wait()
            if guarded:
                shop.stock.apply(batch)
            else:
                follow(tx, shop.ledger, batch)
            # Time for the other one to read what is committed so far.
            tx.connection.exec_driver_sql("SELECT pg_sleep(1)")

    with database.transaction(actor="tester") as tx:
        Shop.of(tx, in_memory=False).record([counted("c", 20), counted("d", 9, hour=9)])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(till, ["till-1", "till-2"]))
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx, in_memory=False)
        return dict(shop.nets()), dict(expected_nets(shop))


def test_two_imports_of_one_position_at_once_end_right(database: Database) -> None:
    found, expected = race(database, guarded=True)
    assert found == expected == {("A", "S1"): 9}


def test_without_the_lock_they_do_not(database: Database) -> None:
    found, expected = race(database, guarded=False)
    assert found != expected


quick = settings(
    deadline=timedelta(seconds=20),
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@quick
@given(st.data())
def test_any_order_split_and_repetition_end_alike(database: Database, data: st.DataObject) -> None:
    story = data.draw(stories())
    other = data.draw(st.permutations(story)) + data.draw(st.lists(st.sampled_from(story)))
    cuts = data.draw(st.lists(st.integers(0, 30), max_size=4))
    with database.transaction(actor="tester") as tx:
        with rolled_back(tx) as shop:
            shop.record(story)
            once = shop.state(), expected_nets(shop)
            assert shop.nets() == once[1]
            shop.stock.verify()
            shop.ledger.verify()
        with rolled_back(tx) as shop:
            record_split(shop, other, cuts)
            assert shop.state() == once[0]
            shop.stock.verify()
            shop.ledger.verify()


@quick
@given(st.data())
def test_every_step_with_undo_equals_the_definition(
    database: Database, data: st.DataObject
) -> None:
    story = data.draw(stories())
    with database.transaction(actor="tester") as tx, rolled_back(tx) as shop:
        batches: list[UUID] = []
        for _ in range(data.draw(st.integers(1, 6))):
            if batches and data.draw(st.booleans()):
                shop.undo(batches.pop(data.draw(st.integers(0, len(batches) - 1))))
            else:
                batches.append(shop.record(data.draw(st.lists(st.sampled_from(story), min_size=1))))
            assert shop.nets() == expected_nets(shop)
            shop.stock.verify()
        shop.ledger.verify()
        for batch in batches:
            shop.undo(batch)
        assert shop.state() == []
        assert shop.on_the_books() == {}


@settings(quick, max_examples=10)
@given(st.data())
def test_the_same_holds_on_the_ledger_of_the_database(
    database: Database, data: st.DataObject
) -> None:
    story = data.draw(stories())
    with database.transaction(actor="tester") as tx:
        with rolled_back(tx) as shop:
            shop.record(story)
            expected = shop.state(), shop.on_the_books()
        with rolled_back(tx, in_memory=False) as shop:
            batches = [shop.record([each]) for each in data.draw(st.permutations(story))]
            assert (shop.state(), shop.on_the_books()) == expected
            shop.stock.verify()
            shop.ledger.verify()
            for batch in batches:
                shop.undo(batch)
            assert shop.on_the_books() == {}


def test_the_bulk_path_equals_the_definition(database: Database) -> None:
    pairs = [(f"SKU-{number}", f"S{number % 7}") for number in range(300)]
    facts = [
        make(f"{sku}/{hour}", (number * 7 + hour * 3) % 23 - 2, hour=hour, sku=sku, place=place)
        for number, (sku, place) in enumerate(pairs)
        for hour, make in ((0, sold), (2, counted), (3, sold), (4, moved), (8, counted))
    ]
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx, in_memory=False)
        batch = shop.record(facts)
        late = shop.record([sold(f"{sku}/late", 2, hour=5, sku=sku, place=p) for sku, p in pairs])
        assert shop.nets() == expected_nets(shop)
        assert shop.stock.verify() == 300
        shop.undo(late)
        shop.undo(batch)
        assert shop.on_the_books() == {}
