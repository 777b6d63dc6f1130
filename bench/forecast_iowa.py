"""Categories a quarter ahead on Iowa's state warehouse: the champion against two plain averages.

Bottles by category and week, 13 weeks ahead, six quarterly origins; WAPE over category-weeks.
Each origin is fitted, and its blend weighed, only on what lies before it. All settings were
chosen on origins before 2019-07 (quarterly, 2017-07 to 2019-04), none on the weeks measured here.
The holidays of the horizon are known inputs.

    python -m bench.forecast_iowa --data FOLDER     (with dc_weekly.parquet and items.parquet)
"""

import argparse
import datetime
import itertools
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.results_file import Figure, Row, write_results
from sanhe.models.forecast import (
    WeeklyPanel,
    flat_mean,
    forecast_weekly,
    wape,
    weekly_calendar,
    weekly_seasonal_naive,
)

HORIZON_WEEKS = 13
FIRST_WEEKS = (
    datetime.date(2019, 7, 1),
    datetime.date(2019, 9, 30),
    datetime.date(2019, 12, 30),
    datetime.date(2020, 3, 30),
    datetime.date(2020, 6, 29),
    datetime.date(2020, 9, 28),
)
SOLD = """
    SELECT w.week_start AS week, coalesce(i.category, 'unknown') AS category,
           sum(w.bottles)::DOUBLE AS bottles
    FROM read_parquet($weekly) w LEFT JOIN read_parquet($items) i USING (item_id)
    GROUP BY ALL
"""


def read_categories(
    folder: Path,
) -> tuple[NDArray[np.float64], list[datetime.date], list[str]]:
    """Bottles [categories, weeks], the first days of the weeks, the categories."""
    import duckdb

    files = {"weekly": str(folder / "dc_weekly.parquet"), "items": str(folder / "items.parquet")}
    rows = duckdb.execute(SOLD, files).fetchall()
    weeks = sorted({row[0] for row in rows})
    categories = sorted({row[1] for row in rows})
    at_week = {week: at for at, week in enumerate(weeks)}
    at_category = {category: at for at, category in enumerate(categories)}
    sold = np.zeros((len(categories), len(weeks)))
    for week, category, bottles in rows:
        sold[at_category[category], at_week[week]] = bottles
    if {(b - a).days for a, b in itertools.pairwise(weeks)} != {7}:
        raise SystemExit("weeks are missing in dc_weekly.parquet")
    return np.maximum(sold, 0.0), weeks, categories


def american_holidays(years: range) -> list[list[datetime.date]]:
    """New Year, Memorial Day, Independence Day, Labor Day, Thanksgiving, Christmas."""
    return [
        [datetime.date(year, 1, 1) for year in years],
        [_weekday(datetime.date(year, 5, 25), 0) for year in years],
        [datetime.date(year, 7, 4) for year in years],
        [_weekday(datetime.date(year, 9, 1), 0) for year in years],
        [_weekday(datetime.date(year, 11, 22), 3) for year in years],
        [datetime.date(year, 12, 25) for year in years],
    ]


def _weekday(earliest: datetime.date, weekday: int) -> datetime.date:
    """The first such weekday on or after a day."""
    return earliest + datetime.timedelta(days=(weekday - earliest.weekday()) % 7)


def figures(folder: Path) -> dict[str, Figure]:
    """Run the six origins."""
    sold, weeks, categories = read_categories(folder)
    holidays = american_holidays(range(weeks[0].year - 1, weeks[-1].year + 2))
    calendar = weekly_calendar(weeks[0], len(weeks) + HORIZON_WEEKS, holidays)
    whole = WeeklyPanel(sold, calendar, HORIZON_WEEKS)
    rows: list[Row] = []
    cpu = time.process_time()
    for first in FIRST_WEEKS:
        at = weeks.index(first)
        panel = whole.cut(at)
        actual = sold[:, at : at + HORIZON_WEEKS]
        made = forecast_weekly(panel)
        rows.append(
            {
                "week": first.isoformat(),
                "wape_champion": round(wape(actual, made.mean), 4),
                "wape_flat_mean": round(wape(actual, flat_mean(panel)), 4),
                "wape_seasonal_naive": round(wape(actual, weekly_seasonal_naive(panel)), 4),
                "weights": " ".join(f"{name} {w:.1f}" for name, w in made.weights.items() if w),
            }
        )
        print(rows[-1], flush=True)
    cpu = time.process_time() - cpu
    better = np.minimum(_column(rows, "flat_mean"), _column(rows, "seasonal_naive"))
    return {
        "mean_wape_champion": round(float(_column(rows, "champion").mean()), 4),
        "mean_wape_better_baseline": round(float(better.mean()), 4),
        "worst_ratio_to_better_of_two": round(float((_column(rows, "champion") / better).max()), 4),
        "categories": len(categories),
        "cpu_seconds_per_origin": round(cpu / len(rows), 1),
        "origins": rows,
    }


def _column(rows: list[Row], name: str) -> NDArray[np.float64]:
    return np.array([row[f"wape_{name}"] for row in rows], np.float64)


def main() -> None:
    """Measure and write bench/results/forecast_iowa.json."""
    parser = argparse.ArgumentParser(description="Category forecast on Iowa liquor")
    parser.add_argument("--data", type=Path, required=True, help="folder of the Parquet files")
    found = figures(parser.parse_args().data)
    path = write_results("forecast_iowa", found)
    for name, value in found.items():
        print(f"{name}: {value}")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
