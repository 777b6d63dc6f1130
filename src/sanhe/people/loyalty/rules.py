"""The rules of points: how many, until when, out of which lot. Whole numbers throughout."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

PERCENT: Final = 100
"""A multiplier is given in percent: 200 is double."""


class Until(StrEnum):
    """What points live to the end of, or that they live for so many days."""

    MONTH = "month"
    YEAR = "year"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Life:
    """How long points live: to the end of the month or year `count` after, or `count` days."""

    until: Until = Until.MONTH
    count: int = 12


def last_day(life: Life, earned_on: date) -> date:
    """The last day on which points earned on a day can be spent.

    >>> str(last_day(Life(Until.MONTH, 12), date(2025, 2, 3)))
    '2026-02-28'
    >>> str(last_day(Life(Until.YEAR, 1), date(2025, 2, 3)))
    '2026-12-31'
    """
    if life.until is Until.DAYS:
        return earned_on + timedelta(days=life.count)
    if life.until is Until.YEAR:
        return date(earned_on.year + life.count, 12, 31)
    year, month = divmod(earned_on.year * 12 + earned_on.month - 1 + life.count, 12)
    return date(year, month + 1, monthrange(year, month + 1)[1])


def points_for(cents: int, *, per_100_yuan: int, percent: int = PERCENT) -> int:
    """The points of an amount: floor(cents × rate × multiplier), nothing for less than nothing.

    >>> points_for(19_999, per_100_yuan=100), points_for(19_999, per_100_yuan=150, percent=200)
    (199, 599)
    """
    return max(cents, 0) * per_100_yuan * percent // (100 * 100 * PERCENT)


def share(total: int, part: int, whole: int) -> int:
    """What of a total belongs to a part of the whole, rounded down; all of it to all.

    Parts that come back one after the other take `share` of all so far less `share` of those
    before: however a return is split, it ends the same.

    >>> share(199, 3_000, 19_999), share(199, 19_999, 19_999)
    (29, 199)
    """
    return total if part >= whole else total * max(part, 0) // whole


def take(amount: int, lots: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """The amount out of lots in the order given, each as far as it goes; less than the amount
    where they hold less.

    >>> take(7, [("a", 5), ("b", 0), ("c", 9)])
    [('a', 5), ('c', 2)]
    """
    parts = []
    for lot, free in lots:
        taken = min(amount, free)
        if taken > 0:
            parts.append((lot, taken))
            amount -= taken
    return parts


def home(lot: date, *, day: date, grace_days: int) -> date:
    """Where points of a lot go back to: the lot itself, or where it is over by then a lot that
    lives for the days of grace."""
    return lot if lot >= day else day + timedelta(days=grace_days)
