"""What the global model sees of a series at an origin, for a day of the horizon.

Every column is free of scale: ratios to the level, differences, shares. A row for origin o and
horizon h uses sales and stock of days before o, and known inputs up to day o + h - 1 (and one day
more where the panel's horizon carries it for every row).
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sanhe.models.forecast.history import Group, History
from sanhe.models.forecast.panel import F32, I64, Bool

LAGS = (1, 2, 3, 4, 5, 6, 7, 14)
WINDOWS = (3, 7, 14, 28)
LEAST_LEVEL_SHARE = 0.03
"""The level never falls below this share of the average sales of all series."""


@dataclasses.dataclass(frozen=True, slots=True)
class Window:
    """The days before an origin, for some rows: values [n, W], the newest day last."""

    origin: int
    start: int
    series: I64
    target: I64
    sales: F32
    seen: F32
    latent: F32
    share: F32
    age: F32
    same_type: Bool
    same_weekday: Bool
    level: F32
    base: F32


def rows(
    history: History, origin: int, series: I64, *, horizon: I64, window_days: int = 56
) -> tuple[dict[str, F32], F32]:
    """Feature columns [n] by name, and the base the model starts from, [n].

    series: index of each row's series. horizon: 1..H of each row. Day o + h - 1 is forecast.
    """
    window = _window(history, origin, series, horizon=horizon, window_days=window_days)
    columns: dict[str, F32] = {}
    columns |= _level_columns(window)
    columns |= _weekday_columns(history, window)
    columns |= _stock_columns(window)
    columns |= _price_columns(history, window)
    columns |= _like_days(history, window)
    for group in history.groups:
        columns |= _group_columns(group, history, window)
    columns |= _calendar_columns(history, window, horizon)
    columns |= _other_columns(history, window)
    return columns, window.base


def _window(
    history: History, origin: int, series: I64, *, horizon: I64, window_days: int
) -> Window:
    start = max(0, origin - window_days)
    target = origin + horizon - 1
    sales = history.sales[series, start:origin]
    seen = history.seen[series, start:origin]
    age = np.arange(origin - start, 0, -1).astype(np.float32)
    rest = history.rest[series, start:origin]
    same_type = rest == history.rest[series, target][:, None]
    weekday = history.weekday
    same_weekday = weekday[start:origin][None, :] == weekday[target][:, None]
    recent = 0.5 ** ((age - 1) / 10)
    floor = LEAST_LEVEL_SHARE * float(history.sales[:, start:origin].mean()) + 1e-6
    smooth = _mean(sales, seen * recent)
    level = np.maximum(0.8 * smooth + 0.2 * _mean(sales[:, -28:], seen[:, -28:]), floor)
    factor = _pooled_factor(history, series, start=start, origin=origin, same=same_type)
    return Window(
        origin,
        start,
        series,
        target,
        sales,
        seen,
        history.latent[series, start:origin],
        history.share[series, start:origin],
        age,
        same_type,
        same_weekday,
        level.astype(np.float32),
        (level * factor).astype(np.float32),
    )


def _pooled_factor(history: History, series: I64, *, start: int, origin: int, same: Bool) -> F32:
    """Sales of days like the target's over those of all days, in the series' neighbourhood."""
    if not history.groups:
        return np.ones(len(series), np.float32)
    group = min(history.groups, key=lambda one: abs(len(one.sales) - len(history.sales) / 25))
    sales = group.sales[:, start:origin][group.code[series]]
    fade = 0.5 ** (np.arange(origin - start, 0, -1) / 21)
    return np.clip(_mean(sales, same * fade) / np.maximum(_mean(sales, fade), 1e-6), 0.5, 2.0)


def _level_columns(w: Window) -> dict[str, F32]:
    level = w.level
    out = {"log_base": np.log(w.base), "log_level": np.log(level), "factor": w.base / level}
    for days in WINDOWS:
        out[f"mean_{days}"] = _mean(w.sales[:, -days:], w.seen[:, -days:]) / level
    for days in (7, 28):
        out[f"latent_{days}"] = _mean(w.latent[:, -days:], w.seen[:, -days:]) / level
    out["mean_all"] = _mean(w.sales, w.seen) / level
    month = w.sales[:, -28:]
    out["deviation"] = month.std(1) / level
    out["zero_share"] = (month == 0).mean(1)
    out["peak"] = month.max(1) / level
    out["median_14"] = np.median(month[:, -14:], axis=1) / level
    out["days_seen"] = w.seen.sum(1)
    for lag in LAGS:
        if lag <= w.sales.shape[1]:
            out[f"lag_{lag}"] = w.sales[:, -lag] / level
    return _single(out)


def _weekday_columns(history: History, w: Window) -> dict[str, F32]:
    fade = 0.5 ** (w.age / 21)
    out = {
        "weekday_mean": _mean(w.sales, w.seen * w.same_weekday * fade) / w.base,
        "type_mean": _mean(w.sales, w.seen * w.same_type * fade) / w.base,
        "type_latent": _mean(w.latent, w.seen * w.same_type * fade) / w.base,
    }
    # The newest same weekday that lies before the origin, however far ahead the target is.
    back = 7 * ((w.target - w.origin) // 7 + 1)
    for week in range(4):
        day = w.target - back - 7 * week
        known = day >= 0
        at = np.maximum(day, 0)
        value = history.sales[w.series, at] / w.level
        out[f"weeks_ago_{week + 1}"] = np.where(known, value, np.nan)
        if week < 2:
            share = history.share[w.series, at]
            out[f"weeks_ago_share_{week + 1}"] = np.where(known, share, np.nan)
            for name, prices in history.prices.items():
                change = prices[w.series, w.target] - prices[w.series, at]
                out[f"{name}_weeks_ago_{week + 1}"] = change
    return _single(out)


def _stock_columns(w: Window) -> dict[str, F32]:
    out = {f"share_{lag}": w.share[:, -lag] for lag in (1, 2, 3) if lag <= w.share.shape[1]}
    out["share_mean_7"] = w.share[:, -7:].mean(1)
    out["share_mean_28"] = w.share[:, -28:].mean(1)
    out["short_share"] = (w.share[:, -28:] < 0.95).mean(1)
    out["share_type"] = _mean(w.share, w.same_type * 0.5 ** (w.age / 21))
    return _single(out)


def _price_columns(history: History, w: Window) -> dict[str, F32]:
    out: dict[str, F32] = {}
    for name, values in history.prices.items():
        now = values[w.series, w.target]
        past = values[w.series, w.start : w.origin]
        out[name] = now
        out[f"{name}_to_28"] = now - past[:, -28:].mean(1)
        out[f"{name}_to_7"] = now - past[:, -7:].mean(1)
        out[f"{name}_to_last"] = now - past[:, -1]
        out[f"{name}_to_day_before"] = now - values[w.series, np.maximum(w.target - 1, 0)]
        out[f"{name}_steady"] = history.steady[name][w.series, w.target]
    return _single(out)


def _like_days(history: History, w: Window) -> dict[str, F32]:
    """Mean sales of days like the target: price near, same day type, recent; pulled to base."""
    if not history.prices:
        return {}
    weight = np.where(w.same_type, 1.0, 0.3) * 0.5 ** (w.age / 21) * w.seen
    for values in history.prices.values():
        gap = values[w.series, w.start : w.origin] - values[w.series, w.target][:, None]
        scale = max(0.4 * float(values[:, w.start : w.origin].std()), 1e-3)
        weight = weight * np.exp(-np.minimum(np.abs(gap) / scale, 4.0))
    total = weight.sum(1)
    prior = 0.3
    sales = ((weight * w.sales).sum(1) + prior * w.base) / (total + prior) / w.base
    latent = ((weight * w.latent).sum(1) + prior * w.base) / (total + prior) / w.base
    return _single({"like_days": sales, "like_latent": latent, "like_weight": total})


def _group_columns(group: Group, history: History, w: Window) -> dict[str, F32]:
    code = group.code[w.series]
    out = {
        f"{group.name}_last_day": _momentum(group.sales, w.origin, days=1, weeks=3)[code],
        f"{group.name}_last_week": _momentum(group.sales, w.origin, days=7, weeks=1)[code],
        f"{group.name}_month": _momentum(group.sales, w.origin, days=7, weeks=3)[code],
    }
    first = max(w.start, w.origin - 28)
    sales = group.sales[:, first : w.origin][code]
    average = np.maximum(sales.mean(1), 1e-6)
    days = sales.shape[1]
    out[f"{group.name}_type"] = _mean(sales, w.same_type[:, -days:]) / average
    out[f"{group.name}_weekday"] = _mean(sales, w.same_weekday[:, -days:]) / average
    for name, values in group.prices.items():
        now = values[code, w.target]
        out[f"{group.name}_{name}"] = now
        out[f"{group.name}_{name}_to_28"] = now - values[:, first : w.origin].mean(1)[code]
    if history.days >= 420:
        out[f"{group.name}_last_year"] = _last_year(group.sales, code, w)
    return _single(out)


def _momentum(sales: F32, origin: int, *, days: int, weeks: int) -> F32:
    """Sales of the last days over the mean of the same days in the weeks before, [G]."""
    now = sales[:, max(0, origin - days) : origin].sum(1)
    before = [
        sales[:, origin - days - 7 * week : origin - 7 * week].sum(1)
        for week in range(1, weeks + 1)
        if origin - days - 7 * week >= 0
    ]
    if not before:
        return np.ones(len(sales), np.float32)
    small = 0.5 * days * max(float(sales.mean()), 1e-6) / 10
    return np.asarray((now + small) / (np.mean(before, axis=0) + small), np.float32)


def _last_year(sales: F32, code: I64, w: Window) -> F32:
    """The group's sales a year before the target over the four weeks a year before the origin."""
    out = np.full(len(w.series), np.nan, np.float32)
    first = w.origin - 364 - 28
    if first < 0:
        return out
    before = sales[:, first : first + 28].mean(1)
    for day in np.unique(w.target):
        week = sales[:, day - 364 - 3 : min(day - 364 + 4, w.origin)].mean(1)
        ratio = np.where(before > 0, week / np.maximum(before, 1e-6), np.nan)
        at = w.target == day
        out[at] = ratio[code[at]]
    return out


def _calendar_columns(history: History, w: Window, horizon: I64) -> dict[str, F32]:
    rest = history.rest
    return _single(
        {
            "horizon": horizon,
            "weekday": history.weekday[w.target],
            "rest": rest[w.series, w.target],
            "rest_before": rest[w.series, np.maximum(w.target - 1, 0)],
        }
    )


def _other_columns(history: History, w: Window) -> dict[str, F32]:
    out: dict[str, NDArray[Any]] = {}
    for name, values in history.others.items():
        now = values[w.series, w.target]
        out[name] = now
        out[f"{name}_to_7"] = now - values[w.series, max(0, w.origin - 7) : w.origin].mean(1)
    for name, code in history.codes.items():
        out[f"code_{name}"] = code[w.series]
    return _single(out)


def _mean(values: F32, weight: NDArray[np.floating] | Bool) -> F32:
    """Weighted mean along the days; 0 where there is no weight."""
    total = np.broadcast_to(weight, values.shape).sum(1)
    return np.asarray((values * weight).sum(1) / np.maximum(total, 1e-6), np.float32)


def _single(columns: Mapping[str, NDArray[Any]]) -> dict[str, F32]:
    return {name: np.asarray(column, np.float32) for name, column in columns.items()}
