"""A store's day over HTTP: tasks, shortages, codes; nobody does another store's work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from sanhe.core.settings import Settings
from sanhe.web import make_app
from tests.place.fulfil.store import Town, town


@pytest.fixture
def at(database_settings: Settings) -> Iterator[Town]:
    """A town of three stores."""
    with town(database_settings) as made:
        yield made


def browser(at: Town, role: str, *places: str) -> TestClient:
    """Who has a key of this role for these places, none = for all."""
    with at.sanhe.work(actor="admin") as work:
        key = work.access.add_key(f"{role} {places}", roles=[role], places=places or None)
    client = TestClient(make_app(at.sanhe), raise_server_exceptions=False)
    client.headers["Authorization"] = f"Bearer {key}"
    return client


def post(client: TestClient, path: str, body: Any, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api{path}", json=body, headers=headers)


def test_a_store_picks_and_hands_over_by_code(at: Town) -> None:
    order = at.paid(("A", 2))
    at.run()
    shop, here, there = (
        browser(at, "channel"),
        browser(at, "store", "S1"),
        browser(at, "store", "S2"),
    )
    rows = here.get("/api/store/tasks", params={"place": "S1", "kind": "pick"}).json()
    assert (rows["total"], rows["rows"][0]["lines"]) == (
        1,
        [{"sku": "A", "name": "A", "gtin": None, "quantity": 2, "done": None}],
    )
    task = rows["rows"][0]["id"]
    assert there.get("/api/store/tasks").json()["total"] == 0
    for path in (f"/store/tasks/{task}/take", f"/store/tasks/{task}/finish"):
        assert post(there, path, {}, "not-mine").status_code == 404
        assert post(shop, path, {}, "not-mine").status_code == 403
    assert post(here, f"/store/tasks/{task}/take", {}).json()["state"] == "taken"
    unknown = post(here, f"/store/tasks/{task}/finish", {"done": {"Z": 1}}, "unknown-sku")
    assert unknown.status_code == 422, unknown.text
    for _ in range(2):
        done = post(here, f"/store/tasks/{task}/finish", {"done": {"A": 2}}, "picked-them")
        assert (done.status_code, done.json()["state"]) == (200, "done")
    (shipment,) = shop.get(f"/api/shop/orders/{order}/shipments").json()["rows"]
    assert (shipment["state"], shipment["lines"][0]["picked"]) == ("ready", 2)
    path = f"/store/shipments/{shipment['id']}/hand-over"
    code = post(shop, f"/shop/orders/{order}/shipments/{shipment['id']}/code", {}).json()["code"]
    wrong = "0" * 8 if code != "0" * 8 else "1" * 8
    for _ in range(9):  # the same command again is counted once
        assert post(here, path, {"code": wrong}, "wrong-code").status_code == 403
    assert post(here, path, {"code": "x"}, "no-code").status_code == 422
    assert post(there, path, {"code": code}, "elsewhere").status_code == 404
    for _ in range(2):
        told = post(here, path, {"code": code}, "right-code")
        assert (told.status_code, told.json()) == (200, {"state": "complete"})
    assert here.get("/api/store/shipments").json()["rows"][0]["state"] == "handed"
    history = here.get(f"/api/store/tasks/{task}").json()["history"]
    assert [step["state"] for step in history] == ["open", "taken", "done"]


def test_guesses_are_refused_after_some(at: Town) -> None:
    order = at.paid(("A", 1))
    at.run()
    at.pick("S1")
    shipment = at.shipments(order)[0].id
    at.code(shipment)
    here = browser(at, "store", "S1")
    path = f"/store/shipments/{shipment}/hand-over"
    told = [post(here, path, {"code": f"{n:08d}"}, f"guess-{n:04d}").status_code for n in range(8)]
    assert told.count(429) >= 2 and set(told) <= {200, 403, 429}


def test_a_return_from_the_shop_to_another_store(at: Town) -> None:
    order = at.paid(("A", 3))
    with at.sanhe.work(actor="till") as work:
        work.orders.hand_over(order)
    shop, here = browser(at, "channel"), browser(at, "store", "S2")
    path = f"/shop/orders/{order}/returns"
    body = {"lines": [{"line": 0, "units": 2}], "reason": "too small"}
    asked = [post(shop, path, body, "ask-for-it") for _ in range(2)]
    assert [one.status_code for one in asked] == [201, 201]
    assert asked[0].json() == asked[1].json()
    more = post(shop, path, {**body, "lines": [{"line": 0, "units": 2}]}, "ask-for-more")
    assert more.status_code == 409
    for wrong in ({"lines": []}, {"lines": [{"line": 0, "units": -1}]}, {"way": "pigeon"}):
        assert post(shop, path, {**body, **wrong}, "wrong-body").status_code == 422
    back = f"/store/returns/{asked[0].json()['id']}"
    came = {"place": "S2", "lines": [{"line": 0, "units": 2}]}
    assert post(here, f"{back}/receive", {**came, "place": "S1"}, "elsewhere").status_code == 422
    assert post(here, f"{back}/receive", came, "came-back").status_code == 200
    (task,) = here.get("/api/store/tasks", params={"kind": "inspect"}).json()["rows"]
    post(here, f"/store/tasks/{task['id']}/take", {})
    assert post(here, f"/store/tasks/{task['id']}/finish", {}, "just-done").status_code == 409
    found = {"lines": [{"line": 0, "sellable": 1, "waste": 1}]}
    assert post(shop, f"{back}/inspect", found, "looked-at").status_code == 403
    for _ in range(2):
        told = post(here, f"{back}/inspect", found, "looked-at")
        assert (told.status_code, told.json()["amount_cents"]) == (200, 2_000)
    (row,) = shop.get(f"/api{path}").json()["rows"]
    assert (row["state"], row["place"], row["lines"][0]["waste"]) == ("inspected", "S2", 1)
    assert here.get("/api/store/returns").json()["total"] == 1
    assert at.open_refunds(order) == [2_000]
    at.money_is_exact(order)
