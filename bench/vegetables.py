"""Vegetables of a Chinese supermarket, 7 days ahead, with the price as a known input.

Daily kilograms of each item that sold in the 28 days before an origin; eight origins six weeks
apart, WAPE over all items and days together. Two rows of the champion: the realised price of each
day taken as planned (a shop knows what it will ask), and the last price carried on (it doesn't
plan). Against the last same weekday and the mean of the last four same weekdays. A day on which an
item didn't sell has no price of its own: the last one holds. Nothing was tuned on these weeks.

    python -m bench.vegetables --data FILE     (daily_sales.parquet)
"""

import argparse
import dataclasses
import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.results_file import Figure, Row, write_results
from sanhe.goods.demand.methods import make
from sanhe.models.forecast import (
    ACCURATE,
    FeatureNames,
    Panel,
    same_weekday_mean,
    seasonal_naive,
    wape,
)

HORIZON_DAYS = 7
ORIGINS = 8
APART_DAYS = 42
LIVE_DAYS = 28
HISTORY_DAYS = 730
SETTINGS = dataclasses.replace(
    ACCURATE,
    gbm=dataclasses.replace(
        ACCURATE.gbm, target="sales", names=FeatureNames(prices=("price",)), threads=1
    ),
)
F32 = NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True)
class Shop:
    """sold, price: [N, T], kilograms and yuan a kilogram, nan where unknown; category: [N]."""

    sold: F32
    price: F32
    category: NDArray[np.int32]
    first_day: datetime.date


def read_shop(path: Path) -> Shop:
    """The whole file; a day on which nothing at all was sold is unknown."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    days = np.array(table["销售日期"].to_pylist(), "datetime64[D]")
    items, row = np.unique(table["单品编码"].to_numpy(), return_inverse=True)
    first = days.min()
    day = (days - first).astype(np.int64)
    sold = np.zeros((len(items), int(day.max()) + 1), np.float32)
    sold[row, day] = np.maximum(table["total_qty"].to_numpy(), 0)
    sold[:, ~np.isin(np.arange(sold.shape[1]), day)] = np.nan
    price = np.full(sold.shape, np.nan, np.float32)
    price[row, day] = table["avg_price"].to_numpy()
    category = np.zeros(len(items), np.int32)
    category[row] = np.unique(table["分类编码"].to_numpy(), return_inverse=True)[1]
    return Shop(sold, price, category, datetime.date.fromisoformat(str(first)))


def panel_at(shop: Shop, origin: int, *, planned: bool) -> tuple[Panel, F32]:
    """What was known at the origin, and what came, [N, H], of the items that were alive."""
    start, end = max(origin - HISTORY_DAYS, 0), origin + HORIZON_DAYS
    live = np.nansum(shop.sold[:, origin - LIVE_DAYS : origin], axis=1) > 0
    sold, price = shop.sold[live, start:end], shop.price[live, start:end].copy()
    days = origin - start
    if not planned:
        price[:, days:] = np.nan
    for at in range(1, price.shape[1]):
        price[:, at] = np.where(np.isnan(price[:, at]), price[:, at - 1], price[:, at])
    mean = np.nanmean(price[:, :days], axis=1, keepdims=True)
    ratio = np.nan_to_num(price / mean, nan=1.0).astype(np.float32)
    history = sold[:, :days].copy()
    history[np.cumsum(np.nan_to_num(history), axis=1) == 0] = np.nan  # before its first sale
    panel = Panel(
        sales=history,
        in_stock=np.full(history.shape, np.nan, np.float32),
        opened_empty=np.zeros(history.shape, bool),
        static=np.stack([shop.category[live], np.flatnonzero(live)], axis=1).astype(np.int32),
        static_names=("category_1", "sku"),
        known=ratio[:, :, None],
        known_names=("price",),
        first_day=shop.first_day + datetime.timedelta(days=start),
        horizon_days=HORIZON_DAYS,
    )
    return panel, sold[:, days:]


def figures(shop: Shop) -> dict[str, Figure]:
    """Run the origins."""
    last = shop.sold.shape[1] - HORIZON_DAYS
    origins = [last - APART_DAYS * back for back in range(ORIGINS)][::-1]
    rows: list[Row] = []
    actuals: list[F32] = []
    made: dict[str, list[F32]] = {}
    for origin in origins:
        dear, actual = panel_at(shop, origin, planned=True)
        blind, _ = panel_at(shop, origin, planned=False)
        champion = make(dear, "champion", SETTINGS)
        now = {
            "champion_planned_price": champion.median,
            "champion_last_price": make(blind, "champion", SETTINGS).median,
            "seasonal_naive": seasonal_naive(dear),
            "same_weekday_mean": same_weekday_mean(dear),
        }
        for name, one in now.items():
            made.setdefault(name, []).append(one)
        actuals.append(actual)
        first = shop.first_day + datetime.timedelta(days=origin)
        row: Row = {"day": first.isoformat(), "items": len(actual), "method": champion.chosen}
        row |= {f"wape_{name}": round(wape(actual, one), 4) for name, one in now.items()}
        rows.append(row)
        print(row, flush=True)
    everything = np.concatenate(actuals)
    pooled = {name: round(wape(everything, np.concatenate(one)), 4) for name, one in made.items()}
    return {
        **{f"wape_{name}": value for name, value in pooled.items()},
        "ratio_to_better_simple": round(
            pooled["champion_planned_price"]
            / min(pooled["seasonal_naive"], pooled["same_weekday_mean"]),
            4,
        ),
        "origins": rows,
    }


def main() -> None:
    """Measure and write bench/results/vegetables.json."""
    parser = argparse.ArgumentParser(description="Vegetables 7 days ahead with planned prices")
    parser.add_argument("--data", type=Path, required=True, help="daily_sales.parquet")
    found = figures(read_shop(parser.parse_args().data))
    path = write_results("vegetables", found)
    for name, value in found.items():
        print(f"{name}: {value}")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
