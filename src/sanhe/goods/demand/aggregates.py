"""Categories and regions by week, a quarter ahead, with the league of the methods for each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.goods.demand.methods import NO_LIGHTGBM, lightgbm_missing
from sanhe.goods.demand.rules import unit_scale
from sanhe.goods.demand.store import run_model
from sanhe.models.forecast import (
    WeeklyForecast,
    WeeklyPanel,
    WeeklySettings,
    forecast_weekly,
    weekly_calendar,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.core.lake import Lake

    F64 = NDArray[np.float64]

AGGREGATES: Final = ("category", "department", "region")
LIVE_WEEKS: Final = 52
NAIVE: Final = "seasonal_naive"
CHAMPION: Final = "champion"
RECENT_MEAN: Final = "flat_mean"


@dataclass(frozen=True, slots=True)
class AggregateForecast:
    """Weekly forecasts of groups of goods or places, seen from `as_of`, the first forecast day.

    by: category (whole path), department (its first level) or region. groups: N names, "" = the
    masters name none. first_days: of the H weeks. mean: [N, H] in pieces, kilograms or litres;
    sold: [N, T] likewise, of the weeks before as_of, the newest last.
    weekly_error: [N], mean |error| of a week over the earlier origins, inf where there was none.
    weights: the share of each method in the champion. league: columns group, method, origins,
    units, wape, weight, beaten_by_naive; one row per group and method over the earlier origins
    that chose the champion. notes: what a reader should know.
    """

    as_of: date
    by: str
    groups: tuple[str, ...]
    first_days: tuple[date, ...]
    mean: F64
    sold: F64
    weekly_error: F64
    weights: dict[str, float]
    league: pa.Table
    notes: tuple[str, ...]


def forecast_groups(
    lake: Lake, as_of: date, *, by: str, horizon_weeks: int, settings: WeeklySettings | None = None
) -> AggregateForecast:
    """See `Demand.aggregates`."""
    if by not in AGGREGATES:
        raise BadInput(f"can't add up by {by!r}", remedy=f"choose one of {', '.join(AGGREGATES)}")
    if not 1 <= horizon_weeks <= LIVE_WEEKS:
        raise BadInput(f"{horizon_weeks} weeks ahead", remedy=f"give 1 to {LIVE_WEEKS} weeks")
    groups, sales = _weekly_sales(lake, as_of, by=by)
    notes: tuple[str, ...] = ()
    chosen = settings or WeeklySettings()
    missing = lightgbm_missing()
    if missing:
        chosen = WeeklySettings(chosen.gate_origins, chosen.least_origins, chosen.steps, None)
        notes = (NO_LIGHTGBM.format(reason=missing),)
    weeks = sales.shape[1]
    first = as_of - timedelta(weeks=weeks)
    events = _events(lake, first, as_of + timedelta(weeks=horizon_weeks))
    calendar = weekly_calendar(first, weeks + horizon_weeks, events)
    made = forecast_weekly(WeeklyPanel(sales, calendar, horizon_weeks), chosen)
    if not len(made.origins):
        notes = (*notes, f"{weeks} weeks of history choose no method: the recent mean is forecast")
    return AggregateForecast(
        as_of=as_of,
        by=by,
        groups=groups,
        first_days=tuple(as_of + timedelta(weeks=week) for week in range(horizon_weeks)),
        mean=made.mean,
        sold=sales,
        weekly_error=_weekly_error(made, horizon_weeks),
        weights=made.weights,
        league=_league(groups, made),
        notes=notes,
    )


def _weekly_error(made: WeeklyForecast, weeks: int) -> F64:
    if not len(made.origins):
        return np.full(len(made.mean), np.inf)
    errors: F64 = made.errors[CHAMPION].sum(0) / (len(made.origins) * weeks)
    return errors


def _weekly_sales(lake: Lake, as_of: date, *, by: str) -> tuple[tuple[str, ...], F64]:
    """The groups that sold within a year, and their sales [N, T] of whole weeks up to as_of."""
    when = {"as_of": as_of.isoformat()}
    first_day = run_model(lake, "span", when)["first_day"][0].as_py()
    weeks = 0 if first_day is None else (as_of - first_day).days // 7
    if weeks < 1:
        raise BadInput(
            f"less than a week of sales before {as_of}",
            place="the facts of sales",
            remedy="import sales first, or choose a later --as-of",
        )
    rows = run_model(lake, "group_sales", {**when, "by": by, "period_days": 7}).to_pylist()
    names = sorted({row["group_name"] for row in rows})
    at = {name: line for line, name in enumerate(names)}
    sales = np.zeros((len(names), weeks))
    for row in rows:
        if row["periods_back"] <= weeks:
            scale, _ = unit_scale(row["base_unit"])
            sales[at[row["group_name"]], weeks - row["periods_back"]] += row["quantity"] * scale
    live = sales[:, -LIVE_WEEKS:].sum(1) > 0
    if not live.any():
        raise BadInput(
            f"nothing was sold in the year before {as_of}",
            place="the facts of sales",
            remedy="import newer sales, or choose an earlier --as-of",
        )
    kept = tuple(name for name, alive in zip(names, live, strict=True) if alive)
    return kept, sales[live]


def _events(lake: Lake, first: date, end: date) -> list[list[date]]:
    """The days of each public holiday that falls into the weeks from first to end, by name."""
    days: dict[str, list[date]] = {}
    for row in run_model(lake, "event_day", {}).to_pylist():
        days.setdefault(row["name"], []).append(row["day"])
    return [
        sorted(found)
        for _, found in sorted(days.items())
        if any(first <= day < end for day in found)
    ]


def _league(groups: tuple[str, ...], made: WeeklyForecast) -> pa.Table:
    import pyarrow as pa

    scores = made.wape()
    units = made.units.sum(0)
    naive = scores.get(NAIVE)
    lines = [
        {
            "group": group,
            "method": method,
            "origins": len(made.origins),
            "units": float(units[at]),
            "wape": float(score[at]) if units[at] > 0 else None,
            "weight": 1.0 if method == CHAMPION else made.weights[method],
            "beaten_by_naive": bool(naive is not None and score[at] > naive[at]),
        }
        for at, group in enumerate(groups)
        for method, score in scores.items()
    ]
    fields = {
        "group": pa.string(),
        "method": pa.string(),
        "origins": pa.int64(),
        "units": pa.float64(),
        "wape": pa.float64(),
        "weight": pa.float64(),
        "beaten_by_naive": pa.bool_(),
    }
    return pa.Table.from_pylist(lines, schema=pa.schema(fields))
