"""What overrides were worth: the forecast with and without them, held against what was sold.

Beside each run that applies overrides a small table is kept in the lake: the overridden
series-days with and without. It is never dropped, so that the value can be measured when the days
have passed, long after the run itself is gone. A day whose sales were known when the run was made
is left out: an override can't earn anything by hindsight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sanhe.goods.demand.overrides import NOBODY, told
from sanhe.goods.demand.store import last_day
from sanhe.models.forecast import bias, uncensored_days, wape

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.core.lake import Lake
    from sanhe.goods.demand.overrides import Holding, Override
    from sanhe.goods.demand.panel import DemandPanel
    from sanhe.goods.demand.run import ForecastRun

    F32 = NDArray[np.float32]

FOLDER: Final = "overridden/"


@dataclass(frozen=True, slots=True)
class Worth:
    """What an override was worth on the series-days that have passed.

    series_days: those sold without a stock-out, so that sales show demand. wape, bias: with it
    (of the median; of the mean); `_without`: what the run would have said. units_saved: base units
    of absolute error less than without it; below 0 = it did harm. nan where nothing has passed.
    """

    series_days: int
    wape: float
    wape_without: float
    bias: float
    bias_without: float
    units_saved: float


@dataclass(frozen=True, slots=True)
class MeasuredOverride:
    """An override, how it stands, and what it was worth so far.

    state: "waiting" (its days lie ahead), "in force", "expired" (before its last day) or "over",
    as seen from the morning after the last sale.
    """

    override: Override
    state: str
    worth: Worth


def listed(
    lake: Lake, panel_of: Callable[[date, int], DemandPanel]
) -> tuple[MeasuredOverride, ...]:
    """All overrides that hold or held, the one said last first; withdrawn ones are not listed.

    panel_of: the panel of an as_of, with so many days of history.
    """
    found, rows, last = told(lake), kept(lake), last_day(lake)
    worth: Mapping[tuple[str, str], Worth] = {}
    if rows is not None and last is not None:
        reach = (last - min(rows["day"].to_pylist())).days + 1
        if reach > 0:
            worth = measured(rows, panel_of(last + timedelta(days=1), reach), found)
    morning = date.min if last is None else last + timedelta(days=1)
    listed = [
        MeasuredOverride(one, _state(one, morning), worth.get((one.source, one.id), NOT_YET))
        for one in found
    ]
    return tuple(sorted(listed, key=lambda one: one.override.said_at, reverse=True))


def _state(one: Override, morning: date) -> str:
    if one.last_day < morning:
        return "over"
    if one.expires < morning:
        return "expired"
    return "in force" if one.first_day <= morning else "waiting"


NOT_YET: Final = Worth(0, *(float("nan"),) * 4, 0.0)


def keep(lake: Lake, run: ForecastRun, holding: Holding, *, known_until: date | None) -> None:
    """Keep the overridden series-days of a run, those after `known_until` (the last sale day)."""
    import pyarrow as pa

    series, ahead = np.nonzero(holding.holder != NOBODY)
    if known_until is not None:
        later = ahead > (known_until - run.as_of).days
        series, ahead = series[later], ahead[later]
    if not len(series):
        return
    holder = holding.holder[series, ahead]
    rows: dict[str, Any] = {
        "source": [holding.overrides[k].source for k in holder],
        "override": [holding.overrides[k].id for k in holder],
        "sku": run.keys["sku"].take(pa.array(series)),
        "place": run.keys["place"].take(pa.array(series)),
        "day": [run.as_of + timedelta(days=int(one)) for one in ahead],
        "mean": run.mean[series, ahead],
        "median": run.median[series, ahead],
        "mean_without": run.predicted.mean[series, ahead],
        "median_without": run.predicted.median[series, ahead],
    }
    lake.write(FOLDER + run.id, pa.table(rows), details={"as_of": run.as_of.isoformat()})


def kept(lake: Lake) -> pa.Table | None:
    """The overridden series-days, each as the last run before the day said; None without any.

    Each override apart: the run with the latest as_of counts, of several the one made last.
    """
    import pyarrow as pa

    tables = [table for name, table in lake.tables().items() if name.startswith(FOLDER)]
    tables.sort(key=lambda table: (str(table.details["as_of"]), table.written_at, table.name))
    if not tables:
        return None
    parts = [lake.read(table.name) for table in tables]
    at = np.concatenate([np.full(part.num_rows, k) for k, part in enumerate(parts)])
    rows = pa.concat_tables(parts).append_column("run", pa.array(at))
    keys = ["source", "override", "sku", "place", "day"]
    last = rows.group_by(keys).aggregate([("run", "max")]).rename_columns([*keys, "run"])
    return rows.join(last, [*keys, "run"], join_type="inner")


def measured(
    rows: pa.Table, truth: DemandPanel, overrides: tuple[Override, ...]
) -> Mapping[tuple[str, str], Worth]:
    """The worth of each override, by (source, id), on the days that `truth` knows.

    rows: those of `kept`. truth: a panel whose history reaches over them.
    """
    actual = _actual(rows, truth)
    source, name = (np.array(rows[column].to_pylist()) for column in ("source", "override"))
    columns = ("mean", "median", "mean_without", "median_without")
    said = {column: np.asarray(rows[column].to_numpy(), np.float32) for column in columns}
    found: dict[tuple[str, str], Worth] = {}
    for one in overrides:
        mine = (source == one.source) & (name == one.id) & ~np.isnan(actual)
        if mine.any():
            found[one.source, one.id] = _worth(actual[mine], {k: v[mine] for k, v in said.items()})
    return found


def _worth(actual: F32, said: Mapping[str, F32]) -> Worth:
    error, without = (
        float(np.abs(actual - said[name]).sum(dtype=np.float64))
        for name in ("median", "median_without")
    )
    return Worth(
        series_days=len(actual),
        wape=wape(actual, said["median"]),
        wape_without=wape(actual, said["median_without"]),
        bias=bias(actual, said["mean"]),
        bias_without=bias(actual, said["mean_without"]),
        units_saved=without - error,
    )


def _actual(rows: pa.Table, truth: DemandPanel) -> F32:
    """What was sold on each row's series and day, in base units; nan = unknown or a stock-out."""
    import pyarrow as pa

    numbered = truth.keys.append_column("at", pa.array(np.arange(truth.keys.num_rows)))
    asked = rows.select(["sku", "place"]).append_column("line", pa.array(np.arange(rows.num_rows)))
    joined = asked.join(numbered, ["sku", "place"]).sort_by("line")
    at = np.asarray(joined["at"].fill_null(-1).to_numpy(), np.int64)
    day = np.array([(one - truth.panel.first_day).days for one in rows["day"].to_pylist()])
    known = (at >= 0) & (day >= 0) & (day < truth.panel.days)
    at, day = np.where(known, at, 0), np.where(known, day, 0)
    sold = truth.panel.sales[at, day] / truth.scale[at]
    use = known & uncensored_days(truth.panel)[at, day]
    return np.where(use, sold, np.nan).astype(np.float32)
