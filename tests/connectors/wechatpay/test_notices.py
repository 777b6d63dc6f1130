"""Notices: only what WeChat Pay signed just now, opened by the right key, is believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from sanhe.connectors.wechatpay import WechatPay, WechatPaySimulator
from sanhe.connectors.wechatpay.signing import lines_of, sign
from sanhe.core.errors import BadInput, Denied, NotFound, SanheError
from sanhe.core.values import new_id
from sanhe.place.orders import PaymentNotice, RefundNotice
from tests.connectors.wechatpay.conftest import Counterpart


def told(pay: Counterpart, kind: str = "TRANSACTION.SUCCESS", **changes: Any) -> bytes:
    """The body of a notice about a paid order, with changes to what is sealed in it."""
    order, _ = pay.paid()
    content = pay.simulator.trades.query(order.hex) | changes
    return pay.simulator.notice_body(kind, content, name="EV-1")


def test_a_payment_is_read(pay: Counterpart) -> None:
    order, payment = pay.paid()
    body = pay.simulator.notice_body(
        "TRANSACTION.SUCCESS", pay.simulator.trades.query(order.hex), name="EV-1"
    )
    headers = {name.upper(): value for name, value in pay.simulator.signed(body).items()}
    found = pay.provider.read_notice(headers, body)
    assert found == PaymentNotice("wechatpay", payment, order, 1_234, "CNY", pay.clock.now())


@pytest.mark.parametrize(("word", "refused"), [("SUCCESS", ""), ("ABNORMAL", "account")])
def test_a_refund_is_read(pay: Counterpart, word: str, refused: str) -> None:
    refund = new_id()
    body = told(pay, f"REFUND.{word}", out_refund_no=refund.hex)
    found = pay.provider.read_notice(pay.simulator.signed(body), body)
    assert isinstance(found, RefundNotice) and found.refund == refund
    assert refused in found.refused and bool(found.refused) is bool(refused)


def test_news_of_something_else_is_passed_over(pay: Counterpart) -> None:
    body = told(pay, "PAYSCORE.USER_OPEN_SERVICE")
    assert pay.provider.read_notice(pay.simulator.signed(body), body) is None
    unpaid = told(pay, trade_state="NOTPAY")
    assert pay.provider.read_notice(pay.simulator.signed(unpaid), unpaid) is None


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_signature_of_within_five_minutes_is_taken(pay: Counterpart, seconds: int) -> None:
    body = told(pay)
    at = int(pay.clock.now().timestamp()) + seconds
    assert pay.provider.read_notice(pay.simulator.signed(body, timestamp=at), body) is not None


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_one_or_one_to_come_is_not(pay: Counterpart, seconds: int) -> None:
    body = told(pay)
    at = int(pay.clock.now().timestamp()) + seconds
    with pytest.raises(Denied, match="300 seconds"):
        pay.provider.read_notice(pay.simulator.signed(body, timestamp=at), body)


def test_a_replayed_one_is_refused_after_five_minutes(pay: Counterpart) -> None:
    body = told(pay)
    headers = pay.simulator.signed(body)
    assert pay.provider.read_notice(headers, body) == pay.provider.read_notice(headers, body)
    pay.clock.moment += timedelta(seconds=301)
    with pytest.raises(Denied):
        pay.provider.read_notice(headers, body)


Forge = Callable[[dict[str, str], bytes, Counterpart], tuple[dict[str, str], bytes]]


def _by_another(headers: dict[str, str], body: bytes, pay: Counterpart) -> dict[str, str]:
    with WechatPaySimulator("http://127.0.0.1:9", pay.clock) as other:
        return other.signed(body)


FORGED: dict[str, Forge] = {
    "another's key": lambda h, b, pay: (_by_another(h, b, pay), b),
    "one octet of the body": lambda h, b, pay: (h, b.replace(b"encrypt", b"encrypT")),
    "a space behind it": lambda h, b, pay: (h, b + b" "),
    "another nonce": lambda h, b, pay: (h | {"Wechatpay-Nonce": "x"}, b),
    "another time": lambda h, b, pay: (
        h | {"Wechatpay-Timestamp": str(int(h["Wechatpay-Timestamp"]) + 1)},
        b,
    ),
    "an unknown serial": lambda h, b, pay: (h | {"Wechatpay-Serial": "00"}, b),
    "no signature": lambda h, b, pay: (h | {"Wechatpay-Signature": ""}, b),
    "a probe of WeChat Pay's": lambda h, b, pay: (
        h | {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/" + h["Wechatpay-Signature"]},
        b,
    ),
    "no time": lambda h, b, pay: (h | {"Wechatpay-Timestamp": "²"}, b),
    "no headers": lambda h, b, pay: ({}, b),
    "the merchant's own key": lambda h, b, pay: (
        h
        | {
            "Wechatpay-Signature": sign(
                pay.simulator.config.private_key,
                lines_of(h["Wechatpay-Timestamp"], h["Wechatpay-Nonce"], b),
            )
        },
        b,
    ),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_one_is_refused(pay: Counterpart, how: str) -> None:
    body = told(pay)
    headers = pay.simulator.signed(body)
    with pytest.raises(Denied):
        pay.provider.read_notice(*FORGED[how](headers, body, pay))
    assert pay.provider.read_notice(headers, body) is not None  # the control


def test_the_wrong_api_key_opens_nothing(pay: Counterpart) -> None:
    config = replace(pay.simulator.config, api_key=b"0" * 32)
    body = told(pay)
    with pytest.raises(Denied, match="API v3 key"):
        WechatPay(config, pay.clock).read_notice(pay.simulator.signed(body), body)


def test_a_sealed_content_that_was_changed_opens_nothing(pay: Counterpart) -> None:
    whole = json.loads(told(pay))
    for name, value in (("nonce", "0" * 12), ("associated_data", "refund")):
        body = json.dumps(whole | {"resource": whole["resource"] | {name: value}}).encode()
        with pytest.raises(Denied):
            pay.provider.read_notice(pay.simulator.signed(body), body)


@pytest.mark.parametrize(
    "changes",
    [
        {"mchid": "1900000110"},
        {"appid": "wx0"},
        {"amount": {"total": 0}},
        {"amount": {"total": True}},
        {"amount": None},
        {"transaction_id": ""},
        {"success_time": "yesterday"},
        {"success_time": "2024-06-03T00:00:00"},
    ],
)
def test_a_content_that_is_not_as_agreed_is_refused(
    pay: Counterpart, changes: dict[str, Any]
) -> None:
    body = told(pay, **changes)
    with pytest.raises(BadInput):
        pay.provider.read_notice(pay.simulator.signed(body), body)


@pytest.mark.parametrize(
    "number", ["7", "0" * 31 + "G", str(UUID(int=7)), UUID(int=0xAB).hex.upper()]
)
def test_a_payment_of_no_order_of_ours_is_said(pay: Counterpart, number: str) -> None:
    body = told(pay, out_trade_no=number)
    with pytest.raises(NotFound):
        pay.provider.read_notice(pay.simulator.signed(body), body)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}", b"\xff", b'{"event_type": 1}'])
def test_a_signed_body_that_is_none_is_a_refusal_not_a_fault(pay: Counterpart, body: bytes) -> None:
    with pytest.raises(SanheError):
        pay.provider.read_notice(pay.simulator.signed(body), body)


@pytest.mark.parametrize(
    "resource",
    [None, [], {}, {"algorithm": "AEAD_AES_256_GCM"}, {"algorithm": "none", "ciphertext": "eA=="}],
)
def test_a_resource_that_is_none_is_a_refusal_not_a_fault(
    pay: Counterpart, resource: object
) -> None:
    body = json.dumps({"event_type": "TRANSACTION.SUCCESS", "resource": resource}).encode()
    with pytest.raises(SanheError):
        pay.provider.read_notice(pay.simulator.signed(body), body)
