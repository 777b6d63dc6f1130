"""What shops and stores do over HTTP leaves an entry that names who did it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from sanhe.core.settings import Settings
from sanhe.goods.suppliers import OrderLine
from tests.place.fulfil.store import Town, town
from tests.web.test_store import browser, post
from tests.web.test_storegoods import ordered
from tests.web.trail import entries

PICKING = ("take", "finish", "drop")
DONE_IN_A_DAY = frozenset(
    {
        *(f"/api/store/tasks/{{task}}/{deed}" for deed in PICKING),
        *(f"/api/store/returns/{{return_id}}/{deed}" for deed in ("receive", "inspect", "drop")),
        "/api/store/shipments/{shipment}/hand-over",
        "/api/shop/orders/{order}/shipments/{shipment}/code",
        "/api/shop/orders/{order}/returns",
        "/api/shop/orders/{order}/tenders",
        "/api/store/counts",
        *(f"/api/store/orders/{{order}}/{deed}" for deed in ("receive", "send")),
    }
)
"""The operations of `day`, each a POST."""

Done = tuple[str, str, Any]
"""An operation of the document, who did it, and the answer."""


@pytest.fixture
def at(database_settings: Settings) -> Iterator[Town]:
    """A town of three stores."""
    with town(database_settings) as made:
        yield made


def selling(at: Town, shop: TestClient, here: TestClient) -> Iterator[Done]:
    """Paid at the till, picked, and fetched by code; another order's task is dropped."""
    orders = [at.place(("A", 1)).id for _ in range(2)]
    for n, order in enumerate(orders):
        cents = at.order(order).total_cents
        slip = {"tender": "cash", "amount_cents": cents, "reference": f"slip-{n}"}
        paid = post(here, f"/shop/orders/{order}/tenders", slip)
        yield "/api/shop/orders/{order}/tenders", "store", paid
    at.run()
    task, other = (str(one.id) for one in at.tasks("S1", "pick"))
    yield "/api/store/tasks/{task}/take", "store", post(here, f"/store/tasks/{task}/take", {})
    done = post(here, f"/store/tasks/{task}/finish", {"done": {"A": 1}}, "picked-it")
    yield "/api/store/tasks/{task}/finish", "store", done
    dropped = post(here, f"/store/tasks/{other}/drop", {"note": "fetched at the till"})
    yield "/api/store/tasks/{task}/drop", "store", dropped
    ready = {str(one.id): order for order in orders for one in at.shipments(order)}
    (shipment, order) = next(
        (one, order)
        for one, order in ready.items()
        if any(s.state.value == "ready" and str(s.id) == one for s in at.shipments(order))
    )
    coded = post(shop, f"/shop/orders/{order}/shipments/{shipment}/code", {})
    yield "/api/shop/orders/{order}/shipments/{shipment}/code", "channel", coded
    shown = {"code": coded.json()["code"]}
    handed = post(here, f"/store/shipments/{shipment}/hand-over", shown, "shows-code")
    yield "/api/store/shipments/{shipment}/hand-over", "store", handed


def returning(at: Town, shop: TestClient, here: TestClient) -> Iterator[Done]:
    """Two returns are asked for: one comes and is looked at, one does not come."""
    order = at.paid(("A", 2))
    with at.sanhe.work(actor="till") as work:
        work.orders.hand_over(order)
    lines = {"lines": [{"line": 0, "units": 1}]}
    asked = []
    for key in ("ask-the-first", "ask-the-second"):
        asked.append(post(shop, f"/shop/orders/{order}/returns", {**lines, "reason": "big"}, key))
        yield "/api/shop/orders/{order}/returns", "channel", asked[-1]
    first, second = (f"/store/returns/{one.json()['id']}" for one in asked)
    came = post(here, f"{first}/receive", {"place": "S1", **lines}, "came-back")
    yield "/api/store/returns/{return_id}/receive", "store", came
    judged = {"lines": [{"line": 0, "sellable": 1}]}
    looked = post(here, f"{first}/inspect", judged, "looked-at")
    yield "/api/store/returns/{return_id}/inspect", "store", looked
    gone = post(shop, f"{second}/drop", {"reason": "keeps it"}, "keeps-it")
    yield "/api/store/returns/{return_id}/drop", "channel", gone


def keeping(at: Town, shop: TestClient, here: TestClient) -> Iterator[Done]:
    """The shelf is counted; a transfer leaves, and another comes."""
    counted = post(here, "/store/counts", {"place": "S1", "counts": {"A": 9}}, "counted-it")
    yield "/api/store/counts", "store", counted
    for deed, gives, gets in (("send", "S1", "S2"), ("receive", "S2", "S1")):
        name = ordered(at, OrderLine("A", gets, gives, 1, transfer=True))
        goods = {"note": "1", "lines": [{"sku": "A", "units": 1}]}
        told = post(here, f"/store/orders/{name}/{deed}", goods, f"goods-{deed}")
        yield f"/api/store/orders/{{order}}/{deed}", "store", told


def test_each_deed_of_a_day_leaves_an_entry(at: Town) -> None:
    shop, here = browser(at, "channel"), browser(at, "store", "S1")
    names = {"channel": "key channel ()", "store": "key store ('S1',)"}
    done, silent = set(), []
    for story in (selling, returning, keeping):
        before = entries(at.sanhe)
        for operation, who, answer in story(at, shop, here):
            assert answer.status_code < 300, (operation, answer.text)
            after = entries(at.sanhe)
            if not (after - before)[names[who]]:
                silent.append(operation)
            done.add(operation)
            before = after
    assert done == DONE_IN_A_DAY
    assert silent == []
