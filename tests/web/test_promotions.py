"""Promotions and coupons over HTTP: weighed, published, issued, checked; each deed in the trail."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from sanhe.core.facts import Fact, facts_table
from sanhe.people.coupons import read_signed
from sanhe.wiring import record_facts
from tests.web.conftest import Site
from tests.web.test_jobs import ended
from tests.web.trail import entries

LEAVE_ENTRIES = (
    ("put", "/api/promotions/{promotion}"),
    ("post", "/api/promotions/{promotion}/propose"),
    ("post", "/api/promotions/{promotion}/publish"),
    ("post", "/api/promotions/{promotion}/withdraw"),
    ("put", "/api/campaigns/{campaign}"),
    ("post", "/api/campaigns/{campaign}/stop"),
    ("post", "/api/campaigns/{campaign}/coupons"),
)
"""The operations that are tried here and leave an entry."""
WELCOME = {
    "name": "5 off 50",
    "offer": {"kind": "off", "steps": [{"from_cents": 5_000, "off_cents": 500}]},
    "stage": "coupon",
    "coupon": True,
    "begins_at": "2025-09-01T00:00:00+08:00",
    "ends_at": "2025-11-01T00:00:00+08:00",
    "budget_cents": 100_000,
    "per_member": 1,
}
SPRING = {
    "name": "autumn coupons",
    "promotion": "welcome",
    "begins_at": "2025-09-01T00:00:00+08:00",
    "ends_at": "2025-11-01T00:00:00+08:00",
    "per_member": 1,
    "most": 10,
}


def sell(site: Site) -> None:
    """Five receipts of 60.00 each, the days before."""
    facts = [
        Fact(
            "sale.line", "pos", f"L{day}", datetime(2025, 9, day, 4, tzinfo=UTC),
            date(2025, 9, day), "TEA", "S1", None, 1, 6_000, "CNY", {"receipt": f"r{day}"},
        )
        for day in range(20, 25)
    ]  # fmt: skip
    record_facts(site.sanhe, {"receipts": facts_table(facts)}, source="pos", actor="tester")


def done(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def published(site: Site, growth: TestClient, pricing: TestClient) -> int:
    """The welcome promotion, weighed by one and published by another; the decision."""
    sell(site)
    done(growth.put("/api/promotions/welcome", json={"terms": WELCOME}))
    assert growth.get("/api/promotions/welcome/evidence").status_code == 404
    job = ended(pricing, done(growth.post("/api/promotions/welcome/propose"), 202))
    assert job["state"] == "done", job
    weighed = done(growth.get("/api/promotions/welcome/evidence"))
    assert (weighed["evidence"]["reached"], weighed["evidence"]["discount_cents"]) == (5, 2_500)
    answer = pricing.post(
        "/api/promotions/welcome/publish", json={"decision": weighed["decision"], "reason": "fine"}
    )
    assert done(answer)["state"] == "published"
    return int(weighed["decision"])


def test_who_saved_it_is_told_to_leave_it_to_somebody_else(fresh_site: Site) -> None:
    site = fresh_site
    pricing = site.signed_in("pricing")
    sell(site)
    done(pricing.put("/api/promotions/welcome", json={"terms": WELCOME}))
    ended(pricing, done(pricing.post("/api/promotions/welcome/propose"), 202))
    weighed = done(pricing.get("/api/promotions/welcome/evidence"))
    asked = {"decision": weighed["decision"], "reason": "mine"}
    refused = pricing.post("/api/promotions/welcome/publish", json=asked)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:sanhe:problem:second_person")
    admin = site.signed_in("admin")
    assert done(admin.post("/api/promotions/welcome/publish", json=asked))["state"] == "published"


def test_who_tries_a_basket_is_told_what_is_wrong_with_it(fresh_site: Site) -> None:
    site = fresh_site
    growth = site.signed_in("growth")
    basket = {
        "channel": "web",
        "currency": "CNY",
        "lines": [{"sku": "TEA", "quantity": 1}],
        "delivery": {"method": "pickup", "place": "S1"},
    }
    other = {"basket": basket, "at": "2025-10-31T12:00:00+08:00"}
    for asked in ({"basket": basket}, other):
        refused = growth.post("/api/promotion-trials", json=asked)
        assert (refused.status_code, refused.json()["place"]) == (422, "lines/0/sku")
    assert growth.post("/api/promotion-trials", json={**other, "at": "noon"}).status_code == 422
    assert site.signed_in("supplier").post("/api/promotion-trials", json=other).status_code == 403


def test_from_a_draft_to_a_coupon_at_the_till(fresh_site: Site) -> None:
    site = fresh_site
    growth, pricing = site.signed_in("growth"), site.signed_in("pricing")
    channel = site.signed_in("service")
    seen = [entries(site.sanhe)]

    def noted(who: str) -> None:
        now = entries(site.sanhe)
        assert (now - seen[0])[who], f"no entry by {who}"
        seen[0] = now

    assert done(growth.put("/api/promotions/welcome", json={"terms": WELCOME}))["version"] == 1
    noted("growth")
    number = published(site, growth, pricing)
    noted("growth")
    noted_decision = done(pricing.get(f"/api/decisions/{number}"))
    assert noted_decision["decision"]["status"] == "executed"
    assert done(growth.get("/api/promotions/welcome"))["left_cents"] == 100_000
    none = {"receipts": 0, "discount_cents": 0, "first": None, "last": None}
    assert done(growth.get("/api/promotions/welcome/given")) == none
    assert growth.get("/api/promotions/nothing/given").status_code == 404
    assert done(growth.put("/api/campaigns/autumn", json=SPRING))["issued"] == 0
    noted("growth")
    asked = {"members": ["M1", "M1", "M2"], "count": 1}
    made = done(growth.post("/api/campaigns/autumn/coupons", json=asked), 201)["rows"]
    assert [one["member"] for one in made] == ["M1", "M2", None]
    noted("growth")
    codes = [made[0]["code"], made[1]["signed"], made[2]["code"], "0000-0000-0000-0000"]
    asked = {"codes": codes, "member": "M1"}
    rows = done(channel.post("/api/shop/coupons/check", json=asked))["rows"]
    why = [one["why_not"] and one["why_not"]["why"] for one in rows]
    assert why == [None, "anothers", None, "unknown"]
    assert [one["code"] for one in rows] == codes
    (mine,) = done(channel.get("/api/shop/members/M1/coupons"))["rows"]
    assert (mine["name"], mine["why_not"]) == ("5 off 50", None)
    key = base64.b64decode(done(channel.get("/api/shop/coupons/key"))["public_key"])
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    said = read_signed(mine["signed"], Ed25519PublicKey.from_public_bytes(key))
    assert said is not None and (said.member, said.campaign) == ("M1", "autumn")
    listed = channel.get("/api/campaigns/autumn/coupons")
    text = growth.get("/api/campaigns/autumn/coupons").text + listed.text
    with site.sanhe.work(actor="auditor") as work:
        text += str(work.audit.trail(limit=500))
    for one in made:
        assert one["code"] not in text and one["code"].replace("-", "") not in text
        assert one["signed"] not in text
    done(growth.post("/api/campaigns/autumn/stop", json={"reason": "sold out"}))
    noted("growth")
    asked = {"codes": codes[:1], "member": "M1"}
    (row,) = done(channel.post("/api/shop/coupons/check", json=asked))["rows"]
    assert row["why_not"]["why"] == "stopped"
    done(pricing.post("/api/promotions/welcome/withdraw", json={"reason": "over"}))
    noted("pricing")
    (kept,) = done(growth.get("/api/promotions", params={"state": "withdrawn"}))["rows"]
    assert kept["id"] == "welcome"
    assert done(growth.get("/api/campaigns"))["rows"][0]["issued"] == 3


def test_what_cant_be_is_refused_by_its_place(site: Site) -> None:
    growth = site.signed_in("growth")
    for change, place in (
        ({"budget_cents": 0}, "promotions/p/budget_cents"),
        ({"ends_at": "2025-09-02T00:00:00+08:00"}, "promotions/p/ends_at"),
        ({"offer": {"kind": "none"}}, "offer"),
    ):
        answer = growth.put("/api/promotions/p", json={"terms": {**WELCOME, **change}})
        assert answer.status_code == 422
        assert place in answer.text
    assert growth.get("/api/promotions/p").status_code == 404
    wrong = {"codes": ["x"] * 21}
    assert site.signed_in("service").post("/api/shop/coupons/check", json=wrong).status_code == 422


@pytest.mark.parametrize("role", ["buyer", "store", "service", "supplier"])
def test_who_may_not_change_does_not(site: Site, role: str) -> None:
    client = site.signed_in(role)
    assert client.put("/api/promotions/p", json={"terms": WELCOME}).status_code == 403
    asked = {"count": 1}
    assert client.post("/api/campaigns/autumn/coupons", json=asked).status_code == 403


def test_who_plans_a_promotion_does_not_publish_it_alone(site: Site) -> None:
    growth = site.signed_in("growth")
    answer = growth.post("/api/promotions/p/publish", json={"decision": 1})
    assert answer.status_code == 403
    other = site.signed_in("pricing").post("/api/promotions/p/publish", json={"decision": 1})
    assert other.status_code == 404
