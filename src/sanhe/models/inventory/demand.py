"""Demand over an interval as a distribution: negative binomial, Poisson or gamma.

Counted goods follow a negative binomial (Poisson where the variance does not exceed the mean),
continuous quantities a gamma. Both are fixed by mean and variance, so that any forecast that
gives these two can drive the order policy.

Symbols: M mean, V variance, k = M^2 / (V - M) the shape of the negative binomial,
q = M / (k + M), a = M^2 / V the shape and b = V / M the scale of the gamma.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

_POISSON_SHAPE = 1e6
"""From this shape on the negative binomial is Poisson to six digits, and quicker as such."""
_TIE = 1e-12
"""How far below the wanted probability a value still counts as reaching it (rounding error)."""
_SKEWED_SHAPE = 0.3
"""Below this shape of the matching gamma its quantile is worth computing for a good start."""
_LEAST_CV = 1e-4
"""A gamma needs some spread; below this ratio of deviation to mean it is as good as certain."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Demand of N lines over an interval, in units of each line.

    `mean`, `variance`: float64 [N], not negative. `counted`: bool [N], True for goods sold in
    whole units (negative binomial or Poisson), False for continuous quantities (gamma).
    Raises ValueError for other shapes, negative or missing numbers.
    """

    mean: Floats
    variance: Floats
    counted: Bools

    def __post_init__(self) -> None:
        if not self.mean.shape == self.variance.shape == self.counted.shape:
            raise ValueError(
                f"mean {self.mean.shape}, variance {self.variance.shape} and counted"
                f" {self.counted.shape} must have one shape"
            )
        for name, values in (("mean", self.mean), ("variance", self.variance)):
            if values.size and not (np.isfinite(values).all() and values.min() >= 0):
                raise ValueError(f"{name} of demand must be finite and not negative")

    def take(self, rows: Ints | Bools) -> Demand:
        """The demand of some of the lines."""
        return Demand(self.mean[rows], self.variance[rows], self.counted[rows])


def demand_of(
    mean: npt.ArrayLike, variance: npt.ArrayLike, counted: npt.ArrayLike = True
) -> Demand:
    """Demand from anything array-like; the three are broadcast to one shape."""
    m, v, c = np.broadcast_arrays(
        np.asarray(mean, np.float64), np.asarray(variance, np.float64), np.asarray(counted, bool)
    )
    return Demand(np.atleast_1d(m).copy(), np.atleast_1d(v).copy(), np.atleast_1d(c).copy())


def at_most(demand: Demand, level: npt.ArrayLike) -> Floats:
    """P(D <= level), float64 [N]; 0 below zero.

    Negative binomial: 1 - I_q(s + 1, k) with s = floor(level) and I the regularised incomplete
    beta function (Johnson, Kemp & Kotz, Univariate Discrete Distributions, 3rd ed., 5.6).
    Poisson: 1 - P(s + 1, M) with P the regularised lower incomplete gamma function (4.4).
    Gamma: P(a, level / b).
    """
    return 1.0 - _above(demand, np.broadcast_to(np.asarray(level, np.float64), demand.mean.shape))


def above(demand: Demand, level: npt.ArrayLike) -> Floats:
    """P(D > level), float64 [N]: exact in the upper tail, where 1 - `at_most` loses digits."""
    return _above(demand, np.broadcast_to(np.asarray(level, np.float64), demand.mean.shape))


def quantile(demand: Demand, probability: npt.ArrayLike) -> Ints:
    """The smallest whole S with P(D <= S) >= probability, int64 [N].

    Exact for counts: the quantile of the gamma with the same two moments (by Wilson & Hilferty
    1931) is a start, mostly within one unit, from which the distribution itself is searched. For
    continuous quantities the gamma quantile rounded up.
    Raises ValueError unless 0 <= probability < 1.
    """
    p = np.broadcast_to(np.asarray(probability, np.float64), demand.mean.shape)
    if p.size and not (p.min() >= 0 and p.max() < 1):
        raise ValueError("a probability must be at least 0 and below 1")
    result = np.zeros(demand.mean.shape, np.int64)
    counts = np.flatnonzero(demand.counted & (demand.mean > 0))
    if counts.size:
        result[counts] = _count_quantile(demand.take(counts), p[counts])
    continuous = np.flatnonzero(~demand.counted & (demand.mean > 0))
    if continuous.size:
        result[continuous] = _gamma_quantile(demand.take(continuous), p[continuous])
    return result


def shortage(demand: Demand, level: npt.ArrayLike) -> Floats:
    """E[(D - level)+], the units expected to be short with `level` on hand, float64 [N].

    Negative binomial: M P(D' > S - 1) - S P(D > S), where D' has shape k + 1 and the same q,
    from d P(D = d) = M P(D' = d - 1). Poisson: D' = D. Gamma: M P(D' > S) - S P(D > S), D' of
    shape a + 1. (Zipkin, Foundations of Inventory Management, C.2.3; for the gamma Silver, Pyke
    & Thomas, 4th ed., 5.) P(D') is P(D > S) and `_step` more. A level below zero is owed
    already: M - level. Levels of counts are floored.
    """
    s = np.broadcast_to(np.asarray(level, np.float64), demand.mean.shape).copy()
    counts = demand.counted
    s[counts] = np.floor(s[counts])
    positive = np.maximum(s, 0.0)
    tail = _above(demand, positive)
    short = demand.mean * (tail + _step(demand, positive)) - positive * tail
    return np.maximum(short, 0.0) + (positive - s)


def _above(demand: Demand, level: Floats) -> Floats:
    """P(D > level)."""
    from scipy import special

    result = np.where(level < 0, 1.0, 0.0)
    live = (demand.mean > 0) & (level >= 0)
    binomial, poisson, gamma, shape = _families(demand, live)
    s = np.floor(level)
    if binomial.any():
        m, k = demand.mean[binomial], shape[binomial]
        result[binomial] = special.betainc(s[binomial] + 1.0, k, m / (k + m))
    if poisson.any():
        result[poisson] = special.gammainc(s[poisson] + 1.0, demand.mean[poisson])
    if gamma.any():
        a, x = shape[gamma], level[gamma] * shape[gamma] / demand.mean[gamma]
        result[gamma] = special.gammaincc(a, x)
    return result


def _step(demand: Demand, level: Floats) -> Floats:
    """How much more of D' than of D lies above a level S >= 0, see `shortage`.

    With x = m / (k + m) the negative binomial's I_x(S, k + 1) - I_x(S + 1, k) is
    x^S (1 - x)^k / ((S + k + 1) B(S + 1, k + 1)), the Poisson's is P(D = S), and the gamma's
    x^a e^-x / Gamma(a + 1) at x = S a / m (DLMF 8.17.20, 8.17.21, 8.8.6).
    """
    from scipy import special

    result = np.zeros(level.shape)
    binomial, poisson, gamma, shape = _families(demand, demand.mean > 0)
    if binomial.any():
        s, m, k = level[binomial], demand.mean[binomial], shape[binomial]
        powers = special.xlogy(s, m / (k + m)) - k * np.log1p(m / k)
        result[binomial] = np.exp(powers - special.betaln(s + 1.0, k + 1.0)) / (s + k + 1.0)
    if poisson.any():
        s, m = level[poisson], demand.mean[poisson]
        result[poisson] = np.exp(special.xlogy(s, m) - m - special.gammaln(s + 1.0))
    if gamma.any():
        a, x = shape[gamma], level[gamma] * shape[gamma] / demand.mean[gamma]
        result[gamma] = np.exp(special.xlogy(a, x) - x - special.gammaln(a + 1.0))
    return result


def _families(demand: Demand, live: Bools) -> tuple[Bools, Bools, Bools, Floats]:
    """Which of the `live` lines are negative binomial, Poisson and gamma, and their shape."""
    shape = _shape(demand)
    binomial = live & demand.counted & (shape < _POISSON_SHAPE)
    poisson = live & demand.counted & ~binomial
    gamma = live & ~demand.counted
    if gamma.any():
        m = demand.mean[gamma]
        shape[gamma] = m * m / np.maximum(demand.variance[gamma], (_LEAST_CV * m) ** 2)
    return binomial, poisson, gamma, shape


def _shape(demand: Demand) -> Floats:
    """The negative binomial's k; infinite where the variance does not exceed the mean."""
    excess = demand.variance - demand.mean
    shape = np.full(demand.mean.shape, np.inf)
    np.divide(demand.mean**2, excess, out=shape, where=excess > 0)
    return shape


def _gamma_quantile(demand: Demand, p: Floats) -> Ints:
    """The gamma quantile rounded up to whole units; rows have a positive mean."""
    from scipy import special

    v = np.maximum(demand.variance, (_LEAST_CV * demand.mean) ** 2)
    exact: Floats = special.gammaincinv(demand.mean**2 / v, p) * v / demand.mean
    whole: Ints = np.ceil(exact - 1e-9).astype(np.int64)
    return whole


def _count_quantile(demand: Demand, p: Floats) -> Ints:
    """The exact quantile of counts; rows have a positive mean."""
    from scipy import special

    variance = np.maximum(demand.variance, demand.mean)
    shape = demand.mean**2 / variance
    # Wilson & Hilferty's cube root is cheap and near for all but very skewed demand.
    z = special.ndtri(np.clip(p, 1e-9, 1.0 - 1e-12))
    root = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * np.sqrt(shape))
    start = demand.mean * np.maximum(root, 0.0) ** 3
    skewed = np.flatnonzero(shape < _SKEWED_SHAPE)
    if skewed.size:
        scale = (variance / demand.mean)[skewed]
        start[skewed] = special.gammaincinv(shape[skewed], p[skewed]) * scale
    return _walk(demand, p - _TIE, np.floor(np.minimum(start, 1e15) + 0.75))


def _walk(demand: Demand, p: Floats, guess: Floats) -> Ints:
    """The smallest whole s with P(D <= s) >= p, sought from `guess` in doubling steps.

    `low` is below the answer and `high` reaches it; the gap is halved once both are known.
    """
    reached = _reaches(demand, p, guess)
    high = np.where(reached, guess, np.inf)
    low = np.where(reached, -1.0, guess)
    step = np.ones_like(guess)
    near = guess.copy()
    rows = np.arange(guess.size)
    walking_up = ~reached
    while rows.size:
        probe = np.where(walking_up[rows], near[rows] + step[rows], near[rows] - step[rows])
        probe = np.maximum(probe, low[rows])
        hit = (probe >= 0) & _reaches(demand.take(rows), p[rows], probe)
        high[rows] = np.where(hit, probe, high[rows])
        low[rows] = np.where(hit, low[rows], probe)
        near[rows] = probe
        step[rows] *= 2.0
        rows = rows[np.where(walking_up[rows], ~hit, hit & (probe > 0))]
    rows = np.flatnonzero(high - low > 1)
    while rows.size:
        middle = np.floor((low[rows] + high[rows]) / 2.0)
        hit = _reaches(demand.take(rows), p[rows], middle)
        high[rows] = np.where(hit, middle, high[rows])
        low[rows] = np.where(hit, low[rows], middle)
        rows = rows[high[rows] - low[rows] > 1]
    return high.astype(np.int64)


def _reaches(demand: Demand, p: Floats, level: Floats) -> Bools:
    """Whether P(D <= level) >= p."""
    reached: Bools = 1.0 - _above(demand, level) >= p
    return reached
