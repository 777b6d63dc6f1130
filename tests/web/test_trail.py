"""Every operation that changes something leaves an entry that stays, and names who did it.

Five tables hold such entries, to which the application may add and which it can't change: the
audit trail, the events of decisions, shoppers' orders and tasks, and the batches of facts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import ProgrammingError
from starlette.testclient import TestClient

from sanhe.core.facts import facts_table
from sanhe.place.orders import PaymentNotice
from sanhe.wiring import record_facts
from tests.place.devices.till import Till
from tests.place.orders.counter import priced
from tests.web.conftest import PASSWORD, PLANNED_DAY, Site
from tests.web.test_jobs import ITEMS, ended
from tests.web.test_promotions import LEAVE_ENTRIES
from tests.web.test_store_trail import DONE_IN_A_DAY
from tests.web.test_storefront import basket
from tests.web.trail import TRAILS, entries

TOLD_ELSEWHERE = {
    ("post", "/api/forecast/backtests"): "tries methods on the past; records nothing",
    ("post", "/api/simulations"): "tries a policy on the past; records nothing",
    ("put", "/api/views/{page}/{name}"): "one's own bookmark; nobody else sees it",
    ("delete", "/api/views/{page}/{name}"): "one's own bookmark; nobody else sees it",
    ("post", "/api/first-account"): "only while there is no account; it is an account added",
    ("post", "/api/till/sync"): "a device's own chain of signed events: tests/web/till",
    ("post", "/api/shop/promises"): "tells what can be had; holds and keeps nothing",
    ("post", "/api/shop/quotes"): "tells a price; holds and keeps nothing",
    ("post", "/api/promotion-trials"): "tells a price and why not; holds and keeps nothing",
    ("post", "/api/shop/orders/{order}/charges"): "asks a provider; its notice is the entry",
    **{("post", path): "test_store_trail.py" for path in DONE_IN_A_DAY},
    **dict.fromkeys(LEAVE_ENTRIES, "test_promotions.py"),
    ("post", "/api/shop/coupons/check"): "tells what codes are worth; holds nothing",
    ("post", "/api/partner/wechatpay/notice"): "its order's timeline: test_partner.py",
}
"""Operations that are not tried here, each with why."""

Deed = Callable[[Site, TestClient], Any]


def _open(client: TestClient) -> int:
    """The number of a proposal that nobody has decided on."""
    rows = client.get("/api/workbench", params={"limit": 500}).json()["rows"]
    return next(int(row["number"]) for row in rows if row["status"] == "proposed")


def _decide(deed: str, **more: str) -> Deed:
    def does(site: Site, client: TestClient) -> Any:
        body = {"numbers": [_open(client)], "reason": "as agreed", **more}
        return client.post(f"/api/decisions/{deed}", json=body)

    return does


def _edit(site: Site, client: TestClient) -> Any:
    body = {"quantity": 7, "reason": "as agreed"}
    return client.post(f"/api/decisions/{_open(client)}/edit", json=body)


def _override(site: Site, client: TestClient) -> Any:
    sku = client.get("/api/workbench").json()["rows"][0]["sku"]
    days = {"first_day": "2025-09-26", "last_day": "2025-09-30"}
    said = {"sku": sku, "factor": 1.5, "reason": "a fair in town", **days}
    return client.post("/api/forecast/overrides", json=said)


def _withdraw(site: Site, client: TestClient) -> Any:
    (row, *_) = client.get("/api/forecast/overrides").json()["rows"]
    return client.delete(f"/api/forecast/overrides/{row['id']}")


def _import(site: Site, client: TestClient) -> Any:
    answer = client.post("/api/imports", files={"file": ("items.csv", ITEMS.encode())})
    assert ended(client, answer.json())["state"] == "done"
    return answer


def _undo(site: Site, client: TestClient) -> Any:
    (batch, *_) = client.get("/api/imports").json()["rows"]
    return client.post(f"/api/imports/{batch['id']}/undo")


def _plan(site: Site, client: TestClient) -> Any:
    answer = client.post("/api/plans", json={"horizon_days": 14})
    assert ended(client, answer.json())["state"] == "done"
    return answer


def _sign_in(site: Site, client: TestClient) -> Any:
    entered = {"name": "planner", "password": PASSWORD}
    return site.anybody().post("/api/session", json=entered)


def _account(site: Site, client: TestClient) -> Any:
    body = {"name": "wu", "password": PASSWORD, "roles": ["buyer"]}
    return client.post("/api/accounts", json=body)


def _key(site: Site, client: TestClient) -> Any:
    return client.post("/api/keys", json={"label": "till", "roles": ["planner"]})


def _revoke(site: Site, client: TestClient) -> Any:
    (row, *_) = client.get("/api/keys").json()["rows"]
    return client.delete(f"/api/keys/{row['id']}")


def _device(site: Site, client: TestClient) -> Any:
    place = client.get("/api/places").json()["rows"][0]["id"]
    body = {"id": "till-1", "place": place, "public_key": Till().public_key.hex()}
    return client.post("/api/devices", json=body)


def _placed(site: Site, client: TestClient, key: str) -> Any:
    """An order of one piece that lies somewhere, at a price of 10.00 there."""
    with site.sanhe.work(actor="tester") as work:
        row = next(r for r in work.stock.positions().to_pylist() if r["on_hand"] >= 5)
    price = replace(priced(row["sku"], 1_000), place=row["place"], day=PLANNED_DAY)
    record_facts(site.sanhe, {f"prices {key}": facts_table([price])}, source=key, actor="tester")
    asked = {"basket": basket((row["sku"], row["place"])), "agreed_cents": 1_000}
    headers = {"Idempotency-Key": key}
    answer = client.post("/api/shop/orders", json=asked, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer


def _cancel(site: Site, client: TestClient) -> Any:
    order = _placed(site, site.signed_in("service"), "to-cancel").json()["id"]
    headers = {"Idempotency-Key": "cancel-it"}
    body = {"reason": "changed mind"}
    return client.post(f"/api/shop/orders/{order}/cancel", json=body, headers=headers)


def _hand_over(site: Site, client: TestClient) -> Any:
    order = UUID(_placed(site, site.signed_in("service"), "to-hand-over").json()["id"])
    with site.sanhe.work(actor="tester") as work:
        work.orders.settle(PaymentNotice("PAY", "r1", order, 1_000, "CNY", site.sanhe.clock.now()))
    headers = {"Idempotency-Key": "hand-it-over"}
    return client.post(f"/api/shop/orders/{order}/hand-over", json={}, headers=headers)


def _adjust(site: Site, client: TestClient) -> Any:
    body, headers = {"points": 5, "reason": "a late parcel"}, {"Idempotency-Key": "adjust-it"}
    return client.post("/api/members/M1/adjustments", json=body, headers=headers)


def _top_up(site: Site, client: TestClient) -> Any:
    body, headers = {"paid_cents": 500}, {"Idempotency-Key": "top-it-up"}
    return client.post("/api/members/M1/top-ups", json=body, headers=headers)


def _refund(site: Site, client: TestClient) -> Any:
    top_up, headers = _top_up(site, client).json()["top_up"], {"Idempotency-Key": "refund-it"}
    return client.post(f"/api/members/M1/top-ups/{top_up}/refund", headers=headers)


DEEDS: dict[tuple[str, str], Deed] = {
    ("post", "/api/session"): _sign_in,
    ("delete", "/api/session"): lambda site, _: site.signed_in("planner").delete("/api/session"),
    ("post", "/api/decisions/approve"): _decide("approve"),
    ("post", "/api/decisions/reject"): _decide("reject"),
    ("post", "/api/decisions/snooze"): _decide("snooze", until="2025-10-30"),
    ("post", "/api/decisions/{number}/edit"): _edit,
    ("post", "/api/forecast/overrides"): _override,
    ("delete", "/api/forecast/overrides/{id}"): _withdraw,
    ("post", "/api/imports"): _import,
    ("post", "/api/imports/{batch}/undo"): _undo,
    ("post", "/api/plans"): _plan,
    ("post", "/api/accounts"): _account,
    ("patch", "/api/accounts/{name}"): lambda _, client: client.patch(
        "/api/accounts/wu", json={"roles": ["planner"]}
    ),
    ("post", "/api/keys"): _key,
    ("delete", "/api/keys/{id}"): _revoke,
    ("post", "/api/shop/orders"): lambda site, client: _placed(site, client, "to-place"),
    ("post", "/api/shop/orders/{order}/cancel"): _cancel,
    ("post", "/api/shop/orders/{order}/hand-over"): _hand_over,
    ("post", "/api/members/{code}/adjustments"): _adjust,
    ("post", "/api/members/{code}/top-ups"): _top_up,
    ("post", "/api/members/{code}/top-ups/{top_up}/refund"): _refund,
    ("post", "/api/devices"): _device,
    ("post", "/api/devices/{name}/block"): lambda _, client: client.post(
        "/api/devices/till-1/block", json={"why": "lost"}
    ),
    ("post", "/api/devices/{name}/renew"): lambda _, client: client.post(
        "/api/devices/till-1/renew", json={"public_key": Till().public_key.hex()}
    ),
}
"""How each of the others is done with success, in an order in which it can be."""


def test_every_operation_that_changes_something_is_tried_here(site: Site) -> None:
    paths = site.app.openapi()["paths"]
    changing = {(m, path) for path, found in paths.items() for m in found if m != "get"}
    assert changing == DEEDS.keys() | TOLD_ELSEWHERE.keys()
    assert not DEEDS.keys() & TOLD_ELSEWHERE.keys()


def test_it_leaves_an_entry_by_who_did_it(fresh_site: Site) -> None:
    admin = fresh_site.signed_in("admin")
    silent = []
    for (method, path), deed in DEEDS.items():
        before = entries(fresh_site.sanhe)
        answer = deed(fresh_site, admin)
        assert answer.status_code < 300, (method, path, answer.text)
        # Who signs in is not known before, and is the entry's subject.
        who = "web" if path == "/api/session" else "admin"
        if not (entries(fresh_site.sanhe) - before)[who]:
            silent.append(f"{method} {path}")
    assert silent == []
    with fresh_site.sanhe.work(actor="auditor") as work:
        assert PASSWORD not in str(work.audit.trail(limit=500))


@pytest.mark.parametrize("table", TRAILS)
def test_an_entry_stays(site: Site, table: str) -> None:
    for statement in (f"UPDATE {table} SET actor = 'nobody'", f"DELETE FROM {table}"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            site.sanhe.database.transaction(actor="admin") as tx,
        ):
            tx.connection.exec_driver_sql(statement)


@pytest.mark.parametrize("path", ["/api/cockpit", "/api/workbench", "/api/accounts"])
def test_reading_leaves_none(site: Site, path: str) -> None:
    """The control: the entries counted above come of the deed."""
    admin = site.signed_in("admin")
    before = entries(site.sanhe)
    assert admin.get(path).status_code == 200
    assert entries(site.sanhe) == before
