"""The payment providers of an installation: the till, and what SANHE_PAYMENTS names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sanhe.connectors import wechatpay
from sanhe.connectors.till import TENDERS, Till
from sanhe.core.clock import Clock
from sanhe.core.settings import Settings
from sanhe.place.orders import Payments


@contextmanager
def payment_providers(settings: Settings, clock: Clock) -> Iterator[Mapping[str, Payments]]:
    """The providers by name, until the block ends.

    Raises BadInput for a file that can't be used, MissingPart without the extra `payments` that
    a provider in it needs.
    """
    tills: dict[str, Payments] = {tender: Till(tender) for tender in TENDERS}
    merchant = wechatpay.read_config(settings.payments)
    if merchant is None:
        yield tills
        return
    provider = wechatpay.WechatPay(merchant, clock)
    try:
        yield {**tills, wechatpay.NAME: provider}
    finally:
        provider.end()
