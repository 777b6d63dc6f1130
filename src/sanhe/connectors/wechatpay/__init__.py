"""WeChat Pay (微信支付) by its API v3: a payment provider of orders, and its simulator.

Systems: S30.

`WechatPay` collects (within WeChat, from a browser, by a code), proves and opens notices, finds
what was lost, closes and gives back. `WechatPaySimulator` answers the same requests on this
machine and sends the same notices, also late, twice and out of order. Needs the extra `payments`;
see docs/guide/payments.md.
"""

from sanhe.connectors.wechatpay.config import NOTICE_PATH, WechatPayConfig, read_config
from sanhe.connectors.wechatpay.provider import NAME, WAYS, WechatPay
from sanhe.connectors.wechatpay.simulator import Faults, Refusal, WechatPaySimulator

__all__ = [
    "NAME",
    "NOTICE_PATH",
    "WAYS",
    "Faults",
    "Refusal",
    "WechatPay",
    "WechatPayConfig",
    "WechatPaySimulator",
    "read_config",
]
