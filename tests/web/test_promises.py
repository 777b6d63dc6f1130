"""Promises over HTTP and at the terminal: list, page and cart say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from tests.place.fulfil.store import HOME, town
from tests.web.test_store import browser, post
from tests.wiring.installation import Terminal, installed

THERE = {"latitude": HOME[0], "longitude": HOME[1]}


def asked(*lines: tuple[str, int], **more: Any) -> dict[str, Any]:
    wishes = [{"lines": [{"sku": sku, "quantity": units}]} for sku, units in lines]
    return {"channel": "web", "currency": "CNY", "baskets": wishes, **more}


def test_a_promise_is_quoted_and_ordered_as_it_is_told(database_settings: Settings) -> None:
    with town(database_settings) as at:
        shop = browser(at, "channel")
        answer = post(shop, "/shop/promises", asked(("A", 2), ("B", 99), ("?", 1), **THERE))
        assert answer.status_code == 200, answer.text
        page, scarce, unknown = answer.json()["baskets"]
        assert [one["method"] for one in page["promises"]] == [
            *("ship", "within_48_hours", "within_24_hours", "same_day", "two_hour", "pick_up")
        ]
        assert {one["kind"] for one in answer.json()["places"]} == {"store"}
        assert (scarce["promises"], scarce["refused"]["code"]) == ([], "shortage")
        assert unknown["refused"]["place"] == "lines/0/sku"
        for number, promise in enumerate(page["promises"]):
            wanted = {
                "channel": "web",
                "currency": "CNY",
                "lines": [{"sku": "A", "quantity": 2}],
                "delivery": promise["delivery"],
            }
            quoted = post(shop, "/shop/quotes", wanted).json()
            for name in ("total_cents", "delivery_cents", "ready_at", "arrives_at"):
                assert quoted[name] == promise[name], (promise["method"], name)
            if number == 0:
                order = {"basket": wanted, "agreed_cents": promise["total_cents"]}
                missing = post(shop, "/shop/orders", order, "to-nobody")
                assert (missing.status_code, missing.json()["place"]) == (422, "recipient")
                order["recipient"] = RECIPIENT
                placed = post(shop, "/shop/orders", order, "as-promised")
                assert placed.status_code == 201, placed.text
                assert placed.json()["arrives_at"] == promise["arrives_at"]
                post(shop, f"/shop/orders/{placed.json()['id']}/cancel", {"reason": "x"}, "undo-it")
        here = post(shop, "/shop/promises", asked(("A", 1), place="S1")).json()["baskets"][0]
        assert [one["delivery"]["place"] for one in here["promises"]] == ["S1"]


RECIPIENT = {"name": "张小明", "phone": "13800131234", "lines": ["海椒路 17 号"]}
REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "place"),
    ({"latitude": 31.2}, "longitude"),
    ({**THERE, "pick_ups": 6}, "body/pick_ups"),
    ({**THERE, "baskets": []}, "body/baskets"),
    ({**THERE, "baskets": [{"lines": [{"sku": "A", "quantity": 1}]}] * 51}, "body/baskets"),
    ({**THERE, "colour": "red"}, "body/colour"),
)


def test_what_cannot_be_asked(database_settings: Settings) -> None:
    with town(database_settings) as at:
        shop = browser(at, "channel")
        for more, place in REFUSED:
            refused = post(shop, "/shop/promises", {**asked(("A", 1)), **more})
            assert (refused.status_code, refused.json()["place"]) == (422, place), refused.text
        body = asked(("A", 1), **THERE)
        assert post(browser(at, "planner"), "/shop/promises", body).status_code == 403


def test_a_time_without_its_zone_is_refused(database_settings: Settings) -> None:
    with town(database_settings) as at:
        delivery = {"method": "courier", **THERE, "by": "2025-09-25T12:00:00"}
        lines = [{"sku": "A", "quantity": 1}]
        wanted = {"channel": "web", "currency": "CNY", "lines": lines, "delivery": delivery}
        refused = post(browser(at, "channel"), "/shop/quotes", wanted)
        assert (refused.status_code, refused.json()["place"]) == (422, "body/delivery/by")


def test_at_the_terminal(server: EmbeddedServer, tmp_path: Path) -> None:
    with installed(server, tmp_path / "home") as settings:
        with town(settings):
            sanhe = Terminal(settings)
        told = sanhe.asked("sale", "promise", "A=1", "--to", "31.205,121.0", "--pick-ups", "2")
        assert [one["how"] for one in told].count("pick_up") == 2
        assert "two_hour" in sanhe.well("sale", "promise", "A=1", "--to", "31.205,121.0").out
        assert sanhe.asked("sale", "promise", "A=1", "--place", "S1")[0]["from"] == "S1 (store)"
        assert sanhe("sale", "promise", "A=99", "--place", "S1").code == 7
        assert sanhe("sale", "promise", "A=1").code == 2
