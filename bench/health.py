"""Inventory health on real sales: money by class, lines that change class a week, dead stock.

    python -m bench.health --data FOLDER

FOLDER holds online_retail/online_retail.parquet (CC0), iowa_liquor/store_orders.parquet and
items.parquet (the first 30 stores; orders of stores count as their sales) and
freshretailnet50k/train_daily.parquet (every tenth series; quantities times 1000).

Each week is assessed twice on the same sales: by the plain cuts, and with each line held near
its class of the week before. A flip is a line whose first two letters (value, regularity) differ
from the week before. The band was chosen on the tuning weeks, those before the test weeks.

What is assumed: no set tells stock, so each line holds 28 days of its mean daily sale since its
first sale, and at least one unit; online_retail has no cost (the margin is taken as 30 %).
FreshRetailNet has 90 days, so its window is 42 days in place of 91.

Figures, per set: flips_plain, flips_held (share of lines a week, mean over the test weeks),
differs (share of lines that hysteresis holds in another class than the cuts would give), flips
by band on the tuning weeks; on the last day lines, share of value, of lines and of assumed stock
money by class, and dead_share of the stock money, dead_cents.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.results_file import Figure, write_results
from sanhe.core.lake import FACTS_FOLDER, MemoryLake
from sanhe.goods.health import Cuts, Health, matrix
from sanhe.goods.replenish import Known

Line = tuple[str, str]
SALES = FACTS_FOLDER + "sale.day"
SHARES = ("lines", "value", "stock_value_cents")
BANDS = (0.1, 0.2, 0.3)
SHIPPED = Cuts().band
WEEK = timedelta(weeks=1)

ONLINE_RETAIL = """
SELECT StockCode AS sku, 'WEB' AS place, CAST(InvoiceDate AS DATE) AS day,
    CAST(sum(Quantity) AS BIGINT) AS quantity,
    CAST(round(sum(Quantity * UnitPrice) * 100) AS BIGINT) AS amount_cents
FROM '{folder}/online_retail/online_retail.parquet'
WHERE Quantity > 0 AND UnitPrice > 0 GROUP BY ALL
"""
IOWA = """
SELECT CAST(item_id AS VARCHAR) AS sku, CAST(store_id AS VARCHAR) AS place, date AS day,
    CAST(sum(bottles) AS BIGINT) AS quantity,
    CAST(round(sum(dollars) * 100) AS BIGINT) AS amount_cents
FROM '{folder}/iowa_liquor/store_orders.parquet'
WHERE bottles > 0 AND date >= DATE '2019-06-01' AND store_id IN (
    SELECT DISTINCT store_id FROM '{folder}/iowa_liquor/store_orders.parquet'
    ORDER BY store_id LIMIT 30)
GROUP BY ALL
"""
FRESH = """
SELECT CAST(product_id AS VARCHAR) AS sku, CAST(store_id AS VARCHAR) AS place, dt AS day,
    CAST(round(sale_amount * 1000) AS BIGINT) AS quantity, CAST(NULL AS BIGINT) AS amount_cents
FROM '{folder}/freshretailnet50k/train_daily.parquet'
WHERE (CAST(store_id AS BIGINT) * 1000 + product_id) % 10 = 0 AND sale_amount > 0
"""
MEAN_PRICES = """
SELECT sku, CAST(round(sum(amount_cents) / sum(quantity)) AS BIGINT) AS price_cents
FROM sale GROUP BY sku
"""
ITEMS = """
SELECT CAST(item_id AS VARCHAR) AS sku, vendor AS supplier, 1 AS priority,
    CAST(round(bottle_cost * 100) AS BIGINT) AS unit_cost_cents,
    CAST(round(bottle_retail * 100) AS BIGINT) AS price_cents
FROM '{folder}/iowa_liquor/items.parquet' WHERE bottle_retail > 0 AND bottle_cost > 0
"""
STOCK = """
SELECT sku, place, greatest(1, CAST(ceil(28.0 * sum(quantity) / date_diff('day', min(day),
    DATE '{as_of}')) AS BIGINT)) AS net, 0 AS reserved, '{as_of}' AS known_since
FROM sale WHERE day < DATE '{as_of}' GROUP BY ALL
"""


@dataclass(frozen=True)
class Shop:
    """One data set: its sales in a lake, money and assumed stock, and the weeks looked at."""

    name: str
    lake: MemoryLake
    known: Known
    window_days: int
    tuning: tuple[date, ...]
    test: tuple[date, ...]


def main() -> None:
    """Run the benchmark and write bench/results/health.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of public data sets")
    folder: Path = parser.parse_args().data
    figures: dict[str, Figure] = {"band": SHIPPED}
    for shop in shops(folder):
        told = figures_of(shop)
        figures |= {f"{shop.name}_{name}": figure for name, figure in told.items()}
        for name, figure in told.items():
            print(shop.name, name, figure)
    write_results("health", figures)


def shops(folder: Path) -> Iterator[Shop]:
    """The data sets, one after the other."""
    yield shop_of("online_retail", ONLINE_RETAIL, folder, weeks=(18, 18))
    yield shop_of("iowa", IOWA, folder, weeks=(26, 26))
    yield shop_of("freshretailnet", FRESH, folder, weeks=(3, 4), window_days=42)


def shop_of(
    name: str, sql: str, folder: Path, *, weeks: tuple[int, int], window_days: int = 91
) -> Shop:
    """Read one data set: its last weeks are the test weeks, those before the tuning weeks."""
    connection = duckdb.connect()
    sale = connection.sql(sql.format(folder=folder)).to_arrow_table()
    connection.register("sale", sale)
    end: date = pc.max(sale["day"]).as_py() + timedelta(days=1)
    lake = MemoryLake()
    lake.write(SALES, facts(sale), details={"plain": True})
    days = [end - WEEK * back for back in range(sum(weeks), -1, -1)]
    split = weeks[0] + 1
    return Shop(
        name=name,
        lake=lake,
        known=known_of(connection, name, folder, as_of=end),
        window_days=window_days,
        tuning=tuple(days[:split]),
        test=tuple(days[split - 1 :]),
    )


def facts(sale: pa.Table) -> pa.Table:
    """Daily sales as the lake keeps facts."""
    count = sale.num_rows
    numbers = pa.array(np.arange(count)).cast(pa.string())
    return pa.table(
        {
            "type": pa.repeat("sale.day", count),
            "source": pa.repeat("bench", count),
            "external_id": numbers,
            "revision": pa.array(np.zeros(count, np.int32)),
            "event_at": sale["day"].cast(pa.timestamp("us", "UTC")),
            "day": sale["day"].cast(pa.date32()),
            "sku": sale["sku"].cast(pa.string()),
            "place": sale["place"].cast(pa.string()),
            "party": pa.nulls(count, pa.string()),
            "quantity": sale["quantity"],
            "amount_cents": sale["amount_cents"],
            "currency": pa.nulls(count, pa.string()),
            "payload": pa.repeat("{}", count),
        }
    )


def known_of(
    connection: duckdb.DuckDBPyConnection, name: str, folder: Path, *, as_of: date
) -> Known:
    """Assumed stock, and what money the set tells: FreshRetailNet none, Iowa cost and price."""
    stock = connection.sql(STOCK.format(as_of=as_of)).to_arrow_table()
    if name == "freshretailnet":
        return Known(positions=stock)
    if name == "online_retail":
        return Known(positions=stock, prices=priced(connection.sql(MEAN_PRICES).to_arrow_table()))
    items = connection.sql(ITEMS.format(folder=folder)).to_arrow_table()
    terms = items.select(["sku", "supplier", "unit_cost_cents", "priority"])
    terms = terms.append_column("place", pa.nulls(items.num_rows, pa.string()))
    return Known(positions=stock, prices=priced(items.select(["sku", "price_cents"])), terms=terms)


def priced(prices: pa.Table) -> pa.Table:
    """Prices without tax, for every place."""
    count = prices.num_rows
    return (
        prices.append_column("place", pa.nulls(count, pa.string()))
        .append_column("tax_included", pa.array(np.zeros(count, bool)))
        .append_column("tax_rate", pa.array(np.zeros(count)))
    )


def figures_of(shop: Shop) -> dict[str, Figure]:
    """All figures of one data set."""
    weeks = (*shop.tuning, *shop.test[1:])
    plain = classes(shop, weeks, None)
    tried = {band: classes(shop, shop.tuning, band) for band in BANDS}
    held = classes(shop, weeks, SHIPPED)
    tuned = len(shop.tuning)
    by_band = {f"{band}": flips(found) for band, found in tried.items()}
    return {
        "tuning_flips_by_band": {"plain": flips(plain[:tuned]), **by_band},
        "tuning_differs_by_band": {
            f"{band}": differs(plain[:tuned], found) for band, found in tried.items()
        },
        "flips_plain": flips(plain[tuned - 1 :]),
        "flips_held": flips(held[tuned - 1 :]),
        "differs": differs(plain[tuned:], held[tuned:]),
        **last_day(shop),
    }


def classes(shop: Shop, days: tuple[date, ...], band: float | None) -> list[dict[Line, str]]:
    """The first two letters of each line on each day; `band` None = by the plain cuts."""
    lake = MemoryLake()
    lake.write(SALES, shop.lake.read(SALES), details={"plain": True})
    health = Health(lake, cuts=Cuts(band=band or 0.0), window_days=shop.window_days)
    money = Known(prices=shop.known.prices, terms=shop.known.terms)
    found = []
    for day in days:
        table = health.table(day, money)
        if band is not None:
            health.keep(day, table)
        keys = zip(table["sku"].to_pylist(), table["place"].to_pylist(), strict=True)
        labels = [label[:2] for label in table["label"].to_pylist()]
        found.append(dict(zip(keys, labels, strict=True)))
    return found


def flips(weeks: list[dict[Line, str]]) -> float:
    """Mean share of the lines of two weeks whose class is not the same in both."""
    return share_unlike(list(pairwise(weeks)))


def differs(plain: list[dict[Line, str]], held: list[dict[Line, str]]) -> float:
    """Mean share of lines that are held in another class than the cuts give them."""
    return share_unlike(list(zip(plain, held, strict=True)))


def share_unlike(pairs: list[tuple[dict[Line, str], dict[Line, str]]]) -> float:
    """Mean over pairs: of the lines in both, the share whose class differs."""
    shares = []
    for one, other in pairs:
        both = one.keys() & other.keys()
        shares.append(sum(one[key] != other[key] for key in both) / len(both))
    return round(float(np.mean(shares)), 4)


def last_day(shop: Shop) -> dict[str, Figure]:
    """Lines, value and assumed stock money by class on the last day, and the dead part of it."""
    table = Health(shop.lake, window_days=shop.window_days).table(shop.test[-1], shop.known)
    cells = matrix(table).to_pylist()
    totals = {name: sum(cell[name] for cell in cells) or 1 for name in SHARES}
    shares = {
        name: {c["abc"] + c["xyz"]: round(c[name] / totals[name], 4) for c in cells}
        for name in SHARES
    }
    dead = sum(cell["dead_value_cents"] for cell in cells)
    return {
        "lines": table.num_rows,
        "basis": table["basis"][0].as_py(),
        **{f"{name}_by_class": by_class for name, by_class in shares.items()},
        "dead_lines": sum(cell["dead_lines"] for cell in cells),
        "dead_cents": dead,
        "dead_share": round(dead / totals["stock_value_cents"], 4),
    }


if __name__ == "__main__":
    main()
