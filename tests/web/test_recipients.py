"""Who an order goes to over HTTP: given by the channel, masked, shown to who may, and kept so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from sanhe.core.settings import Settings
from sanhe.wiring import By, erase_person
from tests.place.fulfil.store import HOME, Town, town
from tests.web.test_store import browser, post

TO = {
    "name": "张小明",
    "phone": "13800131234",
    "lines": ["海椒路 17 号", "4 单元 402"],
    "region": "上海市浦东新区",
    "postcode": "200120",
    "note": "放门口",
}
MASKED = {"state": "kept", "name": "张**", "phone": "138****1234", "region": "上海市浦东新区"}
BASKET = {
    "channel": "app",
    "currency": "CNY",
    "lines": [{"sku": "A", "quantity": 1}],
    "delivery": {"method": "courier", "latitude": HOME[0], "longitude": HOME[1]},
}


@pytest.fixture
def at(database_settings: Settings) -> Iterator[Town]:
    with town(database_settings) as made:
        yield made


def order_of(client: TestClient, to: Any = TO, key: str = "brought-home") -> Any:
    cents = post(client, "/shop/quotes", BASKET).json()["total_cents"]
    body = {"basket": BASKET, "agreed_cents": cents, "recipient": to}
    return post(client, "/shop/orders", body, key)


def actions(at: Town) -> list[tuple[str, str]]:
    with at.sanhe.work(actor="reader") as work:
        trail = work.audit.trail()
    return [(one.actor, one.action) for one in trail if one.action == "recipient shown"]


def test_a_channel_gives_it_and_sees_the_mask(at: Town) -> None:
    shop = browser(at, "channel")
    placed = order_of(shop)
    assert placed.status_code == 201, placed.text
    assert order_of(shop).json() == placed.json()
    assert order_of(shop, {**TO, "lines": ["elsewhere"]}).status_code == 409
    told = shop.get(f"/api/shop/orders/{placed.json()['id']}")
    assert told.json()["recipient"] == MASKED
    assert "海椒路" not in told.text + placed.text
    number = placed.json()["number"]
    assert shop.get(f"/api/sales/{number}/recipient").status_code == 403


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"phone": "no"}, "recipient/phone"),
        ({"name": ""}, "recipient/name"),
        ({"lines": []}, "recipient/lines"),
        ({"lines": ["a\u2028b"]}, "recipient/lines/0"),
        ({"note": "a\nb"}, "recipient/note"),
        ({"street": "x"}, "body/recipient/street"),
        ({"name": 7}, "body/recipient/name"),
        ({"name": "名" * 300}, "body/recipient/name"),
    ],
)
def test_what_is_wrong_is_named_by_its_field_and_not_repeated(
    at: Town, change: dict[str, Any], place: str
) -> None:
    refused = order_of(browser(at, "channel"), {**TO, **change})
    assert (refused.status_code, refused.json()["place"]) == (422, place), refused.text
    for text in ("张小明", "13800131234", "名名", "海椒路"):
        assert text not in refused.text


def test_who_may_is_shown_it_and_the_trail_says_so(at: Town) -> None:
    placed = order_of(browser(at, "channel")).json()
    order, number = at.order(UUID(placed["id"])), placed["number"]
    service, planner = browser(at, "service"), browser(at, "planner")
    told = service.get(f"/api/sales/{number}").json()
    assert (told["recipient"], told["may_show"]) == (MASKED, True)
    told = planner.get(f"/api/sales/{number}").json()
    assert (told["recipient"], told["may_show"]) == (MASKED, False)
    assert planner.get(f"/api/sales/{number}/recipient").status_code == 403
    assert actions(at) == []
    assert service.get(f"/api/sales/{number}/recipient").json() == TO
    assert service.get("/api/sales/999/recipient").status_code == 404
    at.pay(order.id)
    at.run()
    (shipment,) = at.shipments(order.id)
    here = browser(at, "store", shipment.place)
    there = browser(at, "store", "S1" if shipment.place != "S1" else "S2")
    label = here.get(f"/api/store/shipments/{shipment.id}/label")
    assert label.json() == {"order": number, "shipment": shipment.number, "recipient": TO}
    for path in (f"/sales/{number}/recipient", f"/store/shipments/{shipment.id}/label"):
        assert there.get(f"/api{path}").status_code == 404
        assert planner.get(f"/api{path}").status_code == 403
    assert here.get(f"/api/sales/{number}").json()["may_show"]
    assert [action for _, action in actions(at)] == ["recipient shown"] * 2
    assert len({actor for actor, _ in actions(at)}) == 2
    at.pick(shipment.place)
    for _ in range(3):
        at.run()
        at.wait(minutes=45)
    at.run()
    assert not here.get(f"/api/sales/{number}").json()["may_show"]
    assert here.get(f"/api/sales/{number}/recipient").status_code == 403
    assert here.get(f"/api/store/shipments/{shipment.id}/label").status_code == 403
    assert service.get(f"/api/sales/{number}/recipient").json() == TO
    assert erase_person(at.sanhe, "asked", order=order.id, by=By("admin"))
    gone = service.get(f"/api/sales/{number}/recipient")
    assert (gone.status_code, gone.json()["type"]) == (404, "urn:sanhe:problem:erased")
    told = service.get(f"/api/sales/{number}").json()["recipient"]
    assert told == {"state": "erased", "name": "", "phone": "", "region": ""}


def test_without_the_key_the_order_is_read_and_the_rest_may_be_tried_again(at: Town) -> None:
    placed = order_of(browser(at, "channel")).json()
    service = browser(at, "service")
    (at.sanhe.settings.home / "persons.key").unlink()
    told = service.get(f"/api/sales/{placed['number']}").json()
    assert told["recipient"]["state"] == "away"
    shown = service.get(f"/api/sales/{placed['number']}/recipient")
    assert (shown.status_code, shown.json()["type"]) == (503, "urn:sanhe:problem:key_away")
    assert shown.headers["Retry-After"] == "60"
