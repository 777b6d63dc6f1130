"""Lines and groups as one forecast: which way to reconcile them errs least, on which level.

FreshRetailNet, 20,000 SKU x store series drawn with a seed: third-level categories, cities and the
whole, the last six weekly origins, one week ahead. Iowa's 153 kept stores together: items,
categories and the whole at the six quarterly origins of `bench.forecast_iowa`, 13 weeks ahead; the
items are forecast 28 days ahead and their last week repeats, as the product does. What is judged
are weekly sums: WAPE of lines and of each level; line_sum: of each line's sum over the span, and
line_bias, as a low forecast flatters the WAPE of weeks without a sale. A group's outcome is all it
sold, items launched later included. Lines are the product's champion on sales as they come; groups
are `forecast_weekly` by themselves. The first three origins of each set ("tuning") and
the last three ("test") are told apart.

weighted: variances of lines from the run's distribution, of groups from their earlier errors.
weighted_10: lines ten times as unsure, as the product takes it where groups know a season.
structural: variance = number of lines.

    python -m bench.hierarchy --data DIRECTORY
"""

import argparse
import dataclasses
import datetime
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.forecast_iowa import FIRST_WEEKS, american_holidays
from bench.freshretailnet import HORIZON_DAYS, read_panel
from bench.league import LARGE_SETTINGS
from bench.results_file import Figure, write_results
from sanhe.goods.demand.methods import sized
from sanhe.goods.demand.rules import extend
from sanhe.models.forecast import (
    ACCURATE,
    Level,
    Panel,
    Season,
    WeeklyPanel,
    forecast,
    forecast_weekly,
    top_down,
    weekly_calendar,
    weighted,
)

SERIES, SEED, ORIGINS = 20_000, 20_254, 6
TUNED = 3
IOWA_FIRST = datetime.date(2012, 1, 2)
IOWA_WEEKS, RUN_DAYS, SEEN_DAYS, SEASON_DAYS = 13, 28, 730, 3 * 364
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
ORDERS = """
    SELECT o.item_id AS item, coalesce(i.category, 'unknown') AS category,
           date_diff('day', $first, o.date)::INTEGER AS day, sum(o.bottles)::DOUBLE AS bottles
    FROM read_parquet($orders) o LEFT JOIN read_parquet($items) i USING (item_id)
    WHERE o.bottles > 0 AND o.date >= $first GROUP BY ALL ORDER BY ALL
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Lines [M, H], the variance of their weeks [M], the levels and what came of both."""

    lines: F64
    variance: F64
    came: F64
    levels: dict[str, Level]
    groups_came: dict[str, F64]


def weeks(days: F32) -> F64:
    """Sums of whole weeks, [N, D // 7]; the last ones."""
    whole = days.shape[1] // 7
    grid = np.nan_to_num(days[:, days.shape[1] - 7 * whole :]).reshape(len(days), whole, 7)
    return np.asarray(grid.sum(2, dtype=np.float64), np.float64)


def grouped(code: I64, values: F64) -> F64:
    """Sums by group, [G, H]."""
    found = np.zeros((int(code.max()) + 1, values.shape[1]))
    np.add.at(found, code, values)
    return found


def level(
    sales: F64, mine: I64, *, start: datetime.date, ahead: int, events: list[list[datetime.date]]
) -> Level:
    """A level forecast by itself from its weekly sales [G, T]; mine: the group of each line."""
    calendar = weekly_calendar(start, sales.shape[1] + ahead, events)
    made = forecast_weekly(WeeklyPanel(sales, calendar, ahead))
    variance = np.full(len(sales), np.inf)
    if len(made.origins):
        error = made.errors["champion"].sum(0) / (len(made.origins) * ahead)
        variance = np.pi / 2 * error**2
    return Level(mine, made.mean, variance)


def fresh(path: Path) -> Iterator[Origin]:
    """SKU x store, categories, cities, the whole."""
    panel = read_panel(path)
    panel = panel.only(np.random.default_rng(SEED).permutation(panel.series)[:SERIES])

    def codes(name: str) -> I64:
        column = panel.static[:, panel.static_names.index(name)]
        return np.unique(column, return_inverse=True)[1].astype(np.int64)

    parts = {"category": codes("third_category_id"), "city": codes("city_id")}
    parts["whole"] = np.zeros(panel.series, np.int64)
    for origin in [panel.days - HORIZON_DAYS * back for back in range(ORIGINS, 0, -1)]:
        seen = panel.cut(origin)
        made = forecast(seen, sized(LARGE_SETTINGS, seen))
        lines, came = weeks(made.mean), weeks(panel.sales[:, origin : origin + HORIZON_DAYS])
        history = weeks(seen.sales)
        start = panel.first_day + datetime.timedelta(days=origin - 7 * history.shape[1])
        yield Origin(
            lines,
            np.asarray(made.dispersion.of(7).variance(lines[:, 0], spread=made.spread)),
            came,
            {
                name: level(grouped(code, history), code, start=start, ahead=1, events=[])
                for name, code in parts.items()
            },
            {name: grouped(code, came) for name, code in parts.items()},
        )


def iowa(folder: Path) -> Iterator[Origin]:
    """Items, categories, the whole."""
    import duckdb

    files = {"orders": folder / "store_orders.parquet", "items": folder / "items.parquet"}
    given = {**{name: str(path) for name, path in files.items()}, "first": IOWA_FIRST}
    rows = duckdb.execute(ORDERS, given).fetchnumpy()
    ids, row = np.unique(rows["item"], return_inverse=True)
    sold = np.zeros((len(ids), int(rows["day"].max()) + 1), np.float32)
    np.add.at(sold, (row, rows["day"]), rows["bottles"])
    names = np.empty(len(ids), object)
    names[row] = rows["category"]
    category = np.unique(names.astype(str), return_inverse=True)[1].astype(np.int64)
    for first in FIRST_WEEKS:
        yield iowa_origin(sold, category, (first - IOWA_FIRST).days)


def iowa_origin(sold: F32, category: I64, origin: int) -> Origin:
    """One origin: the items sold in the year before it."""
    live = sold[:, origin - 364 : origin].sum(1) > 0
    begin = origin - SEEN_DAYS
    listed = np.cumsum(sold[live, :origin], axis=1)[:, begin:] > 0
    sales = np.where(listed, sold[live, begin:origin], np.float32(np.nan)).astype(np.float32)
    mine = category[live]
    season = grouped(category, sold[:, begin - SEASON_DAYS : origin].astype(np.float64))
    panel = Panel(
        sales=sales,
        in_stock=np.ones_like(sales),
        opened_empty=np.zeros(sales.shape, bool),
        static=np.stack([mine, np.arange(len(mine))], axis=1).astype(np.int32),
        static_names=("category_1", "sku"),
        known=np.zeros((len(mine), SEEN_DAYS + RUN_DAYS, 0), np.float32),
        known_names=(),
        first_day=IOWA_FIRST + datetime.timedelta(days=begin),
        horizon_days=RUN_DAYS,
        season=Season(season, mine.astype(np.int32)),
    )
    # bench.segments: a simple method is the champion here at each of the six origins.
    made = forecast(panel, dataclasses.replace(ACCURATE, least_series=len(mine) + 1))
    lines = weeks(extend(made.mean, 7 * IOWA_WEEKS))
    ahead = sold[:, origin : origin + 7 * IOWA_WEEKS]
    history = weeks(sold[:, :origin])
    events = american_holidays(range(2011, 2023))
    start = IOWA_FIRST + datetime.timedelta(days=origin - 7 * history.shape[1])
    parts = {"category": (category, mine), "whole": (category * 0, mine * 0)}
    return Origin(
        lines,
        np.asarray(made.dispersion.of(7).variance(lines[:, 0], spread=made.spread)),
        weeks(ahead[live]),
        {
            name: level(grouped(code, history), own, start=start, ahead=IOWA_WEEKS, events=events)
            for name, (code, own) in parts.items()
        },
        {name: grouped(code, weeks(ahead)) for name, (code, _) in parts.items()},
    )


def ways(one: Origin) -> dict[str, F64]:
    """The reconciled lines of each way, [M, H]."""
    levels = list(one.levels.values())
    counted = [
        dataclasses.replace(
            each, variance=np.bincount(each.group, minlength=len(each.forecast)).astype(float)
        )
        for each in levels
    ]
    return {
        "bottom_up": one.lines,
        **{f"top_down_{name}": top_down(one.lines, each) for name, each in one.levels.items()},
        "weighted": weighted(one.lines, one.variance, levels),
        "weighted_10": weighted(one.lines, 10 * one.variance, levels),
        "structural": weighted(one.lines, np.ones(len(one.lines)), counted),
    }


def errors(one: Origin, span: slice) -> dict[str, float]:
    """WAPE of weekly sums by "way level"; "alone" is what each level said by itself."""

    def wape(told: F64, came: F64) -> float:
        return float(np.abs(told - came)[:, span].sum() / came[:, span].sum())

    found = {}
    for name, made in ways(one).items():
        found[f"{name} line"] = wape(made, one.came)
        sums, came = made[:, span].sum(1), one.came[:, span].sum(1)
        found[f"{name} line_sum"] = float(np.abs(sums - came).sum() / came.sum())
        found[f"{name} line_bias"] = float(sums.sum() / came.sum() - 1)
        for by, each in one.levels.items():
            found[f"{name} {by}"] = wape(each.sums(made), one.groups_came[by])
    for by, each in one.levels.items():
        found[f"alone {by}"] = wape(each.forecast, one.groups_came[by])
    return found


def figures(name: str, origins: Iterator[Origin], spans: dict[str, slice]) -> dict[str, Figure]:
    """Mean WAPE of the tuning and of the test origins."""
    told: dict[str, list[dict[str, float]]] = {span: [] for span in spans}
    for one in origins:
        for span, part in spans.items():
            told[span].append(errors(one, part))
        print(name, {span: rows[-1] for span, rows in told.items()}, flush=True)
    found: dict[str, Figure] = {}
    for span, rows in told.items():
        for half, some in (("tuning", rows[:TUNED]), ("test", rows[TUNED:])):
            found[f"{name}_{span}_{half}"] = {
                key: round(float(np.mean([row[key] for row in some])), 4) for key in rows[0]
            }
    return found


def main() -> None:
    """Measure and write bench/results/hierarchy.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    data = parser.parse_args().data
    quarter = {"weeks_1_4": slice(0, 4), "weeks_5_13": slice(4, None)}
    found = figures("iowa", iowa(data / "iowa_liquor"), quarter)
    path = data / "freshretailnet50k" / "train_daily.parquet"
    found |= figures("fresh", fresh(path), {"week_1": slice(None)})
    out = write_results("hierarchy", found)
    for name, value in found.items():
        print(f"{name}: {value}")
    print(f"written to {out}")


if __name__ == "__main__":
    main()
