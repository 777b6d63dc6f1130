"""A transfer from proposal to receipt on the real parts: nothing is lost, nothing counts twice."""

from __future__ import annotations

import csv
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from sanhe.connectors.files import write_order
from sanhe.core.decisions import PostgresDecisions, Status
from sanhe.core.errors import BadInput, SanheError
from sanhe.core.jobs import MemoryOutbox
from sanhe.core.storage import Database, Transaction
from sanhe.goods.replenish import (
    DECISION_KIND,
    TRANSFER,
    TRANSFER_KIND,
    Known,
    Moving,
    Policy,
    Replenish,
)
from sanhe.goods.suppliers import TOPIC, Arrived, Suppliers
from tests.goods.replenish.doubles import flat_forecast
from tests.goods.replenish.test_transfers import known_of
from tests.goods.shop import DAY, START, Shop, counted, fact

FORECAST = flat_forecast([("A", "S1", 2.0), ("A", "S2", 0.0)], as_of=DAY)
POSITION = {"on_hand", "leaving", "downstream_gap"}
POLICY = Policy(moving=Moving(cents_per_line=100.0))


def opened(tx: Transaction) -> tuple[Shop, Replenish]:
    """Two shops of one parent: S1 sells and has none, S2 has forty and sells none."""
    shop = Shop.of(tx)
    supply = [("lead_time_days", 3), ("cost_per_case_cents", 300)]
    shop.record(
        [
            fact("item.described", "item/A", place=None, payload=[("name", "tea")]),
            fact("supply.agreed", "supply/A", place=None, party="V1", payload=supply),
            counted("count/S1", 0),
            counted("count/S2", 40, place="S2"),
        ]
    )
    return shop, replenishment(tx)


def replenishment(tx: Transaction) -> Replenish:
    decisions = PostgresDecisions(tx)
    for kind in (DECISION_KIND, TRANSFER_KIND):
        decisions.register(kind)
    return Replenish(decisions, tx.clock, policy=POLICY)


def known(shop: Shop) -> Known:
    """What the façades say, as the wiring gives it."""
    return Known(
        items=shop.catalog.items(),
        positions=shop.stock.positions(),
        lots=shop.stock.lots(),
        terms=shop.suppliers.terms(),
        on_order=shop.suppliers.on_order(DAY),
        leaving=shop.suppliers.leaving(),
        places=known_of({("A", "S1"): 0}).places,
    )


def terms(shop: Shop, replenish: Replenish, place: str) -> dict[str, int]:
    told = replenish.explain_line(FORECAST, known(shop), sku="A", place=place)
    return {term.name: term.value for term in told.terms if term.value}


def total(shop: Shop) -> int:
    return sum(shop.nets().values())


def test_a_transfer_leaves_travels_and_arrives(database: Database, tmp_path: Path) -> None:
    with database.transaction(actor="planner") as tx:
        shop, replenish = opened(tx)
        (number,) = replenish.propose(FORECAST, known(shop)).transfers
        moved = replenish.decisions.get(number).value
        replenish.decisions.approve([number])
        (name,) = replenish.execute(shop.suppliers, day=DAY).orders
        assert name.startswith("TR-")
        order = shop.suppliers.get(name)
        assert (order.transfer, order.supplier, order.place) == (True, "S2", "S1")
        assert order.due == DAY + timedelta(days=1)
        # On its way it counts at both ends, and nothing is proposed again.
        assert terms(shop, replenish, "S1")["on_order"] == -moved
        assert terms(shop, replenish, "S2")["leaving"] == moved
        again = replenish.propose(FORECAST, known(shop))
        assert again.transfers == () and again.proposed == 0

        (message,) = shop.outbox.pending(TOPIC)
        with write_order(tmp_path, message.payload).csv.open(encoding="utf-8-sig") as stream:
            (row,) = csv.DictReader(stream)
        assert (row["supplier"], row["place"], row["quantity"]) == ("S2", "S1", str(moved))

        gone = shop.suppliers.departure(
            name, [Arrived("A", moved)], note="van 1", at=START + timedelta(hours=30), day=DAY
        )
        shop.record(gone)
        shop.record(gone)
        assert shop.nets() == {("A", "S1"): 0, ("A", "S2"): 40 - moved}
        assert terms(shop, replenish, "S2").get("leaving", 0) == 0
        assert terms(shop, replenish, "S1")["on_order"] == -moved
        batch = shop.record(
            shop.suppliers.receipt(
                name, [Arrived("A", moved)], note="van 1", at=START + timedelta(hours=40), day=DAY
            )
        )
        assert shop.nets() == {("A", "S1"): moved, ("A", "S2"): 40 - moved}
        assert total(shop) == 40
        assert shop.suppliers.on_order(DAY).num_rows == 0
        shop.undo(batch)
        assert shop.suppliers.on_order(DAY).column("quantity").to_pylist() == [moved]


def test_what_arrived_has_left_though_nobody_said_so(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop, replenish = opened(tx)
        (number,) = replenish.propose(FORECAST, known(shop)).transfers
        replenish.decisions.approve([number])
        (name,) = replenish.execute(shop.suppliers, day=DAY).orders
        at = START + timedelta(hours=40)
        shop.record(shop.suppliers.receipt(name, [Arrived("A", 1)], note="bag", at=at, day=DAY))
        moved = replenish.decisions.get(number).value
        assert shop.suppliers.leaving().column("quantity").to_pylist() == [moved - 1]
        shop.suppliers.cancel(name, reason="the rest was not found")
        assert shop.suppliers.leaving().num_rows == 0


def test_nothing_leaves_for_a_purchase(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop, _ = opened(tx)
        replenish = Replenish(PostgresDecisions(tx), tx.clock)
        (number,) = replenish.propose(FORECAST, known(shop)).numbers
        replenish.decisions.approve([number])
        (name,) = replenish.execute(shop.suppliers, day=DAY).orders
        with pytest.raises(BadInput, match="TR-"):
            shop.suppliers.departure(name, [Arrived("A", 1)], note="x", at=START, day=DAY)
        assert shop.suppliers.leaving().num_rows == 0
        assert shop.suppliers.leaving(["V1"]).num_rows == 1


def supplied_by_a_warehouse(shop: Shop, tx: Transaction) -> tuple[Replenish, Known]:
    """A shop that draws on DC1, and DC1 on V1; the warehouse has thirty."""
    lead = [("lead_time_days", 1)]
    shop.record(
        [
            fact("supply.agreed", "supply/DC1", place=None, party="DC1", payload=lead),
            fact("supply.agreed", "supply/V1", place="DC1", party="V1", payload=lead),
            counted("count/S1", 0),
            counted("count/DC1", 30, place="DC1"),
        ]
    )
    return Replenish(replenishment(tx).decisions, tx.clock), of_warehouse(shop)


def of_warehouse(shop: Shop) -> Known:
    places = {"id": ["S1", "DC1"], "kind": ["store", "warehouse"]}
    nobody = pa.nulls(2, pa.string())
    return replace(
        known(shop),
        leaving=shop.suppliers.leaving(["DC1"]),
        places=pa.table({**places, "parent": nobody, "region": nobody}),
    )


def test_a_store_draws_on_its_warehouse_and_nothing_is_counted_twice(database: Database) -> None:
    store = flat_forecast([("A", "S1", 4.0)], as_of=DAY)
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        replenish, seen = supplied_by_a_warehouse(shop, tx)

        def position(place: str) -> int:
            told = replenish.explain_line(store, of_warehouse(shop), sku="A", place=place)
            return sum(term.value for term in told.terms if term.name in POSITION)

        before = position("DC1")
        plan = replenish.propose(store, seen)
        (wanted,) = (
            replenish.decisions.get(number).value
            for number in plan.numbers
            if replenish.decisions.get(number).proposal.subject.place == "S1"
        )
        replenish.decisions.approve(plan.numbers)
        made = [
            shop.suppliers.get(name) for name in replenish.execute(shop.suppliers, day=DAY).orders
        ]
        (order,) = [one for one in made if one.transfer]
        # One day on the way, and the two that a warehouse of one store makes it wait.
        assert (order.supplier, order.place, order.due) == ("DC1", "S1", DAY + timedelta(days=3))
        # What the store lacked is now what leaves: the warehouse needs as much as before.
        assert position("DC1") == before
        again = replenish.propose(store, of_warehouse(shop))
        assert again.proposed == 0
        at = START + timedelta(hours=30)
        left = [Arrived("A", wanted)]
        shop.record(shop.suppliers.departure(order.name, left, note="1", at=at, day=DAY))
        assert position("DC1") == before
        shop.record(shop.suppliers.receipt(order.name, left, note="1", at=at, day=DAY))
        assert position("DC1") == before
        assert total(shop) == 30


def orders_of_two(database: Database) -> list[str]:
    """Two workers carry out one approved transfer at the same moment; the orders they make."""
    with database.transaction(actor="planner") as tx:
        shop, replenish = opened(tx)
        plan = replenish.propose(FORECAST, known(shop))
        replenish.decisions.approve(plan.transfers)
    made: list[str] = []
    started = threading.Barrier(2)

    def work() -> None:
        try:
            with database.transaction(actor="worker") as tx:
                started.wait(timeout=5)
                suppliers = Suppliers(tx, MemoryOutbox(tx.clock))
                made.extend(replenishment(tx).execute(suppliers, day=DAY).orders)
        except SanheError as error:
            made.append(type(error).__name__)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with database.transaction(actor="auditor") as tx:
        done = PostgresDecisions(tx).find(kind=TRANSFER, statuses={Status.EXECUTED})
        orders = Suppliers(tx, MemoryOutbox(tx.clock)).orders()
    assert len(done) == len(orders) == 1
    return sorted(made)


def test_two_workers_make_one_order(database: Database) -> None:
    assert [name[:3] for name in orders_of_two(database)] == ["TR-"]


def planned_beside_a_worker(database: Database) -> int:
    """Plan; between the reading and the proposing a worker carries out what was approved.

    Returns how many transfers the second plan proposes.
    """
    with database.transaction(actor="planner") as tx:
        shop, replenish = opened(tx)
        plan = replenish.propose(FORECAST, known(shop))
        replenish.decisions.approve(plan.transfers)

    def carry_out() -> None:
        with database.transaction(actor="worker") as tx:
            replenishment(tx).execute(Suppliers(tx, MemoryOutbox(tx.clock)), day=DAY)

    worker = threading.Thread(target=carry_out)
    with database.transaction(actor="planner") as tx:
        replenish = replenishment(tx)
        replenish.exclusive()
        shop = Shop.of(tx, in_memory=False)
        seen = Known(
            positions=known_of({("A", "S1"): 0, ("A", "S2"): 40}).positions,
            terms=shop.suppliers.terms(),
            on_order=shop.suppliers.on_order(DAY),
            leaving=shop.suppliers.leaving(),
            places=known_of({("A", "S1"): 0}).places,
        )
        worker.start()
        worker.join(timeout=2)
        again = replenish.propose(FORECAST, seen)
    worker.join()
    return len(again.transfers) + again.proposed


def test_a_transfer_carried_out_while_a_plan_is_made_is_not_proposed_again(
    database: Database,
) -> None:
    assert planned_beside_a_worker(database) == 0


def test_without_the_lock_it_would_move_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the race above."""
    monkeypatch.setattr(PostgresDecisions, "exclusive", lambda self, kind: None)
    assert planned_beside_a_worker(database) == 1
