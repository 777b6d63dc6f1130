"""Shoppers' orders in the console: found by what is known of them, and told whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from sanhe.core.settings import Settings
from tests.place.fulfil.store import Town, town
from tests.web.test_store import browser, post


@pytest.fixture
def at(database_settings: Settings) -> Iterator[Town]:
    """A town of three stores."""
    with town(database_settings) as made:
        yield made


def numbers(client: TestClient, **asked: Any) -> list[int]:
    """The numbers of the orders that are listed."""
    answer = client.get("/api/sales", params=asked)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["total"] == len(told["rows"])
    return [row["number"] for row in told["rows"]]


def test_orders_are_found_by_what_is_known_of_them(at: Town) -> None:
    waits = at.place(("A", 1))
    paid = at.order(at.paid(("B", 2), at="S2", channel="app"))
    service = browser(at, "service")
    assert numbers(service) == [paid.number, waits.number]
    day = paid.placed_at.date()
    before, after = str(day - timedelta(days=2)), str(day + timedelta(days=2))
    for asked in (
        {"state": "paid"},
        {"state": ["paid", "complete"]},
        {"channel": "app"},
        {"channel": "app", "method": "pickup"},
        {"place": "S2"},
        {"search": f" {paid.number} "},
        {"search": "B", "first": before, "last": after},
    ):
        assert numbers(service, **asked) == [paid.number], asked
    for asked in (
        {"last": before},
        {"first": after},
        {"search": "b'); --"},
        {"search": "9" * 40},
        {"place": "S3"},
        {"method": "courier"},
        {"region": "nowhere"},
    ):
        assert numbers(service, **asked) == [], asked
    for wrong in (
        {"state": "lost"},
        {"channel": "pigeon"},
        {"method": "tube"},
        {"first": "soon"},
        {"limit": 9999},
    ):
        assert service.get("/api/sales", params=wrong).status_code == 422, wrong


def test_a_store_sees_the_orders_of_its_place_alone(at: Town) -> None:
    here = at.order(at.paid(("A", 1), at="S1"))
    there = at.order(at.paid(("A", 1), at="S2"))
    store = browser(at, "store", "S1")
    assert numbers(store) == numbers(store, search="A") == [here.number]
    assert numbers(store, place="S2") == numbers(store, search=str(there.number)) == []
    assert store.get(f"/api/sales/{here.number}").status_code == 200
    assert store.get(f"/api/sales/{there.number}").status_code == 404
    assert browser(at, "admin").get(f"/api/sales/{there.number}").status_code == 200
    assert browser(at, "buyer").get("/api/sales").status_code == 403


def test_an_order_is_told_whole(at: Town) -> None:
    order = at.paid(("A", 2))
    at.run()
    at.pick("S1")
    found = at.order(order)
    told = browser(at, "service").get(f"/api/sales/{found.number}").json()
    assert (told["id"], told["state"], told["deeds"]) == (str(order), "paid", ["cancel"])
    assert [one["kind"] for one in told["timeline"]] == at.events(order)
    (payment,), (shipment,) = told["payments"], told["shipments"]
    assert (payment["outcome"], payment["amount_cents"]) == ("taken", found.total_cents)
    assert (shipment["state"], shipment["lines"][0]["picked"]) == ("ready", 2)
    why = told["why"]
    assert sum(term["cents"] for term in why["terms"]) == why["weighed_cents"]
    assert [part["place"] for part in why["parts"]] == ["S1"]
    ready = UUID(shipment["id"])
    at.fetch(ready, at.code(ready))
    told = browser(at, "service").get(f"/api/sales/{found.number}").json()
    assert (told["state"], told["deeds"], told["may_return"]) == (
        "complete",
        ["take_back"],
        {"0": 2},
    )


def test_what_is_on_its_way_back_is_not_asked_for_again(at: Town) -> None:
    order = at.paid(("A", 2))
    with at.sanhe.work(actor="till") as work:
        work.orders.hand_over(order)
    service, number = browser(at, "service"), at.order(order).number
    body = {"lines": [{"line": 0, "units": 2}], "reason": "too small"}
    assert post(service, f"/shop/orders/{order}/returns", body, "all-of-it").status_code == 201
    told = service.get(f"/api/sales/{number}").json()
    assert (told["may_return"], told["deeds"]) == ({}, [])
    assert told["returns"][0]["state"] == "asked"


def test_who_may_only_read_is_offered_nothing(at: Town) -> None:
    number = at.order(at.paid(("A", 1))).number
    assert browser(at, "planner").get(f"/api/sales/{number}").json()["deeds"] == []
    assert browser(at, "admin").get("/api/sales/0").status_code == 422
    assert browser(at, "admin").get(f"/api/sales/{number + 99}").status_code == 404
