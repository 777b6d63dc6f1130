"""Notices of WeChat Pay at the door: only its signature opens it, and it is told how it went."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sanhe.core.storage import EmbeddedServer
from sanhe.core.values import new_id
from tests.wiring.shopping import Shopping, shopping

PATH = "/api/partner/wechatpay/notice"


@pytest.fixture(scope="module")
def shop(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shopping]:
    with shopping(server, tmp_path_factory.mktemp("partner")) as made:
        yield made


def body_of(shop: Shopping, **changes: object) -> bytes:
    """A notice of a payment that was not told yet."""
    order = shop.paid(1)
    content = shop.pay.trades.query(order.hex) | changes
    return shop.pay.notice_body("TRANSACTION.SUCCESS", content, name="EV-1")


def sent(shop: Shopping, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """Status and code of the answer."""
    answer = httpx.post(shop.address + PATH, content=body, headers=headers)
    return answer.status_code, answer.json()["code"] if answer.content else ""


def test_a_right_one_is_taken_each_time(shop: Shopping) -> None:
    body = body_of(shop)
    for _ in range(3):
        assert sent(shop, body, shop.pay.signed(body)) == (204, "")


def test_forged_old_and_changed_ones_are_not(shop: Shopping) -> None:
    body = body_of(shop)
    right = shop.pay.signed(body)
    old = int(shop.clock.now().timestamp()) - 301
    other = shop.pay.signed(body + b" ")
    for headers in ({}, other, shop.pay.signed(body, timestamp=old)):
        assert sent(shop, body, headers) == (401, "FAIL")
    assert sent(shop, body.replace(b"EV-1", b"EV-2"), right) == (401, "FAIL")
    assert sent(shop, body, right) == (204, "")  # the control


def test_no_session_or_key_opens_it(shop: Shopping) -> None:
    body = body_of(shop)
    for headers in ({"Authorization": "Bearer sanhe_x"}, {"Cookie": "sanhe_session=x"}):
        assert sent(shop, body, headers) == (401, "FAIL")


def test_an_order_or_refund_that_is_not_known_is_told_again(shop: Shopping) -> None:
    unknown = body_of(shop, out_trade_no=new_id().hex)
    assert sent(shop, unknown, shop.pay.signed(unknown)) == (404, "FAIL")
    content = {"mchid": shop.pay.config.merchant, "out_refund_no": new_id().hex}
    refund = shop.pay.notice_body("REFUND.SUCCESS", content, name="EV-3")
    assert sent(shop, refund, shop.pay.signed(refund)) == (404, "FAIL")


def test_a_payment_told_otherwise_before_is_a_conflict(shop: Shopping) -> None:
    order = shop.paid(1)
    told = shop.pay.trades.query(order.hex)
    first = shop.pay.notice_body("TRANSACTION.SUCCESS", told, name="EV-4")
    told["amount"] = told["amount"] | {"total": 7}
    second = shop.pay.notice_body("TRANSACTION.SUCCESS", told, name="EV-5")
    assert sent(shop, first, shop.pay.signed(first)) == (204, "")
    assert sent(shop, second, shop.pay.signed(second)) == (409, "FAIL")


def test_news_of_something_else_is_taken_and_forgotten(shop: Shopping) -> None:
    body = shop.pay.notice_body("COUPON.USE", {}, name="EV-6")
    assert sent(shop, body, shop.pay.signed(body)) == (204, "")


def test_junk_is_no_fault(shop: Shopping) -> None:
    for body in (b"", b"\x00", b"{}", b'{"event_type": "TRANSACTION.SUCCESS", "resource": 1}'):
        status, code = sent(shop, body, shop.pay.signed(body))
        assert 400 <= status < 500 and code == "FAIL"


def test_a_long_one_is_not_read(shop: Shopping) -> None:
    body = json.dumps({"event_type": "x" * 64_000}).encode()
    answer = httpx.post(shop.address + PATH, content=body, headers=shop.pay.signed(body))
    assert answer.status_code == 413

    def parts() -> Iterator[bytes]:
        yield from (b"x" * 1000 for _ in range(100))

    streamed = httpx.post(shop.address + PATH, content=parts())
    assert streamed.status_code == 413


def test_the_answer_tells_no_secret(shop: Shopping) -> None:
    body = body_of(shop)
    answer = httpx.post(shop.address + PATH, content=body, headers={})
    assert set(answer.json()) == {"code", "message"}
    assert shop.pay.config.api_key.decode() not in answer.text


def test_without_a_merchant_there_is_nothing_to_take(
    server: EmbeddedServer, tmp_path: Path, shop: Shopping
) -> None:
    from dataclasses import replace

    from starlette.testclient import TestClient

    from sanhe.web import make_app

    bare = make_app(replace(shop.sanhe, payments={}))
    answer = TestClient(bare).post(PATH, content=b"{}")
    assert answer.status_code == 404 and answer.json()["code"] == "FAIL"
