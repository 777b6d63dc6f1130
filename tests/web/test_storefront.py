"""Orders over HTTP: a channel quotes, places, follows, cancels; refusals name their field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from sanhe.core.facts import facts_table
from sanhe.core.storage import EmbeddedServer
from sanhe.people.coupons import Campaign
from sanhe.people.promotions import Percent, Promotion
from sanhe.place.orders import Basket, BasketLine, Delivery, Placing
from sanhe.web.storefront.asked import PlacedTold
from sanhe.wiring import By, Ordered, record_facts, tell_sales
from tests.people.promotions.publishing import publish
from tests.place.orders.counter import priced
from tests.web.conftest import PLANNED_DAY, Site, prepared


@pytest.fixture(scope="module")
def shop(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The tiny retailer with a price on two of its SKUs and stock of them."""
    yield from prepared(server, tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def goods(shop: Site) -> tuple[str, str]:
    """A SKU and a place where some of it lies, with a price of 1,000 there from now on."""
    with shop.sanhe.work(actor="tester") as work:
        row = next(r for r in work.stock.positions().to_pylist() if r["on_hand"] >= 5)
    price = replace(priced(row["sku"], 1_000), place=row["place"], day=PLANNED_DAY)
    record_facts(shop.sanhe, {"prices": facts_table([price])}, source="test", actor="tester")
    return row["sku"], row["place"]


@pytest.fixture
def channel(shop: Site) -> TestClient:
    """The mini-program's server, known by its key."""
    with shop.sanhe.work(actor="admin") as work:
        key = work.access.add_key("mini-program", roles=["channel"])
    client = shop.anybody()
    client.headers["Authorization"] = f"Bearer {key}"
    return client


def basket(goods: tuple[str, str], quantity: int = 1, **other: Any) -> dict[str, Any]:
    sku, place = goods
    return {
        "channel": "miniprogram",
        "currency": "CNY",
        "lines": [{"sku": sku, "quantity": quantity}],
        "delivery": {"method": "carry", "place": place},
        **other,
    }


def place(client: TestClient, wanted: dict[str, Any], cents: int, key: str) -> Any:
    return client.post(
        "/api/shop/orders",
        json={"basket": wanted, "agreed_cents": cents},
        headers={"Idempotency-Key": key},
    )


def test_an_order_from_quote_to_hand_over(
    shop: Site, goods: tuple[str, str], channel: TestClient
) -> None:
    quoted = channel.post("/api/shop/quotes", json=basket(goods, 2))
    assert quoted.status_code == 200, quoted.text
    assert quoted.json()["total_cents"] == 2_000
    placed = place(channel, basket(goods, 2), 2_000, "first-order")
    assert placed.status_code == 201, placed.text
    again = place(channel, basket(goods, 2), 2_000, "first-order")
    assert (again.status_code, again.json()) == (201, placed.json())
    other = place(channel, basket(goods, 1), 1_000, "first-order")
    assert other.status_code == 409
    order = placed.json()["id"]
    told = channel.get(f"/api/shop/orders/{order}").json()
    assert (told["state"], told["lines"][0]["quantity"]) == ("placed", 2)
    early = channel.post(
        f"/api/shop/orders/{order}/hand-over", json={}, headers={"Idempotency-Key": "too-early"}
    )
    assert early.status_code == 409
    cancelled = channel.post(
        f"/api/shop/orders/{order}/cancel",
        json={"reason": "changed mind"},
        headers={"Idempotency-Key": "cancel-it"},
    )
    assert cancelled.json() == {"refund": None}
    assert channel.get(f"/api/shop/orders/{order}").json()["state"] == "cancelled"


def test_an_order_is_paid_at_the_till_carried_away_and_told(
    shop: Site, goods: tuple[str, str], channel: TestClient
) -> None:
    sku, where = goods

    def lying() -> int:
        with shop.sanhe.work(actor="tester") as work:
            (row,) = work.stock.positions([(sku, where)]).to_pylist()
        return int(row["net"])

    before = lying()
    order = place(channel, basket(goods, 1), 1_000, "at-the-till").json()["id"]
    slip = {"tender": "card", "amount_cents": 1_000, "reference": "slip 7"}
    for _ in range(2):
        told = channel.post(f"/api/shop/orders/{order}/tenders", json=slip)
        assert told.json() == {"outcome": "taken", "refund": None}, told.text
    other = {**slip, "reference": "slip 8"}
    twice = channel.post(f"/api/shop/orders/{order}/tenders", json=other).json()
    assert twice["outcome"] == "twice" and twice["refund"]
    none = {**slip, "amount_cents": 0, "reference": "slip 9"}
    assert channel.post(f"/api/shop/orders/{order}/tenders", json=none).status_code == 422
    charge = {"provider": "wechatpay", "way": "jsapi"}
    assert channel.post(f"/api/shop/orders/{order}/charges", json=charge).status_code == 404
    for _ in range(2):
        handed = channel.post(
            f"/api/shop/orders/{order}/hand-over",
            json={},
            headers={"Idempotency-Key": "carried-away"},
        )
        assert handed.json() == {"state": "complete"}, handed.text
    assert lying() == before
    assert (tell_sales(shop.sanhe), tell_sales(shop.sanhe)) == (1, 0)
    assert lying() == before - 1
    shop.sanhe.verify()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lines": [{"sku": "no such", "quantity": 1}]}, "lines/0/sku"),
        ({"lines": []}, "lines"),
        ({"currency": "USD"}, "currency"),
        ({"channel": "pigeon"}, "channel"),
        ({"delivery": {"method": "pickup"}}, "delivery/place"),
        ({"delivery": {"method": "courier"}}, "delivery/latitude"),
        ({"delivery": {"method": "carry", "place": ""}}, "body/basket/delivery/place"),
        ({"lines": [{"sku": "x", "quantity": "many"}]}, "body/basket/lines/0/quantity"),
        ({"colour": "red"}, "body/basket/colour"),
    ],
)
def test_what_can_t_be_ordered_names_its_field(
    goods: tuple[str, str], channel: TestClient, change: dict[str, Any], field: str
) -> None:
    refused = place(channel, {**basket(goods), **change}, 1_000, f"bad-{field}")
    assert refused.status_code == 422, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["place"] == field


def test_other_bad_input_is_refused_and_leaves_nothing(
    shop: Site, goods: tuple[str, str], channel: TestClient
) -> None:
    sku, where = goods
    with shop.sanhe.work(actor="tester") as work:
        before = work.orders.page()[1], work.stock.available([(sku, where)]).to_pylist()
    negative = {**basket(goods), "lines": [{"sku": sku, "quantity": -3}]}
    wrong_unit = {**basket(goods), "lines": [{"sku": sku, "quantity": 3, "unit": "kg"}]}
    long = {**basket(goods), "lines": [{"sku": sku, "quantity": 1}] * 10_000}
    for number, (wanted, status, where_wrong) in enumerate(
        [
            (negative, 422, "lines/0/quantity"),
            (wrong_unit, 422, "lines/0/unit"),
            (long, 422, "lines"),
        ]
    ):
        refused = place(channel, wanted, 1_000, f"refused-{number}")
        assert (refused.status_code, refused.json()["place"]) == (status, where_wrong)
    assert place(channel, basket(goods), 999, "stale-price").status_code == 409
    assert place(channel, basket(goods, 999_999), 999_999_000, "too-many").status_code == 409
    huge = channel.post(
        "/api/shop/orders",
        content=b"[" + b"1," * 5_000_000 + b"1]",
        headers={"Idempotency-Key": "ten-megabytes", "Content-Type": "application/json"},
    )
    assert huge.status_code == 413
    without = channel.post(
        "/api/shop/orders", json={"basket": basket(goods), "agreed_cents": 1_000}
    )
    assert without.status_code == 422
    with shop.sanhe.work(actor="tester") as work:
        after = work.orders.page()[1], work.stock.available([(sku, where)]).to_pylist()
    assert after == before


def test_who_may_not_sell_is_refused(shop: Site, goods: tuple[str, str]) -> None:
    buyer = shop.signed_in("buyer")
    assert buyer.post("/api/shop/quotes", json=basket(goods)).status_code == 403
    assert shop.anybody().post("/api/shop/quotes", json=basket(goods)).status_code == 401


def test_a_store_sees_and_cancels_only_its_own_orders(
    shop: Site, goods: tuple[str, str], channel: TestClient
) -> None:
    sku, where = goods
    placed = place(channel, basket(goods), 1_000, "somebody-s").json()
    store = shop.signed_in("store")
    with shop.sanhe.work(actor="tester") as work:
        own = work.places.all()["id"][0].as_py()
    seen = store.get(f"/api/shop/orders/{placed['id']}").status_code
    done = store.post(
        f"/api/shop/orders/{placed['id']}/cancel",
        json={"reason": "mine"},
        headers={"Idempotency-Key": "store-cancels"},
    ).status_code
    assert (seen, done) == ((200, 200) if own == where else (404, 404))
    elsewhere = basket((sku, "another place"))
    assert store.post("/api/shop/quotes", json=elsewhere).status_code == 422


def member_with_coupon(shop: Site) -> str:
    """M1 has 800 points, 20 yuan stored and a coupon of 10 % off; its code."""
    now = shop.sanhe.clock.now()
    ends_at = now + timedelta(days=30)
    with shop.sanhe.work(actor="tester") as work:
        work.tiers.join("M1", at=now)
        work.points.earn("M1", 800, cause="welcome", at=now, expires_on=date(2099, 1, 1))
        work.stored.top_up("M1", 2_000, given_cents=0, cause="slip", at=now)
        ten = Promotion("TEN", "10 % off", Percent(1_000), "coupon", now, ends_at, coupon=True)
        publish(work.promotions, work.decisions, ten)
        work.coupons.save(Campaign("C", "for a test", "TEN", now, ends_at))
        return work.coupons.issue("C", members=["M1"])[0].code


def test_a_member_pays_with_all_they_have_and_gets_it_back_in_parts(
    shop: Site, goods: tuple[str, str], channel: TestClient
) -> None:
    code = member_with_coupon(shop)
    wanted = basket(
        goods, 2, member="M1", coupons=[code, "0000-0000-0000-0000"], points=700, stored_cents=600
    )
    quoted = channel.post("/api/shop/quotes", json=wanted).json()
    assert (quoted["total_cents"], quoted["due_cents"]) == (1_800, 500)
    assert [one["cents"] for one in quoted["lines"][0]["discounts"]] == [200]
    assert [(one["why"], one["coupon"]) for one in quoted["refused"]] == [
        ("unknown", "0000-0000-0000-0000")
    ]
    placed = place(channel, wanted, 1_800, "with-everything").json()
    assert placed["due_cents"] == 500
    # The coupon lies in this order: another is quoted without it, and can't have it.
    again = channel.post("/api/shop/quotes", json=basket(goods, 1, member="M1", coupons=[code]))
    assert again.json()["total_cents"] == 1_000
    path = f"/api/shop/orders/{placed['id']}"
    till = shop.signed_in("store")
    slip = {"tender": "cash", "amount_cents": 500, "reference": "slip-all"}
    settled = till.post(f"{path}/tenders", json=slip)
    assert settled.json()["outcome"] == "taken", settled.text
    handed = till.post(f"{path}/hand-over", json={}, headers={"Idempotency-Key": "hand-all"})
    assert handed.json()["state"] == "complete"
    with shop.sanhe.work(actor="tester") as work:
        order = work.orders.get(UUID(placed["id"]))
        assert code not in str(order) and code.replace("-", "") not in str(order)
        work.orders.take_back(order.id, {0: 1}, "one too many")
        back = work.orders.get(order.id).tenders.share(900)
        assert (back.points, back.stored_cents, back.money_cents) == (350, 300, 250)
        # Eleven points were earned for the 1,100 cents no points paid; half of them went.
        assert work.points.balance("M1").available == 800 - 700 + 350 + 11 - 5
        assert work.stored.balance("M1").available_cents == 2_000 - 600 + 300
        assert [one.amount_cents for one in work.orders.refunds(order.id)] == [250]
        assert work.coupons.of_member("M1", at=shop.sanhe.clock.now())[0].lack is not None
        work.orders.take_back(order.id, {0: 1}, "the other too")
        assert work.points.balance("M1").available == 800
        assert work.coupons.of_member("M1", at=shop.sanhe.clock.now())[0].lack is None


def test_a_signed_coupon_is_shown_as_well_as_a_typed_one(
    shop: Site, goods: tuple[str, str], channel: TestClient
) -> None:
    now = shop.sanhe.clock.now()
    ends_at, name = now + timedelta(days=30), "autumn-festival-" + "x" * 60
    with shop.sanhe.work(actor="tester") as work:
        half = Promotion("HALF", "half", Percent(5_000), "coupon", now, ends_at, coupon=True)
        publish(work.promotions, work.decisions, replace(half, priority=1))
        work.coupons.save(Campaign(name, "for a test", "HALF", now, ends_at))
        signed = work.coupons.issue(name, members=["M7"])[0].signed
    assert len(signed) > 200
    quoted = channel.post("/api/shop/quotes", json=basket(goods, 1, member="M7", coupons=[signed]))
    assert quoted.json()["total_cents"] == 500, quoted.text
    forged = signed[:-1] + ("0" if signed[-1] != "0" else "1")
    quoted = channel.post("/api/shop/quotes", json=basket(goods, 1, member="M7", coupons=[forged]))
    assert (quoted.json()["total_cents"], quoted.json()["refused"][0]["why"]) == (1_000, "forged")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"points": 10}, "points"),
        ({"member": "M1", "points": 501}, "points"),
        ({"member": "M1", "stored_cents": 1_001}, "stored_cents"),
        ({"coupons": ["A", "A"]}, "coupons"),
    ],
)
def test_what_can_t_be_paid_so_is_refused_by_its_field(
    goods: tuple[str, str], channel: TestClient, given: dict[str, Any], field: str
) -> None:
    told = channel.post("/api/shop/quotes", json=basket(goods, 1, **given))
    assert (told.status_code, told.json()["place"]) == (422, field)


def test_what_was_placed_before_there_were_coupons_is_answered_alike() -> None:
    plain = Basket("web", "CNY", (BasketLine("A", 1),), Delivery("pickup", "S1"))
    body = Ordered(Placing(plain, 1_000), "key-of-yore", By("shop")).call(str).body
    assert isinstance(body, dict)
    assert sorted(body["basket"]) == ["channel", "currency", "delivery", "lines", "member"]
    kept = {"id": str(UUID(int=1)), "number": 7, "state": "placed", "total_cents": 1_000}
    kept |= {"expires_at": "2026-01-01T00:00:00Z", "ready_at": None, "arrives_at": None}
    assert PlacedTold.of(kept).due_cents == 1_000
    assert PlacedTold.of({**kept, "due_cents": 400}).due_cents == 400
