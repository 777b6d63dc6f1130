"""One forecast opened up for people: its days by driver, how good the method is, facts behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.goods.demand.drivers import DRIVERS
from sanhe.goods.demand.overrides import Override, standing
from sanhe.goods.demand.run import ForecastRun
from sanhe.goods.demand.store import run_model

if TYPE_CHECKING:
    from sanhe.core.lake import Lake


@dataclass(frozen=True, slots=True)
class ExplainedDay:
    """What is expected of one day, in base units: its drivers sum to the mean.

    low, high: the 5 and the 95 % quantile.
    """

    day: date
    drivers: Mapping[str, float]
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ExplainedForecast:
    """A series' forecast with all that explains it.

    days: by day; total: the sum of their drivers. method: what made it; holdout_wape: its WAPE on
    the days held out, None where it wasn't held out. causes: the facts behind the drivers (which
    promotion, which price, which holiday, which override), in words. notes: those of the run.
    """

    sku: str
    place: str
    run: str
    as_of: date
    method: str
    holdout_wape: float | None
    days: tuple[ExplainedDay, ...]
    total: Mapping[str, float]
    causes: tuple[str, ...]
    notes: tuple[str, ...]


def explained(
    lake: Lake, run: ForecastRun, *, sku: str, place: str, days: int
) -> ExplainedForecast:
    """See `Demand.explain`."""
    if not 1 <= days <= run.horizon_days:
        raise BadInput(
            f"{days} days of a forecast of {run.horizon_days}",
            place=f"SKU {sku} at {place}",
            remedy=f"give 1 to {run.horizon_days}, or plan with a longer --horizon",
        )
    row = run.row(sku, place)
    one = run.only(np.array([row]))
    grids = one.driver_grids()
    low, high = one.quantile(0.05), one.quantile(0.95)
    told = tuple(
        ExplainedDay(
            day=run.as_of + timedelta(days=ahead),
            drivers={name: float(grids[name][0, ahead]) for name in DRIVERS},
            mean=float(one.mean[0, ahead]),
            low=float(low[0, ahead]),
            high=float(high[0, ahead]),
        )
        for ahead in range(days)
    )
    kind = "counts" if run.counted[row] else "quantities"
    last_day = run.as_of + timedelta(days=days - 1)
    behind = facts_behind(lake, sku, place, as_of=run.as_of, last_day=last_day)
    behind += _overrides(lake, run, told)
    return ExplainedForecast(
        sku=sku,
        place=place,
        run=run.id,
        as_of=run.as_of,
        method=run.chosen[kind],
        holdout_wape=run.holdout_wape.get(kind, {}).get(run.chosen[kind]),
        days=told,
        total={name: sum(one.drivers[name] for one in told) for name in DRIVERS},
        causes=behind,
        notes=run.notes,
    )


def facts_behind(
    lake: Lake, sku: str, place: str, *, as_of: date, last_day: date
) -> tuple[str, ...]:
    """The promotions, prices and holidays that bear on a series from as_of to last_day."""
    asked = {
        "sku": sku,
        "place": place,
        "as_of": as_of.isoformat(),
        "last_day": last_day.isoformat(),
    }
    return tuple(_words(row) for row in run_model(lake, "fact_behind", asked).to_pylist())


def _words(row: Mapping[str, Any]) -> str:
    first, last, name, number = (row[key] for key in ("first_day", "last_day", "name", "number"))
    if row["kind"] == "promotion":
        named = f" {name}" if name else ""
        return f"promotion{named} from {first} to {last}: {_off(number)}"
    if row["kind"] == "price":
        return f"price {number / 100:,.2f} from {first} on"
    if row["kind"] == "holiday":
        return f"holiday {name} on {first}"
    return f"working day {name} on {first}"


def _off(discount: float | None) -> str:
    if discount is None or discount >= 1:
        return "at the full price"
    return f"{round((1 - discount) * 100)} % off"


def _overrides(lake: Lake, run: ForecastRun, days: tuple[ExplainedDay, ...]) -> tuple[str, ...]:
    """The overrides in force, where the run was changed by any."""
    if not any(one.drivers["override"] for one in days):
        return ()
    return tuple(override_words(one) for one in standing(lake, run.as_of, len(days)))


def override_words(one: Override) -> str:
    """An override as a sentence."""
    return (
        f"override of {one.covers}: {one.says} from {one.first_day} to {one.last_day}, by"
        f" {one.author} until {one.expires}: {one.reason}"
    )
