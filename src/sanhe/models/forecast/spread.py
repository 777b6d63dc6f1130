"""How restless one series is beside like ones: its own factor on the pooled dispersion.

The pooled dispersion knows the mean alone. A line that sells ten a week, every week, and one that
sells forty in one week of four then get the same band: the first is stocked for storms that never
come, the second runs out.
"""

import numpy as np

from sanhe.models.forecast.censoring import uncensored_days
from sanhe.models.forecast.distribution import (
    Dispersion,
    DispersionSet,
    Kind,
    fit_dispersion,
    fit_one,
)
from sanhe.models.forecast.panel import F32, F64, Bool, Panel, is_counts

BLOCK_DAYS = 7
HALF_LIFE_DAYS = 56.0
LEVEL_BLOCKS = 4
"""Blocks behind a level before it is held against the next one."""

PRIOR_BLOCKS = 4.0
LEAST_SEEN_DAYS = 4
OUTLIER = 36.0
"""A squared error counts for at most this many times the variance."""

LIMITS = (0.1, 10.0)


def own_spread(sales: F32, clean: Bool, *, kind: Kind) -> F64:
    """The factor f on the excess of each series' variance over the pooled one, [N].

    Var(D) = mu + f mu^2 / k for counts and f mu^2 / k for quantities, k the pooled size. sales,
    clean: [N, T]; days that are not clean (stock-outs) are left out. The weeks x of the history
    are held against the level m smoothed exponentially until then. With the pooled v = m^2 / k,
    V = m + v (or v) and e = (x - m)^2 - m (or (x - m)^2), each week tells f = e / v with the
    precision w = (v / V)^2, and f is their mean beside a prior of 1 worth PRIOR_BLOCKS weeks:
    f = (p + sum w e / v) / (p + sum w) (an empirical Bayes credibility mean, Buhlmann 1967).
    A series without such weeks has 1.
    """
    level, week = _weeks(sales, clean)
    told = ~np.isnan(level) & ~np.isnan(week) & (level > 0)
    if int(told.sum()) < 30:
        return np.ones(len(sales))
    pooled = fit_one(level[told], week[told], kind, days=BLOCK_DAYS)
    mean = np.where(told, level, 1.0)
    own = mean if kind == "counts" else np.zeros_like(mean)
    excess = mean**2 / pooled.size(mean)
    whole = own + excess
    error = np.minimum((np.where(told, week, mean) - mean) ** 2, OUTLIER * whole) - own
    precision = np.where(told, (excess / whole) ** 2, 0.0)
    found = (PRIOR_BLOCKS + (precision * error / excess).sum(1)) / (PRIOR_BLOCKS + precision.sum(1))
    return np.asarray(np.clip(found, *LIMITS))


def uncertainty(panel: Panel, tried: F32) -> tuple[DispersionSet, F64]:
    """What may happen around a forecast of this panel: the dispersion, and each series' spread [N].

    tried: [N, h], the forecast of the panel's last h days made without them; its errors on
    uncensored days give the dispersion, with the spread as it was known before those days.
    """
    held = tried.shape[1]
    clean = uncensored_days(panel)
    kind: Kind = "counts" if is_counts(panel.sales) else "quantities"
    spread = own_spread(panel.sales, clean, kind=kind)
    if not clean[:, -held:].any():
        return DispersionSet((Dispersion(kind, 0.0, 0.0),)), spread
    before = own_spread(panel.sales[:, :-held], clean[:, :-held], kind=kind)
    dispersion = fit_dispersion(
        tried,
        panel.sales[:, -held:],
        clean[:, -held:],
        kind=kind,
        sums_days=tuple(range(2, held + 1)),
        spread=before,
    )
    return dispersion, spread


def _weeks(sales: F32, clean: Bool) -> tuple[F64, F64]:
    """The level before each week of the history and what the week brought, [N, B] each.

    Both for a whole week; nan where fewer than 4 days were clean, or too few weeks lie before.
    """
    blocks = sales.shape[1] // BLOCK_DAYS
    shape = (len(sales), blocks, BLOCK_DAYS)
    last = slice(sales.shape[1] - blocks * BLOCK_DAYS, None)
    seen = (clean & ~np.isnan(sales))[:, last].reshape(shape)
    days = seen.sum(2)
    units = np.where(seen, sales[:, last].reshape(shape), 0).sum(2, dtype=np.float64)
    fade = 0.5 ** (BLOCK_DAYS / HALF_LIFE_DAYS)
    level = np.full((len(sales), blocks), np.nan)
    sold, weight, behind = np.zeros(len(sales)), np.zeros(len(sales)), np.zeros(len(sales))
    for block in range(blocks):
        enough = behind >= LEVEL_BLOCKS
        level[enough, block] = sold[enough] / weight[enough] * BLOCK_DAYS
        sold = sold * fade + units[:, block]
        weight = weight * fade + days[:, block]
        behind += days[:, block] >= LEAST_SEEN_DAYS
    week = np.where(days >= LEAST_SEEN_DAYS, units * BLOCK_DAYS / np.maximum(days, 1), np.nan)
    return level, week
