"""Rolling-origin backtest over the facts: each origin sees its own panel, nothing of later days."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.goods.demand.forecasting import Progress, make_run
from sanhe.goods.demand.methods import METHODS
from sanhe.goods.demand.rules import velocity_class
from sanhe.models.forecast import bias, coverage, pinball, uncensored_days, wape

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.goods.demand.panel import DemandPanel
    from sanhe.goods.demand.run import ForecastRun
    from sanhe.models.forecast import ChampionSettings

    F32 = NDArray[np.float32]

GROUPINGS: Final = ("category", "store", "velocity")
ALL: Final = "all"


@dataclasses.dataclass(frozen=True, slots=True)
class Scored:
    """What one run is held against: outcomes [N, H] in scaled units, clean days, groups [N]."""

    actual: F32
    clean: NDArray[np.bool_]
    groups: NDArray[np.str_]


def backtest_table(
    panel_of: Callable[..., DemandPanel],
    settings: ChampionSettings,
    as_of: date,
    *,
    origins: int,
    horizon_days: int,
    methods: Sequence[str],
    by: str,
    progress: Progress,
) -> pa.Table:
    """See `Demand.backtest`."""
    import pyarrow as pa

    _check(methods, by, origins=origins)
    raw = dataclasses.replace(settings, gbm=dataclasses.replace(settings.gbm, target="sales"))
    truth = panel_of(as_of, horizon_days=horizon_days)
    steps = max(origins * len(methods), 1)
    blocks: list[list[dict[str, object]]] = []
    for back in range(origins, 0, -1):
        origin = as_of - timedelta(days=back * horizon_days)
        if (origin - truth.panel.first_day).days < 1:
            raise BadInput(
                f"the history begins on {truth.panel.first_day}, after the origin {origin}",
                place="the backtest",
                remedy="ask for fewer origins or a shorter horizon",
            )
        seen = panel_of(origin, horizon_days=horizon_days)
        scored = _outcome(truth, seen, origin, by=by)
        for method in methods:
            progress(f"{method} as of {origin}", len(blocks) / steps)
            run = make_run(seen, method, raw)
            blocks.append(_score(run, scored, method=method, origin=origin))
    lines = [line for block in blocks for line in block]
    progress("backtest done", 1.0)
    return _with_winner(pa.Table.from_pylist(lines))


def _check(methods: Sequence[str], by: str, *, origins: int) -> None:
    unknown = sorted(set(methods) - set(METHODS))
    if unknown or not methods:
        raise BadInput(
            f"unknown forecast methods {unknown}" if unknown else "no method given",
            remedy=f"choose from {', '.join(METHODS)}",
        )
    if by not in GROUPINGS:
        raise BadInput(f"can't group by {by!r}", remedy=f"choose one of {', '.join(GROUPINGS)}")
    if origins < 1:
        raise BadInput(f"{origins} origins", remedy="ask for at least one")


def _outcome(truth: DemandPanel, seen: DemandPanel, origin: date, *, by: str) -> Scored:
    """Sales of the series of `seen` in the days after the origin; nan where they are unknown."""
    import pyarrow as pa

    horizon = seen.panel.horizon_days
    start = (origin - truth.panel.first_day).days
    at = pa.array(np.arange(truth.keys.num_rows))
    mine = seen.keys.append_column("line", pa.array(np.arange(seen.keys.num_rows)))
    found = mine.join(truth.keys.append_column("at", at), ["sku", "place"]).sort_by("line")
    row = np.asarray(found["at"].fill_null(-1).to_numpy(), np.int64)
    known = (row >= 0)[:, None]
    actual = np.where(known, truth.panel.sales[row, start : start + horizon], np.float32(np.nan))
    clean = known & uncensored_days(truth.panel)[row, start : start + horizon]
    return Scored(actual.astype(np.float32), clean, _groups(seen, by))


def _groups(seen: DemandPanel, by: str) -> NDArray[np.str_]:
    """The group of each series, from what was visible at the origin."""
    if by == "velocity":
        recent = seen.panel.sales[:, -28:]
        days = (~np.isnan(recent)).sum(1)
        return velocity_class(np.nan_to_num(recent).sum(1) / np.maximum(days, 1))
    if by == "store":
        return np.array(seen.keys["place"].to_pylist())
    return np.array([path.split("/")[0] or "(none)" for path in seen.categories])


def _score(
    run: ForecastRun, scored: Scored, *, method: str, origin: date
) -> list[dict[str, object]]:
    scale = run.scale[:, None]
    actual = scored.actual
    mean = (run.mean * scale).astype(np.float32)
    median = (run.median * scale).astype(np.float32)
    bands = {q: (run.quantile(q) * scale).astype(np.float32) for q in (0.05, 0.5, 0.95)}
    lines: list[dict[str, object]] = []
    for group in (ALL, *sorted(set(scored.groups.tolist()))):
        part = np.ones(len(actual), bool) if group == ALL else scored.groups == group
        y, ok = actual[part], scored.clean[part]
        clean = np.where(ok, y, np.float32(np.nan))
        lines.append(
            {
                "method": method,
                "origin": origin,
                "group": group,
                "series": int(part.sum()),
                "units": float(np.nansum(y, dtype=np.float64)),
                "wape": wape(y, median[part]),
                "bias": bias(y, mean[part]),
                **{
                    f"pinball_{round(q * 100):02d}": pinball(clean, band[part], q)
                    for q, band in bands.items()
                },
                "coverage_90": coverage(y, bands[0.05][part], bands[0.95][part], where=ok),
            }
        )
    return lines


def _with_winner(table: pa.Table) -> pa.Table:
    """beaten_by: the method with the least WAPE of the same origin and group, when not this."""
    import pyarrow as pa

    best: dict[tuple[object, str], tuple[float, str]] = {}
    rows = table.to_pylist()
    for row in rows:
        key, value = (row["origin"], row["group"]), (row["wape"], row["method"])
        if np.isfinite(row["wape"]):
            best[key] = min(best.get(key, value), value)
    beaten = []
    for row in rows:
        wape_best, method = best.get((row["origin"], row["group"]), (np.inf, row["method"]))
        beaten.append(method if row["wape"] > wape_best else None)
    return table.append_column("beaten_by", pa.array(beaten, pa.string()))
