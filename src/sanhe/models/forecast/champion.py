"""The champion of a panel: the global model where it earns it on a hold-out, else a simple method.

Nothing is decided by looking ahead. Up to four stretches of H days are held out, one before the
other: the simple method nearest to each series' sum over them is the best of its kind, as one
stretch alone tells too little. A smaller global model meets it on the last stretch; the winner's
errors there give the distribution, and it is fitted on the whole history. Sums, not days, because
an order covers a stretch of days: a method that is nearer to each day by staying low is further
from the sum (Iowa's warehouse, six hold-outs of 35 days: TSB errs less than the smoothed mean by
day in four, by sum in none).
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from sanhe.models.forecast.baselines import (
    same_weekday_mean,
    seasonal_naive,
    smoothed_mean,
    tsb,
)
from sanhe.models.forecast.censoring import demand_panel, uncensored_days
from sanhe.models.forecast.distribution import DispersionSet
from sanhe.models.forecast.gbm import FittedGbm, GbmSettings, GlobalGbm, Prediction
from sanhe.models.forecast.panel import F32, F64, Bool, Panel
from sanhe.models.forecast.scores import wape
from sanhe.models.forecast.spread import uncertainty

GLOBAL = "global_gbm"
HOLDOUTS = 4
SIMPLE: dict[str, Callable[[Panel], F32]] = {
    "same_weekday_mean": same_weekday_mean,
    "smoothed_mean": smoothed_mean,
    "tsb": tsb,
    "seasonal_naive": seasonal_naive,
}


@dataclasses.dataclass(frozen=True, slots=True)
class ChampionSettings:
    """gbm: the full model. holdout_effort: share of its rows and trees spent on the hold-out.

    margin: the global model must beat the best simple method by this share of its WAPE.
    least_series: panels with fewer series go to the simple methods.
    """

    gbm: GbmSettings = dataclasses.field(default_factory=GbmSettings)
    holdout_effort: float = 0.5
    margin: float = 0.0
    least_series: int = 20


FAST = ChampionSettings(
    gbm=GbmSettings(rows=200_000, trees=150, leaves=63, learning_rate=0.08, median=False)
)
ACCURATE = ChampionSettings()


@dataclasses.dataclass(frozen=True, slots=True)
class Forecast:
    """The champion's forecast of a panel.

    mean, median: [N, H]. dispersion: the distribution around the mean; spread: [N], each series'
    own factor in it. method: which one won. holdout_wape: WAPE of each method's sums over the
    last hold-out, see `sum_wape`, days that were censored left out. model: the fitted global model
    where it won, else None.
    """

    mean: F32
    median: F32
    dispersion: DispersionSet
    spread: F64
    method: str
    holdout_wape: dict[str, float]
    model: FittedGbm | None = None


def forecast(panel: Panel, settings: ChampionSettings | None = None) -> Forecast:
    """Choose the champion on a hold-out and forecast the panel's horizon with it.

    Raises ValueError when the panel has fewer than 2 days, or nothing was seen.
    """
    chosen = settings or ACCURATE
    if panel.days < 2 or np.isnan(panel.sales).all():
        raise ValueError("at least two days of seen history are needed to forecast")
    held = min(panel.horizon_days, panel.days // 2)
    trial = panel.cut(panel.days - held, held)
    candidates = _simple(trial, chosen.gbm)
    if _can_learn(trial, chosen):
        smaller = _smaller(chosen.gbm, chosen.holdout_effort)
        candidates[GLOBAL] = GlobalGbm(smaller).fit(trial).predict_both(trial)
    clean = uncensored_days(panel)
    held_wape = _wapes(panel, clean, panel.days - held, made=candidates)
    method = _winner(held_wape, _best_simple(panel, clean, held, gbm=chosen.gbm), chosen.margin)
    dispersion, spread = uncertainty(panel, candidates[method].mean)
    model = GlobalGbm(chosen.gbm).fit(panel) if method == GLOBAL else None
    final = model.predict_both(panel) if model else _simple(panel, chosen.gbm)[method]
    return Forecast(final.mean, final.median, dispersion, spread, method, held_wape, model)


def sum_wape(actual: F32, forecast: F32) -> float:
    """WAPE of each series' sum over the horizon, taken over the days whose actual is known.

    actual, forecast: [N, H]; actual is nan where it is not known. nan when nothing was sold.
    """
    seen = ~np.isnan(actual)
    sold, told = (np.where(seen, one, 0).sum(1, dtype=np.float64) for one in (actual, forecast))
    return wape(sold, told)


def _simple(panel: Panel, gbm: GbmSettings) -> dict[str, Prediction]:
    source = demand_panel(panel) if gbm.target == "demand" else panel
    found = {name: method(source) for name, method in SIMPLE.items()}
    return {name: Prediction(mean, mean) for name, mean in found.items()}


def _can_learn(panel: Panel, settings: ChampionSettings) -> bool:
    return bool(
        panel.series >= settings.least_series
        and panel.days > settings.gbm.least_history_days
        and np.nansum(panel.sales) > 0
    )


def _smaller(gbm: GbmSettings, effort: float) -> GbmSettings:
    return dataclasses.replace(
        gbm,
        rows=max(int(gbm.rows * effort), 1),
        trees=max(int(gbm.trees * effort), 1),
        learning_rate=min(gbm.learning_rate / max(effort, 0.1), 0.3),
    )


def _wapes(
    panel: Panel, clean: Bool, origin: int, *, made: dict[str, Prediction]
) -> dict[str, float]:
    """`sum_wape` of each forecast of the days from `origin` on; censored days are left out."""
    found: dict[str, float] = {}
    for name, one in made.items():
        span = slice(origin, origin + one.mean.shape[1])
        seen = np.where(clean[:, span], panel.sales[:, span], np.nan).astype(np.float32)
        found[name] = sum_wape(seen, one.mean)
    return found


def _best_simple(panel: Panel, clean: Bool, held: int, *, gbm: GbmSettings) -> str:
    """The simple method with the least mean WAPE over the hold-outs; "" when nothing was sold."""
    scores: dict[str, list[float]] = {name: [] for name in SIMPLE}
    for origin in range(panel.days - held, 0, -held)[:HOLDOUTS]:
        tried = _simple(panel.cut(origin, held), gbm)
        for name, value in _wapes(panel, clean, origin, made=tried).items():
            if np.isfinite(value):
                scores[name].append(value)
    told = {name: float(np.mean(values)) for name, values in scores.items() if values}
    return min(told, key=lambda name: told[name]) if told else ""


def _winner(held_wape: dict[str, float], best: str, margin: float) -> str:
    if GLOBAL not in held_wape:
        return best or "same_weekday_mean"
    if not best or not np.isfinite(held_wape[GLOBAL]):
        return best or GLOBAL
    return GLOBAL if held_wape[GLOBAL] <= (1 - margin) * held_wape[best] else best
