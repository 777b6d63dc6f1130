"""Demand over the days an order has to cover, from a forecast by day.

An order placed now must last until the order *after* it can arrive: review period plus lead
time. The lead time is random, and its variance counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sanhe.models.inventory.demand import Bools, Demand, Floats, Ints

Spread: TypeAlias = Callable[[Floats, Floats], Floats]
"""Variance of a sum of daily demand: (mean of the sum [N], days [N]) -> variance [N]."""

_WEEK_DAYS = 7


def expected_demand(mean_by_day: npt.ArrayLike, days: npt.ArrayLike) -> Floats:
    """Expected demand of the first `days` days, float64 [N].

    `mean_by_day`: [N, H], one row a line, one column a day from the first day on. Days may be
    fractions (the part of a day counts in proportion). Beyond H the last week's mean goes on,
    so that weekdays stay in balance.
    """
    by_day = _by_day(mean_by_day)
    lines, horizon = by_day.shape
    span = np.maximum(np.broadcast_to(np.asarray(days, np.float64), (lines,)), 0.0)
    running = np.zeros((lines, horizon + 1))
    np.cumsum(by_day, axis=1, out=running[:, 1:])
    inside = np.minimum(span, horizon)
    whole = np.minimum(np.floor(inside).astype(np.int64), horizon - 1)
    rows = np.arange(lines)
    total = running[rows, whole] + (inside - whole) * by_day[rows, whole]
    beyond: Floats = total + (span - inside) * daily_rate(by_day)
    return beyond


def daily_rate(mean_by_day: npt.ArrayLike) -> Floats:
    """The mean of the forecast's last week, float64 [N]: what goes on beyond the horizon."""
    by_day = _by_day(mean_by_day)
    rate: Floats = by_day[:, -_WEEK_DAYS:].mean(axis=1)
    return rate


def protection_demand(
    mean_by_day: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    days_variance: npt.ArrayLike,
    spread: Spread,
    counted: npt.ArrayLike = True,
) -> Demand:
    """Demand over an interval of random length T with mean `days` and variance `days_variance`.

    E[D] = demand expected in E[T] days; Var[D] = E[T] s^2 + Var[T] m^2, with m the daily mean
    and s^2 the daily variance (Silver, Pyke & Thomas, Inventory and Production Management in
    Supply Chains, 4th ed., 6.10). `spread` gives the first summand for the whole sum, so that
    days that move together are counted as such.
    """
    by_day = _by_day(mean_by_day)
    span = np.broadcast_to(np.asarray(days, np.float64), by_day.shape[:1])
    mean = expected_demand(by_day, span)
    rate = np.divide(mean, span, out=daily_rate(by_day), where=span > 0)
    variance = spread(mean, span) + np.asarray(days_variance, np.float64) * rate**2
    whole = np.broadcast_to(np.asarray(counted, bool), mean.shape).copy()
    return Demand(mean, np.asarray(variance, np.float64), whole)


def cover_days(mean_by_day: npt.ArrayLike, quantity: npt.ArrayLike) -> Floats:
    """Days until expected demand has used up `quantity`, float64 [N]; infinite without demand.

    Nothing on hand covers 0 days. The inverse of `expected_demand`.
    """
    by_day = _by_day(mean_by_day)
    lines, horizon = by_day.shape
    stock = np.maximum(np.broadcast_to(np.asarray(quantity, np.float64), (lines,)), 0.0)
    running = np.zeros((lines, horizon + 1))
    np.cumsum(by_day, axis=1, out=running[:, 1:])
    whole = np.minimum((running[:, 1:] <= stock[:, None]).sum(axis=1), horizon)
    rows = np.arange(lines)
    rest = stock - running[rows, whole]
    rate = np.where(
        whole < horizon, by_day[rows, np.minimum(whole, horizon - 1)], daily_rate(by_day)
    )
    part = np.divide(rest, rate, out=np.full(lines, np.inf), where=rate > 0)
    days: Floats = np.where(stock > 0, whole + part, 0.0)
    return days


def whole_units(demand: Demand) -> Ints:
    """The expected demand rounded to whole units, int64 [N]; halves go to the even number."""
    return np.rint(demand.mean).astype(np.int64)


def _by_day(mean_by_day: npt.ArrayLike) -> Floats:
    """The forecast as float64 [N, H]; raises ValueError for another shape or bad numbers."""
    by_day = np.asarray(mean_by_day, np.float64)
    if by_day.ndim != 2 or by_day.shape[1] == 0:
        raise ValueError(f"a forecast by day must be [lines, days], not {by_day.shape}")
    bad: Bools = ~(np.isfinite(by_day) & (by_day >= 0))
    if bad.any():
        row, day = np.argwhere(bad)[0]
        raise ValueError(f"the forecast of line {row}, day {day} is {by_day[row, day]}")
    return by_day
