"""The stock of the weeks before the first plan, so that the cockpit's line has a past at once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.loop.desk import store

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.lake import Lake

PAST_DAYS: Final = 28

_KEYS: Final = ("region", "place", "category")


def past_sums(lake: Lake, as_of: date, sums: pa.Table) -> dict[date, pa.Table]:
    """The sums of the days before `as_of`, as far as stock is known now and movements tell.

    sums: those of `as_of`. What lay there on the morning of a day is what lies there now less what
    came in since, plus what went out, at the cost of now:

        stock(d) = stock(as_of) - sum over d <= t < as_of of (received + moved - sold)(t)

    Counts between the two are not used, so that shrink shows on the day of the newest count alone.
    The cost of a day's demand is that of now; the other figures are not known (null).
    """
    import pyarrow as pa

    changes = store.stock_changes(lake, as_of - timedelta(days=PAST_DAYS), as_of)
    keys = list(zip(*(sums[name].to_pylist() for name in _KEYS), strict=True))
    at = {key: row for row, key in enumerate(keys)}
    stock = np.asarray(sums["stock_cents"].to_numpy(), np.float64).copy()
    by_day: dict[date, list[tuple[int, float]]] = {}
    for row in changes.to_pylist():
        key = tuple(row[name] for name in _KEYS)
        if key in at:
            by_day.setdefault(row["day"], []).append((at[key], row["cents"]))
    found: dict[date, pa.Table] = {}
    for back in range(1, PAST_DAYS + 1):
        day = as_of - timedelta(days=back)
        for line, cents in by_day.get(day, ()):
            stock[line] -= cents
        told = {"stock_cents": np.maximum(stock, 0.0), "cost_a_day": sums["cost_a_day"]}
        columns = {
            name: sums[name] if name in _KEYS else told.get(name, pa.nulls(len(keys), pa.float64()))
            for name in sums.column_names
        }
        found[day] = pa.table(columns)
    return found
