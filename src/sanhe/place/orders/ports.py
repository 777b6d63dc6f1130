"""What orders need from outside: who takes money. Implementations lie in `connectors`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sanhe.core.values import Json


@dataclass(frozen=True, slots=True)
class Charge:
    """What a provider is asked to collect: `order` is our name for it with the provider.

    `way` is how the shopper pays, in the provider's words ("jsapi", "h5", "native"). `ends_at`:
    no money is taken after it. `payer` is the provider's name of the shopper and `address` the
    network address of their device, where the way needs them.
    """

    order: UUID
    amount_cents: int
    currency: str
    description: str
    ends_at: datetime
    way: str
    payer: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class PaymentNotice:
    """A provider's word that money arrived: `reference` is the provider's name of the payment.

    The same payment may be told many times and late; it is one by provider and reference.
    """

    provider: str
    reference: str
    order: UUID
    amount_cents: int
    currency: str
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class RefundNotice:
    """A provider's word on a refund: the money is back, or `refused` says why it can't be."""

    provider: str
    refund: UUID
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money to be given back: `id` makes it recognisable when it is asked again.

    `amount_cents` of the payment `reference`, which was `paid_cents`.
    """

    id: UUID
    order: UUID
    provider: str
    reference: str
    amount_cents: int
    paid_cents: int
    currency: str
    reason: str


class Payments(Protocol):
    """A payment provider (支付渠道): WeChat Pay v3, which has a simulator, and the till."""

    def prepare(self, charge: Charge) -> Mapping[str, Json]:
        """Ask to collect; returns what the shopper's device needs to pay.

        The same charge again collects once. Raises BadInput for a charge that can't be collected
        so, Conflict for one that was asked for otherwise, is paid or closed, Temporary when the
        provider is away.
        """
        ...

    def read_notice(
        self, headers: Mapping[str, str], body: bytes
    ) -> PaymentNotice | RefundNotice | None:
        """A notice whose signature is right, decrypted; None when it tells of something else.

        Names of headers in any case. Raises Denied for a wrong signature or one that is too old,
        BadInput for a content that is not as agreed.
        """
        ...

    def find(self, order: UUID) -> PaymentNotice | None:
        """The payment of an order as the provider knows it: for notices that were lost.

        Raises Temporary when the provider is away.
        """
        ...

    def close(self, order: UUID) -> bool:
        """Take no more money for an order; again changes nothing. False: it is paid already.

        Raises Temporary when the provider is away.
        """
        ...

    def refund(self, refund: Refund) -> bool:
        """Give money back; again changes nothing. True once it is done, False while it runs.

        Raises Permanent, saying why, when the provider refuses, Temporary when it is away.
        """
        ...
