"""What is asked of WeChat Pay and what its answers mean, over real HTTP on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from sanhe.connectors.wechatpay import Refusal, WechatPay
from sanhe.connectors.wechatpay.signing import fits, lines_of
from sanhe.core.errors import BadInput, Conflict, Denied, Permanent, Temporary
from sanhe.core.values import new_id
from tests.connectors.wechatpay.conftest import Counterpart


def test_a_mini_program_gets_parameters_that_the_merchant_signed(pay: Counterpart) -> None:
    told = pay.provider.prepare(pay.charge(way="jsapi", payer="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"))
    assert set(told) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert str(told["package"]).startswith("prepay_id=wx") and told["signType"] == "RSA"
    key = pay.simulator.config.private_key.public_key()
    signed = lines_of(*(str(told[name]) for name in ("appId", "timeStamp", "nonceStr", "package")))
    assert fits(key, signed, str(told["paySign"]))
    assert not fits(key, signed + b"\n", str(told["paySign"]))


def test_a_browser_gets_an_address_and_a_screen_a_code(pay: Counterpart) -> None:
    h5 = pay.provider.prepare(pay.charge(way="h5", address="203.0.113.7"))
    assert str(h5["h5_url"]).startswith("https://")
    assert str(pay.provider.prepare(pay.charge())["code_url"]).startswith("weixin://")


def test_the_number_at_wechat_pay_is_the_orders_id(pay: Counterpart) -> None:
    order, payment = pay.paid()
    told = pay.simulator.trades.query(order.hex)
    assert len(order.hex) == 32 and told["transaction_id"] == payment
    found = pay.provider.find(order)
    assert found is not None
    assert (found.order, found.reference, found.amount_cents) == (order, payment, 1_234)
    assert found.paid_at == pay.clock.now() and found.currency == "CNY"


def test_what_nobody_paid_or_asked_for_is_not_found(pay: Counterpart) -> None:
    charge = pay.charge()
    assert pay.provider.find(charge.order) is None
    pay.provider.prepare(charge)
    assert pay.provider.find(charge.order) is None


def test_a_payment_is_still_found_after_some_of_it_went_back(pay: Counterpart) -> None:
    paid = pay.paid()
    pay.provider.refund(pay.refund(paid, 34))
    found = pay.provider.find(paid[0])
    assert found is not None and found.amount_cents == 1_234


def test_the_same_charge_again_collects_once(pay: Counterpart) -> None:
    charge = pay.charge()
    pay.provider.prepare(charge)
    pay.provider.prepare(charge)
    pay.simulator.pay(charge.order)
    with pytest.raises(Refusal):
        pay.simulator.pay(charge.order)
    with pytest.raises(Conflict, match="ORDERPAID"):
        pay.provider.prepare(charge)


def test_an_order_is_not_asked_for_in_two_ways(pay: Counterpart) -> None:
    charge = pay.charge()
    pay.provider.prepare(charge)
    with pytest.raises(Conflict, match="OUT_TRADE_NO_USED"):
        pay.provider.prepare(replace(charge, way="h5", address="203.0.113.7"))
    with pytest.raises(Conflict, match="OUT_TRADE_NO_USED"):
        pay.provider.prepare(replace(charge, amount_cents=1))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"way": "cash"}, "way"),
        ({"way": "jsapi"}, "payer"),
        ({"way": "h5"}, "address"),
        ({"currency": "EUR"}, "amount_cents"),
        ({"amount_cents": 0}, "amount_cents"),
    ],
)
def test_what_can_not_be_collected_is_refused_here(
    pay: Counterpart, changes: dict[str, object], place: str
) -> None:
    with pytest.raises(BadInput) as refused:
        pay.provider.prepare(pay.charge(**changes))
    assert refused.value.place == place


def test_a_charge_that_would_outlive_its_order_is_refused(pay: Counterpart) -> None:
    soon = pay.clock.now() + timedelta(seconds=59)
    with pytest.raises(Conflict, match="too little time"):
        pay.provider.prepare(pay.charge(ends_at=soon))
    # The control: were it asked for, money would be taken after its end.
    asked = {
        "appid": pay.simulator.config.app,
        "mchid": pay.simulator.config.merchant,
        "description": "x",
        "out_trade_no": "0" * 32,
        "time_expire": soon.isoformat(),
        "amount": {"total": 1},
    }
    pay.simulator.trades.prepay("native", asked, pay.clock.now())
    pay.clock.moment = soon
    assert pay.simulator.trades.pay("0" * 32, pay.clock.now())


def test_no_money_is_taken_after_the_end_or_a_close(pay: Counterpart) -> None:
    late, closed = pay.charge(), pay.charge()
    pay.provider.prepare(late)
    pay.provider.prepare(closed)
    assert pay.provider.close(closed.order) and pay.provider.close(closed.order)
    with pytest.raises(Refusal):
        pay.simulator.pay(closed.order)
    pay.clock.moment = late.ends_at
    with pytest.raises(Refusal):
        pay.simulator.pay(late.order)


def test_what_is_paid_is_not_closed(pay: Counterpart) -> None:
    order, _ = pay.paid()
    assert not pay.provider.close(order)
    assert pay.provider.close(new_id()), "an order that was never asked for takes no money"


def test_a_refund_runs_and_is_done_once(pay: Counterpart) -> None:
    paid = pay.paid()
    refund = pay.refund(paid, 1_000)
    assert not pay.provider.refund(refund)
    pay.simulator.deliver()
    assert pay.provider.refund(refund)
    assert pay.simulator.given_back(paid[0]) == 1_000


def test_refunds_never_exceed_the_payment(pay: Counterpart) -> None:
    paid = pay.paid()
    pay.provider.refund(pay.refund(paid, 1_000))
    with pytest.raises(Temporary):  # two of one order are a minute apart
        pay.provider.refund(pay.refund(paid, 234))
    pay.clock.moment += timedelta(minutes=1)
    with pytest.raises(Permanent, match="INVALID_REQUEST"):
        pay.provider.refund(pay.refund(paid, 235))
    pay.provider.refund(pay.refund(paid, 234))
    pay.simulator.deliver()
    assert pay.simulator.given_back(paid[0]) == 1_234


def test_the_same_refund_of_another_amount_is_refused(pay: Counterpart) -> None:
    refund = pay.refund(pay.paid(), 10)
    pay.provider.refund(refund)
    with pytest.raises(Permanent):
        pay.provider.refund(replace(refund, amount_cents=11))


def test_a_closed_account_is_said(pay: Counterpart) -> None:
    charge = pay.charge(way="jsapi", payer="closed")
    pay.provider.prepare(charge)
    refund = pay.refund((charge.order, pay.simulator.pay(charge.order)), 10)
    pay.simulator.trades.closed_accounts.add("closed")
    pay.provider.refund(refund)
    pay.simulator.deliver()
    with pytest.raises(Permanent, match="merchant platform"):
        pay.provider.refund(refund)


def test_a_wrong_key_of_ours_is_said_with_its_remedy(pay: Counterpart) -> None:
    config = replace(pay.simulator.config, serial="00")
    with pytest.raises(Denied, match="private_key_file"):
        WechatPay(config, pay.clock).find(new_id())


def test_a_clock_that_is_off_is_not_taken(pay: Counterpart) -> None:
    ahead = type(pay.clock)(pay.clock.now() + timedelta(seconds=301))
    with pytest.raises(Denied):
        WechatPay(pay.simulator.config, ahead).find(new_id())


class Instead(httpx.BaseTransport):
    """Carries requests to the simulator and spoils its answers."""

    def __init__(self, spoil: object) -> None:
        self.spoil, self._real = spoil, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._real.handle_request(request)
        answer.read()
        return self.spoil(answer)  # type: ignore[operator, no-any-return]


def spoilt(pay: Counterpart, spoil: object) -> WechatPay:
    return WechatPay(pay.simulator.config, pay.clock, Instead(spoil))


def test_an_answer_that_somebody_changed_is_not_believed(pay: Counterpart) -> None:
    order, _ = pay.paid()

    def dearer(answer: httpx.Response) -> httpx.Response:
        content = answer.content.replace(b"1234", b"9234")
        headers = {k: v for k, v in answer.headers.items() if k != "content-length"}
        return httpx.Response(answer.status_code, headers=headers, content=content)

    def unsigned(answer: httpx.Response) -> httpx.Response:
        return httpx.Response(200, content=answer.content)

    for spoil in (dearer, unsigned):
        with pytest.raises(Denied):
            spoilt(pay, spoil).find(order)
    assert spoilt(pay, lambda answer: answer).find(order) is not None  # the control


def test_a_provider_that_is_away_is_asked_again(pay: Counterpart) -> None:
    def broken(answer: httpx.Response) -> httpx.Response:
        raise httpx.ReadTimeout("no answer")

    for spoil in (
        broken,
        lambda answer: httpx.Response(500, content=b'{"code":"SYSTEM_ERROR"}'),
        lambda answer: httpx.Response(429, content=b'{"code":"FREQUENCY_LIMITED"}'),
        lambda answer: httpx.Response(404, content=b"<html>"),
    ):
        with pytest.raises(Temporary) as error:
            spoilt(pay, spoil).find(new_id())
        assert error.value.delay_seconds > 0


def test_secrets_are_in_no_text(pay: Counterpart) -> None:
    config = pay.simulator.config
    texts = [repr(config), str(config), repr(pay.provider), json.dumps(str(vars(pay.provider)))]
    assert not any(config.api_key.decode() in text or "PRIVATE" in text for text in texts)
