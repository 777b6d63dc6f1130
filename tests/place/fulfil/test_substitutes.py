"""Something like it instead of what a store ran out of: agreed, exact, and never dearer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from sanhe.core.errors import BadInput, Conflict, Shortage
from sanhe.core.facts import facts_table
from sanhe.core.storage import EmbeddedServer
from sanhe.place.fulfil import ShipmentState
from sanhe.place.orders import Instead, State
from sanhe.place.returns import Asked, Verdict
from sanhe.wiring import By, choices_for, finish_task, inspect_return, record_facts, tell_sales
from tests.place.fulfil.store import Town, fact, town
from tests.wiring.installation import installed

TEAS = {"A": 1_000, "C": 900, "D": 1_500, "E": 990, "X": 1_000}
"""Prices: all are teas but X; of E nothing lies there."""


@pytest.fixture
def shop(server: EmbeddedServer, tmp_path: Path) -> Iterator[Town]:
    with installed(server, tmp_path) as settings, town(settings) as made:
        facts = []
        for sku, cents in TEAS.items():
            said = {"name": f"tea {sku}", "category": "cups" if sku == "X" else "tea"}
            facts.append(fact("item.described", sku=sku, payload=said))
            facts.append(fact("price.set", sku=sku, amount_cents=cents, currency="CNY"))
            if sku not in "AE":
                facts.append(fact("stock.counted", sku=sku, place="S1", quantity=5))
        box = {"name": "box", "category": "tea", "components": "A:1 C:1"}
        facts.append(fact("item.described", sku="BOX", payload=box))
        facts.append(fact("price.set", sku="BOX", amount_cents=1_800, currency="CNY"))
        table = facts_table(facts)
        record_facts(made.sanhe, {"teas": table}, source="erp", actor="importer")
        yield made


def agreed(shop: Town, *lines: tuple[str, int]) -> UUID:
    """A paid order at S1 whose shopper takes something like it, ready to be picked."""
    order = shop.pay(shop.place(*lines, substitutes=True).id)
    shop.run()
    return order


def test_what_is_like_it_leaves_with_the_rest_and_its_difference_goes_back(shop: Town) -> None:
    order = agreed(shop, ("A", 2))
    shop.pick("S1", {"A": 1}, instead={"A": Instead("C", 1)})
    (shipment,) = shop.shipments(order)
    assert shipment.state is ShipmentState.READY
    assert [(one.line, one.units, one.picked) for one in shipment.lines] == [(0, 1, 1), (1, 1, 1)]
    assert shop.open_refunds(order) == [100]
    assert (shop.free("A", "S1"), shop.committed("A", "S1")) == (9, 1)
    assert (shop.free("C", "S1"), shop.committed("C", "S1")) == (4, 1)
    shop.money_is_exact(order)
    shop.fetch(shipment.id, shop.code(shipment.id))
    found = shop.order(order)
    assert found.state is State.COMPLETE
    assert [(one.sku, one.instead_of, one.state.handed) for one in found.lines] == [
        ("A", None, 1),
        ("C", 0, 1),
    ]
    tell_sales(shop.sanhe)
    with shop.sanhe.work(actor="reader") as work:
        sales = work.facts.current(types={"sale.line"}).to_pylist()
    assert sorted((one["sku"], one["quantity"], one["amount_cents"]) for one in sales) == [
        ("A", 1, 1_000),
        ("C", 1, 900),
    ]
    shop.money_is_exact(order)


def test_it_never_costs_more_and_may_be_all_there_is(shop: Town) -> None:
    order = agreed(shop, ("A", 2))
    shop.pick("S1", {}, instead={"A": Instead("D", 2)})
    (shipment,) = shop.shipments(order)
    assert [(one.line, one.there) for one in shipment.lines] == [(0, 0), (1, 2)]
    assert shop.open_refunds(order) == []
    assert [one.state.amount_cents for one in shop.order(order).lines] == [2_000, 2_000]
    shop.fetch(shipment.id, shop.code(shipment.id))
    shop.money_is_exact(order)
    assert shop.order(order).kept_cents == 2_000


def test_it_comes_back_as_what_it_is(shop: Town) -> None:
    order = agreed(shop, ("A", 1))
    shop.pick("S1", {}, instead={"A": Instead("C", 1)})
    (shipment,) = shop.shipments(order)
    shop.fetch(shipment.id, shop.code(shipment.id))
    tell_sales(shop.sanhe)
    with shop.sanhe.work(actor="service") as work:
        back = work.returns.ask(Asked(order, {1: 1}, "not to my taste"))
        work.returns.receive(back.id, "S1", {1: 1})
    inspect_return(shop.sanhe, back.id, {1: Verdict(sellable=1)}, key="k", by=By("service"))
    assert sorted(shop.open_refunds(order)) == [100, 900]
    assert (shop.free("C", "S1"), shop.free("A", "S1")) == (5, 10)
    shop.money_is_exact(order)


def test_it_is_cancelled_like_any_line(shop: Town) -> None:
    order = agreed(shop, ("A", 1))
    shop.pick("S1", {}, instead={"A": Instead("C", 1)})
    with shop.sanhe.work(actor="service") as work:
        work.orders.cancel(order, "changed their mind")
        work.fulfil.follow(order)
    assert shop.order(order).state is State.CANCELLED
    assert sorted(shop.open_refunds(order)) == [100, 900]
    assert (shop.free("C", "S1"), shop.free("A", "S1")) == (5, 10)
    shop.money_is_exact(order)


@pytest.mark.parametrize(
    ("instead", "error", "why"),
    [
        ({"A": Instead("X", 1)}, BadInput, "can't stand in"),
        ({"A": Instead("A", 1)}, BadInput, "can't stand in"),
        ({"A": Instead("BOX", 1)}, BadInput, "can't stand in"),
        ({"A": Instead("nothing", 1)}, BadInput, "can't stand in"),
        ({"A": Instead("C", 0)}, BadInput, "no quantity"),
        ({"C": Instead("D", 1)}, BadInput, "not missing by itself"),
        ({"A": Instead("C", 6)}, Shortage, "C"),
        ({"A": Instead("E", 1)}, Shortage, "E"),
    ],
)
def test_what_cant_stand_in_changes_nothing(
    shop: Town, instead: dict[str, Instead], error: type[Exception], why: str
) -> None:
    order = agreed(shop, ("A", 2))
    before = shop.order(order), shop.shipments(order)
    with pytest.raises(error, match=why):
        shop.pick("S1", {"A": 1}, instead=instead)
    assert (shop.order(order), shop.shipments(order)) == before
    shop.money_is_exact(order)


def test_who_wants_nothing_else_gets_it_from_elsewhere(shop: Town) -> None:
    order = shop.paid(("A", 1))
    shop.run()
    with pytest.raises(Conflict, match="wants nothing else"):
        shop.pick("S1", {}, instead={"A": Instead("C", 1)})
    shop.pick("S1", {})
    assert {part.place for part in shop.order(order).parts if part.open} == {"S2"}


def test_a_bundle_is_one_as_a_whole(shop: Town) -> None:
    agreed(shop, ("BOX", 1))
    (task,) = shop.tasks("S1", "pick")
    with shop.sanhe.work(actor="picker") as work:
        assert choices_for(work, task.id, "A") is None
    with pytest.raises(BadInput, match="not missing by itself"):
        shop.pick("S1", {"C": 1}, instead={"A": Instead("C", 1)})


def test_the_picker_is_told_what_is_like_it_and_lies_there(shop: Town) -> None:
    agreed(shop, ("A", 1))
    (task,) = shop.tasks("S1", "pick")
    with shop.sanhe.work(actor="picker") as work:
        found = choices_for(work, task.id, "A")
    assert found is not None
    assert [(one.sku, one.price_cents, one.available) for one in found] == [
        ("C", 900, 5),
        ("D", 1_500, 5),
        ("B", 333, 10),
    ]
    shop.paid(("A", 1))
    shop.run()
    other = next(one for one in shop.tasks("S1", "pick") if one.id != task.id)
    with shop.sanhe.work(actor="picker") as work:
        assert choices_for(work, other.id, "A") is None


def test_told_twice_it_happens_once(shop: Town) -> None:
    order = agreed(shop, ("A", 2))
    (task,) = shop.tasks("S1", "pick")
    with shop.sanhe.work(actor="picker") as work:
        work.tasks.take(task.id)
    told = {"done": {"A": 1}, "instead": {"A": Instead("C", 1)}}
    first = finish_task(shop.sanhe, task.id, **told, key="one", by=By("picker"))
    for key in ("one", "another"):
        assert finish_task(shop.sanhe, task.id, **told, key=key, by=By("picker")) == first
    other = {**told, "instead": {"A": Instead("D", 1)}}
    with pytest.raises(Conflict, match="another"):
        finish_task(shop.sanhe, task.id, **other, key="one", by=By("picker"))
    assert [one.sku for one in shop.order(order).lines] == ["A", "C"]
    assert shop.open_refunds(order) == [100]
