"""Statistical methods of the `stats` extra, series by series: ETS, Theta, CES, season a week.

They are the yardstick of the league (`bench.league`), and can be asked for by name. Each chooses
its own form per series; AutoETS: Hyndman et al. (2002), AutoTheta: Fiorucci et al. (2016),
AutoCES: Svetunkov et al. (2022), as statsforecast implements them.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sanhe.core.errors import MissingPart
from sanhe.models.forecast import same_weekday_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sanhe.models.forecast import Panel

    F32 = NDArray[np.float32]

STATISTICAL: Final = {"ets": "AutoETS", "theta": "AutoTheta", "ces": "AutoCES"}
SEASON_DAYS: Final = 7
LEAST_DAYS: Final = 3 * SEASON_DAYS
INSTALL: Final = 'pip install "sanhe[stats]"'


def require_statistical(name: str) -> None:
    """Raise MissingPart, with the command that helps, when the `stats` extra isn't installed."""
    if importlib.util.find_spec("statsforecast") is None:
        raise MissingPart(
            f"forecast method {name!r} needs statsforecast, which is not installed; run {INSTALL}"
        )


def statistical(panel: Panel, name: str) -> F32:
    """The forecast of each series by one of STATISTICAL, [N, H], never below 0.

    Days not seen take the mean of their weekday; a series seen for under three weeks, or that
    never sold or can't be fitted, gets the mean of its last same weekdays. Raises MissingPart
    without the extra.
    """
    require_statistical(name)
    model: Any = _model(name)
    out = same_weekday_mean(panel)
    filled = _filled(panel)
    for at, series in enumerate(filled):
        if len(series) < LEAST_DAYS or not series.any():
            continue
        made = _fitted(model, series, panel.horizon_days)
        if made is not None and np.isfinite(made).all():
            out[at] = np.maximum(made, 0)
    return out


def _fitted(model: Any, series: NDArray[np.float64], days: int) -> NDArray[np.float64] | None:
    """The forecast [H]; None for a series that no form of the method can be fitted to."""
    try:
        return np.asarray(model.forecast(y=series, h=days)["mean"], np.float64)
    except Exception as error:
        # statsforecast knows no class of its own for this; all else goes on up.
        if "no model able to be fitted" not in str(error).lower():
            raise
        return None


def _model(name: str) -> Any:
    from statsforecast import models

    return getattr(models, STATISTICAL[name])(season_length=SEASON_DAYS)


def _filled(panel: Panel) -> list[NDArray[np.float64]]:
    """Each series from its first seen day on, gaps filled by the mean of the weekday."""
    weekday = panel.weekdays()[: panel.days]
    found: list[NDArray[np.float64]] = []
    for series in panel.sales.astype(np.float64):
        seen = ~np.isnan(series)
        if not seen.any():
            found.append(np.zeros(0))
            continue
        sums = np.bincount(weekday[seen], series[seen], minlength=SEASON_DAYS)
        counts = np.bincount(weekday[seen], minlength=SEASON_DAYS)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), series[seen].mean())
        found.append(np.where(seen, series, means[weekday])[int(seen.argmax()) :])
    return found
