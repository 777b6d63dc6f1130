"""The money of orders on the ledger: what providers hold for us, what we owe, what we earned.

Double entry per place: a payment moves from `owed` (a liability: what shoppers paid for and don't
have yet) to `provider` (what the provider holds for us); a hand-over from `sales` to `owed`, so
that the liability shrinks; a refund back from `provider` to `owed`. When all orders are closed and
all refunds done, `owed` is 0 and the providers hold what was earned.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sanhe.core.ledger import Account, Ledger, Transfer, account_code
from sanhe.core.values import derived_id


def provider_account(provider: str, place: str) -> str:
    """What a payment provider holds for us."""
    return account_code("money.provider", provider, place)


def owed_account(place: str) -> str:
    """Minus what shoppers paid for and don't have yet (合同负债)."""
    return account_code("money.owed", place)


def sales_account(place: str) -> str:
    """Minus what was earned by handing goods over, less returns."""
    return account_code("money.sales", place)


@dataclass(frozen=True, slots=True)
class Books:
    """The books of one order; amounts in cents of its currency, 0 moves nothing.

    Each movement is named by `parts` of what caused it: the same cause moves once.
    """

    ledger: Ledger
    order: UUID
    place: str
    currency: str
    now: datetime

    def receive(self, provider: str, reference: str, amount_cents: int) -> None:
        """A payment arrived, whether it is kept or given back."""
        where = owed_account(self.place), provider_account(provider, self.place)
        self._move("payment", (provider, reference), where=where, amount_cents=amount_cents)

    def earn(self, cause: str, amount_cents: int) -> None:
        """Goods of this worth were handed over."""
        where = sales_account(self.place), owed_account(self.place)
        self._move("handed_over", (str(self.order), cause), where=where, amount_cents=amount_cents)

    def unearn(self, cause: str, amount_cents: int) -> None:
        """Goods of this worth came back: their money is owed until it is given back."""
        where = owed_account(self.place), sales_account(self.place)
        self._move("returned", (str(self.order), cause), where=where, amount_cents=amount_cents)

    def pay_back(self, refund: UUID, provider: str, amount_cents: int) -> None:
        """The provider gave money back."""
        where = provider_account(provider, self.place), owed_account(self.place)
        self._move("refund", (str(refund),), where=where, amount_cents=amount_cents)

    def _move(
        self, reason: str, parts: tuple[str, ...], *, where: tuple[str, str], amount_cents: int
    ) -> None:
        if amount_cents == 0:
            return
        self.ledger.open_accounts(Account(code, self.currency) for code in where)
        moved = Transfer(
            derived_id(f"order.{reason}", *parts),
            *where,
            amount=amount_cents,
            reason=reason,
            reference=f"order/{self.order}",
            effective_at=self.now,
        )
        self.ledger.transfer([moved])
