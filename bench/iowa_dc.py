"""Iowa liquor as a warehouse's daily panel: what it shipped of each item to the 153 kept stores.

Source: State of Iowa, data.iowa.gov (store_orders of the data folder). A store's order is the
warehouse's demand; returns (negative bottles) are left out. Items sold on at least `LEAST_DAYS`
days in the year before the replay. The season is that of each category, all its items together.
"""

import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sanhe.models.forecast import Panel, Season

LEAST_DAYS = 50
EARLIER_DAYS = 3 * 364
"""The season looks back so far before the panel."""


@dataclass(frozen=True, slots=True)
class Items:
    """The panel and, per series, pack (bottles a case), cost of a bottle in cents and category."""

    panel: Panel
    pack: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    cost_cents: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    category: tuple[str, ...]
    vendor: np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def read_items(
    folder: Path, *, first: datetime.date, last: datetime.date, seen: int, horizon_days: int
) -> Items:
    """The panel from `first` to `last`; items are chosen by the 365 days before day `seen`."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    begin = first - datetime.timedelta(days=EARLIER_DAYS)
    orders = pq.read_table(
        folder / "store_orders.parquet",
        columns=["date", "item_id", "bottles"],
        filters=[("date", ">=", begin), ("date", "<=", last), ("bottles", ">", 0)],
    )
    days = (last - first).days + 1
    day = orders["date"].cast("int32").to_numpy() - (begin - datetime.date(1970, 1, 1)).days
    ids, row = np.unique(orders["item_id"].to_numpy(), return_inverse=True)
    whole = np.zeros((len(ids), EARLIER_DAYS + days), np.float32)
    np.add.at(whole, (row, day), orders["bottles"].to_numpy())
    sales = whole[:, EARLIER_DAYS:]
    master = pq.read_table(folder / "items.parquet")
    master = master.filter(pc.is_in(master["item_id"], value_set=orders["item_id"].unique()))
    known = {int(one["item_id"]): one for one in master.to_pylist()}
    often = (sales[:, max(seen - 365, 0) : seen] > 0).sum(1) >= LEAST_DAYS
    chosen = np.array([n for n in np.flatnonzero(often) if int(ids[n]) in known])
    told = [known[int(ids[n])] for n in chosen]
    category = tuple(str(one["category"] or "unknown") for one in told)
    vendor = np.unique([str(one["vendor_id"]) for one in told], return_inverse=True)[1]
    kind = np.unique(category, return_inverse=True)[1]
    names = np.unique(category)
    of_item = [str((known.get(int(one)) or {}).get("category") or "unknown") for one in ids]
    group = np.searchsorted(names, of_item)
    mine = (group < len(names)) & (names[np.minimum(group, len(names) - 1)] == of_item)
    together = np.zeros((len(names), whole.shape[1]))
    np.add.at(together, group[mine], whole[mine])
    sales = sales[chosen]
    listed = np.cumsum(sales, axis=1) > 0
    static = np.stack([kind, vendor, np.arange(len(chosen))], axis=1)
    return Items(
        panel=Panel(
            sales=np.where(listed, sales, np.nan).astype(np.float32),
            in_stock=np.ones_like(sales),
            opened_empty=np.zeros(sales.shape, bool),
            static=static.astype(np.int32),
            static_names=("category_1", "vendor", "sku"),
            known=np.zeros((len(chosen), days + horizon_days, 0), np.float32),
            known_names=(),
            first_day=first,
            horizon_days=horizon_days,
            season=Season(together, kind.astype(np.int32)),
        ),
        pack=np.array([max(int(one["pack"] or 1), 1) for one in told], np.int64),
        cost_cents=np.array([100.0 * float(one["bottle_cost"] or 1) for one in told]),
        category=category,
        vendor=vendor.astype(np.int64),
    )
