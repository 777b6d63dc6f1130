"""Speed: proposals for 10,000, 100,000 and 1,000,000 SKU × place from given forecasts.

A made-up retailer of the wanted size (means by day, their dispersion, stock, open orders, terms,
prices, classes; the same numbers in every run) goes through `Replenish.propose` on the embedded
server: every line's arithmetic with its snapshot is computed and committed. Each size has a fresh
home and a process of its own. Then, as on the next morning, all are closed, 2 % of the lines have
other stock, and only those are planned again.

    python -m bench.plan_scale [--lines 10000 --lines 100000 --lines 1000000]

Figures: seconds_10k, seconds_100k, seconds_1m (wall, until the commit is done), cpu_seconds of
this process and server_cpu_seconds of the database by size, peak_rss_mb (of the planning process
at the largest size), exponent (slope of log seconds over log lines, between neighbouring sizes),
refresh_seconds and incremental_ratio (2 % of the lines against all of them), step_seconds, bytes
kept for a line, and what finding and explaining takes among that many.
"""

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa

from sanhe.goods.demand import ForecastRun
from sanhe.goods.demand.run import History
from sanhe.goods.replenish import Known
from sanhe.models.forecast import Dispersion, DispersionSet

AS_OF = date(2026, 3, 2)
HORIZON_DAYS = 28
SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
PLACES = 200
CHANGED_SHARE = 0.02
PLANNED_SECONDS, PLANNED_RATIO = 60.0, 0.1


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
