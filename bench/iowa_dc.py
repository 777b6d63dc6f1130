"""Iowa liquor as a warehouse's daily panel: what it shipped of each item to the 153 kept stores.

Source: State of Iowa, data.iowa.gov (store_orders of the data folder). A store's order is the
warehouse's demand; returns (negative bottles) are left out. Items sold on at least `least_days`
days in the year before the replay.
"""

import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sanhe.models.forecast import Panel

LEAST_DAYS = 50


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

    orders = pq.read_table(
        folder / "store_orders.parquet",
        columns=["date", "item_id", "bottles"],
        filters=[("date", ">=", first), ("date", "<=", last), ("bottles", ">", 0)],
    )
    days = (last - first).days + 1
    day = orders["date"].cast("int32").to_numpy() - (first - datetime.date(1970, 1, 1)).days
    ids, row = np.unique(orders["item_id"].to_numpy(), return_inverse=True)
    sales = np.zeros((len(ids), days), np.float32)
    np.add.at(sales, (row, day), orders["bottles"].to_numpy())
    master = pq.read_table(folder / "items.parquet")
    master = master.filter(pc.is_in(master["item_id"], value_set=orders["item_id"].unique()))
    known = {int(one["item_id"]): one for one in master.to_pylist()}
    often = (sales[:, max(seen - 365, 0) : seen] > 0).sum(1) >= LEAST_DAYS
    chosen = np.array([n for n in np.flatnonzero(often) if int(ids[n]) in known])
    told = [known[int(ids[n])] for n in chosen]
    category = tuple(str(one["category"] or "unknown") for one in told)
    vendor = np.unique([str(one["vendor_id"]) for one in told], return_inverse=True)[1]
    kind = np.unique(category, return_inverse=True)[1]
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
        ),
        pack=np.array([max(int(one["pack"] or 1), 1) for one in told], np.int64),
        cost_cents=np.array([100.0 * float(one["bottle_cost"] or 1) for one in told]),
        category=category,
        vendor=vendor.astype(np.int64),
    )
