"""From sales to demand: a day without stock is not a day without demand.

Three kinds of censored days:

* opened empty, or hardly in stock: nothing was seen; the day is dropped (nan).
* in stock for a known share a of the day: with a gamma(k, mean mu) rate and Poisson sales, the
  rate after seeing s sales in the share a is gamma with mean (k + s) / (k / mu + a), so
  E[D] = s + (1 - a) (k + s) / (k / mu + a). The stopping time carries no further information
  (likelihood principle), although demand itself caused it. Quantities are counted in lots of
  `lot` units, so that Var = lot mu + mu^2 / k.
* sold out at an unknown hour: sales are a lower bound, D -> E[D | D >= s] under the negative
  binomial (counts) or the gamma (quantities) with mean mu and size k.

mu and k are themselves estimated from the filled days and the variance left in them, so the two
steps are repeated (EM; Dempster, Laird and Rubin 1977). Leaving censored days out of the estimate
of k would take the busiest days away and make every filled day too small.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from sanhe.models.forecast.panel import F32, F64, Bool, Panel, is_counts

MIN_SHARE = 0.05
"""Below this share of the day in stock a day tells nothing about demand."""

FULL_SHARE = 0.995


@dataclasses.dataclass(frozen=True, slots=True)
class CensoringSettings:
    """rounds: EM steps. half_life_days: memory of the local level around each day."""

    rounds: int = 4
    half_life_days: float = 14.0
    prior_days: float = 4.0

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.half_life_days <= 0 or self.prior_days < 0:
            raise ValueError(f"rounds >= 1, half_life_days > 0, prior_days >= 0; got {self}")


@dataclasses.dataclass(frozen=True, slots=True)
class Demand:
    """Estimated demand: `units` [N, T] (nan = dropped), `uncensored` days [N, T], NB size k [N]."""

    units: F32
    uncensored: Bool
    size: F64


def uncensored_days(panel: Panel) -> Bool:
    """Days whose sales are the demand: seen, opened with stock, never sold out, [N, T]."""
    return np.asarray(~np.isnan(panel.sales) & ~_empty(panel) & ~_short(panel) & ~_bounded(panel))


def estimate_demand(panel: Panel, settings: CensoringSettings | None = None) -> Demand:
    """Demand of each day, given sales and what is known of the stock."""
    chosen = settings or CensoringSettings()
    sales = panel.sales.astype(np.float32)
    seen = ~np.isnan(sales) & ~_empty(panel)
    share = np.where(_short(panel), panel.in_stock, 1.0).astype(np.float32)
    bounded = _bounded(panel) & seen
    short = _short(panel) & seen
    filled = np.where(seen, sales, np.nan).astype(np.float32)
    size = np.full(panel.series, np.inf)
    if (short | bounded).any():
        counts = is_counts(sales)
        left = np.zeros_like(sales)
        fade = _fade(panel.days, chosen.half_life_days)
        weekday = panel.weekdays()[: panel.days]
        for _ in range(chosen.rounds):
            level = _level(filled, share * seen, weekday, fade=fade, prior=chosen.prior_days)
            size, lot = _spread(filled, level, left, seen=seen, counts=counts)
            filled, left = _fill(
                sales, share, level, size=size, lot=lot, short=short, bounded=bounded, counts=counts
            )
            filled[~seen] = np.nan
    return Demand(filled, np.asarray(seen & ~short & ~bounded), size)


def demand_panel(panel: Panel, settings: CensoringSettings | None = None) -> Panel:
    """The panel with sales replaced by estimated demand, and every day in full stock."""
    units = estimate_demand(panel, settings).units
    return dataclasses.replace(
        panel,
        sales=units,
        in_stock=np.ones_like(panel.sales),
        opened_empty=np.zeros(panel.sales.shape, bool),
        sold_out=None,
    )


def _empty(panel: Panel) -> Bool:
    """Nothing to be learned: opened empty without a known share, or in stock hardly at all."""
    with np.errstate(invalid="ignore"):
        hardly = panel.in_stock < MIN_SHARE
    unknown = panel.opened_empty & np.isnan(panel.in_stock)
    return np.asarray(hardly | unknown)


def _short(panel: Panel) -> Bool:
    """In stock for a known part of the day only."""
    with np.errstate(invalid="ignore"):
        return np.asarray(panel.in_stock < FULL_SHARE)


def _bounded(panel: Panel) -> Bool:
    """Sold out at an unknown hour."""
    if panel.sold_out is None:
        return np.zeros(panel.sales.shape, bool)
    return np.asarray(panel.sold_out & np.isnan(panel.in_stock))


def _fade(days: int, half_life_days: float) -> NDArray[np.float32]:
    """Weight of day u for the level of day t, [T, T]."""
    gap = np.abs(np.arange(days)[:, None] - np.arange(days)[None, :])
    return np.asarray(0.5 ** (gap / half_life_days), np.float32)


def _level(filled: F32, weight: F32, weekday: NDArray[np.int64], *, fade: F32, prior: float) -> F32:
    """The expected demand of each day: local level times the pooled weekday profile, [N, T]."""
    values = np.nan_to_num(filled)
    trust = np.where(np.isnan(filled), 0, weight).astype(np.float32)
    overall = (values * trust).sum(1) / np.maximum(trust.sum(1), 1e-6)
    scaled = trust * values
    profile = np.ones(7, np.float32)
    for day in range(7):
        on = weekday == day
        base = (trust[:, on] * overall[:, None]).sum()
        profile[day] = scaled[:, on].sum() / base if base > 0 else 1.0
    profile = np.where(profile > 0, profile, 1.0).astype(np.float32)
    by_day = profile[weekday]
    above = (scaled / by_day) @ fade + prior * overall[:, None]
    below = trust @ fade + prior
    return np.asarray(above / np.maximum(below, 1e-6) * by_day, np.float32)


def _spread(filled: F32, level: F32, left: F32, *, seen: Bool, counts: bool) -> tuple[F64, float]:
    """Size k of each series, pooled over series of like velocity, and the lot, by moments.

    E (x - mu)^2 = lot mu + mu^2 / k; the lot is 1 for counts. left: variance of filled days.
    """
    mu = np.where(seen, level, 0.0).astype(np.float64)
    error = np.where(seen, (np.nan_to_num(filled) - level) ** 2 + left, 0.0).astype(np.float64)
    square = (mu**2).sum(1)
    days = seen.sum(1)
    lot = 1.0 if counts else _lot(error.sum(1), mu.sum(1), square)
    order = np.argsort(square / np.maximum(days, 1), kind="stable")
    size = np.full(len(filled), 1e3)
    for block in np.array_split(order, max(1, min(20, len(order) // 50))):
        excess = error[block].sum() - lot * mu[block].sum()
        if excess > 0:
            size[block] = np.clip(square[block].sum() / excess, 0.2, 1e3)
    return size, lot


def _lot(error: F64, mean: F64, square: F64) -> float:
    """Least squares of error on mean and square, each divided by the mean, held at >= 0."""
    use = mean > 0
    if not use.any():
        return 1.0
    speed = square[use] / mean[use]
    noise = error[use] / mean[use]
    slope, start = np.polyfit(speed, noise, 1) if np.ptp(speed) > 0 else (0.0, noise.mean())
    return float(max(start if slope >= 0 else noise.mean(), 0.02 * noise.mean(), 1e-6))


def _fill(
    sales: F32,
    share: F32,
    level: F32,
    *,
    size: F64,
    lot: float,
    short: Bool,
    bounded: Bool,
    counts: bool,
) -> tuple[F32, F32]:
    """Expected demand of each day, and the variance left in it."""
    filled = sales.copy()
    left = np.zeros_like(sales)
    k = np.broadcast_to(size[:, None], sales.shape)
    if short.any():
        s, a, mu = sales[short], share[short], np.maximum(level[short], 1e-6)
        known = k[short] / mu + a / lot
        rate = (k[short] + s / lot) / known
        filled[short] = s + (1 - a) * rate
        left[short] = (1 - a) * lot * rate + (1 - a) ** 2 * rate / known
    if bounded.any():
        moments = moments_above if counts else moments_above_quantity
        first, second = moments(level[bounded], k[bounded], sales[bounded])
        filled[bounded] = first
        left[bounded] = np.maximum(second - first**2, 0.0)
    return filled, left


def moments_above(mean: F32 | F64, size: F64, floor: F32 | F64) -> tuple[F64, F64]:
    """E[D | D >= s] and E[D^2 | D >= s] for the negative binomial with this mean and size.

    By size bias: E[D; D >= s] = mu P(D' >= s - 1) and E[D (D - 1); D >= s] =
    mu^2 (k + 1) / k P(D'' >= s - 2), with D', D'' of sizes k + 1, k + 2 and the same p.
    Where P(D >= s) vanishes, s + mu stands in.
    """
    mu = np.maximum(np.asarray(mean, np.float64), 1e-9)
    s = np.ceil(np.asarray(floor, np.float64) - 1e-6)
    miss = mu / (size + mu)
    tail = _at_least(s, size, miss)
    first = mu * _at_least(s - 1, size + 1, miss)
    pairs = mu**2 * (size + 1) / size * _at_least(s - 2, size + 2, miss)
    return _conditional(mu, s, tail=tail, first=first, second=pairs + first)


def moments_above_quantity(mean: F32 | F64, size: F64, floor: F32 | F64) -> tuple[F64, F64]:
    """E[D | D >= s] and E[D^2 | D >= s] for the gamma with this mean and shape k.

    mu Q(k + 1, z) / Q(k, z) and mu^2 (k + 1) / k Q(k + 2, z) / Q(k, z) with z = s k / mu.
    """
    from scipy.special import gammaincc

    mu = np.maximum(np.asarray(mean, np.float64), 1e-9)
    s = np.asarray(floor, np.float64)
    z = s * size / mu
    second = mu**2 * (size + 1) / size * gammaincc(size + 2, z)
    return _conditional(
        mu, s, tail=gammaincc(size, z), first=mu * gammaincc(size + 1, z), second=second
    )


def _at_least(s: F64, size: F64, miss: F64) -> F64:
    """P(D >= s) of the negative binomial with success probability 1 - miss."""
    from scipy.special import betainc

    return np.asarray(np.where(s <= 0, 1.0, betainc(np.maximum(s, 1e-9), size, miss)), np.float64)


def _conditional(mu: F64, s: F64, *, tail: F64, first: F64, second: F64) -> tuple[F64, F64]:
    safe = tail > 1e-9
    by = np.where(safe, tail, 1.0)
    mean = np.maximum(np.where(safe, first / by, s + mu), s)
    square = np.where(safe, second / by, mean**2)
    return np.asarray(mean, np.float64), np.asarray(square, np.float64)
