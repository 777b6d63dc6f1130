"""A desk of promotions and coupons on a real database, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sanhe.core.decisions import PostgresDecisions
from sanhe.core.ledger import PostgresLedger
from sanhe.core.storage import Transaction
from sanhe.people.coupons import Campaign, Coupons, Keys, Lack, Use
from sanhe.people.promotions import Off, Promotion, Promotions, Step
from tests.people.promotions.publishing import publish

NOW = datetime(2024, 6, 3, tzinfo=UTC)
BEGIN, END = NOW - timedelta(days=1), NOW + timedelta(days=30)
SOON = NOW + timedelta(minutes=15)
WELCOME = Promotion(
    "welcome", "5 off 50", Off((Step(5_000, 500),)), "coupon", BEGIN, END, coupon=True
)
FULL = Promotion("full", "ten off a hundred", Off((Step(10_000, 1_000),)), "basket", BEGIN, END)
SPRING = Campaign("spring", "spring coupons", "welcome", BEGIN, END)


@dataclass
class Desk:
    """Promotions, coupons and the books behind them, in one transaction."""

    tx: Transaction
    ledger: PostgresLedger
    promotions: Promotions
    decisions: PostgresDecisions
    coupons: Coupons

    @classmethod
    def of(cls, tx: Transaction, folder: Path) -> Desk:
        ledger = PostgresLedger(tx)
        promotions = Promotions(tx, ledger)
        keys = Keys(folder / "keys" / "coupons")
        coupons = Coupons(tx, ledger, promotions=promotions, keys=keys)
        return cls(tx, ledger, promotions, PostgresDecisions(tx), coupons)

    def publish(self, promotion: Promotion) -> None:
        publish(self.promotions, self.decisions, promotion)

    def campaign(self, campaign: Campaign = SPRING, **limits: object) -> None:
        """The welcome promotion with these limits, and a campaign of it."""
        self.publish(replace(WELCOME, **limits))  # type: ignore[arg-type]
        self.coupons.save(campaign)

    def code(self, member: str | None = None, campaign: str = "spring") -> str:
        members = [] if member is None else [member]
        (made,) = self.coupons.issue(campaign, members=members, count=0 if members else 1)
        return made.code

    def hold(
        self, *uses: Use, cause: str = "order", member: str | None = None, at: datetime = NOW
    ) -> list[UUID]:
        return self.coupons.hold(uses, cause=cause, member=member, at=at, until=SOON)

    def lack(self, code: str, member: str | None = None, at: datetime = NOW) -> Lack | None:
        """What a code lacks, None where it may be used."""
        shown = self.coupons.shown([code], member=member, at=at)
        assert len(shown.coupons) + len(shown.refused) == 1
        return shown.refused[code].lack if shown.refused else None


def use(code: str = "", *, cents: int = 500, promotion: str = "welcome") -> Use:
    """A use of the welcome coupon."""
    return Use(promotion, code, cents)


def codes_of(made: Sequence[object]) -> list[str]:
    """The codes of coupons just issued."""
    return [one.code for one in made]  # type: ignore[attr-defined]
