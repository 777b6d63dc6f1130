"""What may happen around the mean: negative binomial for counts, gamma for measured quantities.

The size k of a day's demand is k = exp(a + b ln mu) / f, f the series' own spread (see `spread`,
1 when not known); Var = mu + mu^2 / k for counts and Var = mu^2 / k for quantities. The sum of L
days is fitted again on L-day sums, because the errors of neighbouring days go together: adding up
daily variances makes the band of the sum too narrow. A day's dispersion is set so that the 5-95 %
band holds 90 % of the hold-out; that of a sum so that its 95 % quantile is exceeded by 5 %, because
stock is planned with the upper tail of sums.
"""

import dataclasses
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sanhe.models.forecast.panel import F32, F64, Bool

Kind = Literal["counts", "quantities"]
Spread = float | F64
LOG_K = (float(np.log(1e-3)), float(np.log(1e6)))
BAND = (0.05, 0.95)
MIN_MEAN = 1e-6
MAX_FIT_POINTS = 60_000


@dataclasses.dataclass(frozen=True, slots=True)
class Dispersion:
    """k = exp(a + b ln mu) for the sum of `days` days."""

    kind: Kind
    a: float
    b: float
    days: int = 1

    def size(self, mean: F32 | F64, *, spread: Spread = 1.0) -> F64:
        """k for each mean. spread: the series' own factor, here and below; it spreads to mean."""
        mu = np.maximum(np.asarray(mean, np.float64), MIN_MEAN)
        # Clipped before exp, which would overflow for means far from those fitted.
        return np.asarray(np.exp(np.clip(self.a + self.b * np.log(mu), *LOG_K)) / spread)

    def variance(self, mean: F32 | F64, *, spread: Spread = 1.0) -> F64:
        """Variance of demand with this mean."""
        mu = np.maximum(np.asarray(mean, np.float64), MIN_MEAN)
        excess = mu**2 / self.size(mu, spread=spread)
        return np.asarray((mu if self.kind == "counts" else 0.0) + excess)

    def quantile(self, mean: F32 | F64, q: float | F64, *, spread: Spread = 1.0) -> F64:
        """The q-quantile of demand with this mean; whole numbers for counts."""
        from scipy import special, stats

        mu = np.maximum(np.asarray(mean, np.float64), MIN_MEAN)
        k = self.size(mu, spread=spread)
        if self.kind == "quantities":
            return np.asarray(special.gammaincinv(k, q) * mu / k, np.float64)
        return np.asarray(stats.nbinom.ppf(q, k, k / (k + mu)), np.float64)

    def cdf(self, mean: F32 | F64, units: F32 | F64, *, spread: Spread = 1.0) -> F64:
        """P(D <= units)."""
        from scipy import special

        mu = np.maximum(np.asarray(mean, np.float64), MIN_MEAN)
        k = self.size(mu, spread=spread)
        x = np.asarray(units, np.float64)
        if self.kind == "quantities":
            return np.asarray(special.gammainc(k, np.maximum(x, 0) * k / mu), np.float64)
        below = special.betainc(k, np.floor(np.maximum(x, 0)) + 1, k / (k + mu))
        return np.asarray(np.where(x < 0, 0.0, below), np.float64)


@dataclasses.dataclass(frozen=True, slots=True)
class DispersionSet:
    """The daily dispersion and those of L-day sums, one per fitted L."""

    fitted: tuple[Dispersion, ...]

    def of(self, days: int) -> Dispersion:
        """The dispersion of sums of `days` days: between fitted L by ln L, beyond them the last."""
        if days < 1:
            raise ValueError(f"days must be at least 1, got {days}")
        at = np.log([one.days for one in self.fitted])
        a = float(np.interp(np.log(days), at, [one.a for one in self.fitted]))
        b = float(np.interp(np.log(days), at, [one.b for one in self.fitted]))
        return Dispersion(self.fitted[0].kind, a, b, days)

    def quantile(self, mean: F32 | F64, q: float | F64, *, spread: Spread = 1.0) -> F64:
        """The q-quantile of one day."""
        return self.of(1).quantile(mean, q, spread=spread)

    def sum_quantile(
        self, mean_sum: F32 | F64, q: float | F64, days: int, *, spread: Spread = 1.0
    ) -> F64:
        """The q-quantile of the sum of `days` days, given the mean of that sum."""
        return self.of(days).quantile(mean_sum, q, spread=spread)


def fit_dispersion(
    mean: F32,
    actual: F32,
    uncensored: Bool,
    *,
    kind: Kind,
    sums_days: tuple[int, ...] = (1,),
    spread: F64 | None = None,
) -> DispersionSet:
    """Fit k = exp(a + b ln mu) / f on a hold-out, for one day and for sums of L days.

    mean, actual, uncensored: [N, H] of a hold-out origin the mean was not fitted on; several
    origins may be stacked along N. spread: f of each series, [N], from days before the hold-out.
    Only days (and stretches of L days) without censoring count. a and b by maximum likelihood,
    then a is moved until the 5-95 % band holds 90 % of the days, or the 95 % quantile 95 % of the
    sums. Raises ValueError without any such day.
    """
    if mean.shape != actual.shape or mean.shape != uncensored.shape:
        raise ValueError(f"shapes differ: {mean.shape}, {actual.shape}, {uncensored.shape}")
    own = np.ones(len(mean)) if spread is None else spread
    if own.shape != (len(mean),):
        raise ValueError(f"spread must have the shape {(len(mean),)}, got {own.shape}")
    fitted: list[Dispersion] = []
    for days in sorted({1, *(d for d in sums_days if d <= mean.shape[1])}):
        mu, x, f = _sums(mean, actual, uncensored, days=days, spread=own)
        if len(x) < 30 and fitted:
            continue
        fitted.append(fit_one(mu, x, kind, days=days, spread=f))
    return DispersionSet(tuple(fitted))


def band_mass(dispersion: Dispersion, mean: F64, actual: F64, *, spread: Spread = 1.0) -> float:
    """Share of outcomes inside the 5-95 % band.

    For counts the probability of an outcome is spread over its step of the distribution function
    (the non-randomised PIT, Czado, Gneiting and Held 2009), so that 90 % is exact for small means.
    """
    return _mass(dispersion, mean, actual, within=BAND, spread=spread)


def _mass(
    dispersion: Dispersion,
    mean: F64,
    actual: F64,
    *,
    within: tuple[float, float],
    spread: Spread,
) -> float:
    high = dispersion.cdf(mean, actual, spread=spread)
    if dispersion.kind == "quantities":
        return float(np.mean((high >= within[0]) & (high <= within[1])))
    low = dispersion.cdf(mean, actual - 1, spread=spread)
    inside = np.minimum(high, within[1]) - np.maximum(low, within[0])
    return float(np.mean(np.clip(inside / np.maximum(high - low, 1e-12), 0, 1)))


def _sums(
    mean: F32, actual: F32, uncensored: Bool, *, days: int, spread: F64
) -> tuple[F64, F64, F64]:
    """Means, outcomes and spreads of the stretches of `days` days that are not censored, flat."""
    whole = mean.shape[1] // days * days
    shape = (len(mean), -1, days)
    clean = (uncensored & ~np.isnan(actual))[:, :whole].reshape(shape).all(2)
    mu = mean[:, :whole].astype(np.float64).reshape(shape).sum(2)[clean]
    x = np.nan_to_num(actual[:, :whole]).astype(np.float64).reshape(shape).sum(2)[clean]
    f = np.broadcast_to(spread[:, None], clean.shape)[clean]
    return np.maximum(mu, MIN_MEAN), x, f


def fit_one(mu: F64, x: F64, kind: Kind, *, days: int, spread: Spread = 1.0) -> Dispersion:
    """Fit one dispersion to means and outcomes of sums of `days` days, [M] each.

    spread: the own factor of each, [M]. Raises ValueError when M is 0.
    """
    from scipy import optimize

    if len(x) == 0:
        raise ValueError("no uncensored day in the hold-out; choose another origin")
    if len(x) > MAX_FIT_POINTS:
        pick = np.linspace(0, len(x) - 1, MAX_FIT_POINTS).astype(np.int64)
        mu, x, spread = mu[pick], x[pick], np.broadcast_to(spread, mu.shape)[pick]
    centre = float(np.log(mu).mean())
    start = _moments(mu, x, kind)
    logs = np.log(mu) - centre

    def loss(theta: NDArray[np.float64]) -> float:
        k = np.exp(np.clip(theta[0] + theta[1] * logs, *LOG_K)) / spread
        return _minus_log_likelihood(mu, x, k, kind=kind)

    if len(x) < 100 or float(np.log(mu).std()) < 0.05:
        theta = np.array([start, 0.0])
    else:
        # The default first simplex is a hair wide where a start is 0: b would never move.
        simplex = np.array([[start, 0.0], [start + 0.5, 0.0], [start, 0.3]])
        theta = optimize.minimize(
            loss,
            simplex[0],
            method="Nelder-Mead",
            options={"xatol": 0.01, "fatol": 1e-5, "maxiter": 120, "initial_simplex": simplex},
        ).x
    b = float(np.clip(theta[1], -1.5, 2.0))
    at_mean = Dispersion(kind, float(theta[0]) - b * centre, b, days)
    return _calibrated(at_mean, mu, x, spread=spread) if len(x) >= 100 else at_mean


def _moments(mu: F64, x: F64, kind: Kind) -> float:
    excess = float(((x - mu) ** 2 - (mu if kind == "counts" else 0.0)).sum())
    return float(np.log(np.clip((mu**2).sum() / excess if excess > 0 else 100.0, 0.05, 1e3)))


def _minus_log_likelihood(mu: F64, x: F64, k: F64, *, kind: Kind) -> float:
    from scipy.special import gammaln

    if kind == "quantities":
        y = np.maximum(x, 0.02 * mu)  # a zero has no gamma density; it counts as nearly nothing
        ll = k * np.log(k / mu) - gammaln(k) + (k - 1) * np.log(y) - k * y / mu
    else:
        ll = gammaln(x + k) - gammaln(k) - gammaln(x + 1)
        ll = ll + k * np.log(k / (k + mu)) + x * np.log(mu / (k + mu))
    return float(-ll.mean())


def _calibrated(start: Dispersion, mu: F64, x: F64, *, spread: Spread) -> Dispersion:
    """Move a until the hold-out's mass is right; k rises, the band narrows.

    Days: the 5-95 % band holds 90 %. Sums: the 95 % quantile holds 95 %.
    """
    within = BAND if start.days == 1 else (0.0, BAND[1])
    low, high = start.a - 3.0, start.a + 3.0
    for _ in range(24):
        middle = 0.5 * (low + high)
        moved = dataclasses.replace(start, a=middle)
        mass = _mass(moved, mu, x, within=within, spread=spread)
        low, high = (middle, high) if mass > within[1] - within[0] else (low, middle)
    return dataclasses.replace(start, a=0.5 * (low + high))
