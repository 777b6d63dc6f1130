"""Speed: class one million SKU × place with money, age, excess and moves, in one process.

    python -m bench.health_scale [--lines 1000000]

Sums of sales, arrivals, positions, terms and prices are drawn at random (seed 1), as the lake's
SQL would give them; timed is what follows: classes, age, money, their sums, and the moves
against the week before. Figures: CPU seconds of each step and the peak memory of the process.
"""

import argparse
import resource
import time
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from bench.results_file import Figure, write_results
from sanhe.core.lake import MemoryLake
from sanhe.goods.health import (
    Cuts,
    Health,
    Window,
    Yardsticks,
    ageing,
    assess,
    cover,
    matrix,
    slow,
)
from sanhe.goods.replenish import Assumptions, Known, Policy

AS_OF = date(2025, 9, 22)
WINDOW = Window(AS_OF - timedelta(days=91), AS_OF)
PLACES = 100


def main() -> None:
    """Run the benchmark and write bench/results/health_scale.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000, help="SKU × place")
    lines: int = parser.parse_args().lines
    figures: dict[str, Figure] = {"lines": lines}
    history, arrivals, known = drawn(lines)
    yardsticks = Yardsticks(cuts=Cuts(), assumptions=Assumptions.load(), policy=Policy.load())
    health = Health(MemoryLake())

    def timed(name: str, began: float) -> None:
        figures[f"{name}_cpu_seconds"] = round(time.process_time() - began, 2)
        print(name, figures[f"{name}_cpu_seconds"])

    began = time.process_time()
    first = assess(history, arrivals, known, window=WINDOW, yardsticks=yardsticks)
    timed("assess", began)
    began = time.process_time()
    health.keep(AS_OF - timedelta(weeks=1), first)
    timed("keep", began)
    shaken = history.set_column(
        history.column_names.index("revenue_cents"),
        "revenue_cents",
        pa.array(history["revenue_cents"].to_numpy() * scatter(lines)),
    )
    began = time.process_time()
    second = assess(shaken, arrivals, known, window=WINDOW, yardsticks=yardsticks, before=first)
    timed("assess_held", began)
    health.keep(AS_OF, second)
    began = time.process_time()
    for sums in (matrix, ageing, cover, slow):
        sums(second)
    timed("sums", began)
    began = time.process_time()
    moves = health.moves()
    timed("moves", began)
    figures["moved_lines"] = moves.lines.num_rows
    figures["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    write_results("health_scale", figures)


def scatter(lines: int) -> np.ndarray:
    """How the revenue of each line changed in a week."""
    return np.exp(np.random.default_rng(2).normal(0.0, 0.3, lines))


def drawn(lines: int) -> tuple[pa.Table, pa.Table, Known]:
    """Sales sums, three arrivals a line, and what is known: half the lines sell seldom."""
    random = np.random.default_rng(1)
    skus = max(lines // PLACES, 1)
    names = pa.array([f"SKU-{n:07d}" for n in range(skus)])
    at = np.arange(lines)
    keys = {
        "sku": names.take(pa.array(np.minimum(at // PLACES, skus - 1))),
        "place": pa.array([f"ST-{n:03d}" for n in range(lines)])
        if lines < PLACES
        else pa.array([f"ST-{n:03d}" for n in range(PLACES)]).take(pa.array(at % PLACES)),
    }
    sale_days = random.integers(0, 92, lines)
    mean = random.lognormal(0.5, 1.0, lines)
    quantity = np.rint(sale_days * np.maximum(mean, 1.0))
    since = random.integers(1, 120, lines)
    day = np.datetime64(AS_OF)
    history = pa.table(
        {
            **keys,
            "first_seen": day - np.maximum(since, 400).astype("timedelta64[D]"),
            "last_sale": day - since.astype("timedelta64[D]"),
            "sale_days": sale_days,
            "quantity": quantity,
            "squares": quantity**2 / np.maximum(sale_days, 1) * random.uniform(1.0, 2.0, lines),
            "revenue_cents": quantity * random.integers(200, 5000, lines),
        }
    )
    arrivals = pa.concat_tables(
        pa.table(
            {
                **keys,
                "day": day - random.integers(start, start + 60, lines).astype("timedelta64[D]"),
                "quantity": random.integers(1, 40, lines).astype(np.float64),
            }
        )
        for start in (1, 61, 121)
    )
    return history, arrivals, known_of(keys, names, random)


def known_of(keys: dict[str, pa.Array], names: pa.Array, random: np.random.Generator) -> Known:
    """A position for every line; cost, price and shelf life for every SKU."""
    lines, skus = len(keys["sku"]), len(names)
    cost = random.integers(100, 4000, skus)
    everywhere = pa.nulls(skus, pa.string())
    return Known(
        positions=pa.table(
            {
                **keys,
                "net": random.integers(0, 120, lines),
                "reserved": np.zeros(lines, np.int64),
                "known_since": pa.repeat("2025-01-01", lines),
            }
        ),
        terms=pa.table(
            {
                "sku": names,
                "place": everywhere,
                "supplier": pa.repeat("V", skus),
                "unit_cost_cents": cost,
                "lead_time_days": random.integers(1, 15, skus),
                "priority": np.ones(skus, np.int64),
            }
        ),
        prices=pa.table(
            {
                "sku": names,
                "place": everywhere,
                "price_cents": np.rint(cost * random.uniform(0.95, 2.5, skus)).astype(np.int64),
                "tax_included": np.zeros(skus, bool),
                "tax_rate": np.zeros(skus),
            }
        ),
        items=pa.table(
            {
                "sku": names,
                "name": names,
                "base_unit": pa.repeat("each", skus),
                "shelf_life_days": random.integers(3, 400, skus),
            }
        ),
    )


if __name__ == "__main__":
    main()
