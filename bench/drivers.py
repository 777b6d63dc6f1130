"""What it costs to open a forecast into its drivers, and to refresh a kept run for some series.

A sample of FreshRetailNet series becomes facts (sales with stock-outs, promotions, holidays, the
weather as observed and, for the horizon, as if it had been forecast), and `Demand.forecast` runs
over a lake in memory. The last seven days are the horizon. CPU seconds are those of the process.
For the refresh 2 % of the series sell ten units more on the last day of history; then these are
predicted again with the kept model.

    python -m bench.drivers --data train_daily.parquet --series 5000

Figures: cpu_seconds_full; drivers_cpu_share (of the forecast's CPU, its panel included);
refresh_cpu_ratio (refresh over full forecast, panel included in both);
refresh_cpu_ratio_without_panel; largest_gap (between the mean and the sum of its drivers);
units by driver.
"""

import argparse
import sys
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.results_file import write_results
from sanhe.core.facts import FACT_SCHEMA
from sanhe.core.lake import MemoryLake, write_facts
from sanhe.goods.demand import DRIVERS, Demand

HORIZON_DAYS = 7
CHANGED_SHARE = 0.02
UNIT = 100
"""Sales are normalised quantities; they are kept as whole hundredths."""
WEATHER = {
    "precpt": "precipitation_mm",
    "avg_temperature": "temperature_c",
    "avg_humidity": "humidity",
    "avg_wind_level": "wind",
}


def main() -> None:
    """Measure and write bench/results/drivers.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a FreshRetailNet Parquet file")
    parser.add_argument("--series", type=int, default=5000, help="how many series to take")
    chosen = parser.parse_args()
    if not chosen.data.is_file():
        parser.error(f"{chosen.data} is not a file; give the path of train_daily.parquet")
    rows = sample(chosen.data, chosen.series)
    as_of = pc.max(rows["dt"]).as_py() - timedelta(days=HORIZON_DAYS - 1)
    lake = MemoryLake()
    write_facts(lake, facts(rows))
    demand = Demand(lake)
    marks: list[tuple[str, float]] = []

    def mark(what: str, _share: float) -> None:
        marks.append((what, time.process_time()))

    run = demand.forecast(as_of, HORIZON_DAYS, progress=mark)
    steps = {what: after - begun for (what, begun), (_, after) in pairwise(marks)}
    full = marks[-1][1] - marks[0][1]
    opening = steps["opening the forecast into its drivers"]
    grids = run.driver_grids()
    gap = float(np.abs(sum(grids.values()) - run.mean).max())
    changed = np.arange(0, run.keys.num_rows, round(1 / CHANGED_SHARE))
    keys = run.keys.take(pa.array(changed))
    write_facts(lake, sold_more(facts(rows), keys, as_of))
    begun = time.process_time()
    again = demand.refresh(run, keys)
    refresh = time.process_time() - begun
    if again.keys.num_rows != run.keys.num_rows or (again.mean == run.mean).all():
        sys.exit("the refresh changed nothing or lost series")
    panel = steps["building the panel"]
    write_results(
        "drivers",
        {
            "series": run.keys.num_rows,
            "horizon_days": HORIZON_DAYS,
            "method": ", ".join(run.chosen.values()),
            "cpu_seconds_full": round(full, 2),
            "cpu_seconds_panel": round(panel, 2),
            "cpu_seconds_drivers": round(opening, 2),
            "drivers_cpu_share": round(opening / full, 4),
            "refresh_cpu_seconds": round(refresh, 2),
            "refresh_cpu_ratio": round(refresh / full, 4),
            "largest_gap": gap,
            "units_by_driver": {n: round(float(grids[n].sum()) / UNIT, 1) for n in DRIVERS},
            "units": round(float(run.mean.sum()) / UNIT, 1),
            "steps": {name: round(seconds, 2) for name, seconds in steps.items()},
        },
    )


def sample(path: Path, series: int) -> pa.Table:
    """The rows of the first stores that hold about so many series."""
    columns = ["store_id", "product_id", "city_id", "dt", "sale_amount", "stock_hour6_22_cnt"]
    columns += ["discount", "activity_flag", "holiday_flag", "third_category_id", *WEATHER]
    rows = pq.read_table(path, columns=columns)
    last = rows.filter(pc.equal(rows["dt"], pc.max(rows["dt"])))
    stores, counts = np.unique(last["store_id"].to_numpy(), return_counts=True)
    rng = np.random.default_rng(1)
    order = rng.permutation(len(stores))
    taken = stores[order[: int(np.searchsorted(np.cumsum(counts[order]), series)) + 1]]
    return rows.filter(pc.is_in(rows["store_id"], pa.array(taken)))


def facts(rows: pa.Table) -> pa.Table:
    """The sample as facts of all kinds, in FACT_SCHEMA."""
    text = {name: pc.cast(rows[name], pa.string()) for name in ("store_id", "product_id")}
    day = pc.cast(rows["dt"], pa.date32())
    days = pc.cast(day, pa.string())
    stocked = pc.subtract(1.0, pc.divide(pc.cast(rows["stock_hour6_22_cnt"], "float64"), 16.0))
    sales = table(
        "sale.day",
        rows.num_rows,
        day=day,
        sku=text["product_id"],
        place=text["store_id"],
        quantity=pc.cast(pc.round(pc.multiply(rows["sale_amount"], UNIT)), pa.int64()),
        payload=_json(in_stock_share=stocked),
    )
    cut = pc.or_(pc.less(rows["discount"], 0.9999), pc.equal(rows["activity_flag"], 1))
    promoted = rows.filter(cut)
    told = pc.cast(pc.cast(promoted["dt"], pa.date32()), pa.string())
    promotions = table(
        "promotion.published",
        promoted.num_rows,
        day=pc.cast(promoted["dt"], pa.date32()),
        sku=pc.cast(promoted["product_id"], pa.string()),
        place=pc.cast(promoted["store_id"], pa.string()),
        payload=_json(
            activity=pc.if_else(pc.equal(promoted["activity_flag"], 1), "true", "false"),
            discount=promoted["discount"],
            until=pc.binary_join_element_wise('"', told, '"', ""),
        ),
    )
    items = _distinct(rows, "product_id", "third_category_id")
    described = table(
        "item.described",
        items.num_rows,
        sku=items["product_id"],
        payload=_json(
            base_unit=pa.repeat(f'"{1 / UNIT:g} each"', items.num_rows),
            category=pc.binary_join_element_wise('"C', items["third_category_id"], '"', ""),
        ),
    )
    shops = _distinct(rows, "store_id", "city_id")
    placed = table(
        "place.described",
        shops.num_rows,
        place=shops["store_id"],
        payload=_json(city=pc.binary_join_element_wise('"', shops["city_id"], '"', "")),
    )
    parts = [sales, promotions, described, placed, *_by_city(rows), *_holidays(rows)]
    del days
    return pa.concat_tables(parts)


def _by_city(rows: pa.Table) -> list[pa.Table]:
    """The weather of each city and day: observed, and the same as if it had been forecast."""
    mean = rows.group_by(["city_id", "dt"]).aggregate([(name, "mean") for name in WEATHER])
    payload = _json(
        city=pc.binary_join_element_wise('"', pc.cast(mean["city_id"], pa.string()), '"', ""),
        **{name: mean[f"{column}_mean"] for column, name in WEATHER.items()},
    )
    day = pc.cast(mean["dt"], pa.date32())
    kinds = ("weather.observed", "weather.forecast")
    ahead = pc.subtract(pc.cast(day, pa.timestamp("us", "UTC")), pa.scalar(timedelta(days=10)))
    return [table(kind, mean.num_rows, day=day, at=ahead, payload=payload) for kind in kinds]


def _holidays(rows: pa.Table) -> list[pa.Table]:
    """Days off, weekends among them as the file has them."""
    marked = rows.filter(pc.equal(rows["holiday_flag"], 1))
    days = pc.cast(pc.unique(marked["dt"]), pa.date32())
    payload = pa.repeat('{"kind":"public","name":"day off"}', len(days))
    return [table("holiday.declared", len(days), day=days, payload=payload)]


def _distinct(rows: pa.Table, name: str, other: str) -> pa.Table:
    first = rows.group_by([name]).aggregate([(other, "min")]).rename_columns([name, other])
    return pa.table({one: pc.cast(first[one], pa.string()) for one in (name, other)})


def _json(**fields: pa.Array) -> pa.Array:
    """JSON objects of columns; texts must come quoted."""
    parts: list[pa.Array | str] = []
    for at, (name, values) in enumerate(sorted(fields.items())):
        parts += [f'{"," if at else "{"}"{name}":', pc.cast(values, pa.string())]
    return pc.binary_join_element_wise(*parts, "}", "")


def table(kind: str, count: int, **columns: pa.Array) -> pa.Table:
    """Facts of one kind; their ids are their numbers."""
    day = columns.get("day", pa.repeat(pa.scalar(0, pa.int32()).cast(pa.date32()), count))
    at = columns.get("at", pc.cast(day, pa.timestamp("us", "UTC")))
    full = {
        "type": pa.repeat(kind, count),
        "source": pa.repeat("bench", count),
        "external_id": pc.cast(pa.array(np.arange(count)), pa.string()),
        "revision": pa.repeat(pa.scalar(0, pa.int32()), count),
        "event_at": at,
        "day": day,
        **{name: values for name, values in columns.items() if name not in ("day", "at")},
    }
    return pa.table(
        [
            pa.chunked_array([pa.nulls(count, field.type)])
            if field.name not in full
            else pa.chunked_array(
                full[field.name].chunks
                if isinstance(full[field.name], pa.ChunkedArray)
                else [full[field.name]]
            ).cast(field.type)
            for field in FACT_SCHEMA
        ],
        schema=FACT_SCHEMA,
    )


def sold_more(all_facts: pa.Table, keys: pa.Table, as_of: object) -> pa.Table:
    """The facts with ten units more on the last day before as_of for some series."""
    wanted = set(zip(keys["sku"].to_pylist(), keys["place"].to_pylist(), strict=True))
    assert isinstance(as_of, type(pc.max(all_facts["day"]).as_py()))
    last = pc.equal(all_facts["day"], pa.scalar(as_of - timedelta(days=1)))
    mine = pc.and_(pc.equal(all_facts["type"], "sale.day"), last).to_numpy(zero_copy_only=False)
    quantity = all_facts["quantity"].to_pylist()
    for row in np.flatnonzero(mine):
        if (all_facts["sku"][row].as_py(), all_facts["place"][row].as_py()) in wanted:
            quantity[row] += 10 * UNIT
    at = all_facts.schema.get_field_index("quantity")
    return all_facts.set_column(at, FACT_SCHEMA.field("quantity"), pa.array(quantity, pa.int64()))


if __name__ == "__main__":
    main()
