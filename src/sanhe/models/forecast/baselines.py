"""Simple methods: the bar every model must clear, and the fallback for short or tiny series."""

import warnings

import numpy as np

from sanhe.models.forecast.panel import F32, F64, Panel
from sanhe.models.forecast.season import season_factor

WEEK_DAYS = 7


def seasonal_naive(panel: Panel) -> F32:
    """The last seen value of the same weekday, [N, H]; 0 when there is none."""
    return _same_weekday(panel, 1)


def same_weekday_mean(panel: Panel, weeks: int = 4) -> F32:
    """The mean of the last `weeks` same weekdays, [N, H]; days not seen are left out.

    A series without any of them gets its mean over all seen days, or 0.
    """
    if weeks < 1:
        raise ValueError(f"weeks must be at least 1, got {weeks}")
    return _same_weekday(panel, weeks)


def _same_weekday(panel: Panel, weeks: int) -> F32:
    n, t = panel.sales.shape
    out = np.empty((n, panel.horizon_days), np.float32)
    overall = np.nan_to_num(_nanmean(panel.sales))
    for h in range(panel.horizon_days):
        last = t - WEEK_DAYS + h % WEEK_DAYS
        days = [last - WEEK_DAYS * w for w in range(weeks) if last - WEEK_DAYS * w >= 0]
        if not days:
            out[:, h] = overall
            continue
        mean = _nanmean(panel.sales[:, days])
        out[:, h] = np.where(np.isnan(mean), overall, mean)
    return out


def sba(panel: Panel, alpha: float = 0.1) -> F32:
    """Croston's method with the Syntetos-Boylan correction, times a weekday profile, [N, H].

    Demand sizes z and intervals p are smoothed at each sale; the rate is (1 - alpha/2) z/p.
    Syntetos and Boylan (2005), The accuracy of intermittent demand estimates, eq. 5.
    """
    _unit_interval("alpha", alpha)
    size, interval, since = _first_sale(panel.sales)
    for t in range(panel.days):
        x = panel.sales[:, t]
        sold = x > 0
        since = since + ~np.isnan(x)
        size = np.where(sold, size + alpha * (x - size), size)
        interval = np.where(sold, interval + alpha * (since - interval), interval)
        since = np.where(sold, 0.0, since)
    rate = (1 - alpha / 2) * size / np.maximum(interval, 1.0)
    return _with_profile(panel, rate)


def tsb(panel: Panel, alpha: float = 0.1, beta: float = 0.05) -> F32:
    """Teunter-Syntetos-Babai: size times the probability of a sale, times a weekday profile.

    The probability is updated every day, so the forecast of a dying item falls, [N, H].
    Teunter, Syntetos and Babai (2011), Intermittent demand: linking forecasting to inventory
    obsolescence, eq. 3.
    """
    _unit_interval("alpha", alpha)
    _unit_interval("beta", beta)
    size, interval, _ = _first_sale(panel.sales)
    chance = 1.0 / np.maximum(interval, 1.0)
    for t in range(panel.days):
        x = panel.sales[:, t]
        seen = ~np.isnan(x)
        sold = x > 0
        size = np.where(sold, size + alpha * (x - size), size)
        chance = np.where(seen, chance + beta * (sold - chance), chance)
    return _with_profile(panel, size * chance)


def smoothed_mean(panel: Panel, half_life_days: float = 56.0) -> F32:
    """Exponentially weighted mean of the seen days, times weekday and season, [N, H].

    A day counts half as much every half_life_days (simple exponential smoothing, Brown 1956). Its
    long memory makes the sums of weeks steady, which is what stock is planned with; the season of
    the group, where the panel tells it, turns it in time (see `season_factor`).
    """
    if half_life_days <= 0:
        raise ValueError(f"half_life_days must be positive, got {half_life_days}")
    age = np.arange(panel.days - 1, -1, -1)
    weight = 0.5 ** (age / half_life_days)
    seen = ~np.isnan(panel.sales)
    mean = _with_profile(panel, _ratio(np.nan_to_num(panel.sales) @ weight, seen @ weight))
    if panel.season is None:
        return mean
    factor = season_factor(panel.season.sales, panel.horizon_days, half_life_days=half_life_days)
    return (mean * factor[panel.season.group]).astype(np.float32)


def weekday_profile(panel: Panel, prior_weeks: float = 8.0) -> F64:
    """Factors by weekday, [N, 7], mean 1; short series are pulled to the profile of all series.

    prior_weeks: how many weeks of average sales the pooled profile is worth.
    """
    weekday = panel.weekdays()[: panel.days]
    sums = np.zeros((panel.series, WEEK_DAYS))
    counts = np.zeros((panel.series, WEEK_DAYS))
    filled = np.nan_to_num(panel.sales)
    seen = ~np.isnan(panel.sales)
    for day in range(WEEK_DAYS):
        sums[:, day] = filled[:, weekday == day].sum(1)
        counts[:, day] = seen[:, weekday == day].sum(1)
    pooled = _ratio(sums.sum(0), counts.sum(0))
    pooled = pooled / pooled.mean() if pooled.mean() > 0 else np.ones(WEEK_DAYS)
    level = _ratio(sums.sum(1), counts.sum(1))[:, None]
    profile = _ratio(sums + prior_weeks * level * pooled, (counts + prior_weeks) * level)
    profile[(level == 0).ravel()] = pooled
    return np.asarray(profile / profile.mean(1, keepdims=True), np.float64)


def _with_profile(panel: Panel, rate: F64) -> F32:
    ahead = panel.weekdays()[panel.days :]
    return (rate[:, None] * weekday_profile(panel)[:, ahead]).astype(np.float32)


def _first_sale(sales: F32) -> tuple[F64, F64, F64]:
    """Start values: the mean size of sales, and the mean days between them up to the last one."""
    seen = np.cumsum(~np.isnan(sales), axis=1)
    is_sale = np.nan_to_num(sales) > 0
    sold = is_sale.sum(1)
    until_last = (seen * is_sale).max(1)
    size = _ratio(np.nan_to_num(sales).sum(1), sold)
    interval = np.where(sold > 0, until_last / np.maximum(sold, 1), np.maximum(seen[:, -1], 1))
    return size, interval.astype(np.float64), np.zeros(len(sales))


def _unit_interval(name: str, value: float) -> None:
    if not 0 < value <= 1:
        raise ValueError(f"{name} must lie in (0, 1], got {value}")


def _nanmean(values: F32) -> F64:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(values, axis=1), np.float64)


def _ratio(above: F64, below: F64) -> F64:
    out = np.zeros(np.broadcast_shapes(above.shape, below.shape))
    np.divide(above, below, out=out, where=below > 0)
    return out
