"""What is promised is what the quote says and the order keeps; nothing else can be had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from sanhe.core.clock import FixedClock
from sanhe.core.errors import Shortage
from sanhe.core.facts import Fact
from sanhe.core.places import Point
from sanhe.core.scope import Scope
from sanhe.core.storage import EmbeddedServer
from sanhe.core.values import new_id
from sanhe.place.orders import Basket, BasketLine, Delivery, Placing, Promise, Quote
from sanhe.place.sourcing import Method, window_ends
from sanhe.wiring import By, Promised, Where, place_order, promise_baskets, quote_basket
from tests.place.fulfil.store import HOME, OPENING, ZHANG, Town, fact, town
from tests.wiring.installation import installed

BY = By("shopper")
OURS = "[fee]\ncents = 600\nfree_from_cents = 3000\n"


@pytest.fixture(scope="module")
def shared(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One town for all, its goods used up by the last test: with a cheap parcel that comes the day
    after tomorrow, a bundle and a fee."""
    path = tmp_path_factory.mktemp("policy") / "ours.toml"
    path.write_text(OURS, encoding="utf-8")
    stock = {"S1": 60, "S2": 40, "S3": 40}
    with (
        installed(server, tmp_path_factory.mktemp("town")) as made,
        town(replace(made, delivery=path), stock=stock) as at,
    ):
        with at.sanhe.work(actor="importer") as work:
            batch = work.facts.open_batch(source="erp", name="parcels")
            work.facts.append(batch, list(_more_facts()))
            work.follow(batch)
        yield at


def _more_facts() -> Iterator[Fact]:
    for place, minutes in (("S1", 26 * 60), ("S3", 5 * 60)):
        offer = {
            "courier": "parcel",
            "base_fee_cents": 100,
            "speed_km_per_hour": 40.0,
            "collect_minutes": minutes,
        }
        yield fact("courier.offered", place=place, payload=offer)
    yield fact("item.described", sku="SET", payload={"name": "SET", "components": "A:2 B:1"})
    taxed = {"tax_included": True, "tax_rate": 0.13}
    yield fact("price.set", sku="SET", amount_cents=2_100, currency="CNY", payload=taxed)


def basket(*lines: tuple[str, int], channel: str = "web") -> Basket:
    wanted = tuple(BasketLine(*line) for line in lines)
    return Basket(channel, "CNY", wanted, Delivery("pickup", None))


def promised(at: Town, wanted: Basket, where: Where, by: By = BY) -> Promised:
    (found,) = promise_baskets(at.sanhe, [wanted], where, by=by).baskets
    return found


def told(quote: Quote) -> tuple[object, ...]:
    """All that a shopper is told of a quote."""
    plan = quote.plan
    return (plan.pieces, plan.ready_at, plan.arrives_at, quote.total_cents, quote.goods_cents)


def kept(at: Town, wanted: Basket, promise: Promise) -> None:
    """Order it as it was promised: the order says the same, and comes in time."""
    asked = replace(wanted, delivery=promise.delivery)
    to = ZHANG if promise.delivery.method == "courier" else None
    placed = place_order(
        at.sanhe, Placing(asked, promise.quote.total_cents, to), key=new_id().hex, by=BY
    )
    assert isinstance(placed, dict)
    with at.sanhe.work(actor="reader") as work:
        found, _ = work.orders.page(limit=1)
    (order,) = found
    assert str(order.id) == placed["id"]
    assert (order.ready_at, order.arrives_at) == (
        promise.quote.plan.ready_at,
        promise.quote.plan.arrives_at,
    )
    assert order.arrives_at is not None and order.arrives_at <= promise.due_at
    assert order.delivery_cents == promise.delivery_cents
    assert {part.place for part in order.parts} == set(promise.places)


def test_a_list_says_the_same_as_each_page(shared: Town) -> None:
    wishes = [basket(("A", 1)), basket(("SET", 1)), basket(("B", 3), ("A", 1)), basket(("?", 1))]
    where = Where(Point(*HOME), None, pick_ups=2)
    together = promise_baskets(shared.sanhe, wishes, where, by=BY)
    alone = [promised(shared, wish, where) for wish in wishes]
    for one, other in zip(together.baskets, alone, strict=True):
        assert [p.method for p in one.promises] == [p.method for p in other.promises]
        assert [told(p.quote) for p in one.promises] == [told(p.quote) for p in other.promises]
    assert [bool(one.promises) for one in alone] == [True, True, True, False]
    assert "'?'" in str(alone[-1].refused)
    assert {place.kind for place in together.places.values()} == {"store"}


def test_a_faster_courier_costs_a_plan_of_its_own(shared: Town) -> None:
    """The parcel is cheapest, and no answer to who wants it in two hours."""
    found = promised(shared, basket(("A", 1)), Where(Point(*HOME), None, pick_ups=0))
    by_method = {promise.method: promise.quote.plan for promise in found.promises}
    ship, soon = by_method[Method.SHIP], by_method[Method.TWO_HOUR]
    assert ship.arrives_at and soon.arrives_at and soon.arrives_at < ship.arrives_at
    assert found.promises[0].method is Method.SHIP


def test_who_serves_some_stores_promises_from_these(shared: Town) -> None:
    by = By("mini-program", Scope(places=frozenset({"S2"})))
    assert isinstance(shared.clock, FixedClock) and shared.clock.now() >= OPENING
    found = promised(shared, basket(("A", 1)), Where(Point(*HOME), None, pick_ups=3), by)
    assert {place for one in found.promises for place in one.places} <= {"S2"}
    strange = promised(shared, basket(("A", 1)), Where(None, "S1"), by)
    assert strange.promises == () and strange.refused is not None


@settings(
    max_examples=25,
    deadline=timedelta(minutes=5),
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(
    lines=st.lists(
        st.tuples(st.sampled_from(["A", "B", "SET"]), st.integers(1, 9)), min_size=1, max_size=3
    ),
    north=st.floats(31.15, 31.35),
    minutes=st.integers(0, 16 * 60),
    which=st.integers(0, 9),
)
def test_a_promise_is_what_the_quote_says_and_the_order_keeps(
    shared: Town, lines: list[tuple[str, int]], north: float, minutes: int, which: int
) -> None:
    shared.wait(minutes=minutes)
    wanted, where = basket(*lines), Where(Point(north, 121.0), None, pick_ups=3)
    found = promised(shared, wanted, where)
    for promise in found.promises:
        asked = replace(wanted, delivery=promise.delivery)
        assert told(quote_basket(shared.sanhe, asked, by=BY)) == told(promise.quote)
        assert promise.delivery_cents == promise.quote.plan.delivery_cents
    offered = {promise.method for promise in found.promises}
    courier = Delivery("courier", None, north, 121.0)
    with shared.sanhe.work(actor="reader") as work:
        ends = window_ends(
            shared.clock.now(), work.sourcing.policy, time_zone=shared.sanhe.settings.time_zone
        )
    for method, due in ends:
        if method not in offered:
            with pytest.raises(Shortage):
                late = replace(wanted, delivery=replace(courier, by=due))
                quote_basket(shared.sanhe, late, by=BY)
    if found.promises:
        kept(shared, wanted, found.promises[which % len(found.promises)])
    else:
        assert isinstance(found.refused, Shortage)
        with pytest.raises(Shortage):
            quote_basket(shared.sanhe, replace(wanted, delivery=courier), by=BY)
