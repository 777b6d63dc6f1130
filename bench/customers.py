"""What it is worth to know who bought: forecasts with and without customer features.

The Complete Journey: 2,469 households for a year. A SKU is a product type, a place a store; series
sold on 40 days and more. From the households, by category, store and week: how many bought; the
share of units of high-value households (the fifth that spent most in the 13 weeks before), of new
ones (first seen within four weeks) and of returning ones (8 weeks without a purchase). These become
`demand.customers` facts, and the panel is the product's own, with and without them. Each week of
the last six is forecast 7 days ahead by the global model on sales, two seeds; the mean is
judged. Every buyer of this set is a member, so that `member_share` can't be tried. The set is
simulated after a real one, and small: 2,469 households buy in 457 stores.

    python -m bench.customers --data DIRECTORY
"""

import argparse
import dataclasses
import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.results_file import Figure, write_results
from sanhe.core.facts import FACT_SCHEMA
from sanhe.core.lake import MemoryLake, write_facts
from sanhe.goods.demand import Demand
from sanhe.models.forecast import FAST, GlobalGbm, Panel, smoothed_mean, wape

if TYPE_CHECKING:
    import pyarrow as pa

LAST = datetime.date(2017, 12, 31)
"""The first day that is not used: the last week is whole."""
WEEKS, HORIZON_DAYS = 6, 7
SEEDS = (1, 2)
GBM = dataclasses.replace(FAST.gbm, target="sales", rows=100_000, trees=120)
VARIANTS = {"without": (), "all": None}
LINES = """
    CREATE TABLE line AS
    SELECT household_id AS household, 'S' || store_id AS place, product_type AS sku,
           coalesce(department, '') || '/' || product_category AS category,
           CAST(transaction_timestamp AS DATE) AS day, quantity, sales_value,
           date_diff('day', DATE '2017-01-01', CAST(transaction_timestamp AS DATE)) // 7 AS week
    FROM read_parquet($lines) JOIN read_parquet($products) USING (product_id)
    WHERE quantity BETWEEN 1 AND 100 AND product_type IS NOT NULL AND product_category IS NOT NULL
        AND CAST(transaction_timestamp AS DATE) < DATE '2017-12-31'
"""
# A product type that lies in several categories is taken into the one that sells most of it.
MASTER = """
    CREATE TABLE master AS
    SELECT sku, arg_max(category, units) AS category
    FROM (SELECT sku, category, sum(quantity) AS units FROM line GROUP BY ALL) GROUP BY sku
"""
HOUSEHOLDS = """
    CREATE TABLE state AS
    WITH spent AS (SELECT household, week, sum(sales_value) AS spent FROM line GROUP BY ALL),
    seen AS (SELECT household, min(week) AS first_week FROM line GROUP BY ALL),
    now AS (
        SELECT s.household, s.week, w.first_week,
            coalesce(sum(b.spent), 0) AS quarter,
            max(b.week) AS last_week
        FROM spent s JOIN seen w USING (household)
        LEFT JOIN spent b
            ON b.household = s.household AND b.week < s.week AND b.week >= s.week - 13
        GROUP BY ALL
    )
    SELECT household, week,
        quarter > 0 AND percent_rank() OVER (PARTITION BY week ORDER BY quarter) >= 0.8 AS high,
        week - first_week < 4 AS new,
        first_week < week AND (last_week IS NULL OR week - last_week > 8) AS returning_one
    FROM now
"""
SALES = """
    SELECT 'sale.day' AS type, sku, place, day, sum(quantity)::BIGINT AS quantity, '{}' AS payload
    FROM line JOIN (
        SELECT sku, place FROM line GROUP BY ALL HAVING count(DISTINCT day) >= 40
    ) USING (sku, place) GROUP BY ALL
"""
ITEMS = """
    SELECT 'item.described' AS type, sku, NULL AS place, DATE '2017-01-01' AS day,
        NULL::BIGINT AS quantity, json_object('name', sku, 'category', category) AS payload
    FROM master
"""
CUSTOMERS = """
    SELECT 'demand.customers' AS type, NULL AS sku, place,
        DATE '2017-01-01' + (7 * week)::INTEGER AS day, NULL::BIGINT AS quantity,
        json_object(
            'until', CAST(DATE '2017-01-01' + (7 * week + 6)::INTEGER AS VARCHAR),
            'category', master.category,
            'buyers', count(DISTINCT household),
            'high_value_share', sum(quantity) FILTER (high)::DOUBLE / sum(quantity),
            'new_share', coalesce(sum(quantity) FILTER (new), 0)::DOUBLE / sum(quantity),
            'returning_share',
            coalesce(sum(quantity) FILTER (returning_one), 0)::DOUBLE / sum(quantity)
        ) AS payload
    FROM line JOIN master USING (sku) JOIN state USING (household, week)
    GROUP BY place, week, master.category
"""


def facts(folder: Path) -> "pa.Table":
    """Sales, items and who bought as facts."""
    import duckdb
    import pyarrow as pa

    con = duckdb.connect()
    files = {"lines": folder / "transactions.parquet", "products": folder / "products.parquet"}
    con.execute(LINES, {name: str(path) for name, path in files.items()})
    con.execute(MASTER)
    con.execute(HOUSEHOLDS)
    tables = [con.sql(query).to_arrow_table() for query in (SALES, ITEMS, CUSTOMERS)]
    return pa.concat_tables([_complete(table) for table in tables])


def _complete(table: "pa.Table") -> "pa.Table":
    """The rows in FACT_SCHEMA, each with an id of its own."""
    import pyarrow as pa

    kind, rows = table["type"][0].as_py(), table.num_rows
    given = {
        "source": pa.array(["journey"] * rows),
        "external_id": pa.array([f"{kind}/{row}" for row in range(rows)]),
        "revision": pa.array(np.zeros(rows, np.int32)),
        "event_at": table["day"].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
    } | {name: table[name] for name in table.column_names}
    return pa.table(
        [
            given[field.name].cast(field.type)
            if field.name in given
            else pa.nulls(rows, field.type)
            for field in FACT_SCHEMA
        ],
        schema=FACT_SCHEMA,
    )


def variant(panel: Panel, kept: tuple[str, ...] | None) -> Panel:
    """The panel with some of the customer inputs; None = all."""
    inputs = [name for name in panel.known_names if name.startswith("customers_")]
    wanted = inputs if kept is None else [f"customers_{name}" for name in kept]
    return panel.without(tuple(name for name in inputs if name not in wanted))


def measured(demand: Demand) -> dict[str, Figure]:
    """WAPE by day and of the sums of each variant, over weeks and seeds."""
    days: dict[str, list[list[float]]] = {}
    sums: dict[str, list[list[float]]] = {}
    series = 0
    truth = demand.panel(LAST, horizon_days=HORIZON_DAYS)
    row = {tuple(key.values()): at for at, key in enumerate(truth.keys.to_pylist())}
    for back in range(WEEKS, 0, -1):
        origin = LAST - datetime.timedelta(days=back * HORIZON_DAYS)
        seen = demand.panel(origin, horizon_days=HORIZON_DAYS)
        at = [row[tuple(key.values())] for key in seen.keys.to_pylist()]
        first = (origin - truth.panel.first_day).days
        came = np.nan_to_num(truth.panel.sales[at, first : first + HORIZON_DAYS])
        series = seen.panel.series
        simple = smoothed_mean(seen.panel)
        made = {"smoothed_mean": [simple]}
        for name, kept in VARIANTS.items():
            panel = variant(seen.panel, kept)
            made[name] = [
                GlobalGbm(dataclasses.replace(GBM, seed=seed)).fit(panel).predict(panel)
                for seed in SEEDS
            ]
        for name, found in made.items():
            days.setdefault(name, []).append([wape(came, one) for one in found])
            sums.setdefault(name, []).append([wape(came.sum(1), one.sum(1)) for one in found])
        print(
            origin,
            {name: round(float(np.mean(one[-1])), 4) for name, one in sums.items()},
            flush=True,
        )
    seeds = np.array(sums["without"]).mean(0)
    return {
        "series": series,
        "weeks": WEEKS,
        "wape_of_days": {name: round(float(np.mean(one)), 4) for name, one in days.items()},
        "wape_of_sums": {name: round(float(np.mean(one)), 4) for name, one in sums.items()},
        "weeks_better_with_all": int((_means(sums["all"]) < _means(sums["without"])).sum()),
        "spread_between_seeds": round(float(seeds.max() - seeds.min()), 4),
    }


def _means(of_weeks: list[list[float]]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return np.array(of_weeks).mean(1)


def main() -> None:
    """Measure and write bench/results/customers.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    lake = MemoryLake()
    write_facts(lake, facts(parser.parse_args().data / "complete_journey"))
    found = measured(Demand(lake, customers=True))
    path = write_results("customers", found)
    for name, value in found.items():
        print(f"{name}: {value}")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
