"""WeChat Pay on this machine: the documented requests and notices, without a merchant.

`python -m sanhe.connectors.wechatpay.simulator` runs one to try payments with; see
docs/guide/payments.md.
"""

from sanhe.connectors.wechatpay.simulator.notices import BACK_OFF_SECONDS, Faults
from sanhe.connectors.wechatpay.simulator.server import WechatPaySimulator
from sanhe.connectors.wechatpay.simulator.trades import Refusal

__all__ = ["BACK_OFF_SECONDS", "Faults", "Refusal", "WechatPaySimulator"]
