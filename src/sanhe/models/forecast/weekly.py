"""Weekly series of categories or regions, a quarter ahead: the champion is a blend that earned it.

Four methods forecast, and a global model (LightGBM) on what they leave over: the log-ratio of each
week to last year's week times the growth since. How much each counts is decided by the errors of
earlier origins that were fully known at the origin: convex weights on a grid, least WAPE
(stacking: Wolpert 1992; on a simplex: Breiman 1996). Nothing is decided by looking ahead.
"""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sanhe.models.forecast.panel import F64
from sanhe.models.forecast.weekly_model import (
    LEAST_TRAINING_WEEKS,
    YEAR_WEEKS,
    WeeklyPanel,
    YearlyRatioModel,
    growth,
    last_year,
)

QUARTER_WEEKS: Final = 13
GROWTH_WEEKS: Final = 26
PROFILE_YEARS: Final = 3
INDEX_LIMITS: Final = (0.1, 10.0)

FLAT: Final = "flat_mean"
NAIVE: Final = "seasonal_naive"
GROWN: Final = "grown_naive"
PROFILE: Final = "profile"
MODEL: Final = "yearly_ratio_gbm"
CHAMPION: Final = "champion"


def flat_mean(panel: WeeklyPanel) -> F64:
    """The mean of the last 13 weeks, [N, H]."""
    level = panel.sales[:, -QUARTER_WEEKS:].mean(1, keepdims=True)
    return np.repeat(level, panel.horizon_weeks, axis=1)


def seasonal_naive(panel: WeeklyPanel) -> F64:
    """The same weeks of last year, 52 weeks back, [N, H]."""
    return last_year(panel)


def grown_naive(panel: WeeklyPanel) -> F64:
    """The same weeks of last year times the growth of the last 26 weeks on a year before."""
    return last_year(panel) * np.exp(growth(panel.sales, GROWTH_WEEKS))[:, None]


def profile(panel: WeeklyPanel) -> F64:
    """The mean seasonal index of up to three years, times the level of the last 13 weeks.

    An index is a week divided by the mean of the year around it. Level = the last 13 weeks by
    their own index, so that a high season isn't taken for a high level.
    """
    sales, weeks = panel.sales, panel.weeks
    window = np.arange(-QUARTER_WEEKS, panel.horizon_weeks)
    found: list[F64] = []
    for year in range(1, PROFILE_YEARS + 1):
        middle = weeks - YEAR_WEEKS * year
        if middle < YEAR_WEEKS // 2:
            break
        around = sales[:, middle - YEAR_WEEKS // 2 : middle + YEAR_WEEKS // 2].mean(1)
        index = np.ones((len(sales), len(window)))
        np.divide(sales[:, middle + window], around[:, None], out=index, where=around[:, None] > 0)
        found.append(np.clip(index, *INDEX_LIMITS))
    index = np.mean(found, axis=0)
    level = sales[:, -QUARTER_WEEKS:].sum(1) / index[:, :QUARTER_WEEKS].sum(1)
    return np.asarray(level[:, None] * index[:, QUARTER_WEEKS:], np.float64)


SIMPLE: Final[dict[str, tuple[int, Callable[[WeeklyPanel], F64]]]] = {
    FLAT: (1, flat_mean),
    NAIVE: (YEAR_WEEKS, seasonal_naive),
    GROWN: (YEAR_WEEKS + GROWTH_WEEKS, grown_naive),
    PROFILE: (YEAR_WEEKS + GROWTH_WEEKS, profile),
}


@dataclasses.dataclass(frozen=True, slots=True)
class WeeklySettings:
    """gate_origins: earlier origins that decide, a horizon apart; least_origins a method needs.

    steps: the grid of weights has steps of 1/steps. model: the global model, None leaves it out.
    """

    gate_origins: int = 4
    least_origins: int = 4
    steps: int = 10
    model: YearlyRatioModel | None = dataclasses.field(default_factory=YearlyRatioModel)


@dataclasses.dataclass(frozen=True, slots=True)
class WeeklyForecast:
    """The champion's forecast, and the league it came from.

    mean: [N, H]. weights: the share of each method in the champion. origins: the earlier origins
    as weeks of history [K]. errors: the sums of |error| of each method over the weeks of a
    horizon, [K, N]; that of the champion uses the final weights. units: what was sold, [K, N].
    """

    mean: F64
    weights: dict[str, float]
    origins: NDArray[np.int64]
    errors: dict[str, F64]
    units: F64

    def wape(self) -> dict[str, F64]:
        """WAPE of each method and series over all earlier origins, [N]; nan where nothing sold."""
        total = np.where(self.units.sum(0) > 0, self.units.sum(0), np.nan)
        return {name: error.sum(0) / total for name, error in self.errors.items()}


def forecast_weekly(panel: WeeklyPanel, settings: WeeklySettings | None = None) -> WeeklyForecast:
    """Forecast the horizon of weekly series by the blend that did best at earlier origins.

    A method takes part when its history sufficed at `least_origins` earlier origins; with a
    history too short for any, the mean of the last weeks is the forecast.
    Raises ValueError when the panel has no week of history.
    """
    chosen = settings or WeeklySettings()
    if panel.weeks < 1:
        raise ValueError("at least one week of history is needed to forecast")
    names = _candidates(panel, chosen)
    origins = _gate(panel, names, chosen)
    made = _forecasts(panel, names, chosen)
    trials = [_forecasts(panel.cut(int(at)), names, chosen) for at in origins]
    h = panel.horizon_weeks
    actual = np.array([panel.sales[:, at : at + h] for at in origins])
    weights = _stacked(names, trials, actual, steps=chosen.steps)
    errors: dict[str, F64] = {}
    if trials:
        stacked = {name: np.array([one[name] for one in trials]) for name in names}
        stacked[CHAMPION] = _blend(stacked, weights)
        errors = {name: np.abs(actual - one).sum(2) for name, one in stacked.items()}
    units = actual.sum(2) if trials else np.zeros((0, panel.series))
    return WeeklyForecast(_blend(made, weights), weights, origins, errors, units)


def needed_weeks(settings: WeeklySettings) -> dict[str, int]:
    """Weeks of history each method needs."""
    needed = {name: weeks for name, (weeks, _) in SIMPLE.items()}
    if settings.model is not None:
        needed[MODEL] = LEAST_TRAINING_WEEKS
    return needed


def _candidates(panel: WeeklyPanel, settings: WeeklySettings) -> list[str]:
    earliest = panel.weeks - settings.least_origins * panel.horizon_weeks
    needed = needed_weeks(settings)
    return [name for name, weeks in needed.items() if weeks <= earliest or name == FLAT]


def _gate(panel: WeeklyPanel, names: list[str], settings: WeeklySettings) -> NDArray[np.int64]:
    """Earlier origins whose whole horizon is known now and whose history suffices, old first."""
    needed = needed_weeks(settings)
    least = max(needed[name] for name in names)
    back = panel.horizon_weeks * np.arange(settings.gate_origins, 0, -1)
    origins = panel.weeks - back
    return np.asarray(origins[origins >= max(least, 1)], np.int64)


def _forecasts(panel: WeeklyPanel, names: list[str], settings: WeeklySettings) -> dict[str, F64]:
    made = {name: SIMPLE[name][1](panel) for name in names if name in SIMPLE}
    if MODEL in names and settings.model is not None:
        made[MODEL] = settings.model.forecast(panel)
    return made


def _stacked(
    names: list[str], trials: list[dict[str, F64]], actual: F64, *, steps: int
) -> dict[str, float]:
    """The convex weights on the grid with the least mean WAPE over the earlier origins.

    Among equals the one nearest to equal weights, which errs least where the past misleads.
    """
    if not trials or len(names) == 1:
        return {name: float(name == FLAT) for name in names}
    stack = np.array([[one[name] for one in trials] for name in names])
    totals = np.maximum(actual.sum((1, 2)), 1e-9)
    best, least = np.zeros(len(names)), (np.inf, np.inf)
    for cut in itertools.product(range(steps + 1), repeat=len(names) - 1):
        if sum(cut) > steps:
            continue
        weights = np.array([*cut, steps - sum(cut)]) / steps
        error = np.abs(actual - np.tensordot(weights, stack, 1)).sum((1, 2)) / totals
        found = (float(error.mean()), float((weights**2).sum()))
        if found < least:
            best, least = weights, found
    return dict(zip(names, best.tolist(), strict=True))


def _blend(made: dict[str, F64], weights: dict[str, float]) -> F64:
    parts = [share * made[name] for name, share in weights.items()]
    return np.asarray(np.sum(parts, axis=0), np.float64)
