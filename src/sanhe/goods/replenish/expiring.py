"""The lots of the stock that expire before the order after this one arrives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.replenish.matching import lines_of
from sanhe.goods.replenish.ports import Forecast
from sanhe.models.inventory import Floats, Ints, expiring_unsold

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class DatedLots:
    """K lots of N lines, arrays [K] in the order of lines and expiries.

    `line`: 0..N-1. `days`: so many days it may still be sold, today among them; 0 = expired.
    `quantity`: what is left of it. `demand`: expected of the line on those days.
    """

    line: Ints
    days: Ints
    quantity: Ints
    demand: Floats

    def unsold(self, on_hand: Ints, promised: Ints) -> Ints:
        """Of the stock on hand [N] what will expire unsold, in whole units, >= 0.

        First expired, first out; what is promised to others goes out of the same lots.
        """
        units = expiring_unsold(
            self.line,
            self.days,
            self.quantity,
            demand=self.demand + promised[self.line],
            lines=on_hand.size,
        )
        unsold: Ints = np.minimum(np.rint(units).astype(np.int64), np.maximum(on_hand, 0))
        return unsold


def dated_lots(
    lots: pa.Table | None, forecast: Forecast, keys: pa.Table, *, cover_days: Floats
) -> DatedLots:
    """The lots of the lines `keys` (sku, place) that expire before their cover [N] ends."""
    import pyarrow as pa

    if lots is None or lots.num_rows == 0:
        none = np.zeros(0, np.int64)
        return DatedLots(none, none, none, np.zeros(0))
    line = lines_of(keys.column("sku"), keys.column("place"), of=lots)
    today = (forecast.as_of - date(1970, 1, 1)).days
    last_day = np.asarray(lots.column("expires").cast(pa.date32()).cast(pa.int32()), np.int64)
    days = np.maximum(last_day - today + 1, 0)
    before = np.flatnonzero((line >= 0) & (days < cover_days[line]))
    kept = before[np.lexsort((days[before], line[before]))]
    window = forecast.window(keys.take(line[kept]), days[kept])
    quantity = np.asarray(lots.column("quantity"), np.int64)[kept]
    return DatedLots(line[kept], days[kept], quantity, np.asarray(window.mean, np.float64))
