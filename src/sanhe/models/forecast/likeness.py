"""What a series should sell by what it is like: shrunken factors over static attributes.

The level of series i is base x f_1(g_1(i)) x f_2(g_2(i)) ..., one factor per group of each
partition (city, place, category levels, brand, SKU, place x category, ...). The factors are found
by backfitting from coarse to fine. Each is the ratio r of what its members sell to what the other
factors expect, pulled to 1 by its credibility tau^2 / (tau^2 + s^2): s^2 = sigma^2 sum e^2 /
(sum e)^2 is the variance of r, and tau^2, the variance between the groups, is fitted by moments
(Buehlmann and Straub 1970; DerSimonian and Laird 1986). A group nobody is known of has the factor
1: a new SKU falls back on its category, brand and price level, a new place on its city.

How far a likeness is off for what is new is seen only on what it did not learn from: groups (or
series) are left out in turn, a fold at a time, and held against what the others say of them.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from sanhe.models.forecast.panel import F64, I64, Bool, Panel

SWEEPS = 4
FOLDS = 5
BREADTH = "breadth"
"""What is listed at many places sells more at each of them: half-octaves of their number."""


@dataclasses.dataclass(frozen=True, slots=True)
class Partition:
    """Series that share a value of some attributes: code [N], from 0."""

    name: str
    code: I64

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self.code.max()) + 1


@dataclasses.dataclass(frozen=True, slots=True)
class Likeness:
    """level: what each series should sell by its attributes, [N]. known: per partition, whether a
    series' group had any member to learn from, [N]. between: tau^2 per partition. within: sigma^2,
    the relative variance of a series around its level."""

    level: F64
    known: dict[str, Bool]
    between: dict[str, float]
    within: float


def partitions(panel: Panel, places: tuple[str, ...]) -> tuple[Partition, ...]:
    """The partitions of a panel by its static codes and traits, coarse first.

    Every column by itself, the finest place with every product column but the finest, and the
    other places with the finest product (the same SKU in the same city). places: the columns that
    are places. Partitions of one group are left out, as are repeats.
    """
    columns = {name: panel.static[:, k] for k, name in enumerate(panel.static_names)}
    if panel.traits is not None:
        columns |= {name: panel.traits[:, k] for k, name in enumerate(panel.trait_names)}
    ranked = sorted(columns, key=lambda name: int(columns[name].max()))
    at = [name for name in ranked if name in places]
    of = [name for name in ranked if name not in places]
    wanted: list[tuple[str, ...]] = [(name,) for name in ranked]
    if at and of:
        wanted += [(at[-1], name) for name in of[:-1]] + [(name, of[-1]) for name in at[:-1]]
    if of:
        columns[BREADTH] = _breadth(columns[of[-1]])
        wanted.append((BREADTH,))
    found: dict[bytes, Partition] = {}
    for names in wanted:
        code = _joint([columns[name] for name in names])
        if code.max() > 0:
            found.setdefault(code.tobytes(), Partition("_".join(names), code))
    return tuple(sorted(found.values(), key=lambda one: one.groups))


def fit_likeness(level: F64, learn: Bool, groups: tuple[Partition, ...]) -> Likeness:
    """Fit the factors on the levels [N] of the series to learn from, [N], and apply them to all.

    Raises ValueError when there is nothing to learn from.
    """
    if not learn.any():
        raise ValueError("no series to learn from")
    actual = np.where(learn, level, 0.0)
    base = actual.sum() / learn.sum()
    expected = np.full(len(level), base)
    factors = [np.ones(one.groups) for one in groups]
    between = dict.fromkeys((one.name for one in groups), 0.0)
    within = _within(actual, expected, learn)
    for _ in range(SWEEPS):
        for k, one in enumerate(groups):
            without = expected / factors[k][one.code]
            factors[k], between[one.name] = _factors(actual, without * learn, one, within=within)
            expected = without * factors[k][one.code]
        within = _within(actual, expected, learn)
    known = {
        one.name: (np.bincount(one.code, learn, minlength=one.groups) > 0)[one.code]
        for one in groups
    }
    return Likeness(expected, known, between, within)


def left_out(level: F64, learn: Bool, groups: tuple[Partition, ...], *, unit: I64) -> F64:
    """What each series should sell by series of other units alone, [N].

    unit: whole numbers [N]; series of one unit (a SKU, a place, or each by itself) are left out
    together, a fold of units at a time. A fold without which nothing is left learns from all.
    """
    out = np.empty(len(level))
    for fold in range(FOLDS):
        mine = unit % FOLDS == fold
        others = learn & ~mine
        out[mine] = fit_likeness(level, others if others.any() else learn, groups).level[mine]
    return out


def between_unknown(
    level: F64, learn: Bool, groups: tuple[Partition, ...], *, one: Partition
) -> float:
    """The relative variance of what groups of `one` sell around what is said without them, tau^2.

    Within a fit the other factors take up a part of what a group is by itself; left out, all of it
    shows: this is how far a SKU or a place that nobody knows may lie from its likeness.
    """
    expected = left_out(level, learn, groups, unit=one.code)
    actual = np.where(learn, level, 0.0)
    within = _within(actual, expected, learn)
    return _factors(actual, expected * learn, one, within=within)[1]


def pulled(ratio: F64, between: float, noise: F64) -> F64:
    """A ratio pulled to 1 by its credibility, between / (between + noise)."""
    below = np.maximum(between + noise, 1e-12)
    return np.asarray(np.maximum(1.0 + (ratio - 1.0) * (between / below), 0.0), np.float64)


def _factors(actual: F64, expected: F64, one: Partition, *, within: float) -> tuple[F64, float]:
    total = np.bincount(one.code, expected, minlength=one.groups)
    square = np.bincount(one.code, expected**2, minlength=one.groups)
    sold = np.bincount(one.code, actual, minlength=one.groups)
    safe = np.maximum(total, 1e-12)
    ratio = np.where(total > 0, sold / safe, 1.0)
    noise = np.where(total > 0, within * square / safe**2, 0.0)
    whole = max(total.sum(), 1e-12)
    excess = float((total * ((ratio - 1.0) ** 2 - noise)).sum() / whole)
    between = max(excess, 0.0)
    return np.where(total > 0, np.maximum(pulled(ratio, between, noise), 1e-3), 1.0), between


def _within(actual: F64, expected: F64, learn: Bool) -> float:
    error = (actual[learn] - expected[learn]) ** 2 / np.maximum(expected[learn], 1e-12)
    return float(error.sum() / max(expected[learn].sum(), 1e-12))


def _breadth(product: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.round(2 * np.log2(np.bincount(product)[product])).astype(np.int32)


def _joint(columns: list[NDArray[np.int32]]) -> I64:
    code = columns[0].astype(np.int64)
    for other in columns[1:]:
        code = code * (int(other.max()) + 1) + other
    return np.unique(code, return_inverse=True)[1].ravel().astype(np.int64)
