"""A simulated WeChat Pay on this machine, and ourselves as its merchant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from sanhe.connectors.wechatpay import WechatPay, WechatPaySimulator
from sanhe.connectors.wechatpay.simulator.server import new_key
from sanhe.core.clock import FixedClock
from sanhe.core.values import new_id
from sanhe.place.orders import Charge, Refund

Keys = tuple[RSAPrivateKey, RSAPrivateKey]


@dataclass
class Counterpart:
    """The simulator with a clock that the test moves, and the provider that talks to it."""

    simulator: WechatPaySimulator
    provider: WechatPay
    clock: FixedClock

    def charge(self, order: UUID | None = None, **changes: object) -> Charge:
        given: dict[str, object] = {
            "order": order or new_id(),
            "amount_cents": 1_234,
            "currency": "CNY",
            "description": "order 7",
            "ends_at": self.clock.now() + timedelta(minutes=14),
            "way": "native",
        }
        return Charge(**(given | changes))  # type: ignore[arg-type]

    def paid(self, cents: int = 1_234) -> tuple[UUID, str]:
        """An order that was paid, and the payment's number."""
        charge = self.charge(amount_cents=cents)
        self.provider.prepare(charge)
        return charge.order, self.simulator.pay(charge.order)

    def refund(self, paid: tuple[UUID, str], cents: int, **changes: object) -> Refund:
        given: dict[str, object] = {
            "id": new_id(),
            "order": paid[0],
            "provider": "wechatpay",
            "reference": paid[1],
            "amount_cents": cents,
            "paid_cents": 1_234,
            "currency": "CNY",
            "reason": "late",
        }
        return Refund(**(given | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def keys() -> Keys:
    """Keys for all tests: making one takes longer than a test."""
    return new_key(), new_key()


@pytest.fixture
def pay(clock: FixedClock, keys: Keys) -> Iterator[Counterpart]:
    """One that sends its notices nowhere."""
    with WechatPaySimulator("http://127.0.0.1:9", clock, seed=1, keys=keys) as simulator:
        provider = WechatPay(simulator.config, clock)
        yield Counterpart(simulator, provider, clock)
        provider.end()
