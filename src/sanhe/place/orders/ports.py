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
    """What a provider is asked to collect: `order` is our name for it with the provider."""

    order: UUID
    amount_cents: int
    currency: str
    description: str
    expires_at: datetime


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
class Refund:
    """Money to be given back: `id` makes it recognisable when it is asked again."""

    id: UUID
    order: UUID
    provider: str
    reference: str
    amount_cents: int
    currency: str
    reason: str


class Payments(Protocol):
    """A payment provider (支付渠道). Two implementations: WeChat Pay v3 and its simulator."""

    def prepare(self, charge: Charge) -> Mapping[str, Json]:
        """Ask to collect; returns what the shopper's device needs to pay.

        The same charge again gives the same answer. Raises Temporary when the provider is away.
        """
        ...

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> PaymentNotice | None:
        """A notice whose signature is right, decrypted; None when it tells of something else.

        Raises Denied for a wrong signature or one that is too old.
        """
        ...

    def find(self, order: UUID) -> PaymentNotice | None:
        """The payment of an order as the provider knows it: for notices that were lost."""
        ...

    def refund(self, refund: Refund) -> bool:
        """Give money back; again changes nothing. True once it is done, False while it runs."""
        ...
