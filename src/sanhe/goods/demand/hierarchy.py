"""One coherent forecast by week: lines (SKU × place), categories, regions and the whole agree.

A run forecasts lines, `aggregates` forecasts groups, each by itself. Here both are reconciled, so
that what a category shows is exactly the sum of its lines. A planner's overrides are added last:
groups know nothing of them and must not undo them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sanhe.core.errors import BadInput, NotFound
from sanhe.goods.demand.aggregates import (
    AGGREGATES,
    RECENT_MEAN,
    AggregateForecast,
    forecast_groups,
)
from sanhe.goods.demand.overrides import scope_of
from sanhe.goods.demand.rules import extend
from sanhe.models.forecast import Level, top_down, weighted

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.core.lake import Lake
    from sanhe.goods.demand.run import ForecastRun

    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

RECONCILING: Final = ("weighted", "bottom_up", "top_down")
LINE: Final = "line"
WEEK_DAYS: Final = 7
NORMAL: Final = np.pi / 2
"""Variance of a normal error over the square of its mean absolute value."""

LINES_DOUBT: Final = 10.0
"""Errors of lines go together (a season, a holiday), and a diagonal of variances holds them for
independent: the sum of many lines would be trusted too much. How many times the variance of a line
counts was chosen on real data (docs/decisions/0019)."""
NO_SEASON: Final = (
    "{by}: its own forecast knows no season (a short history, or none to be seen): it follows"
    " the sum of its lines"
)


@dataclass(frozen=True, slots=True)
class GroupForecast:
    """A level of groups: names G, the group of each line [N], the coherent mean [G, H] and what the
    level alone said, `alone` [G, H], nan where it said nothing; pieces, kilograms or litres."""

    by: str
    groups: tuple[str, ...]
    of_line: I64
    mean: F64
    alone: F64


@dataclass(frozen=True, slots=True)
class CoherentForecast:
    """Forecasts by week that agree: each group is the sum of its lines on every level.

    run_id: the run of the lines, its overrides included. method: how they were reconciled.
    first_days: of the H weeks. keys: columns sku, place of the N lines. lines: their coherent mean
    [N, H] in pieces, kilograms or litres; alone: what the run alone says. levels: as asked.
    notes: what a reader should know.
    """

    run_id: str
    as_of: date
    method: str
    first_days: tuple[date, ...]
    keys: pa.Table
    lines: F64
    alone: F64
    levels: tuple[GroupForecast, ...]
    notes: tuple[str, ...]

    def table(self, level: str | None = None) -> pa.Table:
        """One row per key and week: level, key, sku, place, week (first day), forecast, alone.

        level: "line" or one of those asked for; None = all of them. key: the group, or "SKU @
        place" of a line, whose sku and place stand apart (null for groups). alone: null where the
        level said nothing by itself. Raises NotFound for a level that was not asked for.
        """
        import pyarrow as pa

        known = (LINE, *(one.by for one in self.levels))
        if level is not None and level not in known:
            raise NotFound(f"no level {level!r}; there are {', '.join(known)}")
        parts = []
        if level in (None, LINE):
            skus, places = (self.keys[name].to_pylist() for name in ("sku", "place"))
            names = [f"{sku} @ {place}" for sku, place in zip(skus, places, strict=True)]
            parts.append(self._rows(LINE, names, self.lines, self.alone, (skus, places)))
        for one in self.levels:
            if level in (None, one.by):
                nothing: list[str | None] = [None] * len(one.groups)
                pair = (nothing, nothing)
                parts.append(self._rows(one.by, list(one.groups), one.mean, one.alone, pair))
        return pa.concat_tables(parts)

    def _rows(self, level: str, names: list[str], *what: Any) -> pa.Table:
        import pyarrow as pa

        mean, alone, (skus, places) = what
        weeks = len(self.first_days)
        at = np.repeat(np.arange(len(names)), weeks)
        told = alone.ravel()
        return pa.table(
            {
                "level": pa.array([level] * len(at), pa.string()),
                "key": pa.array(names, pa.string()).take(pa.array(at)),
                "sku": pa.array(skus, pa.string()).take(pa.array(at)),
                "place": pa.array(places, pa.string()).take(pa.array(at)),
                "week": pa.array(list(self.first_days) * len(names), pa.date32()),
                "forecast": pa.array(mean.ravel(), pa.float64()),
                "alone": pa.array(told, pa.float64(), mask=np.isnan(told)),
            }
        )


def coherent(
    lake: Lake,
    run: ForecastRun,
    *,
    first_day: date,
    by: Sequence[str],
    weeks: int,
    method: str,
) -> CoherentForecast:
    """See `Demand.hierarchy`. first_day: early enough that every line of the run is awake."""
    if method not in RECONCILING:
        raise BadInput(
            f"can't reconcile by {method!r}", remedy=f"choose one of {', '.join(RECONCILING)}"
        )
    if not by or len(set(by)) < len(by):
        raise BadInput(
            f"levels {list(by)}", remedy=f"choose some of {', '.join(AGGREGATES)}, each once"
        )
    scale = run.scale[:, None]
    before = _weekly(run.predicted.mean, weeks) * scale
    override = _weekly(run.mean, weeks) * scale - before
    told = [forecast_groups(lake, run.as_of, by=one, horizon_weeks=weeks) for one in by]
    deaf = [one.by for one in told if method == "weighted" and not _knows_season(one)]
    scope = scope_of(lake, run, first_day)
    placed = [_level(one, getattr(scope, _NAMES[one.by])) for one in told]
    levels = [level for _, level in placed]
    lines = _reconciled(run, before, levels, method=method) + override
    return CoherentForecast(
        run_id=run.id,
        as_of=run.as_of,
        method=method,
        first_days=tuple(run.as_of + timedelta(weeks=week) for week in range(weeks)),
        keys=run.keys,
        lines=lines,
        alone=before + override,
        levels=tuple(
            GroupForecast(one.by, names, level.group, level.sums(lines), level.forecast)
            for one, (names, level) in zip(told, placed, strict=True)
        ),
        notes=(
            *dict.fromkeys(note for one in told for note in one.notes),
            *(NO_SEASON.format(by=one) for one in deaf),
        ),
    )


_NAMES: Final = {"category": "category", "department": "category", "region": "region"}
"""Where a line's group is told, by level."""


def _weekly(mean: F32, weeks: int) -> F64:
    """The sums of weeks, [N, weeks]; beyond the horizon the last week repeats."""
    days = extend(mean, weeks * WEEK_DAYS)
    grid = days.reshape(len(days), weeks, WEEK_DAYS)
    return np.asarray(grid.sum(2, dtype=np.float64), np.float64)


def _reconciled(run: ForecastRun, lines: F64, levels: list[Level], *, method: str) -> F64:
    if method == "bottom_up":
        return lines
    if method == "top_down":
        return top_down(lines, levels[0])
    week = run.without_overrides() if run.unadjusted is not None else run
    variance = LINES_DOUBT * week.window(run.keys, WEEK_DAYS).variance * run.scale**2
    return weighted(lines, variance, levels)


def _knows_season(told: AggregateForecast) -> bool:
    """Whether more than the recent mean forecasts the groups; that mean the lines know better."""
    return any(share > 0 for name, share in told.weights.items() if name != RECENT_MEAN)


def _level(told: AggregateForecast, names: NDArray[np.str_]) -> tuple[tuple[str, ...], Level]:
    """The groups of a level that have lines, or were forecast, and what was forecast of them."""
    mine = [name.split("/")[0] for name in names] if told.by == "department" else names.tolist()
    groups = tuple(sorted({*mine, *told.groups}))
    at = {name: row for row, name in enumerate(groups)}
    forecast = np.full((len(groups), told.mean.shape[1]), np.nan)
    variance = np.full(len(groups), np.inf)
    rows = [at[name] for name in told.groups]
    forecast[rows] = told.mean
    if _knows_season(told):
        variance[rows] = NORMAL * told.weekly_error**2
    return groups, Level(np.array([at[name] for name in mine], np.int64), forecast, variance)
