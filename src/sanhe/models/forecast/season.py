"""The time of year of a series, told by its group: what the same days brought in earlier years.

One SKU at one place sells too little to show its own season, and a few months of it can't. The
category it belongs to sells enough, and the lake remembers its years.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

YEAR_DAYS: Final = 364
"""52 weeks: the same weekdays of the year before."""

YEARS: Final = 2
AROUND_DAYS: Final = 7
"""A day of an earlier year is the mean of the days up to a week before and after it."""

LEAST_LEVEL_DAYS: Final = 112
"""Days behind a level in an earlier year before it is held against what came after it."""

SOFT_SHARE: Final = 0.05
LIMITS: Final = (0.4, 2.5)
TRIAL_STEP_DAYS: Final = 28
TRIALS: Final = 13
LEAST_TRIALS: Final = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Season:
    """What groups of series sold, further back than the panel goes.

    sales: [G, D] of each group by day, in units of the panel; the last day is the panel's last.
    group: [N], the group of each series. Raises ValueError for a group that is not there, or for
    sales that are not finite.
    """

    sales: F64
    group: I32

    def __post_init__(self) -> None:
        if self.sales.ndim != 2 or not np.isfinite(self.sales).all():
            raise ValueError(f"season sales must be finite, [G, D], got {self.sales.shape}")
        if self.group.size and not 0 <= self.group.min() <= self.group.max() < len(self.sales):
            raise ValueError(f"season groups must lie in 0..{len(self.sales) - 1}")

    def cut(self, days: int) -> Season:
        """The season without its last days."""
        return dataclasses.replace(self, sales=self.sales[:, : self.sales.shape[1] - days])

    def only(self, series: NDArray[Any]) -> Season:
        """The season of some series, chosen by index or mask."""
        return dataclasses.replace(self, group=self.group[series])


def season_factor(sales: F64, horizon_days: int, *, half_life_days: float) -> F64:
    """What the coming days bring by the time of year, over the smoothed level of now, [G, H].

    sales: [G, D] of groups of series by day. r(t, h) = the days around t + h - 364 y over the
    level smoothed until t - 364 y, in the mean of the logarithms over y = 1, 2 years, and of the
    group and all groups together. How far the past tells the present is tried at earlier origins:
    b = sum w x y / sum w x^2 with x = ln r, y = the logarithm of what came over the level of then
    and w that level (weighted least squares through 0), within 0..1. The factor is r^b; 1 where
    the history can't tell (a year and some months are needed).
    """
    groups, days = sales.shape
    plain = np.ones((groups, horizon_days))
    trials = [
        at
        for at in range(days - horizon_days, 0, -TRIAL_STEP_DAYS)
        if at >= YEAR_DAYS + LEAST_LEVEL_DAYS
    ][:TRIALS]
    if len(trials) < LEAST_TRIALS:
        return plain
    past = _Past.of(np.concatenate([sales, sales.sum(0, keepdims=True)]), half_life_days)
    told, came, weight = (np.zeros((len(trials), groups)) for _ in range(3))
    for row, at in enumerate(trials):
        told[row] = past.ratio(at, horizon_days).mean(1)
        brought = sales[:, at : at + horizon_days].mean(1)
        came[row] = np.log(_over(brought, past.level[:groups, at]))
        weight[row] = past.level[:groups, at]
    spread = float((weight * told**2).sum())
    if spread <= 0:
        return plain
    strength = float(np.clip((weight * told * came).sum() / spread, 0.0, 1.0))
    return np.asarray(np.clip(np.exp(strength * past.ratio(days, horizon_days)), *LIMITS))


@dataclasses.dataclass(frozen=True, slots=True)
class _Past:
    """level: [G + 1, D + 1], smoothed until before each day; around: [G + 1, D], the mean of the
    days around each day. The last group is all together."""

    level: F64
    around: F64

    @classmethod
    def of(cls, sales: F64, half_life_days: float) -> _Past:
        groups, days = sales.shape
        fade = 0.5 ** (1 / half_life_days)
        level = np.zeros((groups, days + 1))
        sold, weight = np.zeros(groups), 0.0
        for day in range(days):
            sold = sold * fade + sales[:, day]
            weight = weight * fade + 1.0
            level[:, day + 1] = sold / weight
        total = np.concatenate([np.zeros((groups, 1)), np.cumsum(sales, axis=1)], axis=1)
        first = np.maximum(np.arange(days) - AROUND_DAYS, 0)
        last = np.minimum(np.arange(days) + AROUND_DAYS + 1, days)
        return cls(level, (total[:, last] - total[:, first]) / (last - first))

    def ratio(self, at: int, horizon_days: int) -> F64:
        """ln r of the groups for an origin, [G, H]."""
        logs = []
        for year in range(1, YEARS + 1):
            then = at - YEAR_DAYS * year
            if then < LEAST_LEVEL_DAYS:
                break
            # A horizon longer than a year meets the same year again.
            days = then + np.arange(horizon_days) % (YEAR_DAYS - AROUND_DAYS)
            logs.append(np.log(_over(self.around[:, days], self.level[:, [then]])))
        mean = np.mean(logs, axis=0)
        return np.asarray((mean[:-1] + mean[-1:]) / 2)


def _over(sold: F64, level: F64) -> F64:
    """Sales over a level, a small part of the level added to both; 1 where there is no level."""
    soft = SOFT_SHARE * level
    out = np.ones(np.broadcast_shapes(sold.shape, level.shape))
    np.divide(sold + soft, level + soft, out=out, where=level > 0)
    return out
