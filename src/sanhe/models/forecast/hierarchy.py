"""Forecast reconciliation: what lines say and what their groups say, made one coherent forecast.

Lines (SKU × place) are the bottom; each level parts them into groups (categories, regions). Each
was forecast by itself, so that sums don't agree. Three ways to agree: bottom-up takes the lines'
word; top-down shares out the groups' word by the lines' forecasts (Athanasopoulos, Ahmed and
Hyndman 2009); weighted least squares moves each by its variance (MinT with a diagonal W:
Wickramasuriya, Athanasopoulos and Hyndman 2019, theorem 1). All give the lines, non-negative; a
group is their sum, so that every node agrees exactly.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from sanhe.models.forecast.panel import F64, I64


@dataclasses.dataclass(frozen=True, slots=True)
class Level:
    """A partition of the M lines into G groups, and what is forecast of the groups by themselves.

    group: the group of each line, [M], 0..G-1. forecast: [G, H], nan = nothing was forecast.
    variance: of a forecast's error, [G]; inf = not known, the group has no say.
    Raises ValueError when shapes do not fit or a group is out of range.
    """

    group: I64
    forecast: F64
    variance: F64

    def __post_init__(self) -> None:
        groups = len(self.forecast)
        if self.variance.shape != (groups,):
            raise ValueError(f"variance must be [{groups}], got {self.variance.shape}")
        if self.group.size and not 0 <= int(self.group.min()) <= int(self.group.max()) < groups:
            raise ValueError(f"groups of lines must lie in 0..{groups - 1}")
        if (self.variance < 0).any():
            raise ValueError("a variance can't be negative")

    @property
    def heard(self) -> I64:
        """The groups that have a say: forecast, with a known variance, and with lines, [K]."""
        told = np.isfinite(self.forecast).all(1) & np.isfinite(self.variance)
        told &= np.bincount(self.group, minlength=len(self.forecast)) > 0
        return np.flatnonzero(told)

    def sums(self, lines: F64) -> F64:
        """The sums of lines [M, H] by group, [G, H]."""
        found = np.zeros((len(self.forecast), lines.shape[1]))
        np.add.at(found, self.group, lines)
        return found


def top_down(lines: F64, level: Level) -> F64:
    """Each group's forecast shared out by the lines' own forecasts of that week, [M, H].

    lines: [M, H], 0 or more. Where all lines of a group say 0 it is shared out evenly; a group
    without a forecast keeps its lines' word.
    """
    sums = level.sums(lines)
    count = np.bincount(level.group, minlength=len(sums))
    told = np.isfinite(level.forecast)
    goal = np.where(told, level.forecast, sums)
    factor = np.divide(goal, sums, out=np.zeros_like(sums), where=sums > 0)
    even = np.where(sums > 0, 0.0, goal / np.maximum(count, 1)[:, None])
    return np.asarray(lines * factor[level.group] + even[level.group], np.float64)


def weighted(lines: F64, variance: F64, levels: Sequence[Level]) -> F64:
    """Lines moved by weighted least squares towards all levels at once, [M, H], 0 or more.

    lines: [M, H]; variance: of their errors, [M]. The solution of MinT with diagonal W is written
    by its constraints, so that only a matrix of the groups' size is solved:
    b + W_b A' (W_a + A W_b A')^-1 (a - A b), with A the sums, a the groups' forecasts. A line that
    would fall below 0 is set to 0; one without variance stays.
    """
    heard = [level.heard for level in levels]
    size = sum(len(one) for one in heard)
    if not size:
        return lines
    place = [np.full(len(level.forecast), -1) for level in levels]
    start = 0
    for at, one in zip(place, heard, strict=True):
        at[one] = np.arange(start, start + len(one))
        start += len(one)
    rows = [at[level.group] for at, level in zip(place, levels, strict=True)]
    told = [level.variance[one] for level, one in zip(levels, heard, strict=True)]
    matrix = np.diag(np.concatenate(told) + 1e-12)
    for one in rows:
        for other in rows:
            both = (one >= 0) & (other >= 0)
            np.add.at(matrix, (one[both], other[both]), variance[both])
    gap = np.concatenate(
        [(lv.forecast - lv.sums(lines))[one] for lv, one in zip(levels, heard, strict=True)]
    )
    pull = np.vstack([np.linalg.solve(matrix, gap), np.zeros((1, lines.shape[1]))])
    moved = lines + variance[:, None] * np.sum([pull[one] for one in rows], axis=0)
    return np.asarray(np.maximum(moved, 0.0), np.float64)
