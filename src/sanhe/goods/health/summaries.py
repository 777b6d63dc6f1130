"""Sums over the health table for people: by class, by age, by cover, and what to clear first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.goods.health.labels import letters
from sanhe.goods.health.layers import BUCKETS

if TYPE_CHECKING:
    import pyarrow as pa

COVER_DAYS: Final = (8, 15, 31, 61, 91, 181)
"""The first day of each bar of the cover histogram after the first."""

COVER_BARS: Final = ("0_7", "8_14", "15_30", "31_60", "61_90", "91_180", "over_180", "no_sale")
"""The bars of the cover histogram; `no_sale` holds stock that sold nothing in the window."""

_MATRIX: Final = [
    *("abc", "xyz", "lines", "stock_value_cents", "dead_lines", "dead_value_cents", "value"),
    *("cover_days", "excess_cents", "expiring_cents"),
]

SLOW_COVER_DAYS: Final = 91
"""Stock that lasts so long at the present rate is slow (滞销)."""


def matrix(table: pa.Table) -> pa.Table:
    """The health matrix: one row for each abc × xyz that occurs, in their order.

    Columns: abc, xyz, lines, stock_value_cents, dead_lines, dead_value_cents, value,
    cover_days (of the lines that hold stock and sell, weighed by cost; null without any),
    excess_cents, expiring_cents.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    held = _money(table, "stock_value_cents")
    moving = pc.greater(pc.fill_null(table.column("cover_days"), 0.0), 0.0)
    cover = pc.if_else(moving, table.column("cover_days"), 1.0)
    cells = pa.table(
        {
            "abc": table.column("abc"),
            "xyz": table.column("xyz"),
            "stock_value_cents": held,
            "dead_lines": table.column("dead").cast(pa.int64()),
            "dead_value_cents": pc.if_else(table.column("dead"), held, 0),
            "value": table.column("value"),
            "moving": pc.if_else(moving, held, 0),
            # The cost of a line's daily sales is its stock over its cover.
            "a_day": pc.if_else(moving, pc.divide(held.cast(pa.float64()), cover), 0.0),
            "excess_cents": _money(table, "excess_cents"),
            "expiring_cents": _money(table, "expiring_cents"),
        }
    )
    summed = _summed(cells, ("abc", "xyz"))
    a_day = summed.column("a_day")
    some = pc.if_else(pc.greater(a_day, 0.0), a_day, None)
    summed = summed.append_column("cover_days", pc.divide(summed.column("moving"), some))
    return summed.select(_MATRIX)


def ageing(table: pa.Table) -> pa.Table:
    """The stock money by class and age: a row for each abc × xyz × bucket that holds any.

    Columns: abc, xyz, bucket (days since the goods arrived, see BUCKETS; in their order), lines
    (with stock in the bucket), stock_value_cents.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = []
    for at, bucket in enumerate(BUCKETS):
        cents = _money(table, f"cents_{bucket}")
        part = pa.table(
            {
                "abc": table.column("abc"),
                "xyz": table.column("xyz"),
                "at": pa.repeat(pa.scalar(at, pa.int64()), table.num_rows),
                "stock_value_cents": cents,
            }
        )
        parts.append(_summed(part.filter(pc.greater(cents, 0)), ("abc", "xyz", "at")))
    joined = pa.concat_tables(parts).sort_by([(name, "ascending") for name in ("abc", "xyz", "at")])
    named = letters(BUCKETS, joined.column("at").to_numpy())
    joined = joined.append_column("bucket", named)
    return joined.select(["abc", "xyz", "bucket", "lines", "stock_value_cents"])


def cover(table: pa.Table) -> pa.Table:
    """The stock by how long it lasts: a row for each bar of COVER_BARS.

    Columns: days (the bar), lines, stock_value_cents. Lines without stock, or with stock that
    was never counted, are left out.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    held = table.filter(pc.greater(pc.fill_null(table.column("on_hand"), 0), 0))
    lasts = held.column("cover_days").fill_null(np.inf).to_numpy()
    bar = np.where(
        np.isinf(lasts), len(COVER_BARS) - 1, np.searchsorted(COVER_DAYS, lasts, side="right")
    )
    cents = _money(held, "stock_value_cents").to_numpy()
    # Whole cents stay whole below 2^53 when summed as floats.
    money = np.bincount(bar, cents, len(COVER_BARS)).astype(np.int64)
    return pa.table(
        {
            "days": pa.array(COVER_BARS, pa.string()),
            "lines": np.bincount(bar, minlength=len(COVER_BARS)),
            "stock_value_cents": money,
        }
    )


def slow(table: pa.Table, *, cover_days: int = SLOW_COVER_DAYS) -> pa.Table:
    """Dead stock, and stock that lasts `cover_days` or more; most money first.

    The columns of the health table; `cover_days` is the time to clear it at the present rate.
    """
    import pyarrow.compute as pc

    lasting = pc.greater_equal(pc.fill_null(table.column("cover_days"), 0.0), float(cover_days))
    found = table.filter(pc.or_(table.column("dead"), lasting))
    order = [("stock_value_cents", "descending"), ("sku", "ascending"), ("place", "ascending")]
    return found.sort_by(order)


def of_class(table: pa.Table, label: str) -> pa.Table:
    """The lines whose label begins with `label`."""
    import pyarrow.compute as pc

    return table.filter(pc.starts_with(table.column("label"), label))


def _money(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A column of money; none where the stock was never counted."""
    import pyarrow.compute as pc

    return pc.fill_null(table.column(name), 0)


def _summed(table: pa.Table, keys: tuple[str, ...]) -> pa.Table:
    """The sums of all other columns by key, and how many `lines`; in the order of the keys."""
    names = [name for name in table.column_names if name not in keys]
    asked = [*((name, "sum") for name in names), ([], "count_all")]
    summed = table.group_by(list(keys)).aggregate(asked)
    renamed = [name.removesuffix("_sum") for name in summed.column_names]
    renamed[renamed.index("count_all")] = "lines"
    return summed.rename_columns(renamed).sort_by([(name, "ascending") for name in keys])
