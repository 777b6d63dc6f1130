"""The payment providers of an installation: the till, and what SANHE_PAYMENTS names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import Lock

from sanhe.connectors import wechatpay
from sanhe.connectors.till import TENDERS, Till
from sanhe.core.clock import Clock
from sanhe.core.settings import Settings
from sanhe.place.orders import Payments


class Providers(Mapping[str, Payments]):
    """The providers by name, set up when they are first looked at: a plan needs no keys.

    Looking at them raises BadInput for a file that can't be used, MissingPart without the extra
    `payments` that a provider in it needs.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock, self._lock = settings, clock, Lock()
        self._known: dict[str, Payments] | None = None
        self._open: list[wechatpay.WechatPay] = []

    def close(self) -> None:
        """End the connections to the providers."""
        for provider in self._open:
            provider.end()

    def _all(self) -> dict[str, Payments]:
        with self._lock:
            if self._known is None:
                known: dict[str, Payments] = {tender: Till(tender) for tender in TENDERS}
                merchant = wechatpay.read_config(self._settings.payments)
                if merchant is not None:
                    known[wechatpay.NAME] = provider = wechatpay.WechatPay(merchant, self._clock)
                    self._open.append(provider)
                self._known = known
            return self._known

    def __getitem__(self, name: str) -> Payments:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
