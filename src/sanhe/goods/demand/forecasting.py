"""Make a forecast run from a demand panel: one forecast for counted goods, one for measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sanhe.core.values import derived_id
from sanhe.goods.demand.methods import Made, make
from sanhe.goods.demand.run import HISTORY_DAYS, KINDS, ForecastRun, History

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sanhe.goods.demand.panel import DemandPanel
    from sanhe.models.forecast import ChampionSettings, Panel

    F32 = NDArray[np.float32]

MODEL_VERSION: Final = "1"
"""Raise it when the same data should get a new forecast; it is part of a run's id."""

Progress = Callable[[str, float], None]
"""Told what is being done, and which share of the work is done (0..1)."""


def silent(what: str, share: float) -> None:
    """A progress that tells nobody."""


def run_id(demand: DemandPanel, method: str, settings: ChampionSettings) -> str:
    """The id of the run that belongs to this panel, method, settings and model version."""
    return str(derived_id("forecast", demand.digest, method, repr(settings), MODEL_VERSION))


def make_run(
    demand: DemandPanel, method: str, settings: ChampionSettings, *, progress: Progress = silent
) -> ForecastRun:
    """Forecast every series of the panel. Counted and measured goods are learned apart."""
    panel, size = demand.panel, (demand.panel.series, demand.panel.horizon_days)
    mean, median = np.zeros(size, np.float32), np.zeros(size, np.float32)
    made: dict[str, Made] = {}
    for kind in KINDS:
        mine = np.flatnonzero(demand.counted == (kind == "counts"))
        if not len(mine):
            continue
        progress(f"learning from {len(mine):,} series", 0.25 if not made else 0.6)
        part = panel if len(mine) == panel.series else panel.only(mine)
        one = make(part, method, settings)
        mean[mine], median[mine] = one.mean, one.median
        made[kind] = one
    scale = demand.scale[:, None]
    notes = [note for one in made.values() for note in one.notes]
    progress("forecast made", 0.95)
    return ForecastRun(
        id=run_id(demand, method, settings),
        as_of=demand.as_of,
        horizon_days=panel.horizon_days,
        method=method,
        chosen={kind: one.chosen for kind, one in made.items()},
        keys=demand.keys,
        mean=(mean / scale).astype(np.float32),
        median=(median / scale).astype(np.float32),
        counted=demand.counted,
        scale=demand.scale,
        dispersion={kind: one.dispersion for kind, one in made.items()},
        holdout_wape={kind: one.holdout_wape for kind, one in made.items()},
        history=history_of(panel, demand.scale),
        notes=tuple(dict.fromkeys((*demand.notes, *notes))),
        digest=demand.digest,
    )


def history_of(panel: Panel, scale: NDArray[np.float64]) -> History:
    """The short history of every series, in base units."""
    recent: F32 = (panel.sales[:, -HISTORY_DAYS:] / scale[:, None]).astype(np.float32)
    recent = np.where(np.isnan(recent), recent, np.round(recent)).astype(np.float32)
    if recent.shape[1] < HISTORY_DAYS:
        gap = np.full((len(recent), HISTORY_DAYS - recent.shape[1]), np.nan, np.float32)
        recent = np.concatenate([gap, recent], axis=1, dtype=np.float32)
    seen = ~np.isnan(panel.sales)
    days = seen.sum(1)
    with np.errstate(invalid="ignore"):
        out = (panel.in_stock < 0.995) | panel.opened_empty
    if panel.sold_out is not None:
        out = out | panel.sold_out
    return History(
        last_days=recent,
        days_seen=days.astype(np.int32),
        daily_mean=_ratio(np.nan_to_num(recent).sum(1), (~np.isnan(recent)).sum(1)),
        zero_share=_ratio((seen & (panel.sales == 0)).sum(1), days),
        stock_out_share=_ratio((seen & out).sum(1), days),
        weekday_profile=_weekday_profile(panel),
    )


def _weekday_profile(panel: Panel) -> F32:
    weekday = panel.weekdays()[: panel.days]
    seen = ~np.isnan(panel.sales)
    filled = np.nan_to_num(panel.sales)
    level = _ratio(filled.sum(1), seen.sum(1))
    profile = np.ones((panel.series, 7), np.float32)
    for day in range(7):
        on = weekday == day
        mean = _ratio(filled[:, on].sum(1), seen[:, on].sum(1))
        use = (level > 0) & seen[:, on].any(1)
        profile[use, day] = mean[use] / level[use]
    return profile


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> F32:
    out = np.zeros(len(above), np.float64)
    return np.asarray(np.divide(above, below, out=out, where=below > 0), np.float32)
