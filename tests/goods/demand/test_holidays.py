"""Holidays in the forecast: the days around them, and weekend days worked in exchange (调休)."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from sanhe.core.facts import Fact
from sanhe.goods.demand import Demand, ForecastRun
from sanhe.models.forecast import FAST
from tests.goods.demand.facts_of import day, fact, lake_of, sold

DAYS, HORIZON = 140, 21
FEASTS = (22, 50, 78, 113, DAYS + 9)
"""First days of holidays of two days, the last one ahead; the Sunday after each is worked."""


def declared() -> list[Fact]:
    """Two days off, and the Sunday after them worked."""
    facts = []
    for start in FEASTS:
        facts += [
            fact("holiday.declared", start + step, name="Feast", kind="public") for step in (0, 1)
        ]
        facts.append(fact("holiday.declared", worked(start), name="Feast", kind="working_day"))
    return facts


def worked(start: int) -> int:
    """The first Sunday after a day; day 0 is a Monday."""
    return start + 6 - start % 7


@cache
def pull() -> NDArray[np.float64]:
    """What moves the demand of a day: the weekend doubles it, the three days before a feast more.

    A weekend day that is worked is an ordinary day.
    """
    at = np.arange(DAYS + HORIZON)
    effect = np.where(at % 7 >= 5, 2.0, 1.0)
    effect[[worked(start) for start in FEASTS]] = 1.0
    for start in FEASTS:
        effect[start - 3 : start] *= 2.5
        effect[start : start + 2] *= 0.4
    return effect


def sales() -> list[Fact]:
    rng = np.random.default_rng(5)
    return [
        sold(f"S{sku}", f"P{place}", at, int(rng.poisson((2 + sku) * pull()[at])))
        for sku in range(10)
        for place in range(6)
        for at in range(DAYS)
    ]


@pytest.fixture(scope="module")
def runs() -> dict[str, ForecastRun]:
    """Forecasts of the same sales, the holidays declared or not."""
    told = {"declared": [*sales(), *declared()], "untold": sales()}
    return {
        name: Demand(lake_of(facts), settings=FAST).forecast(day(DAYS), HORIZON, "gbm")
        for name, facts in told.items()
    }


def path(run: ForecastRun) -> NDArray[np.float64]:
    """The forecast of all series, as a share of an ordinary weekday."""
    total = run.mean.sum(0, dtype=np.float64)
    return np.asarray(total / total[:3].mean())


def test_the_days_before_a_holiday_are_forecast_as_such(runs: dict[str, ForecastRun]) -> None:
    feast = FEASTS[-1] - DAYS
    eve = slice(feast - 2, feast)
    assert path(runs["declared"])[eve].mean() > 1.6, "two and a half in truth"
    assert path(runs["untold"])[eve].mean() < 1.3, "the control knows of no holiday"
    assert path(runs["declared"])[feast : feast + 2].mean() < 0.8


def test_a_worked_weekend_day_is_forecast_as_a_weekday(runs: dict[str, ForecastRun]) -> None:
    sunday = worked(FEASTS[-1]) - DAYS
    later = sunday + 7
    told, untold = path(runs["declared"]), path(runs["untold"])
    assert told[later] > 1.6 and untold[later] > 1.5, "an ordinary Sunday has twice the demand"
    assert told[sunday] < 0.75 * told[later]
    assert untold[sunday] > 0.9 * untold[later]


def test_a_holiday_is_a_driver_of_the_days_around_it(runs: dict[str, ForecastRun]) -> None:
    run = runs["declared"]
    row = run.row("S9", "P5")
    key = pa.table({"sku": ["S9"], "place": ["P5"]})
    at = FEASTS[-1] - DAYS - 1
    parts = run.drivers(key, 1, start_days=at)
    assert parts["event"][0] > 0.2 * run.mean[row, at]
    assert sum(part[0] for part in parts.values()) == pytest.approx(run.mean[row, at], abs=1e-3)
