"""S30: ordered online, fetched in a store; never oversold while tills sell the same shelf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from sanhe.core.facts import facts_table
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import record_facts, tell_sales
from tests.goods.shop import DAY, counted, fact
from tests.place.orders.counter import described, priced
from tests.web.conftest import PLANNED_DAY, Site, prepared


@pytest.fixture(scope="module")
def shop(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A retailer with a store that takes orders around the clock, and three pots in it."""
    for site in prepared(server, tmp_path_factory.mktemp("s30")):
        store = fact("place.described", "the place", sku=None, place="PICK", day=DAY)
        facts = [
            replace(store, payload={"name": "Pick-up store", "kind": "store"}),
            replace(
                fact("store.described", "the store", sku=None, place="PICK", day=DAY),
                payload={"hours": "24/7", "pick_capacity_per_hour": 20, "pick_minutes": 10},
            ),
            replace(described("POT"), day=DAY),
            replace(priced("POT", 4_900), day=PLANNED_DAY),
            counted("pots", 3, sku="POT", place="PICK"),
        ]
        record_facts(site.sanhe, {"shop": facts_table(facts)}, source="test", actor="tester")
        yield site


@pytest.fixture(scope="module")
def app(shop: Site) -> TestClient:
    """The mini-program's server."""
    with shop.sanhe.work(actor="admin") as work:
        key = work.access.add_key("mini-program", roles=["channel"])
    client = shop.anybody()
    client.headers["Authorization"] = f"Bearer {key}"
    return client


def wanted(quantity: int, method: str = "pickup") -> dict[str, Any]:
    return {
        "channel": "miniprogram" if method == "pickup" else "till",
        "currency": "CNY",
        "lines": [{"sku": "POT", "quantity": quantity}],
        "delivery": {"method": method, "place": "PICK"},
    }


def ask(client: TestClient, path: str, body: dict[str, Any], key: str = "") -> Any:
    return client.post(f"/api/shop/{path}", json=body, headers={"Idempotency-Key": key or path})


def test_ordered_online_fetched_in_the_store_and_never_oversold(
    shop: Site, app: TestClient
) -> None:
    quote = ask(app, "quotes", wanted(2)).json()
    assert quote["total_cents"] == 9_800 and quote["ready_at"] is not None
    online = ask(app, "orders", {"basket": wanted(2), "agreed_cents": 9_800}, "online-order")
    assert online.status_code == 201, online.text
    order = online.json()["id"]

    # The till sells the same shelf: one is free, two are not.
    two = ask(app, "orders", {"basket": wanted(2, "carry"), "agreed_cents": 9_800}, "till-two")
    assert (two.status_code, two.json()["type"]) == (409, "urn:sanhe:problem:shortage")
    one = ask(app, "orders", {"basket": wanted(1, "carry"), "agreed_cents": 4_900}, "till-one")
    assert one.status_code == 201

    for number, cents in ((order, 9_800), (one.json()["id"], 4_900)):
        slip = {"tender": "card", "amount_cents": cents, "reference": f"slip {number}"}
        assert ask(app, f"orders/{number}/tenders", slip).json()["outcome"] == "taken"
        handed = ask(app, f"orders/{number}/hand-over", {}, f"hand-{number}")
        assert handed.json() == {"state": "complete"}
    while tell_sales(shop.sanhe):
        continue
    with shop.sanhe.work(actor="tester") as work:
        (row,) = work.stock.positions([("POT", "PICK")]).to_pylist()
    assert (row["on_hand"], row["discrepancy"]) == (0, 0)
    shop.sanhe.verify()
