"""Rolling-origin backtest over the facts: each origin sees its own panel, nothing of later days."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.goods.demand.forecasting import Progress, make_run
from sanhe.goods.demand.methods import METHODS
from sanhe.goods.demand.segments import SEGMENTS, segment
from sanhe.models.forecast import bias, coverage, pinball, uncensored_days, wape

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.goods.demand.panel import DemandPanel
    from sanhe.goods.demand.run import ForecastRun
    from sanhe.models.forecast import ChampionSettings

    F32 = NDArray[np.float32]

ALL: Final = "all"


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What to try: methods at so many origins before as_of, a horizon apart, on panels cut there.

    Raises BadInput for an unknown method, none at all, or fewer than one origin.
    """

    panel_of: Callable[..., DemandPanel]
    settings: ChampionSettings
    as_of: date
    origins: int
    horizon_days: int
    methods: Sequence[str]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.methods) - set(METHODS))
        if unknown or not self.methods:
            raise BadInput(
                f"unknown forecast methods {unknown}" if unknown else "no method given",
                remedy=f"choose from {', '.join(METHODS)}",
            )
        if self.origins < 1:
            raise BadInput(f"{self.origins} origins", remedy="ask for at least one")


@dataclasses.dataclass(frozen=True, slots=True)
class Trial:
    """The forecasts of one origin, by method, and what they are held against.

    actual: sales [N, H] in scaled units, nan = unknown; clean: [N, H], days without a stock-out.
    """

    origin: date
    seen: DemandPanel
    runs: dict[str, ForecastRun]
    actual: F32
    clean: NDArray[np.bool_]


def trials(asked: Asked, progress: Progress) -> Iterator[Trial]:
    """Every origin's forecasts, the oldest first; methods forecast sales as they come.

    Raises BadInput where the history begins after an origin.
    """
    gbm = dataclasses.replace(asked.settings.gbm, target="sales")
    raw = dataclasses.replace(asked.settings, gbm=gbm)
    truth = asked.panel_of(asked.as_of, horizon_days=asked.horizon_days)
    steps, done = asked.origins * len(asked.methods), 0
    for back in range(asked.origins, 0, -1):
        origin = asked.as_of - timedelta(days=back * asked.horizon_days)
        if (origin - truth.panel.first_day).days < 1:
            raise BadInput(
                f"the history begins on {truth.panel.first_day}, after the origin {origin}",
                place="the backtest",
                remedy="ask for fewer origins or a shorter horizon",
            )
        seen = asked.panel_of(origin, horizon_days=asked.horizon_days)
        runs: dict[str, ForecastRun] = {}
        for method in asked.methods:
            progress(f"{method} as of {origin}", done / steps)
            runs[method] = make_run(seen, method, raw)
            done += 1
        yield Trial(origin, seen, runs, *_outcome(truth, seen, origin))
    progress("backtest done", 1.0)


def _outcome(truth: DemandPanel, seen: DemandPanel, origin: date) -> tuple[F32, NDArray[np.bool_]]:
    """Sales of the series of `seen` in the days after the origin, and which days were clean."""
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
    return actual.astype(np.float32), clean


def backtest_table(asked: Asked, *, by: str, progress: Progress) -> pa.Table:
    """See `Demand.backtest`."""
    import pyarrow as pa

    if by not in SEGMENTS:
        raise BadInput(f"can't group by {by!r}", remedy=f"choose one of {', '.join(SEGMENTS)}")
    lines: list[dict[str, object]] = []
    for trial in trials(asked, progress):
        groups = segment(trial.seen, by)
        for method in asked.methods:
            lines += _score(trial, method, groups)
    return _with_winner(pa.Table.from_pylist(lines))


def _score(trial: Trial, method: str, groups: NDArray[np.str_]) -> list[dict[str, object]]:
    run = trial.runs[method]
    scale = run.scale[:, None]
    mean = (run.mean * scale).astype(np.float32)
    median = (run.median * scale).astype(np.float32)
    bands = {q: (run.quantile(q) * scale).astype(np.float32) for q in (0.05, 0.5, 0.95)}
    lines: list[dict[str, object]] = []
    for group in (ALL, *sorted(set(groups.tolist()))):
        part = np.ones(len(groups), bool) if group == ALL else groups == group
        y, ok = trial.actual[part], trial.clean[part]
        clean = np.where(ok, y, np.float32(np.nan))
        lines.append(
            {
                "method": method,
                "origin": trial.origin,
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
