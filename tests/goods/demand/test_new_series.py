"""New SKU x places in the product: forecast, kept, refreshed and opened into drivers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from sanhe.core.facts import Fact, facts_table
from sanhe.core.lake import MemoryLake, write_facts
from sanhe.goods.demand import Demand, ForecastRun
from sanhe.models.forecast import FAST
from tests.goods.demand.facts_of import day, fact, item, lake_of, sold

DAYS = 70
SKUS, PLACES = 10, 8
NEW, DAY_0, LATE = ("S7", "P2"), ("S4", "P6"), ("S5", "P5")
"""NEW sold for three days, DAY_0 was only put on the shelf, LATE is 20 days old."""


def level(sku: int, place: int) -> float:
    """Units a day: the size of the SKU times the size of the place."""
    return 1.5 * (1 + sku % 5) * (0.6 + 0.2 * place)


def chain() -> Iterator[Fact]:
    """Ten SKUs at eight places; a week with a weekend."""
    rng = np.random.default_rng(8)
    for sku in range(SKUS):
        yield item(f"S{sku}", name=f"S{sku}", category=f"C{sku // 5}")
        for place in range(PLACES):
            key = (f"S{sku}", f"P{place}")
            start = {NEW: DAYS - 3, DAY_0: DAYS, LATE: DAYS - 20}.get(key, 0)
            for at in range(start, DAYS):
                quantity = int(rng.poisson(level(sku, place) * (1.5 if at % 7 >= 5 else 0.8)))
                yield sold(*key, at, quantity)
    yield fact("stock.counted", DAYS - 1, sku=DAY_0[0], place=DAY_0[1], quantity=12)


def forecast(lake: MemoryLake, method: str) -> ForecastRun:
    return Demand(lake, settings=FAST).forecast(day(DAYS), 14, method)


def of(run: ForecastRun, key: tuple[str, str]) -> float:
    return float(run.mean[run.row(*key)].mean())


@pytest.mark.parametrize(
    "method", ["champion", "gbm", "same_weekday_mean", "tsb", "seasonal_naive"]
)
def test_new_series_are_expected_to_sell_like_their_sisters_here(method: str) -> None:
    run = forecast(lake_of(chain()), method)
    for key in (NEW, DAY_0):
        sku, place = int(key[0][1:]), int(key[1][1:])
        assert of(run, key) == pytest.approx(level(sku, place), rel=0.35)
    assert (run.mean >= 0).all() and np.isfinite(run.mean).all()
    assert (run.median <= run.mean + 1e-3)[run.row(*DAY_0)].all()


def keys(*pairs: tuple[str, str]) -> pa.Table:
    return pa.table({"sku": [sku for sku, _ in pairs], "place": [place for _, place in pairs]})


def drivers(run: ForecastRun, key: tuple[str, str]) -> dict[str, NDArray[np.float64]]:
    """Each driver of one series, day by day."""
    days = [run.drivers(keys(key), 1, start_days=at) for at in range(run.horizon_days)]
    return {name: np.array([one[name][0] for one in days]) for name in days[0]}


@pytest.mark.parametrize("method", ["gbm", "tsb"])
def test_a_refresh_gives_new_series_the_numbers_of_the_run(method: str) -> None:
    demand = Demand(lake_of(chain()), settings=FAST)
    first = demand.forecast(day(DAYS), 14, method)
    again = demand.refresh(first, keys(NEW, DAY_0))
    assert again.mean == pytest.approx(first.mean, rel=1e-5)
    assert again.median == pytest.approx(first.median, rel=1e-5)
    for key in (NEW, DAY_0):
        for name, path in drivers(first, key).items():
            assert drivers(again, key)[name] == pytest.approx(path, abs=1e-3), name


@pytest.mark.parametrize("method", ["gbm", "tsb"])
def test_new_sales_of_a_new_series_move_it_in_a_refresh_too(method: str) -> None:
    lake = lake_of(chain())
    demand = Demand(lake, settings=FAST)
    first = demand.forecast(day(DAYS), 14, method)
    write_facts(lake, facts_table([*chain(), sold(*NEW, DAYS - 1, 60, tag="again")]))
    again = demand.refresh(first, keys(NEW))
    assert of(again, NEW) > 1.1 * of(first, NEW)
    assert of(again, DAY_0) == of(first, DAY_0), "nobody asked for it"
    if method == "tsb":
        whole = Demand(lake, settings=FAST).forecast(day(DAYS), 14, method)
        assert again.mean[again.row(*NEW)] == pytest.approx(whole.mean[whole.row(*NEW)], rel=1e-5)


def test_the_drivers_of_a_new_series_sum_to_its_forecast() -> None:
    """A promotion ahead moves a series of three days as the model says, and all adds up."""
    promotions = [
        fact("promotion.published", at, until=day(at + 6).isoformat(), discount=0.6)
        for at in (14, 35, 56, DAYS + 2)
    ]
    rng = np.random.default_rng(1)
    promoted = {at + step for at in (14, 35, 56) for step in range(7)}
    facts = [
        one
        if one.type != "sale.day" or (one.day - day(0)).days not in promoted
        else sold(
            one.sku or "",
            one.place or "",
            (one.day - day(0)).days,
            int((one.quantity or 0) * 2 + rng.integers(0, 2)),
        )
        for one in chain()
    ]
    run = forecast(lake_of([*facts, *promotions]), "gbm")
    row, parts = run.row(*NEW), drivers(run, NEW)
    assert sum(parts.values()) == pytest.approx(run.mean[row], abs=1e-3)
    assert parts["promotion"][3:8].mean() > 0.15 * run.mean[row, 3:8].mean()
    assert parts["base"].mean() > 0


def test_a_panel_of_a_day_pools_what_was_seen() -> None:
    facts = [sold("A", f"P{place}", 0, 6) for place in range(5)]
    facts += [fact("stock.counted", 0, sku="A", place="P9", quantity=4)]
    run = Demand(lake_of(facts)).forecast(day(1), 5)
    assert of(run, ("A", "P9")) == pytest.approx(6, rel=0.2)
