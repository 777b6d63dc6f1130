"""S5 routing, from outside: an order goes where it is kept cheapest, with its arithmetic."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sanhe.core.storage import EmbeddedServer
from sanhe.place.sourcing import Method, Need, Node, Order, Policy, choose, nearest_first, promises
from tests.seed.stores import HOME, NOON, nodes, opened_stores
from tests.wiring.installation import installed, opened

TEA_AND_CUP = (Need("CUP", 1, 2000), Need("TEA", 1, 1500))


def test_a_micro_warehouse_makes_48_hours_24_and_takes_what_the_store_can_not(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    with installed(server, tmp_path / "home") as settings, opened(settings) as sanhe:
        opened_stores(sanhe, tmp_path)
        far = {"DC": {"TEA": 50, "CUP": 50}, "S1": {"TEA": 9}}
        near = {**far, "M1": {"TEA": 9, "CUP": 9}}
        without, with_micro = nodes(sanhe, far), nodes(sanhe, near)
        both = {"S1": {"TEA": 9, "CUP": 9}, "M1": {"TEA": 9, "CUP": 9}}
        busy = nodes(sanhe, both, S1=42)
    saturday_evening = NOON + timedelta(days=5, hours=6, minutes=30)
    asked = Order(TEA_AND_CUP, saturday_evening, HOME)

    def offered(places: list[Node]) -> set[Method]:
        return {one.method for one in promises(asked, places, Policy())}

    assert Method.WITHIN_24_HOURS not in offered(without)
    assert {Method.TWO_HOUR, Method.WITHIN_24_HOURS} <= offered(with_micro)

    order = Order(TEA_AND_CUP, NOON, HOME, due_at=NOON + timedelta(hours=2))
    ours = choose(order, with_micro, Policy())
    assert ours.places == ("M1",)
    assert sum(term.cents for term in ours.why) == ours.weighed_cents
    assert ours.alternatives
    # Seven hours of queue there: nearest-first doesn't look, and comes late.
    blind = nearest_first(order, busy, Policy())
    seeing = choose(order, busy, Policy())
    assert (blind.places, seeing.places) == (("S1",), ("M1",))
    assert order.due_at and seeing.arrives_at <= order.due_at < blind.arrives_at
    assert seeing.weighed_cents < blind.weighed_cents
