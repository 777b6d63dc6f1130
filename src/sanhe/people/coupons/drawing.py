"""What a basket draws on the ledger: its coupons, budgets, and a member's stamps.

    coupon.new/CAMPAIGN -> coupon.issued/CAMPAIGN -> coupon/ID -> coupon.used/CAMPAIGN
    budget.given/PROMOTION -> budget/PROMOTION -> budget.used/PROMOTION
    had.cards/PROMOTION -> had/PROMOTION/MEMBER -> had.used/PROMOTION

Each account but the first of a row has the floor 0: none gives what it has not, held by the
database. A coupon gets its account when it is held for the first time, out of what was issued, so
that a million coupons issued are one entry, and one that was only written into the tables has
nothing to draw from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sanhe.core.ledger import Account, Balance, Transfer, account_code
from sanhe.core.values import derived_id
from sanhe.people.coupons.rules import STAMPS, IssuedCoupon, Use, masked
from sanhe.people.promotions import Promotion, budget_account, spent_account

COUPON_UNIT: Final = "coupon"
STAMP_UNIT: Final = "stamp"
_ALWAYS: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def coupon_account(coupon: UUID) -> str:
    """The account of one coupon: 1 until it is used."""
    return account_code("coupon", str(coupon))


def new_account(campaign: str) -> str:
    """Where a campaign's coupons come from."""
    return account_code("coupon.new", campaign)


def issued_account(campaign: str) -> str:
    """A campaign's coupons that were issued and never held yet."""
    return account_code("coupon.issued", campaign)


def used_account(campaign: str) -> str:
    """A campaign's coupons that were used."""
    return account_code("coupon.used", campaign)


def card_account(promotion: str, member: str) -> str:
    """A member's card of a promotion: its stamps less those torn off."""
    return account_code("had", promotion, member)


@dataclass(frozen=True, slots=True)
class Draw:
    """`amount` that goes out of one account into another; `stays` must be left there.

    `fill`: how much the account gets out of `of` when it is opened; 0 = it is open already.
    """

    source: str
    target: str
    amount: int
    unit: str
    of: str
    fill: int
    stays: int
    short: str

    @property
    def codes(self) -> frozenset[str]:
        """Where it goes out, and where it goes."""
        return frozenset({self.source, self.target})

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts that it needs."""
        first = Account(self.of, self.unit, None if self.unit == STAMP_UNIT else 0)
        own = Account(self.source, self.unit, 0), Account(self.target, self.unit, 0)
        return own if not self.fill else (first, *own)

    def filling(self) -> Transfer:
        """What fills its account, the same whoever is the first."""
        return Transfer(
            id=derived_id("coupon.fill", self.source),
            source=self.of,
            target=self.source,
            amount=self.fill,
            reason="coupon",
            reference=self.source,
            effective_at=_ALWAYS,
        )

    def name(self, cause: str) -> UUID:
        """The id of its pending transfer."""
        return derived_id("coupon.hold", cause, self.source)

    def pending(self, cause: str, at: datetime) -> Transfer:
        """The transfer that holds it."""
        return self._transfer(self.name(cause), (self.source, self.target), cause, at=at)

    def back(self, cause: str, step: str, *, at: datetime) -> Transfer:
        """The transfer that gives it back."""
        name = derived_id("coupon.back", cause, step, self.source)
        return self._transfer(name, (self.target, self.source), cause, at=at)

    def is_short(self, balance: Balance) -> bool:
        """Whether the account can't bear it."""
        return balance.available - self.amount < self.stays

    def _transfer(self, name: UUID, way: tuple[str, str], cause: str, *, at: datetime) -> Transfer:
        return Transfer(name, *way, self.amount, "coupon", cause, at)


def of_coupon(coupon: UUID, campaign: str, *, shown: str = "") -> Draw:
    """One coupon."""
    return Draw(
        source=coupon_account(coupon),
        target=used_account(campaign),
        amount=1,
        unit=COUPON_UNIT,
        of=issued_account(campaign),
        fill=1,
        stays=0,
        short=f"{masked(shown)} was used, or lies in another basket: leave it out",
    )


def of_budget(promotion: str, cents: int, *, unit: str) -> Draw:
    """Cents of a promotion's budget."""
    return Draw(
        source=budget_account(promotion),
        target=spent_account(promotion),
        amount=cents,
        unit=unit,
        of="",
        fill=0,
        stays=0,
        short=f"promotion {promotion}: less than {cents} cents of its budget are left: price again",
    )


def of_card(promotion: str, member: str, *, per_member: int) -> Draw:
    """One stamp of a member's card. What is above `per_member` stays on it, so that a limit that is
    changed later needs no entry."""
    return Draw(
        source=card_account(promotion, member),
        target=account_code("had.used", promotion),
        amount=1,
        unit=STAMP_UNIT,
        of=account_code("had.cards", promotion),
        fill=STAMPS,
        stays=max(STAMPS - per_member, 0),
        short=f"promotion {promotion}: this member had it {per_member} times: leave it out",
    )


def draws(
    use: Use,
    promotion: Promotion,
    *,
    coupon: IssuedCoupon | None,
    member: str | None,
    currency: str,
) -> Sequence[Draw]:
    """What one promotion of a basket draws: at most a coupon, budget, a stamp."""
    found = []
    if coupon is not None:
        found.append(of_coupon(coupon.id, coupon.campaign, shown=use.coupon_code))
    if promotion.budget_cents is not None and use.cents:
        found.append(of_budget(promotion.id, use.cents, unit=currency))
    if promotion.per_member is not None and member is not None:
        found.append(of_card(promotion.id, member, per_member=promotion.per_member))
    return found
