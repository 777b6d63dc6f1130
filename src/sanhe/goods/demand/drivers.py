"""The drivers of a forecast: what a retailer's known inputs are without their cause, and sums.

A forecast is opened by nested counterfactuals of the model that made it. The neutral world has no
promotion, each price at its usual level, no holiday and the average weather of the place; it gives
base and season. Then price, promotion, event and weather are switched to what is known, one after
the other; each difference is that driver. The planner's override comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.goods.demand.rules import HOLIDAY_REACH_DAYS, span_sums
from sanhe.models.forecast import effects, level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sanhe.models.forecast import FittedGbm, Panel

    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

DRIVERS: Final = ("base", "season", "price", "promotion", "event", "weather", "override")
"""What a forecast is made of, in the order of its counterfactuals; on every day they sum to it."""

CAUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "price": ("price",),
    "promotion": ("discount", "activity"),
    "event": ("holiday", "public_holiday", "before_holiday", "after_holiday"),
    "weather": ("precipitation_mm", "temperature_c", "humidity", "wind"),
}
"""Which known inputs of a panel make up a driver; an input named nowhere belongs to base."""

USUAL_DAYS: Final = 56
"""The usual price and the average weather are those of the last days before the forecast."""


def causes_of(
    model: FittedGbm, panel: Panel, mean: F32, *, series: I64 | None = None
) -> dict[str, F32]:
    """The drivers price to weather of a model's forecast `mean` [S, H], in its own unit.

    series: the indexes [S] it was asked for; all by default. A driver that is nowhere is left out.
    """
    names = [name for inputs in CAUSES.values() for name in inputs if name in panel.known_names]
    neutral = {name: neutral_input(panel, name) for name in names}
    steps = list(CAUSES.values())
    found = effects(model, panel, mean, neutral=neutral, steps=steps, series=series)
    return {name: grid for name, grid in zip(CAUSES, found, strict=True) if grid is not None}


def announced(panel: Panel) -> tuple[str, ...]:
    """The drivers of which something is known ahead: an input that isn't neutral on some day."""
    return tuple(
        cause
        for cause, names in CAUSES.items()
        if any(
            not np.allclose(panel.known[:, panel.days :, panel.known_names.index(name)], calm)
            for name in names
            if name in panel.known_names
            for calm in (neutral_input(panel, name),)
        )
    )


def neutral_input(panel: Panel, name: str) -> F32:
    """A known input over the horizon, [N, H], in the world without its cause."""
    values = panel.known[:, :, panel.known_names.index(name)]
    calm = _NEUTRAL.get(name, _average)(panel, values)
    size = (panel.series, panel.horizon_days)
    return np.asarray(np.broadcast_to(calm, size), np.float32)


def _average(panel: Panel, values: F32) -> F32:
    """The mean of the last days of each series."""
    recent = values[:, max(panel.days - USUAL_DAYS, 0) : panel.days]
    seen = ~np.isnan(recent)
    total = np.where(seen, recent, 0).sum(1, dtype=np.float64)
    return np.asarray(total / np.maximum(seen.sum(1), 1), np.float32)[:, None]


def _usual(panel: Panel, values: F32) -> F32:
    """The median of the last days: a short cut of the price is not usual, a new price soon is."""
    recent = values[:, max(panel.days - USUAL_DAYS, 0) : panel.days]
    return np.asarray(np.median(recent, axis=1), np.float32)[:, None]


def _weekends(panel: Panel, values: F32) -> F32:
    """Days off without any holiday: the weekends, those worked in exchange (调休) among them."""
    return np.asarray(panel.weekdays()[panel.days :] >= 5, np.float32)[None, :]


def _never(panel: Panel, values: F32) -> F32:
    return np.zeros((1, 1), np.float32)


def _far(panel: Panel, values: F32) -> F32:
    return np.full((1, 1), HOLIDAY_REACH_DAYS, np.float32)


def _full_price(panel: Panel, values: F32) -> F32:
    return np.ones((1, 1), np.float32)


_NEUTRAL: Final[Mapping[str, Callable[[Panel, F32], F32]]] = {
    "price": _usual,
    "discount": _full_price,
    "activity": _never,
    "holiday": _weekends,
    "public_holiday": _never,
    "before_holiday": _far,
    "after_holiday": _far,
}


def opened(mean: F32, predicted: F32, causes: Mapping[str, F32]) -> dict[str, F32]:
    """All drivers by name, each [N, H]; they sum to `mean` on every day.

    mean: the forecast; predicted: before overrides; causes: price to weather, absent = nowhere.
    Base is the average level over the horizon's whole weeks, season the rest of the neutral world:
    weekday and time of year.
    """
    neutral = predicted - sum(causes.values(), np.float32(0))
    base = np.broadcast_to(level(neutral)[:, None], mean.shape)
    nothing = np.zeros(mean.shape, np.float32)
    grids = {"base": base, "season": neutral - base}
    grids |= {name: causes.get(name, nothing) for name in CAUSES}
    grids["override"] = mean - predicted
    return {name: np.asarray(grids[name], np.float32) for name in DRIVERS}


def summed(
    grids: Mapping[str, F32], row: I64, *, start_days: int, days: F64 | I64
) -> dict[str, F64]:
    """Each driver over an interval, [K]: of series `row` [K], `days` [K] from start_days on.

    Beyond the horizon the last week repeats, as it does for the mean.
    """
    return {
        name: span_sums(grid[row], days, start_days=start_days)
        if grid.any()
        else np.zeros(len(row))
        for name, grid in grids.items()
    }
