"""How fast the API answers with a million SKU × place planned, proposed and laid out.

The made-up retailer of `bench.plan_scale` is planned into a fresh embedded database (992,000 open
decisions), its lines are laid out, and each operation of a page is asked again and again in one
process, signed in, over the application itself (no network). A place's lines, a search, sorted
lists, a deep page: every request is another one.

    python -m bench.api_scale [--lines 1000000] [--times 60]

Figures: p50_ms, p95_ms and least_ms of each operation (the least is what it takes where nothing
else runs, and its answer may have been kept), p95_ms_all over all of them, seconds_plan (proposals
kept) and seconds_laid_out (what pages read), first_page_ms (lists come into memory). `load` is the
machine's load average, as timings depend on it.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from starlette.testclient import TestClient

from bench.plan_scale import AS_OF, given, planned
from bench.results_file import Figure, write_results
from sanhe.core.settings import Settings
from sanhe.goods.demand.store import save_run
from sanhe.goods.health import BUCKETS
from sanhe.goods.replenish import Known, kept_plan_lines
from sanhe.loop.desk import Desk
from sanhe.web import make_app
from sanhe.wiring import Sanhe

PASSWORD = "a long way to the sea"
REGIONS = 8
CATEGORIES = 60


def health_of(known: Known) -> pa.Table:
    """A health table of the lines: classes as known, money and ages drawn with a seed."""
    positions = known.positions
    assert positions is not None and known.classes is not None
    rng, lines = np.random.default_rng(3), positions.num_rows
    on_hand = positions["net"].to_numpy().astype(float)
    stock = (on_hand * rng.integers(100, 5_000, lines)).astype(np.int64)
    parts = {f"cents_{name}": np.zeros(lines, np.int64) for name in BUCKETS}
    parts[f"cents_{BUCKETS[0]}"] = stock
    return pa.table(
        {
            "sku": positions["sku"],
            "place": positions["place"],
            "label": known.classes["label"],
            "on_hand": on_hand,
            "daily_mean": rng.gamma(1.0, 1.0, lines),
            "price_cents": rng.uniform(200, 8_000, lines),
            "margin_rate": rng.uniform(0.1, 0.5, lines),
            "stock_value_cents": stock,
            "excess_cents": (stock * (rng.random(lines) < 0.05)).astype(np.int64),
            "expiring_cents": (stock * (rng.random(lines) < 0.02)).astype(np.int64),
            "dead": rng.random(lines) < 0.02,
            "days_since_sale": rng.integers(0, 60, lines),
            "age_days": rng.uniform(0, 120, lines),
            **parts,
        }
    )


def laid_out(sanhe: Sanhe, known: Known) -> float:
    """Lay the plan out; the seconds it takes."""
    assert known.items is not None
    skus = known.items.num_rows
    items = known.items.append_column(
        "category", pa.array([f"Food/C{number % CATEGORIES:02d}" for number in range(skus)])
    )
    lines = kept_plan_lines(sanhe.lake, AS_OF)
    names = sorted(set(lines["place"].to_pylist()))
    regions = [f"R{number % REGIONS}" for number in range(len(names))]
    health = health_of(known)
    began = time.perf_counter()
    places = pa.table({"id": names, "region": regions})
    Desk(sanhe.lake).keep(AS_OF, lines, health=health, items=items, places=places)
    return time.perf_counter() - began


def asked(numbers: tuple[int, ...], lines: pa.Table) -> dict[str, Callable[[int], str]]:
    """The address of the n-th request of each operation."""
    skus, places = lines["sku"].to_pylist(), lines["place"].to_pylist()
    step = max(len(skus) // 997, 1)

    def line(n: int) -> tuple[str, str]:
        at = n * step % len(skus)
        return skus[at], places[at]

    return {
        "workbench": lambda n: f"/api/workbench?limit=200&offset={200 * n}",
        "workbench_sorted": lambda n: f"/api/workbench?sort=cover_days&limit=200&offset={200 * n}",
        "workbench_deep": lambda n: f"/api/workbench?limit=200&offset={400_000 + 200 * n}",
        "workbench_place": lambda n: f"/api/workbench?place={line(n)[1]}&limit=200",
        "workbench_search": lambda n: f"/api/workbench?search={line(n)[0][3:]}&limit=200",
        "exceptions": lambda n: f"/api/exceptions?region=R{n % REGIONS}&limit=200",
        "cockpit": lambda n: f"/api/cockpit?region=R{n % REGIONS}",
        "health": lambda n: f"/api/health?region=R{n % REGIONS}",
        "slow": lambda n: f"/api/health/slow?limit=200&offset={200 * n}",
        "line": lambda n: f"/api/lines/{line(n)[1]}/{line(n)[0]}",
        "decisions": lambda n: f"/api/decisions?status=proposed&limit=200&offset={200 * n}",
        "decisions_all": lambda n: f"/api/decisions?limit=200&offset={200 * n}",
        "decisions_place": lambda n: f"/api/decisions?place={line(n)[1]}&limit=200",
        "decisions_category": lambda n: (
            f"/api/decisions?category=Food/C{n % CATEGORIES:02d}&limit=200"
        ),
        "decisions_deep": lambda n: (
            f"/api/decisions?status=proposed&limit=200&offset={400_000 + 200 * n}"
        ),
        "waterfall": lambda n: "/api/decisions/waterfall",
        "decision": lambda n: f"/api/decisions/{numbers[n * 997 % len(numbers)]}",
        "scope": lambda n: "/api/scope",
        "search": lambda n: f"/api/search?q={line(n)[0]}",
    }


def timed(client: TestClient, address: Callable[[int], str], times: int) -> np.ndarray:
    """The milliseconds of so many requests."""
    took = []
    for n in range(times):
        began = time.perf_counter()
        answer = client.get(address(n))
        took.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200:
            raise RuntimeError(f"{address(n)}: {answer.text[:500]}")
    return np.array(took)


def measured(lines: int, times: int) -> dict[str, Figure]:
    """All figures."""
    run, known = given(lines)
    with (
        tempfile.TemporaryDirectory(prefix="sanhe-b-") as home,
        Sanhe.open(Settings(home=Path(home))) as sanhe,
    ):
        made, seconds = planned(sanhe, run, known)
        figures: dict[str, Figure] = {"lines": lines, "seconds_plan": round(seconds, 1)}
        figures["seconds_laid_out"] = round(laid_out(sanhe, known), 1)
        save_run(sanhe.lake, run, data_stamp="")
        with sanhe.work(actor="admin") as work:
            work.access.add("planner", PASSWORD, roles=["planner"])
        with TestClient(make_app(sanhe)) as client:
            client.post("/api/session", json={"name": "planner", "password": PASSWORD})
            began = time.perf_counter()
            client.get("/api/workbench")
            figures["first_page_ms"] = round(1000 * (time.perf_counter() - began))
            took = {
                name: timed(client, address, times)
                for name, address in asked(made.numbers, run.keys).items()
            }
    for share in (50, 95):
        figures[f"p{share}_ms"] = {
            name: round(float(np.percentile(one, share)), 1) for name, one in took.items()
        }
    figures["least_ms"] = {name: round(float(one.min()), 1) for name, one in took.items()}
    figures["p95_ms_all"] = round(float(np.percentile(np.concatenate([*took.values()]), 95)), 1)
    figures["load"] = round(os.getloadavg()[0], 1)
    return figures


def main() -> None:
    """Measure and write bench/results/api_scale.json."""
    parser = argparse.ArgumentParser(description="The API with a million lines")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=60)
    chosen = parser.parse_args()
    figures = measured(chosen.lines, chosen.times)
    for name, value in figures.items():
        print(f"{name}: {value}")
    print(f"written to {write_results('api_scale', figures)}")


if __name__ == "__main__":
    main()
