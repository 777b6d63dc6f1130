"""Speed: proposals for 10,000, 100,000 and 1,000,000 SKU × place from given forecasts.

A made-up retailer of the wanted size (means by day, their dispersion, stock, open orders, terms,
prices, classes; the same numbers in every run) goes through `Replenish.propose` on the embedded
server: every line's arithmetic with its snapshot is computed, committed, and kept for comparison.
Each size has a fresh home and a process of its own. Then 2 % of the lines have other stock, and
only those are planned again, as `sanhe plan --changed` does after facts that touch them.

    python -m bench.plan_scale [--lines 10000 --lines 100000 --lines 1000000]

Figures: seconds_10k, seconds_100k, seconds_1m (wall, until all is kept), cpu_seconds of the
planning process by size, peak_rss_mb of it at the largest size, exponent (slope of log seconds over
log lines between the last two sizes), refresh_seconds by size, incremental_ratio (2 % of the lines
against all of them, at the largest size), and explain_ms among that many.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.results_file import Figure, write_results
from sanhe.core.settings import Settings
from sanhe.goods.demand import ForecastRun
from sanhe.goods.demand.run import History
from sanhe.goods.replenish import Assumptions, Known, Plan, Policy, keep_plan_lines
from sanhe.models.forecast import Dispersion, DispersionSet
from sanhe.wiring import Sanhe

AS_OF = date(2026, 3, 2)
HORIZON_DAYS = 28
SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
PLACES = 200
CHANGED_SHARE = 0.02


def given(lines: int) -> tuple[ForecastRun, Known]:
    """A forecast run of that many SKU × place, and what is known of them."""
    rng = np.random.default_rng(20260302)
    places = min(PLACES, lines // 100)
    skus = lines // places
    sku = pa.array([f"SKU{number:07d}" for number in range(skus)])
    place = pa.array([f"S{number:04d}" for number in range(places)])
    sku_at, place_at = np.repeat(np.arange(skus), places), np.tile(np.arange(places), skus)
    keys = {"sku": sku.take(pa.array(sku_at)), "place": place.take(pa.array(place_at))}
    level = np.exp(rng.normal(0.3, 1.0, skus))[sku_at] * rng.gamma(4.0, 0.25, places)[place_at]
    week = np.array([0.85, 0.85, 0.9, 0.95, 1.15, 1.25, 1.05], np.float32)
    mean = np.maximum(level, 0.4).astype(np.float32)[:, None] * np.tile(week, 4)
    mean *= rng.uniform(0.8, 1.25, mean.shape).astype(np.float32)
    run = _run(pa.table(keys), mean)
    lead = rng.integers(1, 8, skus)
    on_hand = np.floor(level * lead[sku_at] * rng.uniform(0.0, 0.6, lines)).astype(np.int64)
    return run, _known(rng, keys, on_hand, lead=lead)


def _run(keys: pa.Table, mean: np.ndarray) -> ForecastRun:
    lines = keys.num_rows
    spread = DispersionSet((Dispersion("counts", 0.4, 0.5), Dispersion("counts", 0.9, 0.6, 7)))
    nothing = np.zeros(lines, np.float32)
    return ForecastRun(
        id=f"bench-{lines}",
        as_of=AS_OF,
        horizon_days=HORIZON_DAYS,
        method="given",
        chosen={"counts": "given"},
        keys=keys,
        mean=mean,
        median=mean,
        counted=np.ones(lines, bool),
        scale=np.ones(lines),
        dispersion={"counts": spread, "quantities": spread},
        spread=np.ones(lines),
        holdout_wape={},
        history=History(
            last_days=nothing[:, None],
            days_seen=nothing.astype(np.int32),
            daily_mean=nothing,
            zero_share=nothing,
            stock_out_share=nothing,
            weekday_profile=nothing[:, None],
        ),
        notes=(),
        digest="",
    )


def _on_order(rng: np.random.Generator, keys: dict[str, pa.Array], lines: int) -> pa.Table:
    """An open order of one unit for a tenth of the lines."""
    ordered = np.sort(rng.choice(lines, lines // 10, replace=False))
    return pa.table(
        {
            "sku": keys["sku"].take(pa.array(ordered)),
            "place": keys["place"].take(pa.array(ordered)),
            "quantity": np.ones(len(ordered), np.int64),
            "due": pa.array([date(2026, 3, 3)] * len(ordered), pa.date32()),
        }
    )


def _prices(sku: pa.Array, cost: np.ndarray) -> pa.Table:
    """Prices with tax, 60 % above the cost."""
    return pa.table(
        {
            "sku": sku,
            "place": pa.nulls(len(sku), pa.string()),
            "price_cents": (cost * 1.6).astype(np.int64),
            "per_units": np.ones(len(sku), np.int64),
            "tax_included": [True] * len(sku),
            "tax_rate": np.full(len(sku), 0.13),
        }
    )


def _known(
    rng: np.random.Generator, keys: dict[str, pa.Array], on_hand: np.ndarray, *, lead: np.ndarray
) -> Known:
    lines, skus = len(on_hand), len(lead)
    sku = keys["sku"].unique()
    supplier = pa.array([f"V{number:03d}" for number in rng.integers(0, 300, skus)])
    cost = rng.integers(100, 5_000, skus)
    fresh = rng.random(skus) < 0.15
    life = pa.array(rng.integers(14, 40, skus), mask=~fresh)
    labels = np.array([a + x for a in "ABC" for x in "XYZ"])
    measured = np.sort(rng.choice(skus, skus // 2, replace=False))
    return Known(
        items=pa.table(
            {
                "sku": sku,
                "name": pa.array([f"article {number}" for number in range(skus)]),
                "base_unit": ["each"] * skus,
                "case_size": rng.choice([1, 6, 12], skus),
                "shelf_life_days": life,
            }
        ),
        positions=pa.table(
            {
                **keys,
                "net": on_hand,
                "reserved": rng.integers(0, 2, lines),
                "known_since": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * lines),
            }
        ),
        terms=pa.table(
            {
                "sku": sku,
                "place": pa.nulls(skus, pa.string()),
                "supplier": supplier,
                "unit_cost_cents": cost,
                "cost_per_case_cents": pa.nulls(skus, pa.int64()),
                "lead_time_days": lead,
                "moq": rng.choice([1, 1, 6], skus),
                "case_size": pa.array(rng.choice([1, 6, 12], skus), mask=rng.random(skus) < 0.2),
                "order_weekdays": pa.array(rng.choice(["1,2,3,4,5", "1,4", "1,2,3,4,5,6,7"], skus)),
                "priority": np.ones(skus, np.int64),
            }
        ),
        on_order=_on_order(rng, keys, lines),
        prices=_prices(sku, cost),
        lead_times=pa.table(
            {
                "supplier": supplier.take(pa.array(measured)),
                "sku": sku.take(pa.array(measured)),
                "n": rng.integers(1, 30, len(measured)),
                "mean_days": lead[measured] + rng.uniform(-0.5, 1.0, len(measured)),
                "sd_days": rng.uniform(0.1, 1.5, len(measured)),
            }
        ),
        classes=pa.table({**keys, "label": pa.array(labels[rng.integers(0, 9, lines)])}),
    )


def planned(
    sanhe: Sanhe, run: ForecastRun, known: Known, *, rows: np.ndarray | None = None
) -> tuple[Plan, float]:
    """Propose and keep, all lines or `rows`; the plan and its seconds."""
    began = time.perf_counter()
    computed: list[pa.Table] = []
    with sanhe.work(actor="planner") as work:
        replenish = work.replenish_with(Policy.load(), Assumptions.load())
        replenish.exclusive()
        made = replenish.propose(
            run, known, rows=rows, replace=rows is not None, computed=computed.append
        )
    for lines in computed:
        keep_plan_lines(sanhe.lake, AS_OF, lines, whole=rows is None)
    return made, time.perf_counter() - began


def touched(known: Known) -> tuple[np.ndarray, Known]:
    """2 % of the lines, drawn with a seed, and what is known with one unit less of them."""
    positions = known.positions
    assert positions is not None
    rng = np.random.default_rng(2)
    lines = positions.num_rows
    rows = np.sort(rng.choice(lines, int(lines * CHANGED_SHARE), replace=False))
    net = positions.column("net").to_numpy().copy()
    net[rows] -= 1
    at = positions.column_names.index("net")
    return rows, replace(known, positions=positions.set_column(at, "net", pa.array(net)))


def one_size(lines: int) -> dict[str, float]:
    """The figures of one size, in this process."""
    run, known = given(lines)
    with (
        tempfile.TemporaryDirectory(prefix="sanhe-b-") as home,
        Sanhe.open(Settings(home=Path(home))) as sanhe,
    ):
        cpu = time.process_time()
        made, seconds = planned(sanhe, run, known)
        cpu = time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows, moved = touched(known)
        again, refresh = planned(sanhe, run, moved, rows=rows)
        began = time.perf_counter()
        with sanhe.work(actor="planner") as work:
            work.replenish.explain(made.numbers[len(made.numbers) // 2])
        explain = time.perf_counter() - began
    if made.considered != lines or again.considered != len(rows):
        raise RuntimeError(f"{made.considered} and {again.considered} lines were planned")
    return {
        "proposed": made.proposed,
        "replaced": again.replaced,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "peak_rss_mb": round(peak),
        "refresh_seconds": round(refresh, 2),
        "explain_ms": round(explain * 1000, 1),
    }


def main() -> None:
    """Measure each size in a process of its own and write bench/results/plan_scale.json."""
    parser = argparse.ArgumentParser(description="Proposals of many lines")
    parser.add_argument("--lines", type=int, action="append", choices=list(SIZES.values()))
    parser.add_argument("--here", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps(one_size(asked.here)))
        return
    found: dict[str, dict[str, float]] = {}
    for name, lines in SIZES.items():
        if lines in (asked.lines or SIZES.values()):
            command = [sys.executable, "-m", "bench.plan_scale", "--here", str(lines)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[name] = json.loads(done.stdout.splitlines()[-1])
            print(name, found[name], flush=True)
    figures: dict[str, Figure] = {f"seconds_{name}": one["seconds"] for name, one in found.items()}
    largest = list(found)[-1]
    figures["peak_rss_mb"] = found[largest]["peak_rss_mb"]
    figures["incremental_ratio"] = round(
        found[largest]["refresh_seconds"] / found[largest]["seconds"], 4
    )
    for (small, one), (large, other) in zip(
        list(found.items())[:-1], list(found.items())[1:], strict=True
    ):
        times = SIZES[large] / SIZES[small]
        figures["exponent"] = round(math.log(other["seconds"] / one["seconds"], times), 3)
    for name in ("proposed", "replaced", "cpu_seconds", "refresh_seconds", "explain_ms"):
        figures[f"{name}_by_size"] = {size: one[name] for size, one in found.items()}
    print(f"written to {write_results('plan_scale', figures)}")


if __name__ == "__main__":
    main()
