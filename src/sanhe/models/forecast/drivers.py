"""What moves a forecast: counterfactual worlds of one fitted model, and sums in whole units.

The inputs that are known ahead are switched from neutral to what is known, one step after the
other. World 0 has all of them neutral, world k has the first k steps as known, the last world is
the forecast m itself. The effect of step k on a series-day is f(world k) - f(world k - 1): nested
counterfactuals of the same model, so that all effects and the rest sum to m. What the steps share
goes to the earlier one (Shapley values would split it; they need every subset of the steps).
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from sanhe.models.forecast.gbm import FittedGbm
from sanhe.models.forecast.panel import F32, F64, I64, Bool, Panel


def effects(
    model: FittedGbm,
    panel: Panel,
    mean: F32,
    *,
    neutral: Mapping[str, F32],
    steps: Sequence[Sequence[str]],
    series: I64 | None = None,
) -> list[F32 | None]:
    """The effect of each step on each series-day of the horizon, [S, H]; None = nowhere any.

    mean: the model's forecast of this panel, [S, H]. neutral: by known input its values over the
    horizon, [N, H], in a world without the cause. steps: the inputs that are switched together,
    in order. series: indexes [S] of those asked for; all by default. The others are switched too,
    as the model compares a series with its neighbours.

    Only series-days whose own inputs differ from neutral, that day or the day before (the model
    sees the step between them), have an effect and are predicted again; what the promotion of a
    neighbour does to a series is no effect of its own and stays in the rest.
    """
    chosen = np.arange(panel.series) if series is None else series
    inputs = [[name for name in names if name in panel.known_names] for names in steps]
    moved = [_moved(panel, neutral, names)[chosen] for names in inputs]
    found: list[F32 | None] = [None] * len(moved)
    telling = [k for k, cells in enumerate(moved) if cells.any()]
    if not telling:
        return found
    learned, known = model.learned_panel(panel), panel.known.copy()
    for k in telling:
        _switch(panel, known, {name: neutral[name] for name in inputs[k]})
    before = _world(model, learned, known, wanted=moved[telling[0]], chosen=chosen)
    for at, k in enumerate(telling):
        cells = moved[k]
        _switch(panel, known, dict.fromkeys(inputs[k]))
        last = at + 1 == len(telling)
        wanted = cells | (moved[telling[at + 1]] if not last else False)
        after = mean if last else _world(model, learned, known, wanted=wanted, chosen=chosen)
        found[k] = np.where(cells, after - before, np.float32(0)).astype(np.float32)
        before = after
    return found


def level(mean: F32) -> F32:
    """The average level [N] of a forecast [N, H] over its whole weeks, or days where it has none.

    Over whole weeks the weekdays even out: a forecast that begins on a Friday isn't high for it.
    """
    whole = mean.shape[1] // 7 * 7 or mean.shape[1]
    return np.asarray(mean[:, :whole].mean(1, dtype=np.float64), np.float32)


def whole_parts(parts: F64, totals: I64) -> I64:
    """Parts [K, D] in whole units that sum to `totals` [K], by the largest remainder.

    Each part is rounded down; what is left of the total goes, a unit each, to the parts that lost
    most; among equals to the first. Raises ValueError where the parts sum to a unit or more beside
    the total: then they aren't its parts.
    """
    if (np.abs(parts.sum(1) - totals) > 1 + 1e-6).any():
        raise ValueError("the parts do not sum to the totals")
    down = np.floor(parts).astype(np.int64)
    left = totals - down.sum(1)
    # Rounding the total may have left one unit too few or too many for a unit each.
    order = np.argsort(-(parts - down), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    each, rest = np.divmod(left, parts.shape[1])
    return np.asarray(down + each[:, None] + (rank < rest[:, None]), np.int64)


def _moved(panel: Panel, neutral: Mapping[str, F32], names: Sequence[str]) -> Bool:
    """Series-days [N, H] on which a known input isn't neutral, or wasn't the day before."""
    moved = np.zeros((panel.series, panel.horizon_days), bool)
    for name in names:
        values = panel.known[:, panel.days :, panel.known_names.index(name)]
        moved |= ~np.isclose(values, neutral[name], rtol=0, atol=1e-4, equal_nan=True)
    moved[:, 1:] |= moved[:, :-1].copy()
    return moved


def _switch(panel: Panel, known: F32, values: Mapping[str, F32 | None]) -> None:
    """Set known inputs over the horizon; None = as they are known."""
    for name, wanted in values.items():
        at = panel.known_names.index(name)
        ahead = panel.known[:, panel.days :, at] if wanted is None else wanted
        known[:, panel.days :, at] = ahead


def _world(model: FittedGbm, learned: Panel, known: F32, *, wanted: Bool, chosen: I64) -> F32:
    """The model's mean under other known inputs on the wanted cells [S, H] of chosen series."""
    cells = np.zeros((learned.series, learned.horizon_days), bool)
    cells[chosen] = wanted
    return model.mean_at(dataclasses.replace(learned, known=known), cells)[chosen]
