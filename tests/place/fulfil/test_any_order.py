"""Whatever happens in whatever order: stock, money and shipments are what the orders say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings

from sanhe.core.errors import Conflict, SanheError, Shortage
from sanhe.core.facts import Fact
from sanhe.core.storage import EmbeddedServer
from sanhe.core.values import new_id
from sanhe.place.fulfil import ShipmentState
from sanhe.place.orders import Instead, Order, State, Wanted
from sanhe.place.returns import Asked, Verdict
from sanhe.wiring import By, cancel_order, inspected, tell_sales
from tests.place.fulfil.store import OPENING, STOCK, Town, fact, town
from tests.wiring.installation import installed

STEPS = ("place", "pick", "swap", "fetch", "cancel", "sell", "wait", "return", "tell", "run")
Step = tuple[str, int, int]


@pytest.fixture(scope="module")
def shared(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One town for all examples: what one leaves behind the next one finds."""
    with installed(server, tmp_path_factory.mktemp("town")) as made, town(made) as at:
        yield at


@settings(
    max_examples=12,
    deadline=timedelta(minutes=5),
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(STEPS), st.integers(0, 11), st.integers(0, 3)),
        min_size=8,
        max_size=20,
    )
)
@example([("place", 1, 1), ("run", 0, 0), ("swap", 1, 0), ("cancel", 1, 1), ("tell", 0, 0)])
def test_stock_money_and_shipments_are_exact(shared: Town, steps: list[Step]) -> None:
    _count_anew(shared)
    ids: list[UUID] = []
    for step in [("place", 0, 1), ("run", 0, 0), *steps]:
        try:
            _take(shared, step, ids)
        except SanheError as error:
            assert isinstance(error, (Conflict, Shortage)), error
        shipped_is_what_is_open(shared, ids)
    shared.run()
    tell_sales(shared.sanhe)
    for order in ids:
        shared.money_is_exact(order)
    committed_is_what_is_open(shared)


def _take(at: Town, step: Step, ids: list[UUID]) -> None:
    kind, which, units = step
    order = ids[which % len(ids)] if ids else None
    place = ("S1", "S2", "S3")[which % 3]
    if kind == "place":
        where = None if which % 4 == 0 else place
        ids.append(at.paid(("A", units + 1), ("B", 1), at=where, substitutes=which % 2 == 1))
    elif kind == "pick":
        if tasks := at.tasks(place, "pick"):
            at.pick(place, {line.sku: units for line in tasks[0].lines})
    elif kind == "swap":
        if tasks := at.tasks(place, "pick"):
            missing, *rest = tasks[0].lines
            given = Instead({"A": "B", "B": "A"}[missing.sku], units + 1)
            done = {line.sku: line.quantity for line in rest}
            at.pick(place, done, instead={missing.sku: given})
    elif kind == "sell":
        sold = fact("sale.line", sku="A", place=place, quantity=units + 1, event_at=at.clock.now())
        _record(at, [sold])
        with at.sanhe.work(actor="answers") as work:
            work.fulfil.answer_short("A", place)
    elif kind == "wait":
        at.wait(hours=24 * units)
    elif kind == "tell":
        tell_sales(at.sanhe)
    elif kind == "run":
        at.run()
    elif order is not None:
        _on(at, kind, order, units)


def _on(at: Town, kind: str, order: UUID, units: int) -> None:
    if kind == "cancel":
        by, key = By("shopper"), new_id().hex
        pieces = at.order(order).open_pieces[:1] if units else None
        cancel_order(at.sanhe, order, reason="no", pieces=pieces, key=key, by=by)
    elif kind == "fetch":
        for shipment in at.shipments(order):
            if (shipment.method, shipment.state) == ("pickup", ShipmentState.READY):
                at.fetch(shipment.id, at.code(shipment.id))
    else:
        with at.sanhe.work(actor="store") as work:
            back = work.returns.ask(Asked(order, {0: units + 1}, "x"))
            work.returns.receive(back.id, "S3", {0: units + 1})
            inspected(work, back.id, {0: Verdict(waste=units + 1)})


def shipped_is_what_is_open(at: Town, ids: list[UUID]) -> None:
    """Each open piece of an order that was taken up stands in one shipment."""
    for order in ids:
        found, shipments = at.order(order), at.shipments(order)
        if not shipments:
            continue
        is_paid = found.state is State.PAID
        wanted = Counter({(p.place, p.line): p.units for p in found.open_pieces if is_paid})
        waiting = Counter[tuple[str, int]]()
        for shipment in shipments:
            if shipment.state in {ShipmentState.PICKING, ShipmentState.READY}:
                for line in shipment.lines:
                    waiting[shipment.place, line.line] += line.there
        assert +waiting == +wanted


def committed_is_what_is_open(at: Town) -> None:
    """What is sold and lies there yet is what paid orders wait for, in all."""
    waits = Counter[tuple[str, str]]()
    with at.sanhe.work(actor="reader") as work:
        orders, total = work.orders.page(Wanted(states=[State.PAID]), limit=500)
        rows = work.stock.positions().to_pylist()
    assert total == len(orders)
    for part in (part for order in orders for part in _parts(order)):
        waits[part] += 1
    assert {(row["sku"], row["place"]): row["committed"] for row in rows if row["committed"]} == {
        pair: count for pair, count in waits.items() if count
    }
    assert all(row["on_hand"] >= row["reserved"] for row in rows)


def _parts(order: Order) -> Iterator[tuple[str, str]]:
    for part in order.parts:
        for _ in range(part.open * part.each):
            yield part.sku, part.place


def _count_anew(at: Town) -> None:
    """Begin the example with the shelves as they were first, orders of before still open."""
    at.wait(minutes=1)
    now = at.clock.now()
    assert now >= OPENING
    _record(
        at,
        [
            fact("stock.counted", sku=sku, place=place, quantity=units, event_at=now)
            for place, units in STOCK.items()
            for sku in ("A", "B")
        ],
    )


def _record(at: Town, facts: list[Fact]) -> None:
    with at.sanhe.work(actor="importer") as work:
        batch = work.facts.open_batch(source="erp", name=f"more {new_id()}")
        work.facts.append(batch, facts)
        work.follow(batch)
