"""How good a forecast was: WAPE, bias, pinball loss, coverage."""

import dataclasses

import numpy as np

from sanhe.models.forecast.panel import F32, F64, Bool

PINBALL_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclasses.dataclass(frozen=True, slots=True)
class Score:
    """One line of a backtest. Ratios to the sum of actuals; nan where nothing could be scored.

    wape: sum |e| / sum y of the median, over all days. bias: (sum forecast - sum y) / sum y of
    the mean. pinball: mean pinball loss over the 5, 25, 50, 75 and 95 % quantiles, by sum y, and
    coverage: share inside the 5-95 % band; both on uncensored days, nan without a distribution.
    """

    method: str
    origin: int
    group: str
    days_scored: int
    wape: float
    bias: float
    pinball: float
    coverage: float


def wape(actual: F32 | F64, forecast: F32 | F64) -> float:
    """Weighted absolute percentage error, sum |y - f| / sum y, over seen days; nan when y is 0."""
    seen = ~np.isnan(actual)
    total = float(actual[seen].sum(dtype=np.float64))
    error = float(np.abs(actual[seen] - forecast[seen]).sum(dtype=np.float64))
    return error / total if total > 0 else float("nan")


def bias(actual: F32 | F64, forecast: F32 | F64) -> float:
    """(sum f - sum y) / sum y over seen days; positive when too much was forecast."""
    seen = ~np.isnan(actual)
    total = float(actual[seen].sum(dtype=np.float64))
    gap = float(forecast[seen].sum(dtype=np.float64)) - total
    return gap / total if total > 0 else float("nan")


def pinball(actual: F32 | F64, quantile: F32 | F64, q: float) -> float:
    """Pinball loss of a q-quantile, sum max(q (y - f), (q - 1) (y - f)) / sum y."""
    seen = ~np.isnan(actual)
    gap = actual[seen].astype(np.float64) - quantile[seen]
    total = float(actual[seen].sum(dtype=np.float64))
    return float(np.maximum(q * gap, (q - 1) * gap).sum()) / total if total > 0 else float("nan")


def coverage(actual: F32 | F64, low: F32 | F64, high: F32 | F64, *, where: Bool) -> float:
    """Share of chosen, seen days with low <= y <= high; nan when there is none."""
    use = where & ~np.isnan(actual)
    if not use.any():
        return float("nan")
    return float(((actual[use] >= low[use]) & (actual[use] <= high[use])).mean())
