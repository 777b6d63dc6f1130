"""Classes of stock: by value (ABC), by regularity of demand (XYZ), by age. Pure and vectorised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sanhe.models.inventory import Bools, Floats, Ints

ADI_CUT: Final = 1.32
CV2_CUT: Final = 0.49
"""Where regular demand ends (Syntetos, Boylan & Croston 2005, JORS 56: 495-503)."""

PATTERNS: Final = ("smooth", "erratic", "intermittent", "lumpy", "none")
"""The demand patterns; `none` sold nothing in the window."""

BASES: Final = ("margin", "revenue", "quantity")
"""What the value classes go by, the best first."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where the classes end.

    `a_share`, `b_share`: cumulative shares of value up to which a line is A, B; the rest is C.
    `dead_days`: stock without a sale for so long is dead (呆滞). `known_share`: the share of
    selling lines whose cost (or revenue) must be known for it to be the basis of the classes.
    """

    a_share: float = 0.80
    b_share: float = 0.95
    dead_days: int = 90
    known_share: float = 0.95


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


def value_classes(value: Floats, *, a_share: float, b_share: float) -> list[str]:
    """ABC: lines by value, largest first; A until `a_share` of the sum is reached, then B, C.

    The line that crosses a share still belongs to the better class. Lines that bring nothing
    (or lose money) are C. Ties go to the earlier line.
    """
    worth = np.maximum(np.nan_to_num(value), 0.0)
    order = np.lexsort((np.arange(worth.size), -worth))
    total = worth.sum()
    before = np.concatenate([[0.0], np.cumsum(worth[order])[:-1]]) / (total or 1.0)
    ranked = np.where(before < a_share, "A", np.where(before < b_share, "B", "C"))
    classes = np.empty(worth.size, dtype="<U1")
    classes[order] = ranked
    classes[worth <= 0] = "C"
    return [str(name) for name in classes]


def patterns(sales: Sales) -> list[str]:
    """The demand pattern of each line by ADI and CV^2, as named in PATTERNS."""
    rare = sales.interval() >= ADI_CUT
    wild = np.nan_to_num(sales.variation()) >= CV2_CUT
    index = rare * 2 + wild * 1
    index = np.where(sales.sale_days == 0, 4, index)
    return [PATTERNS[at] for at in index.tolist()]


def regularity_class(pattern: str) -> str:
    """XYZ: X smooth, Y erratic or intermittent, Z lumpy or without a sale."""
    return {"smooth": "X", "erratic": "Y", "intermittent": "Y"}.get(pattern, "Z")


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
