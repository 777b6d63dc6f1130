"""The payment provider: collects for orders, tells of payments, gives money back."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sanhe.connectors.wechatpay.client import Client, Refused, read_object
from sanhe.connectors.wechatpay.config import WechatPayConfig
from sanhe.connectors.wechatpay.signing import check_signed, lines_of, sign, unseal
from sanhe.core.clock import Clock
from sanhe.core.errors import BadInput, Conflict, NotFound, Permanent, Temporary
from sanhe.core.values import Json
from sanhe.place.orders import Charge, PaymentNotice, Refund, RefundNotice

if TYPE_CHECKING:
    import httpx

NAME: Final = "wechatpay"
"""What the provider is called in orders."""
WAYS: Final = ("jsapi", "h5", "native")
"""Within WeChat (小程序、公众号), from another browser, by a code to be scanned."""
SHORTEST: Final = timedelta(minutes=1)
"""WeChat Pay takes money for at least so long: it lengthens what ends earlier, so that it would
be taken after the goods are free again. Such a charge is refused here."""
_BEIJING: Final = timezone(timedelta(hours=8))
_CURRENCY: Final = "CNY"
_PATH: Final = "/v3/pay/transactions"
_REFUNDS: Final = "/v3/refund/domestic/refunds"
_PAID: Final = ("SUCCESS", "REFUND")
"""States of a trade whose money arrived; some or all of the second went back."""
_WHY: Final = {
    "ABNORMAL": "the shopper's account can't take it: give it back in the merchant platform",
    "CLOSED": "it was closed in the merchant platform",
}


class WechatPay:
    """WeChat Pay (微信支付) by API v3, for one merchant.

    An order has one number there, its id in 32 hexadecimal digits, so that it can't be paid twice
    in WeChat Pay, whichever ways are tried; a refund likewise. `transport` carries the requests;
    None = the network.
    """

    def __init__(
        self, config: WechatPayConfig, clock: Clock, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._config, self._clock = config, clock
        self._client = Client(config, clock, transport)

    def prepare(self, charge: Charge) -> Mapping[str, Json]:
        """Ask to collect; what the shopper's device needs to pay.

        For `jsapi` the parameters of `wx.requestPayment`, for `h5` the address to go to
        (`h5_url`), for `native` the text of the code to be scanned (`code_url`).
        """
        asked = self._asked(charge)
        try:
            told = self._client.ask("POST", f"{_PATH}/{charge.way}", asked)
        except Refused as refused:
            if refused.word == "PARAM_ERROR":
                raise
            # Paid, closed, or asked for before with another payer, way, amount or end.
            raise Conflict(f"{refused}; ask the order's state, or order anew") from refused
        if charge.way == "jsapi":
            return self._device(_text(told, "prepay_id", "answer"))
        name = "h5_url" if charge.way == "h5" else "code_url"
        return {name: _text(told, name, "answer")}

    def read_notice(
        self, headers: Mapping[str, str], body: bytes
    ) -> PaymentNotice | RefundNotice | None:
        """A notice that WeChat Pay signed within five minutes, opened with the API v3 key."""
        config = self._config
        now = self._clock.now().timestamp()
        check_signed(headers, body, keys=config.platform_keys, now=now)
        told = read_object(body, "body")
        kind = _text(told, "event_type", "body")
        group, _, word = kind.partition(".")
        if kind != "TRANSACTION.SUCCESS" and group != "REFUND":
            return None
        content = read_object(unseal(told.get("resource"), config.api_key), "resource")
        if content.get("mchid") != config.merchant:
            raise BadInput("the notice is another merchant's", place="mchid")
        if group == "REFUND":
            refund = _id(_text(content, "out_refund_no", "resource"), "refund")
            why = "" if word == "SUCCESS" else _WHY.get(word, word)
            return RefundNotice(NAME, refund, why)
        return self._payment(content)

    def find(self, order: UUID) -> PaymentNotice | None:
        """The payment of an order; None while there is none."""
        target = f"{_PATH}/out-trade-no/{order.hex}?mchid={self._config.merchant}"
        try:
            return self._payment(self._client.ask("GET", target))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def close(self, order: UUID) -> bool:
        """Take no more money for an order. False: it is paid already."""
        target = f"{_PATH}/out-trade-no/{order.hex}/close"
        try:
            self._client.ask("POST", target, {"mchid": self._config.merchant})
        except Refused as refused:
            if refused.word == "ORDERPAID":
                return False
            if refused.status != 404 and refused.word not in ("ORDER_CLOSED", "ORDERCLOSED"):
                raise
        return True

    def refund(self, refund: Refund) -> bool:
        """Give money back; the same refund again tells how far it is."""
        asked = {
            "transaction_id": refund.reference,
            "out_refund_no": refund.id.hex,
            "reason": refund.reason[:80],
            "notify_url": self._config.notify_url,
            "amount": {
                "refund": refund.amount_cents,
                "total": refund.paid_cents,
                "currency": refund.currency,
            },
        }
        told = self._client.ask("POST", _REFUNDS, asked)
        state = _text(told, "status", "answer")
        if state in _WHY:
            raise Permanent(f"refund {refund.id}: {_WHY[state]}")
        if state not in ("SUCCESS", "PROCESSING"):
            raise Temporary(f"refund {refund.id} is {state}", delay_seconds=60)
        return state == "SUCCESS"

    def end(self) -> None:
        """End the connections."""
        self._client.close()

    def _asked(self, charge: Charge) -> dict[str, Any]:
        if charge.way not in WAYS:
            raise BadInput(f"no way {charge.way!r} to pay", place="way", remedy=f"one of {WAYS}")
        if charge.currency != _CURRENCY or charge.amount_cents < 1:
            raise BadInput(
                f"WeChat Pay collects one fen or more, not {charge.amount_cents} {charge.currency}",
                place="amount_cents",
            )
        if charge.ends_at - self._clock.now() < SHORTEST:
            raise Conflict("too little time is left to pay this order: order anew")
        asked: dict[str, Any] = {
            "appid": self._config.app,
            "mchid": self._config.merchant,
            "description": charge.description[:127],
            "out_trade_no": charge.order.hex,
            "time_expire": charge.ends_at.astimezone(_BEIJING).isoformat(timespec="seconds"),
            "notify_url": self._config.notify_url,
            "amount": {"total": charge.amount_cents, "currency": charge.currency},
        }
        if charge.way == "jsapi":
            asked["payer"] = {"openid": _needed(charge.payer, "payer", "the shopper's openid")}
        if charge.way == "h5":
            address = _needed(charge.address, "address", "the device's network address")
            asked["scene_info"] = {"payer_client_ip": address, "h5_info": {"type": "Wap"}}
        return asked

    def _device(self, prepay_id: str) -> dict[str, Json]:
        """The parameters of `wx.requestPayment`, signed so that the device can't change them."""
        app, package = self._config.app, f"prepay_id={prepay_id}"
        timestamp, nonce = str(int(self._clock.now().timestamp())), secrets.token_hex(16)
        return {
            "appId": app,
            "timeStamp": timestamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": sign(self._config.private_key, lines_of(app, timestamp, nonce, package)),
        }

    def _payment(self, told: Mapping[str, Any]) -> PaymentNotice | None:
        """The payment that a trade tells of; None for a trade that is not paid."""
        config = self._config
        if told.get("trade_state") not in _PAID:
            return None
        if (told.get("mchid"), told.get("appid")) != (config.merchant, config.app):
            raise BadInput("the payment is another merchant's", place="mchid")
        amount = told.get("amount")
        cents = amount.get("total") if isinstance(amount, Mapping) else None
        if not isinstance(cents, int) or isinstance(cents, bool) or cents < 1:
            raise BadInput("the payment names no amount", place="amount")
        return PaymentNotice(
            provider=NAME,
            reference=_text(told, "transaction_id", "payment"),
            order=_id(_text(told, "out_trade_no", "payment"), "order"),
            amount_cents=cents,
            currency=str(amount.get("currency", _CURRENCY)) if amount else _CURRENCY,
            paid_at=_moment(_text(told, "success_time", "payment")),
        )


def _text(told: Mapping[str, Any], name: str, place: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise BadInput(f"{name} is missing", place=place)
    return value


def _needed(value: str, place: str, what: str) -> str:
    if not value:
        raise BadInput(f"{what} is missing", place=place, remedy=f"give {what}")
    return value


def _id(number: str, what: str) -> UUID:
    """Our id behind a number; raises NotFound for one that we never gave."""
    try:
        found = UUID(hex=number)
    except ValueError:
        found = None
    if found is None or found.hex != number:
        raise NotFound(f"no {what} of ours has the number {number[:64]!r}")
    return found


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadInput(f"{text[:64]!r} is no moment with a zone", place="success_time")
    return found
