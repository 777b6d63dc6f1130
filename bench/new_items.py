"""New items: the first 28 days of a SKU x place, against the mean of its category.

Cases, each asked 0, 7 and 14 days after the start, for the rest of the first 28 days:

* iowa_items: items first sold after the data's first year, by week (the first four weeks), all
  stores together; every launch week of 2019 and 2020.
* iowa_store_items: the same for SKU x store, 50 stores, every other week of 2019 and 2020.
* fresh_known_sku: FreshRetailNet series hidden up to day 62 (the SKU sells elsewhere).
* fresh_new_sku: all series of FreshRetailNet SKUs hidden up to day 62.

The rules were tuned with `--tune`: on Iowa 2015-2016, and on FreshRetailNet series hidden up to
day 34, drawn with another seed, up to day 61; those figures are not kept.
The category mean is what a planner without a model takes: the mean daily sales over the last 28
days of the selling series of the finest category level with at least three of them. bias is of
the sum over all new series; wape is of the sum of each series over the days asked for.

    python -m bench.new_items --data FOLDER [--tune]

FOLDER holds freshretailnet50k/ and iowa_liquor/.
"""

import argparse
import dataclasses
import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.freshretailnet import NAMES, read_panel
from bench.results_file import Figure, write_results
from sanhe.models.forecast import (
    FeatureNames,
    LaunchSettings,
    Panel,
    launched,
    same_weekday_mean,
)

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
AFTER = (0, 7, 14)
DAYS = 28
WEEKLY = LaunchSettings(young_days=4, curve_days=(0, 1, 2, 3, 4), window_days=26, least_like=3)
PLACES = FeatureNames().places


@dataclasses.dataclass(slots=True)
class Tally:
    """Sums of each new series: sold, our mean and median, the category mean."""

    sold: list[F64] = dataclasses.field(default_factory=list)
    ours: list[F64] = dataclasses.field(default_factory=list)
    median: list[F64] = dataclasses.field(default_factory=list)
    category: list[F64] = dataclasses.field(default_factory=list)

    def add(self, sold: F64, made: tuple[F32, F32], category: F64) -> None:
        """New series of one origin; made: mean and median, [n, days]."""
        self.sold.append(sold)
        self.ours.append(made[0].sum(1, dtype=np.float64))
        self.median.append(made[1].sum(1, dtype=np.float64))
        self.category.append(category)

    def figures(self, name: str) -> dict[str, Figure]:
        """bias, WAPE and the category mean's, by name."""
        parts = (self.sold, self.ours, self.median, self.category)
        sold, ours, median, category = (np.concatenate(part) for part in parts)
        total = max(sold.sum(), 1e-9)
        return {
            f"{name}_bias": round(float(ours.sum() / total - 1), 4),
            f"{name}_wape": round(float(np.abs(median - sold).sum() / total), 4),
            f"{name}_wape_of_mean": round(float(np.abs(ours - sold).sum() / total), 4),
            f"{name}_bias_category_mean": round(float(category.sum() / total - 1), 4),
            f"{name}_wape_category_mean": round(float(np.abs(category - sold).sum() / total), 4),
            f"{name}_series": len(sold),
        }


def category_mean(panel: Panel, selling: NDArray[np.bool_], days: int) -> F64:
    """Mean sales a step of the selling series of the finest level with three of them, [N]."""
    recent = panel.sales[:, -days:]
    seen = (~np.isnan(recent)).sum(1)
    own = np.nan_to_num(recent).sum(1) / np.maximum(seen, 1)
    level = np.full(panel.series, own[selling].mean())
    columns = [
        panel.static[:, k]
        for k, name in enumerate(panel.static_names)
        if "category" in name or name == "management_group_id"
    ]
    for code in sorted(columns, key=lambda one: int(one.max())):
        count = np.bincount(code, selling)[code]
        total = np.bincount(code, own * selling)[code]
        level = np.where(count >= 3, total / np.maximum(count, 1), level)
    return level


# ------------------------------------------------------------------------------------- Iowa


@dataclasses.dataclass(frozen=True, slots=True)
class Weekly:
    """Weekly series: sales [N, T] with nan before the first, static codes, first week."""

    sales: F32
    static: NDArray[np.int32]
    names: tuple[str, ...]
    traits: NDArray[np.int32]
    trait_names: tuple[str, ...]
    first_week: datetime.date
    start: NDArray[np.int64]


def iowa(folder: Path, *, stores: int) -> Weekly:
    """All items by week, or items of some stores (stores > 0)."""
    import pyarrow.parquet as pq

    if stores:
        table = pq.read_table(folder / "store_orders.parquet")
        data = {name: table[name].to_numpy() for name in ("date", "store_id", "item_id", "bottles")}
        chosen = np.unique(data["store_id"])
        chosen = np.random.default_rng(7).permutation(chosen)[:stores]
        keep = np.isin(data["store_id"], chosen)
        data = {name: values[keep] for name, values in data.items()}
    else:
        table = pq.read_table(folder / "dc_weekly.parquet")
        data = {name: table[name].to_numpy() for name in ("week_start", "item_id", "bottles")}
        data["date"] = data["week_start"]
        data["store_id"] = np.zeros(len(data["date"]), np.int64)
    days = data["date"].astype("datetime64[D]").astype(np.int64)
    monday = days - (days + 3) % 7
    week = (monday - monday.min()) // 7
    key = data["store_id"].astype(np.int64) * 10_000_000 + data["item_id"]
    _, row, series = np.unique(key, return_index=True, return_inverse=True)
    sales = np.zeros((len(row), int(week.max()) + 1), np.float32)
    np.add.at(sales, (series, week), np.maximum(data["bottles"], 0))
    start = (sales > 0).argmax(1)
    sales[np.arange(sales.shape[1])[None, :] < start[:, None]] = np.nan
    items = {int(r["item_id"]): r for r in pq.read_table(folder / "items.parquet").to_pylist()}
    about = [items.get(int(item), {}) for item in data["item_id"][row]]
    columns = {
        "store": data["store_id"][row],
        "category_1": np.array([str(one.get("category") or "") for one in about]),
        "sku": data["item_id"][row],
    }
    cost = np.array([float(one.get("bottle_cost") or 0) for one in about])
    traits = {
        "brand": np.array([str(one.get("vendor") or "") for one in about]),
        "size": np.array([int(one.get("volume_ml") or 0) for one in about]),
        "pack": np.array([int(one.get("pack") or 0) for one in about]),
        "price": np.round(2 * np.log2(np.maximum(cost, 0.5))),
        "priced_category": np.char.add(
            columns["category_1"], np.round(np.log2(np.maximum(cost, 0.5))).astype(str)
        ),
        "sized_category": np.char.add(
            columns["category_1"], np.array([str(one.get("volume_ml") or 0) for one in about])
        ),
    }
    return Weekly(
        sales,
        _coded(columns),
        tuple(columns),
        _coded(traits),
        tuple(traits),
        datetime.date(1970, 1, 1) + datetime.timedelta(days=int(monday.min())),
        start.astype(np.int64),
    )


def _coded(columns: dict[str, NDArray]) -> NDArray[np.int32]:  # type: ignore[type-arg]
    codes = [np.unique(values, return_inverse=True)[1] for values in columns.values()]
    return np.stack(codes, axis=1).astype(np.int32)


def weekly_case(
    data: Weekly, name: str, *, first: datetime.date, last: datetime.date, step: int
) -> dict[str, Figure]:
    """Launches of each week from `first` to `last`."""
    tallies = {days: Tally() for days in AFTER}
    begin = (first - data.first_week).days // 7
    end = min((last - data.first_week).days // 7, data.sales.shape[1] - 5)
    for week in range(begin, end, step):
        for days in AFTER:
            _weekly_origin(data, week, days // 7, tally=tallies[days])
    found: dict[str, Figure] = {}
    for days, tally in tallies.items():
        found |= tally.figures(f"{name}_day_{days}")
    return found


def _weekly_origin(data: Weekly, week: int, passed: int, *, tally: Tally) -> None:
    origin, horizon = week + passed, 4 - passed
    first = max(0, origin - 104)
    recent = np.nansum(data.sales[:, max(0, week - 26) : week], axis=1)
    asked = data.start == week
    keep = np.flatnonzero((recent > 0) & (data.start < origin) | asked)
    asked = asked[keep]
    if not asked.any():
        return
    sales = data.sales[keep, first:origin]
    size = sales.shape
    panel = Panel(
        sales=sales,
        in_stock=np.ones(size, np.float32),
        opened_empty=np.zeros(size, bool),
        static=data.static[keep],
        static_names=data.names,
        known=np.zeros((size[0], size[1] + horizon, 0), np.float32),
        known_names=(),
        first_day=data.first_week,
        horizon_days=horizon,
        traits=data.traits[keep],
        trait_names=data.trait_names,
    )
    later = sales.copy()
    later[data.start[keep][:, None] == np.arange(first, origin)[None, :]] = np.nan
    seen = ~np.isnan(later[:, -13:])
    flat = np.nan_to_num(later[:, -13:]).sum(1) / np.maximum(seen.sum(1), 1)
    mean = np.repeat(flat[:, None], horizon, axis=1).astype(np.float32)
    made = launched(panel, mean, mean, places=PLACES, settings=WEEKLY)
    settled = (~np.isnan(sales)).sum(1) >= 4
    naive = category_mean(panel, settled, 4)
    actual = data.sales[keep][asked, origin : origin + horizon].sum(1, dtype=np.float64)
    tally.add(actual, (made.mean[asked], made.median[asked]), naive[asked] * horizon)


# --------------------------------------------------------------------------- FreshRetailNet


def fresh_case(
    panel: Panel, name: str, *, start: int, new_sku: bool, seed: int
) -> dict[str, Figure]:
    """Hide a tenth of the series up to `start`, then ask for the rest of their first 28 days.

    Five tenths are hidden in turn: which SKUs they are matters much where SKUs are hidden whole.
    """
    column = panel.static[:, panel.static_names.index("product_id")] if new_sku else None
    units = np.arange(panel.series) if column is None else column
    turn = np.random.default_rng(seed).permutation(int(units.max()) + 1)[units] % 10
    tallies = {days: Tally() for days in AFTER}
    for part in range(5):
        for days, tally in tallies.items():
            _fresh_origin(panel, turn == part, tally, start=start, days=days)
    found: dict[str, Figure] = {}
    for days, tally in tallies.items():
        found |= tally.figures(f"{name}_day_{days}")
    return found


def _fresh_origin(
    panel: Panel, hidden: NDArray[np.bool_], tally: Tally, *, start: int, days: int
) -> None:
    sales = panel.sales.copy()
    sales[hidden, :start] = np.nan
    seen = dataclasses.replace(panel, sales=sales, known=panel.known[:, :, :0], known_names=())
    seen = seen.cut(start + days, DAYS - days)
    mean = same_weekday_mean(seen)
    made = launched(seen, mean, mean, places=NAMES.places)
    naive = category_mean(seen, ~hidden, DAYS)
    actual = panel.sales[hidden, start + days : start + DAYS].sum(1, dtype=np.float64)
    tally.add(actual, (made.mean[hidden], made.median[hidden]), naive[hidden] * (DAYS - days))


def main() -> None:
    """Measure and write bench/results/new_items.json."""
    parser = argparse.ArgumentParser(description="New items: bias and WAPE of the first 28 days")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--tune", action="store_true", help="the earlier weeks; nothing is kept")
    parser.add_argument("--only", default="", help="one of fresh, iowa_items, iowa_store_items")
    chosen = parser.parse_args()
    found: dict[str, Figure] = {}
    year = 2015 if chosen.tune else 2019
    span = (datetime.date(year, 1, 5), datetime.date(year + 2, 1, 1))
    for name, stores, step in (("iowa_items", 0, 1), ("iowa_store_items", 50, 2)):
        if chosen.only in ("", name):
            step = step * (2 if chosen.tune and not stores else 1)
            data = iowa(chosen.data / "iowa_liquor", stores=stores)
            _report(found, weekly_case(data, name, first=span[0], last=span[1], step=step))
    if chosen.only in ("", "fresh"):
        panel = read_panel(chosen.data / "freshretailnet50k" / "train_daily.parquet")
        rng = np.random.default_rng(3 if chosen.tune else 4)
        panel = panel.only(np.sort(rng.permutation(panel.series)[:15_000]))
        start, seed = (34, 11) if chosen.tune else (62, 12)
        for name, new_sku in (("fresh_known_sku", False), ("fresh_new_sku", True)):
            _report(found, fresh_case(panel, name, start=start, new_sku=new_sku, seed=seed))
    if not chosen.tune and not chosen.only:
        print(f"written to {write_results('new_items', found)}")


def _report(found: dict[str, Figure], more: dict[str, Figure]) -> None:
    found |= more
    for name, value in more.items():
        print(f"{name}: {value}", flush=True)


if __name__ == "__main__":
    main()
