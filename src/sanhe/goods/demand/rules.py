"""Rules of demand: units, velocity classes, horizons. Pure functions of arrays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]

WEIGHED_UNITS: Final = {"g": 0.001, "ml": 0.001, "kg": 1.0, "l": 1.0, "cm": 0.01, "m": 1.0}
HOLIDAY_REACH_DAYS: Final = 14
"""A public holiday moves demand up to this many days before it begins and after it ends."""
VELOCITY_CLASSES: Final = ("fast", "medium", "slow", "intermittent")
"""By mean daily sales: >= 5, >= 1, >= 0.2, less."""
_VELOCITY_FLOORS: Final = (5.0, 1.0, 0.2)
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
