"""What a member has over HTTP, and who may correct it."""

from __future__ import annotations

from httpx import Response
from starlette.testclient import TestClient

from tests.web.conftest import Site


def adjusted(client: TestClient, points: int, key: str, reason: str = "a late parcel") -> int:
    """The answer's status to a correction."""
    body, headers = {"points": points, "reason": reason}, {"Idempotency-Key": key}
    answer = client.post("/api/members/M7/adjustments", json=body, headers=headers)
    return answer.status_code


def test_a_member_is_looked_up_and_corrected(site: Site) -> None:
    service, store = site.signed_in("service"), site.signed_in("store")
    assert adjusted(service, 300, "correction-1") == 200
    assert adjusted(service, 300, "correction-1") == 200
    assert adjusted(service, 301, "correction-1") == 409
    assert adjusted(service, -50, "correction-2", "given twice") == 200
    assert adjusted(service, -251, "correction-3") == 409
    assert adjusted(service, 0, "correction-4") == 422
    assert adjusted(service, 1, "correction-5", "") == 422
    assert adjusted(store, 1, "correction-6") == 403
    # Members belong to no place: a store sees what they have, wherever it came from.
    told = store.get("/api/members/M7/points", params={"limit": 1}).json()
    assert (told["tier"], told["points"]["available"], told["stored"]["paid_cents"]) == ("", 250, 0)
    (line,) = told["history"]["lines"]
    assert (line["what"], line["amount"], line["note"]) == ("removed", -50, "given twice")
    more = store.get("/api/members/M7/points", params={"before": told["history"]["next"]}).json()
    assert [one["amount"] for one in more["history"]["lines"]] == [300]
    assert more["history"]["next"] is None
    nobody = store.get("/api/members/nobody/points").json()
    assert nobody["points"] == {"available": 0, "held": 0, "debt": 0, "lots": []}


def test_what_is_outstanding_is_for_who_plans(site: Site) -> None:
    assert adjusted(site.signed_in("service"), 40, "correction-7") == 200
    planner, store = site.signed_in("planner"), site.signed_in("store")
    told = planner.get("/api/loyalty/liability").json()
    assert told["points"] == sum(month["points"] for month in told["months"]) >= 40
    assert planner.get("/api/loyalty/liability?as_of=2099-01-01").json()["points"] == 0
    assert store.get("/api/loyalty/liability").status_code == 403


def test_a_history_is_of_points_or_of_stored_value_and_a_tier_tells_the_way(site: Site) -> None:
    now = site.sanhe.clock.now()
    with site.sanhe.work(actor="till") as work:
        work.tiers.join("M8", at=now)
        work.tiers.qualify("M8", 150_000, cause="order 1", at=now)
        work.stored.top_up("M8", 4_000, given_cents=1_000, cause="slip 1", at=now)
    service = site.signed_in("service")
    told = service.get("/api/members/M8/points", params={"of": "stored"}).json()
    assert sorted((one["lot"], one["amount"]) for one in told["history"]["lines"]) == [
        ("given", 1_000),
        ("paid", 4_000),
    ]
    assert told["standing"]["until"] is None
    progress = told["progress"]
    assert progress["window_cents"] == 150_000
    assert progress["to_rise_cents"] > 0 and progress["next_tier"]
    nobody = service.get("/api/members/nobody/points").json()
    assert nobody["standing"] is None and nobody["progress"] is None
    assert service.get("/api/members/M8/coupons").json() == {"rows": []}
    assert service.get("/api/members/M8/points", params={"of": "cents"}).status_code == 422


def test_value_is_stored_and_refunded_once(site: Site) -> None:
    service, store = site.signed_in("service"), site.signed_in("store")

    def stored(client: TestClient, paid: int, key: str) -> Response:
        body, headers = {"paid_cents": paid, "given_cents": 50}, {"Idempotency-Key": key}
        return client.post("/api/members/M9/top-ups", json=body, headers=headers)

    def refunded(client: TestClient, member: str, key: str) -> int:
        path, headers = f"/api/members/{member}/top-ups/{top_up}/refund", {"Idempotency-Key": key}
        return client.post(path, headers=headers).status_code

    told = stored(service, 400, "top-up-1").json()
    assert (told["paid_cents"], told["given_cents"], told["available_cents"]) == (400, 50, 450)
    assert stored(service, 400, "top-up-1").json() == told
    assert stored(service, 401, "top-up-1").status_code == 409
    assert stored(service, 0, "top-up-2").status_code == 422
    assert stored(store, 400, "top-up-3").status_code == 403
    top_up = told["top_up"]
    assert refunded(store, "M9", "refund-0") == 403
    assert refunded(service, "M8", "refund-1") == 404
    assert [refunded(service, "M9", "refund-2") for _ in range(2)] == [200, 200]
    stored(service, 400, "top-up-4")
    assert refunded(service, "M9", "refund-3") == 409
    had = service.get("/api/members/M9/points").json()["stored"]
    assert had == {"paid_cents": 400, "given_cents": 50, "held_cents": 0}
