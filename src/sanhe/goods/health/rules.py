"""Classes of stock: value, regularity of demand, margin, age. Pure and vectorised.

A class is kept as its place in its letters: 0 is A, X, H or age 0. A line that has a class from
an earlier day keeps it while its measure stays within a band around the cut (`held`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.models.inventory import Bools, Floats, Ints

ADI_CUT: Final = 1.32
CV2_CUT: Final = 0.49
"""Where regular demand ends (Syntetos, Boylan & Croston 2005, JORS 56: 495-503)."""

PATTERNS: Final = ("smooth", "erratic", "intermittent", "lumpy", "none")
"""The demand patterns; `none` sold nothing in the window."""

REGULARITY: Final = np.array([0, 1, 1, 2, 2])
"""The place of each pattern in "XYZ": X smooth, Y erratic or intermittent, Z lumpy or none."""

BASES: Final = ("margin", "revenue", "quantity")
"""What the value classes go by, the best first."""

KEPT_WEEKS: Final = 60
"""So many weeks of classes stay in the lake: a year and what to compare it with."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where the classes end.

    `a_share`, `b_share`: cumulative shares of value up to which a line is A, B; the rest is C.
    `high_margin`, `low_margin`: margin as a share of the price from which a line is H, M; below
    it is L. `ageing_days`, `old_days`: mean age of the stock from which it is ageing, old.
    `dead_days`: stock without a sale for so long is dead (呆滞). `known_share`: the share of
    selling lines whose cost (or revenue) must be known for it to be the basis of the classes.
    `band`: a line leaves its class only when its measure is this share beyond the cut.
    """

    a_share: float = 0.80
    b_share: float = 0.95
    high_margin: float = 0.40
    low_margin: float = 0.20
    ageing_days: int = 31
    old_days: int = 91
    dead_days: int = 90
    known_share: float = 0.95
    band: float = 0.20

    def __post_init__(self) -> None:
        ordered = (
            0 < self.a_share <= self.b_share <= 1
            and 0 < self.low_margin <= self.high_margin
            and 0 < self.ageing_days <= self.old_days
            and 0 <= self.band < 1
        )
        if not ordered:
            raise BadInput(
                "the cuts are not in order",
                place=f"{self}",
                remedy="give shares from 0 to 1 and days above 0, the lower cut first",
            )


@dataclass(frozen=True, slots=True)
class Sales:
    """What N lines sold in a window, [N]: sums over the days with a sale.

    `days`: days of the window since the line was first sold or counted. `sale_days`: days with a
    sale. `quantity`: their sum in base units; `squares`: the sum of their squares.
    """

    days: Ints
    sale_days: Ints
    quantity: Floats
    squares: Floats

    def interval(self) -> Floats:
        """ADI: mean days between two days with a sale, infinite without one."""
        out = np.full(self.days.shape, np.inf)
        np.divide(self.days, self.sale_days, out=out, where=self.sale_days > 0)
        return out

    def variation(self) -> Floats:
        """CV^2 of the quantity on days with a sale: variance / mean^2; nan without one."""
        days = np.maximum(self.sale_days, 1)
        mean = self.quantity / days
        spread = np.maximum(self.squares / days - mean**2, 0.0)
        out = np.full(self.days.shape, np.nan)
        np.divide(spread, mean**2, out=out, where=mean > 0)
        return out

    def daily_mean(self) -> Floats:
        """Mean units a day over the days of the window in which the line was there."""
        mean: Floats = self.quantity / np.maximum(self.days, 1)
        return mean

    def daily_variance(self) -> Floats:
        """Variance of the units of a day, days without a sale included."""
        spread = self.squares / np.maximum(self.days, 1) - self.daily_mean() ** 2
        variance: Floats = np.maximum(spread, 0.0)
        return variance


@dataclass(frozen=True, slots=True)
class Before:
    """The classes of N lines on an earlier day, [N]; -1 = the line had none.

    `value`, `margin`: places in "ABC", "HML". `age`: 0 to 4. `pattern`: place in PATTERNS.
    """

    value: Ints
    pattern: Ints
    margin: Ints
    age: Ints

    @classmethod
    def nothing(cls, lines: int) -> Before:
        """No line had a class."""
        none = np.full(lines, -1, np.int64)
        return cls(none, none, none, none)


def held(measure: Floats, before: Ints, *, cuts: tuple[float, ...], band: float) -> Ints:
    """How many of the ascending `cuts` the measure reaches, held near where it was before, [N].

    A line that reached k cuts before reaches one more only from cut (1 + band) on, and one less
    only below cut (1 - band): clip(k, reached at the raised cuts, reached at the lowered ones).
    `before` -1: the plain count. nan reaches none.
    """
    plain, raised, lowered = (
        np.sum([measure >= cut * (1.0 + shift) for cut in cuts], axis=0, dtype=np.int64)
        for shift in (0.0, band, -band)
    )
    steady: Ints = np.where(before < 0, plain, np.clip(before, raised, lowered))
    return steady


def value_classes(value: Floats, before: Ints, *, cuts: Cuts) -> Ints:
    """ABC: lines by value, largest first; A until `a_share` of the sum is reached, then B, C.

    The line that crosses a share still belongs to the better class. Lines that bring nothing
    (or lose money) are C. Ties go to the earlier line. A line that had a class leaves it when
    its value is a band beyond that of the last line of the better class.
    """
    worth = np.maximum(np.nan_to_num(value), 0.0)
    order = np.lexsort((np.arange(worth.size), -worth))
    total = worth.sum()
    share = np.concatenate([[0.0], np.cumsum(worth[order])[:-1]]) / (total or 1.0)
    ranked = (share >= cuts.a_share).astype(np.int64) + (share >= cuts.b_share)
    classes = np.empty(worth.size, np.int64)
    classes[order] = ranked
    classes[worth <= 0] = 2
    ends = [worth[classes <= place].min(initial=np.inf) for place in (1, 0)]
    moved = 2 - held(
        worth, np.where(before < 0, 2, 2 - before), cuts=(ends[0], ends[1]), band=cuts.band
    )
    steady: Ints = np.where((before < 0) | (worth <= 0), classes, moved)
    return steady


def patterns(sales: Sales, before: Ints, *, band: float) -> Ints:
    """The demand pattern of each line by ADI and CV^2, as its place in PATTERNS."""
    sold_before = (before >= 0) & (before < 4)
    interval, variation = sales.interval(), np.nan_to_num(sales.variation())
    rare = held(interval, np.where(sold_before, before // 2, -1), cuts=(ADI_CUT,), band=band)
    wild = held(variation, np.where(sold_before, before % 2, -1), cuts=(CV2_CUT,), band=band)
    found: Ints = np.where(sales.sale_days == 0, 4, rare * 2 + wild)
    return found


def margin_classes(rate: Floats, before: Ints, *, cuts: Cuts) -> Ints:
    """H, M, L by margin as a share of the price; M where it is not known (nan)."""
    ends = (cuts.low_margin, cuts.high_margin)
    was = np.where(before < 0, -1, 2 - before)
    classes: Ints = np.where(np.isnan(rate), 1, 2 - held(rate, was, cuts=ends, band=cuts.band))
    return classes


def age_classes(age_days: Floats, held_dead: Bools, before: Ints, *, cuts: Cuts) -> Ints:
    """0 nothing known to lie there (nan), 1 fresh, 2 ageing, 3 old, 4 dead."""
    was = np.where((before >= 1) & (before <= 3), before - 1, -1)
    ends = (float(cuts.ageing_days), float(cuts.old_days))
    by_age = 1 + held(age_days, was, cuts=ends, band=cuts.band)
    classes: Ints = np.where(np.isnan(age_days), 0, np.where(held_dead, 4, by_age))
    return classes


def basis_of(margin_known: Bools, revenue_known: Bools, sold: Bools, *, known_share: float) -> str:
    """The best basis that is known for nearly all lines that sold something."""
    lines = max(int(sold.sum()), 1)
    if (margin_known & sold).sum() >= known_share * lines:
        return "margin"
    if (revenue_known & sold).sum() >= known_share * lines:
        return "revenue"
    return "quantity"


def dead(on_hand: Ints, since_sale_days: Floats, in_range_days: Floats, *, dead_days: int) -> Bools:
    """Stock on hand that sold nothing for `dead_days`; a line newer than that is given time.

    `since_sale_days`: nan = never sold. `in_range_days`: days since first sold or counted.
    """
    unsold = np.where(np.isnan(since_sale_days), in_range_days, since_sale_days)
    lines: Bools = (on_hand > 0) & (np.nan_to_num(unsold) >= dead_days)
    return lines


def superseded(days: list[date]) -> list[date]:
    """Which assessed days need not be kept: of each week the newest stays, of the newest weeks."""
    newest: dict[tuple[int, int], date] = {}
    for day in sorted(days):
        newest[day.isocalendar()[:2]] = day
    kept = set(sorted(newest.values())[-KEPT_WEEKS:])
    return [day for day in sorted(days) if day not in kept]
