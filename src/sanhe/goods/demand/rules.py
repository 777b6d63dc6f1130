"""Rules of demand: units, velocity classes, horizons. Pure functions of arrays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

WEIGHED_UNITS: Final = {"g": 0.001, "ml": 0.001, "kg": 1.0, "l": 1.0, "cm": 0.01, "m": 1.0}
HOLIDAY_REACH_DAYS: Final = 14
"""A public holiday moves demand up to this many days before it begins and after it ends."""
VELOCITY_CLASSES: Final = ("fast", "medium", "slow", "intermittent")
"""By mean daily sales: >= 5, >= 1, >= 0.2, less."""
_VELOCITY_FLOORS: Final = (5.0, 1.0, 0.2)
AGE_CLASSES: Final = ("under 4 weeks", "4 to 12 weeks", "13 to 51 weeks", "a year and more")
"""By days since the item was first sold or seen on a shelf anywhere: < 28, < 91, < 364, more."""
_AGE_FLOORS: Final = (28, 91, 364)
_FRACTION: Final = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s+\S+")


def unit_scale(base_unit: str | None) -> tuple[float, bool]:
    """What a base unit is worth in the unit people think in, and whether it is counted.

    "each" -> (1, True); "g" -> (0.001, False), that is kilograms; "0.01 each" -> (0.01, False):
    a fraction of a piece is a normalised quantity, not a count. Unknown units are counted.
    """
    unit = (base_unit or "each").strip().lower()
    if unit in WEIGHED_UNITS:
        return WEIGHED_UNITS[unit], False
    fraction = _FRACTION.fullmatch(unit)
    if fraction and 0 < float(fraction[1]) < 1:
        return float(fraction[1]), False
    return 1.0, True


def velocity_class(daily_mean: F64) -> NDArray[np.str_]:
    """The velocity class of each series, [N], from its mean sales a day."""
    floors = np.array(_VELOCITY_FLOORS)
    at = (daily_mean[:, None] < floors[None, :]).sum(1)
    return np.asarray(np.array(VELOCITY_CLASSES)[at], np.str_)


def age_class(days: I64) -> NDArray[np.str_]:
    """The age class of each item, [N], from the days since it was first sold or on a shelf."""
    return np.asarray(np.array(AGE_CLASSES)[np.searchsorted(_AGE_FLOORS, days, "right")], np.str_)


def span_sums(mean: F32, days: F64 | I64, *, start_days: int = 0) -> F64:
    """The sum of each forecast over its own `days` days from start_days on, [N].

    mean: [N, H]; beyond the horizon it is carried on as by `extend`, without being laid out. Of
    a day that is only begun, that part counts.
    """
    have = mean.shape[1]
    end = start_days + np.asarray(days, np.float64)
    laid_out = min(int(np.ceil(end.max(initial=0))), have + 7)
    told = np.zeros((len(mean), laid_out + 1))
    np.cumsum(extend(mean, laid_out), axis=1, out=told[:, 1:], dtype=np.float64)
    row = np.arange(len(mean))

    def until(day: F64) -> F64:
        whole = day.astype(np.int64)
        weeks, rest = np.divmod(np.maximum(whole - have, 0), 7)
        found: F64 = told[row, np.minimum(whole, have) + rest]
        return found + weeks * (told[:, -1] - told[:, have]) if weeks.any() else found

    sums = until(np.floor(end))
    part = end - np.floor(end)
    if part.any():
        sums += part * (until(np.ceil(end)) - sums)
    return sums - until(np.full_like(end, start_days)) if start_days else sums


def extend(mean: F32, days: int) -> F32:
    """A forecast [N, H] carried on to `days` days by repeating its last week.

    A forecast of under a week is carried on at its mean.
    """
    have = mean.shape[1]
    if days <= have:
        return mean[:, :days]
    if have >= 7:
        week = mean[:, -7:]
        more = week[:, np.arange(days - have) % 7]
    else:
        more = np.repeat(mean.mean(1, keepdims=True), days - have, axis=1)
    return np.concatenate([mean, more], axis=1)
