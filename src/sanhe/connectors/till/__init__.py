"""Payments at the till: money that staff take and give back themselves, cash or by card terminal.

Systems: S30.

`Till` is a payment provider of orders that asks nobody: what staff say is so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sanhe.core.errors import BadInput, Denied
from sanhe.core.values import Json
from sanhe.place.orders import Charge, PaymentNotice, Refund

TENDERS: Final = ("cash", "card")
"""What is taken at a till: money in the drawer (现金), a card terminal (刷卡)."""


@dataclass(frozen=True, slots=True)
class Till:
    """One kind of money taken by staff; a refund is done by the hand that gives it."""

    name: str

    def prepare(self, charge: Charge) -> Mapping[str, Json]:
        """Raise BadInput: nothing is prepared for a payment at the till."""
        raise BadInput(
            f"{self.name} is paid at the till", place="provider", remedy="let staff say it"
        )

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> PaymentNotice | None:
        """Raise Denied: a till is told by staff, never from outside."""
        raise Denied(f"{self.name} is told by staff alone")

    def find(self, order: UUID) -> PaymentNotice | None:
        """None: what staff did not say is not known."""
        return None

    def close(self, order: UUID) -> bool:
        """True: nothing is taken without staff."""
        return True

    def refund(self, refund: Refund) -> bool:
        """True: whoever asks for it gives it."""
        return True
