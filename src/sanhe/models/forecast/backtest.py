"""Rolling-origin backtest: at each origin a method sees the days before it and known inputs."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sanhe.models.forecast.censoring import uncensored_days
from sanhe.models.forecast.champion import Forecast
from sanhe.models.forecast.distribution import BAND
from sanhe.models.forecast.panel import F32, Bool, Panel
from sanhe.models.forecast.scores import (
    PINBALL_QUANTILES,
    Score,
    bias,
    coverage,
    pinball,
    wape,
)

Method = Callable[[Panel], F32 | Forecast]
ALL = "all"


def backtest(
    panel: Panel,
    origins: Sequence[int],
    methods: Mapping[str, Method],
    *,
    groups: Sequence[str] | None = None,
) -> list[Score]:
    """Score each method at each origin, over all series and for each group of series.

    origins: indexes of first forecast days; origin + H must not pass the end of the history.
    methods: name -> function of the panel cut at the origin; it returns the mean [N, H] or a
    `Forecast`. groups: a name per series, N of them. Raises ValueError for an origin too late.
    """
    if groups is not None and len(groups) != panel.series:
        raise ValueError(f"{len(groups)} group names for {panel.series} series")
    parts: dict[str, Bool] = {ALL: np.ones(panel.series, bool)}
    if groups is not None:
        names = np.asarray(groups)
        parts |= {str(name): names == name for name in np.unique(names)}
    clean = uncensored_days(panel)
    scores: list[Score] = []
    for origin in origins:
        end = origin + panel.horizon_days
        if end > panel.days:
            raise ValueError(f"origin {origin} cannot be scored: day {end} is not in the history")
        seen = panel.cut(origin)
        actual, usable = panel.sales[:, origin:end], clean[:, origin:end]
        for name, method in methods.items():
            made = method(seen)
            for group, part in parts.items():
                scores.append(_score(made, actual, usable, part=part, at=(name, origin, group)))
    return scores


def _score(
    made: F32 | Forecast, actual: F32, clean: Bool, *, part: Bool, at: tuple[str, int, str]
) -> Score:
    mean, median = (made.mean, made.median) if isinstance(made, Forecast) else (made, made)
    y, ok = actual[part], clean[part]
    losses, inside = float("nan"), float("nan")
    if isinstance(made, Forecast):
        bands = {
            q: made.dispersion.quantile(mean[part], q, spread=made.spread[part, None])
            for q in PINBALL_QUANTILES
        }
        inside = coverage(y, bands[BAND[0]], bands[BAND[1]], where=ok)
        seen = np.where(ok, y, np.nan)
        losses = float(np.mean([pinball(seen, quantile, q) for q, quantile in bands.items()]))
    name, origin, group = at
    return Score(
        name,
        origin,
        group,
        int((~np.isnan(y)).sum()),
        wape(y, median[part]),
        bias(y, mean[part]),
        losses,
        inside,
    )
