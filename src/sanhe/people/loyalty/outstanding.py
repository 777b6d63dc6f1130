"""What members may still ask for: points by the month in which they end, and stored value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from sanhe.core.ledger import Ledger
from sanhe.people.loyalty.policy import Policy
from sanhe.people.loyalty.stored import GIVEN, PAID


@dataclass(frozen=True, slots=True)
class Month:
    """Points that end in a month, "2026-12": all that is outstanding, the points of it that are
    expected to be spent, and what these are worth."""

    month: str
    points: int
    expected_points: int
    expected_cents: int


@dataclass(frozen=True, slots=True)
class Liability:
    """What is outstanding on a day (积分负债): points that are held for open orders count, points
    whose last day is over do not. `owed_points` are owed by members, and lie in no month.

    `stored_paid_cents` was paid ahead by members, `stored_given_cents` is the bonus with it.
    """

    as_of: date
    months: tuple[Month, ...]
    owed_points: int
    stored_paid_cents: int
    stored_given_cents: int

    @property
    def points(self) -> int:
        """All points outstanding."""
        return sum(month.points for month in self.months)

    @property
    def expected_cents(self) -> int:
        """What the points are worth that are expected to be spent."""
        return sum(month.expected_cents for month in self.months)


def liability(ledger: Ledger, policy: Policy, *, as_of: date) -> Liability:
    """What is outstanding now, of what can still be spent on a day.

    Balances are those of now: a day in the past or future moves only what counts as over.
    """
    lots = ledger.accounts("points/")
    last_days = pc.utf8_slice_codeunits(lots.column("code"), -10)
    live = lots.append_column("month", pc.utf8_slice_codeunits(last_days, 0, 7)).filter(
        pc.greater_equal(last_days, as_of.isoformat())
    )
    sums = live.group_by("month").aggregate([("posted", "sum")]).sort_by("month").to_pylist()
    months = tuple(
        _month(row["month"], row["posted_sum"], policy) for row in sums if row["posted_sum"]
    )
    stored = ledger.accounts("stored/")
    return Liability(
        as_of,
        months,
        owed_points=-_sum(ledger.accounts("points.debt/")),
        stored_paid_cents=_sum(_ending(stored, PAID)),
        stored_given_cents=_sum(_ending(stored, GIVEN)),
    )


def _month(month: str, points: int, policy: Policy) -> Month:
    expected = points * policy.redeemed_percent // 100
    return Month(month, points, expected, policy.worth_cents(expected))


def _ending(accounts: pa.Table, lot: str) -> pa.Table:
    return accounts.filter(pc.ends_with(accounts.column("code"), f"/{lot}"))


def _sum(accounts: pa.Table) -> int:
    return int(pc.sum(accounts.column("posted")).as_py() or 0)
