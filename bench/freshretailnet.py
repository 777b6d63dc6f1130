"""FreshRetailNet-50K as a panel: daily sales of store x product, stock-outs by hour, promotions.

Source: Dingdong-Inc/FreshRetailNet-50K (CC-BY-4.0). Quantities are normalised, not counts.
"""

import argparse
import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sanhe.models.forecast import FeatureNames, Panel

HORIZON_DAYS = 7
TEST_DAYS = 21
WEATHER = ("precpt", "avg_temperature", "avg_humidity", "avg_wind_level")
PROMOTION = ("discount", "activity_flag")
STATIC = (
    "city_id",
    "store_id",
    "management_group_id",
    "first_category_id",
    "second_category_id",
    "third_category_id",
    "product_id",
)
OPEN_HOURS = range(6, 22)
NAMES = FeatureNames(places=("city_id", "store_id"), prices=PROMOTION, rest_day="holiday_flag")


def data_path(description: str) -> Path:
    """The file named on the command line; ends with a clear message when it is not there."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="a FreshRetailNet Parquet file")
    path: Path = parser.parse_args().data
    if not path.is_file():
        parser.error(f"{path} is not a file; give the path of train_daily.parquet")
    return path


def read_panel(path: Path) -> Panel:
    """The whole file as a panel; known inputs after its last day are nan.

    The hour profile that weighs stock-outs is taken from the days before the test weeks, so that
    it knows nothing of the days to be forecast.
    """
    import pyarrow.parquet as pq

    known_names = (*PROMOTION, "holiday_flag", *WEATHER)
    columns = (*STATIC, "dt", "sale_amount", "stockout_mask", *known_names)
    table = pq.read_table(path, columns=list(columns))
    data = {name: table[name].to_numpy() for name in columns}
    first = data["dt"].min()
    day = (data["dt"] - first).astype("timedelta64[D]").astype(np.int64)
    key = data["store_id"].astype(np.int64) * 1_000_000 + data["product_id"]
    _, row, series = np.unique(key, return_index=True, return_inverse=True)
    shape = (len(row), int(day.max()) + 1)

    def grid(name: str, ahead_days: int = 0) -> NDArray[np.float32]:
        out = np.full((shape[0], shape[1] + ahead_days), np.nan, np.float32)
        out[series, day] = data[name]
        return out

    mask = np.full(shape, -1, np.int32)
    mask[series, day] = data["stockout_mask"]
    return Panel(
        sales=grid("sale_amount"),
        in_stock=_share(mask, hour_profile(path, max(shape[1] - TEST_DAYS, 1))),
        opened_empty=(mask >> OPEN_HOURS.start & 1) == 1,
        static=np.stack([data[name][row] for name in STATIC], axis=1).astype(np.int32),
        static_names=STATIC,
        known=np.stack([grid(name, HORIZON_DAYS) for name in known_names], axis=2),
        known_names=known_names,
        first_day=datetime.date.fromisoformat(str(first)),
        horizon_days=HORIZON_DAYS,
    )


def hour_profile(path: Path, profile_days: int) -> NDArray[np.float64]:
    """Share of a day's sales in each opening hour, from hours in stock of the first days."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sold, hours = np.zeros(24), np.zeros(24)
    first: Any = None
    file = pq.ParquetFile(path)
    for batch in file.iter_batches(200_000, columns=["dt", "hours_sale", "stockout_mask"]):
        days = batch.column("dt").cast(pa.int32()).to_numpy()
        first = int(days.min()) if first is None else min(first, int(days.min()))
        use = days < first + profile_days
        by_hour = batch.column("hours_sale").flatten().to_numpy().reshape(-1, 24)[use]
        mask = batch.column("stockout_mask").to_numpy()[use]
        for hour in OPEN_HOURS:
            stocked = (mask >> hour & 1) == 0
            sold[hour] += by_hour[stocked, hour].sum()
            hours[hour] += stocked.sum()
    rate = sold / np.maximum(hours, 1)
    return rate / rate.sum()


def _share(mask: NDArray[np.int32], profile: NDArray[np.float64]) -> NDArray[np.float32]:
    """Share of the selling day in stock; nan where there is no row."""
    share = np.zeros(mask.shape, np.float32)
    for hour in OPEN_HOURS:
        share += np.where((mask >> hour & 1) == 0, profile[hour], 0.0).astype(np.float32)
    return np.where(mask < 0, np.nan, np.minimum(share, 1.0)).astype(np.float32)
