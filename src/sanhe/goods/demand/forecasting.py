"""Make a forecast run from a demand panel: one forecast for counted goods, one for measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sanhe.core.values import derived_id
from sanhe.goods.demand.drivers import announced, causes_of
from sanhe.goods.demand.methods import SIMPLE, Made, make
from sanhe.goods.demand.run import HISTORY_DAYS, KINDS, ForecastRun, History

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sanhe.goods.demand.panel import DemandPanel
    from sanhe.models.forecast import ChampionSettings, FittedGbm, Panel

    F32 = NDArray[np.float32]

MODEL_VERSION: Final = "5"
"""Raise it when the same data should get a new forecast; it is part of a run's id."""

WORDS: Final = {
    "price": "price changes",
    "promotion": "announced promotions",
    "event": "holidays",
    "weather": "weather",
}
"""What lies behind a driver, in words."""

Progress = Callable[[str, float], None]
"""Told what is being done, and which share of the work is done (0..1)."""


def silent(what: str, share: float) -> None:
    """A progress that tells nobody."""


def run_id(demand: DemandPanel, method: str, settings: ChampionSettings) -> str:
    """The id of the run that belongs to this panel, method, settings and model version."""
    return str(derived_id("forecast", demand.digest, method, repr(settings), MODEL_VERSION))


@dataclass(frozen=True, slots=True)
class Learned:
    """A run and the fitted models it came from, by kind of goods; none for simple methods.

    lift: what each series was multiplied by because it is new, [N], see `methods.lifted`.
    """

    run: ForecastRun
    models: Mapping[str, FittedGbm]
    lift: NDArray[np.float64]


def make_run(
    demand: DemandPanel, method: str, settings: ChampionSettings, *, progress: Progress = silent
) -> ForecastRun:
    """Forecast every series of the panel. Counted and measured goods are learned apart."""
    return learn(demand, method, settings, progress=progress).run


def learn(
    demand: DemandPanel, method: str, settings: ChampionSettings, *, progress: Progress = silent
) -> Learned:
    """Forecast every series of the panel, and keep hold of what was fitted."""
    panel, size = demand.panel, (demand.panel.series, demand.panel.horizon_days)
    mean, median = np.zeros(size, np.float32), np.zeros(size, np.float32)
    spread, lift = np.ones(panel.series), np.ones(panel.series)
    made: dict[str, Made] = {}
    notes = list(demand.notes)
    for kind, mine, part in parts(demand):
        progress(f"learning from {len(mine):,} series", 0.25 if not made else 0.6)
        one = make(part, method, settings)
        mean[mine], median[mine], spread[mine] = one.mean, one.median, one.spread
        lift[mine] = 1.0 if one.lift is None else one.lift
        made[kind] = one
        notes += (*one.notes, *_left_out(part, one.chosen))
    scale = demand.scale[:, None]
    origin = run_id(demand, method, settings)
    progress("forecast made", 0.85)
    run = ForecastRun(
        id=origin,
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
        spread=spread,
        holdout_wape={kind: one.holdout_wape for kind, one in made.items()},
        history=history_of(panel, demand.scale),
        notes=tuple(dict.fromkeys(notes)),
        digest=demand.digest,
        origin=origin,
        model=origin,
    )
    return Learned(run, {kind: one.model for kind, one in made.items() if one.model}, lift)


def with_causes(learned: Learned, demand: DemandPanel) -> ForecastRun:
    """The run with its drivers price, promotion, event and weather, where its models know them."""
    run = learned.run
    causes: dict[str, F32] = {}
    for kind, mine, part in parts(demand):
        if kind not in learned.models:
            continue
        scale, lift = run.scale[mine, None], learned.lift[mine, None]
        mean = (run.mean[mine] * (scale / lift)).astype(np.float32)
        for name, effect in causes_of(learned.models[kind], part, mean).items():
            grid = causes.setdefault(name, np.zeros(run.mean.shape, np.float32))
            grid[mine] = effect * (lift / scale)
    return replace(run, causes=causes)


def parts(demand: DemandPanel) -> Iterator[tuple[str, NDArray[np.int64], Panel]]:
    """The panel of each kind of goods there is, with the rows it takes."""
    for kind in KINDS:
        mine = np.flatnonzero(demand.counted == (kind == "counts"))
        if len(mine):
            whole = len(mine) == demand.panel.series
            yield kind, mine, demand.panel if whole else demand.panel.only(mine)


def _left_out(panel: Panel, chosen: str) -> tuple[str, ...]:
    """Says what is announced for the horizon and a simple method knows nothing of."""
    ahead = [WORDS[cause] for cause in announced(panel)] if chosen in SIMPLE else []
    if not ahead:
        return ()
    return (
        f"{' and '.join(ahead)} ahead are NOT in this forecast: {chosen} expects every day to be"
        " an ordinary one; add what they will bring with sanhe override",
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
