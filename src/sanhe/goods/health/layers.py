"""How old stock is: what lies there came last (FIFO), arrival by arrival. Pure and vectorised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sanhe.models.inventory import Floats, Ints

BUCKETS: Final = ("0_30", "31_60", "61_90", "91_180", "over_180")
"""The buckets of age, in days since the goods arrived."""

BUCKET_DAYS: Final = (31, 61, 91, 181)
"""The first day of each bucket after the first."""


@dataclass(frozen=True, slots=True)
class Layers:
    """What is left of each arrival at N lines, [K]: goods leave in the order they came.

    `row`: the line, 0 to N-1. `age_days`: since the arrival. `quantity`: what is left, above 0.
    `older`: what lies there in this and all older layers of the line.
    """

    row: Ints
    age_days: Floats
    quantity: Floats
    older: Floats

    def mean_age_days(self, lines: int) -> Floats:
        """Mean age of each line's stock weighed by quantity, [N]; nan where nothing lies."""
        held = np.bincount(self.row, self.quantity, lines)
        aged = np.bincount(self.row, self.quantity * self.age_days, lines)
        out = np.full(lines, np.nan)
        np.divide(aged, held, out=out, where=held > 0)
        return out

    def by_bucket(self, lines: int) -> Floats:
        """What lies in each bucket of age, [N, 5] in the order of BUCKETS."""
        bucket = np.searchsorted(BUCKET_DAYS, self.age_days, side="right")
        cells = len(BUCKETS)
        held = np.bincount(self.row * cells + bucket, self.quantity, lines * cells)
        table: Floats = held.astype(np.float64).reshape(lines, cells)
        return table

    def expiring(self, daily_mean: Floats, life_days: Floats) -> Floats:
        """What will expire unsold at a steady daily rate, [N].

        By the day a layer of age a expires, in max(L - a, 0) days, the goods from it and from
        all older layers are sold or spoiled; first in, first out, the waste is

            max over layers of (older - rate max(L - a, 0)), at least 0.

        `life_days`: L [N], counted from the arrival; infinite or nan = does not expire.
        """
        ends = np.isfinite(life_days)[self.row]
        row = self.row[ends]
        left = np.maximum(life_days[row] - self.age_days[ends], 0.0)
        wasted = np.zeros(len(daily_mean))
        np.maximum.at(wasted, row, self.older[ends] - daily_mean[row] * left)
        return wasted


def layers_of(
    on_hand: Floats, row: Ints, *, age_days: Floats, arrived: Floats, oldest_days: Floats
) -> Layers:
    """Lay the stock of N lines against its arrivals, the newest first.

    `on_hand` [N], nan = not known. `row`, `age_days`, `arrived` [K]: line, age and quantity of
    each arrival; those of one line stand together. What lies there beyond all arrivals is as old
    as the line (`oldest_days` [N], nan = not known), and not younger than its first arrival.
    """
    lines = on_hand.size
    have = np.maximum(np.nan_to_num(on_hand), 0.0)
    order = np.lexsort((age_days, row))
    row, age_days, arrived = row[order], age_days[order], arrived[order]
    summed = np.concatenate([[0.0], np.cumsum(arrived)])
    first = np.searchsorted(row, np.arange(lines))
    newer = summed[:-1] - summed[first[row]] if row.size else summed[:-1]
    left = np.clip(have[row] - newer, 0.0, arrived)
    oldest = np.nan_to_num(oldest_days)
    np.maximum.at(oldest, row, age_days)
    rest = have - np.bincount(row, left, lines)
    every = np.arange(lines)
    joined = Layers(
        row=np.concatenate([row, every]),
        age_days=np.concatenate([age_days, oldest]),
        quantity=np.concatenate([left, rest]),
        older=np.concatenate([have[row] - newer, rest]),
    )
    some = joined.quantity > 0
    return Layers(
        joined.row[some], joined.age_days[some], joined.quantity[some], joined.older[some]
    )
