"""What WeChat Pay keeps: trades and refunds, with the documented rules and words of refusal.

Not safe for threads by itself: whoever holds it locks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, Final

TRADE_TYPES: Final = {"jsapi": "JSAPI", "h5": "MWEB", "native": "NATIVE"}
SHORTEST: Final = timedelta(minutes=1)
"""What is to end earlier is taken as ending so long after it was asked for."""
MOST_REFUNDS: Final = 50
BETWEEN_REFUNDS: Final = timedelta(minutes=1)
"""Two refunds of one trade are so far apart."""
_BEIJING: Final = timezone(timedelta(hours=8))
_DESCRIBED: Final = {"SUCCESS": "支付成功", "REFUND": "转入退款", "NOTPAY": "订单未支付"}


class Refusal(Exception):
    """An answer that is no success: status, code and message as documented."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(f"{status} {code}: {message}")


@dataclass
class SimulatedRefund:
    """A refund: `done_at` is when the money is back, or when it turns out that it can't be."""

    number: str
    id: str
    amount: int
    asked_at: datetime
    done_at: datetime
    status: str = "PROCESSING"


@dataclass
class Trade:
    """One trade (订单) of a merchant, by its `number` (out_trade_no)."""

    number: str
    way: str
    request: Mapping[str, Any]
    asked_at: datetime
    ends_at: datetime
    state: str = "NOTPAY"
    transaction: str = ""
    payer: str = ""
    paid: int = 0
    paid_at: datetime | None = None
    refunds: dict[str, SimulatedRefund] = field(default_factory=dict)

    @property
    def refunded(self) -> int:
        """What went back or is on its way, in fen."""
        gone = ("PROCESSING", "SUCCESS")
        return sum(one.amount for one in self.refunds.values() if one.status in gone)


class Trades:
    """The trades of one merchant. Refunds take `refund_time`, and end when `finish` is called.

    Every refund of an account in `closed_accounts` (openid) turns out ABNORMAL.
    """

    def __init__(self, merchant: str, app: str, *, seed: int, refund_time: timedelta) -> None:
        self.merchant, self.app, self.refund_time = merchant, app, refund_time
        self.closed_accounts: set[str] = set()
        self._random = Random(seed)
        self._trades: dict[str, Trade] = {}

    def prepay(self, way: str, asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Ask to collect."""
        number, ends_at = self._checked(way, asked)
        known = self._trades.get(number)
        if known is None:
            ends_at = max(ends_at, now + SHORTEST)
            known = self._trades[number] = Trade(number, way, dict(asked), now, ends_at)
        elif known.state in ("SUCCESS", "REFUND"):
            raise Refusal(400, "ORDERPAID", "该订单已支付")
        elif known.state == "CLOSED":
            raise Refusal(400, "ORDER_CLOSED", "订单已关闭")
        elif (known.way, known.request) != (way, dict(asked)):
            raise Refusal(403, "OUT_TRADE_NO_USED", "商户订单号重复")
        elif known.ends_at <= now:
            raise Refusal(400, "INVALID_REQUEST", "订单已过期,请使用新的商户订单号下单")
        name = {"jsapi": "prepay_id", "h5": "h5_url", "native": "code_url"}[way]
        before = {"jsapi": "wx", "h5": "https://wx.tenpay.com/?prepay_id=wx"}.get(
            way, "weixin://wxpay/bizpayurl?pr="
        )
        return {name: before + self._number(30)}

    def pay(self, number: str, now: datetime, *, amount: int | None = None) -> dict[str, Any]:
        """The shopper pays; the trade as it is told. `amount`: another than was asked for."""
        trade = self._trade(number)
        if trade.state != "NOTPAY":
            raise Refusal(400, "ORDERPAID", f"订单状态 {trade.state}")
        if trade.ends_at <= now:
            raise Refusal(400, "ORDER_CLOSED", "订单已过期")
        trade.state, trade.paid_at = "SUCCESS", now
        trade.transaction = "42000" + self._number(23)
        asked = trade.request["amount"]["total"]
        trade.paid = asked if amount is None else amount
        trade.payer = trade.request.get("payer", {}).get("openid", "o" + self._number(27))
        return self.told(trade)

    def waiting(self, now: datetime, age: timedelta) -> list[str]:
        """The numbers of trades of such an age that can still be paid."""
        return [
            trade.number
            for trade in self._trades.values()
            if trade.state == "NOTPAY" and trade.asked_at + age <= now < trade.ends_at
        ]

    def query(self, number: str) -> dict[str, Any]:
        """A trade as it is told."""
        return self.told(self._trade(number))

    def close(self, number: str) -> None:
        """Take no more money for a trade."""
        trade = self._trade(number)
        if trade.state in ("SUCCESS", "REFUND"):
            raise Refusal(400, "ORDERPAID", "该订单已支付")
        trade.state = "CLOSED"

    def refund(self, asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Give money back: the same number again gives once."""
        number, amount = asked.get("out_refund_no"), asked.get("amount")
        if not isinstance(number, str) or not isinstance(amount, Mapping):
            raise Refusal(400, "PARAM_ERROR", "参数错误")
        trade = self._paid_trade(asked)
        wanted, total = amount.get("refund"), amount.get("total")
        if not isinstance(wanted, int) or wanted < 1 or total != trade.paid:
            raise Refusal(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致")
        known = trade.refunds.get(number)
        if known is None:
            self._check_refund(trade, wanted, now)
            refund_id = "50300" + self._number(24)
            known = SimulatedRefund(number, refund_id, wanted, now, now + self.refund_time)
            trade.refunds[number], trade.state = known, "REFUND"
        elif known.amount != wanted:
            raise Refusal(400, "INVALID_REQUEST", "退款单号重复,金额不一致")
        return self.told_refund(trade, known)

    def query_refund(self, number: str) -> dict[str, Any]:
        """A refund as it is told."""
        for trade in self._trades.values():
            if number in trade.refunds:
                return self.told_refund(trade, trade.refunds[number])
        raise Refusal(404, "RESOURCE_NOT_EXISTS", "退款单不存在")

    def finish(self, now: datetime) -> list[dict[str, Any]]:
        """End the refunds whose time has come; those that ended now, as they are told."""
        ended: list[dict[str, Any]] = []
        for trade in self._trades.values():
            for refund in trade.refunds.values():
                if refund.status == "PROCESSING" and refund.done_at <= now:
                    closed = trade.payer in self.closed_accounts
                    refund.status = "ABNORMAL" if closed else "SUCCESS"
                    ended.append(self.told_refund(trade, refund))
        return ended

    def given_back(self, number: str) -> int:
        """What went back of a trade, in fen."""
        trade = self._trade(number)
        return sum(one.amount for one in trade.refunds.values() if one.status == "SUCCESS")

    def told(self, trade: Trade) -> dict[str, Any]:
        """A trade in the documented words."""
        told: dict[str, Any] = {
            "mchid": self.merchant,
            "appid": self.app,
            "out_trade_no": trade.number,
            "trade_state": trade.state,
            "trade_state_desc": _DESCRIBED.get(trade.state, "订单已关闭"),
        }
        if trade.paid_at is None:
            return told
        return told | {
            "transaction_id": trade.transaction,
            "trade_type": TRADE_TYPES[trade.way],
            "bank_type": "OTHERS",
            "attach": "",
            "success_time": moment(trade.paid_at),
            "payer": {"openid": trade.payer},
            "amount": {
                "total": trade.paid,
                "payer_total": trade.paid,
                "currency": "CNY",
                "payer_currency": "CNY",
            },
        }

    def told_refund(self, trade: Trade, refund: SimulatedRefund) -> dict[str, Any]:
        """A refund in the documented words."""
        told: dict[str, Any] = {
            "refund_id": refund.id,
            "out_refund_no": refund.number,
            "transaction_id": trade.transaction,
            "out_trade_no": trade.number,
            "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱",
            "create_time": moment(refund.asked_at),
            "status": refund.status,
            "amount": {
                "total": trade.paid,
                "refund": refund.amount,
                "payer_total": trade.paid,
                "payer_refund": refund.amount,
                "currency": "CNY",
            },
        }
        if refund.status != "PROCESSING":
            told["success_time"] = moment(refund.done_at)
        return told

    def _checked(self, way: str, asked: Mapping[str, Any]) -> tuple[str, datetime]:
        number, amount = asked.get("out_trade_no"), asked.get("amount")
        total = amount.get("total") if isinstance(amount, Mapping) else None
        right = (
            way in TRADE_TYPES
            and isinstance(number, str)
            and 6 <= len(number) <= 32
            and isinstance(total, int)
            and total >= 1
            and 1 <= len(str(asked.get("description", ""))) <= 127
            and (way != "jsapi" or bool(asked.get("payer", {}).get("openid")))
            and (way != "h5" or bool(asked.get("scene_info", {}).get("payer_client_ip")))
        )
        if not right or not isinstance(number, str):
            raise Refusal(400, "PARAM_ERROR", "参数错误")
        if (asked.get("mchid"), asked.get("appid")) != (self.merchant, self.app):
            raise Refusal(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")
        try:
            return number, datetime.fromisoformat(str(asked.get("time_expire")))
        except ValueError as error:
            raise Refusal(400, "PARAM_ERROR", "time_expire 格式错误") from error

    def _check_refund(self, trade: Trade, wanted: int, now: datetime) -> None:
        if trade.refunded + wanted > trade.paid:
            raise Refusal(400, "INVALID_REQUEST", "累计退款金额大于支付金额")
        if len(trade.refunds) >= MOST_REFUNDS:
            raise Refusal(400, "INVALID_REQUEST", "部分退款次数超限")
        last = max((one.asked_at for one in trade.refunds.values()), default=None)
        if last is not None and now - last < BETWEEN_REFUNDS:
            raise Refusal(429, "FREQUENCY_LIMITED", "同一笔订单多次退款的请求需相隔1分钟")

    def _trade(self, number: str) -> Trade:
        if number not in self._trades:
            raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在")
        return self._trades[number]

    def _paid_trade(self, asked: Mapping[str, Any]) -> Trade:
        named = (asked.get("transaction_id"), asked.get("out_trade_no"))
        for trade in self._trades.values():
            if trade.paid_at is not None and (
                trade.transaction == named[0] or (named[0] is None and trade.number == named[1])
            ):
                return trade
        raise Refusal(404, "RESOURCE_NOT_EXISTS", "订单不存在")

    def _number(self, digits: int) -> str:
        return f"{self._random.randrange(10**digits):0{digits}d}"


def moment(at: datetime) -> str:
    """A moment as WeChat Pay writes it (RFC 3339, Beijing time)."""
    return at.astimezone(_BEIJING).isoformat(timespec="seconds")
