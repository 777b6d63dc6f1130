"""New series (新品): what they will sell, from like series, from how launches went, and from
their own first days.

The prior of a new series on a day is

    level of like series x day index of its kind of goods x launch curve(days since start).

The level comes from `likeness`, learned on what the method forecasts for settled series: the same
SKU elsewhere scaled by the size of the place, or category, brand, price level and place for a SKU
nobody sells yet. The launch curve is the ratio of what earlier launches sold by their age to what
their likeness gave, pooled and pulled to 1 where launches are few. Own days then update the prior:
with E expected and S sold so far, first for a SKU (or place) as a whole where it is new, then for
the series,

    factor = (S + k) / (E + k),  k = phi / v,

the empirical Bayes mean of a gamma factor of variance v around 1, seen through sales of variance
phi x mean (Robbins 1956; Buehlmann 1967). v and phi are fitted: v from what early and late days
of like series have in common, phi from what they have not. k in units is what the prior is worth.
"""

import dataclasses

import numpy as np

from sanhe.models.forecast.likeness import (
    Likeness,
    Partition,
    between_unknown,
    fit_likeness,
    left_out,
    partitions,
    pulled,
)
from sanhe.models.forecast.panel import F32, F64, I64, Bool, Panel

MOST_SAMPLED = 20_000
"""Settled series the day index is taken from at most."""


@dataclasses.dataclass(frozen=True, slots=True)
class LaunchSettings:
    """young_days: a series seen for fewer days is new, and nothing is learned from it.
    replaced_days: the forecast of a series seen for fewer days is replaced. curve_days: first days
    of the steps of the launch curve. window_days: how far back launches and the day index are
    looked at. least_like: with fewer settled series all that were seen are learned from.
    curve_prior: launches that a curve of 1 is worth. least_launches: with fewer, what a prior is
    worth is learned from settled series."""

    young_days: int = 28
    replaced_days: int = 28
    curve_days: tuple[int, ...] = (0, 1, 7, 14, 21, 28)
    window_days: int = 112
    least_like: int = 3
    curve_prior: float = 10.0
    least_launches: int = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Curve:
    """The launch curve: what launches sell to what their likeness gives.

    ratio: [2, steps], for new products (row 0) and products known elsewhere (row 1). The first
    day, which is a launch's first day because something was sold or stocked, is opening + ratio x
    expected; opening: units, [2]. first_days: the first day of each step.
    """

    ratio: F64
    opening: F64
    first_days: tuple[int, ...]

    def step(self, age: I64) -> I64:
        """The step of each age in days."""
        step = np.searchsorted(self.first_days, np.maximum(age, 0), side="right") - 1
        return np.asarray(step, np.int64)

    def applied(self, expected: F64, age: I64, known: Bool) -> F64:
        """Expected sales [n, D] at these ages, [n, D], of products known or not, [n]."""
        case = known.astype(np.int64)
        out = expected * self.ratio[case[:, None], self.step(age)]
        return np.asarray(np.where(age == 0, out + self.opening[case][:, None], out), np.float64)


@dataclasses.dataclass(frozen=True, slots=True)
class Launched:
    """mean, median: [N, H], those of new series replaced. young: which they are, [N].
    known_product: young series whose product is settled elsewhere, [N]. prior_units: what the
    prior is worth, k. curve: the launch curve; None when nothing was replaced."""

    mean: F32
    median: F32
    young: Bool
    known_product: Bool
    prior_units: float
    curve: Curve | None


@dataclasses.dataclass(frozen=True, slots=True)
class _Seen:
    """Some series over the window: their rows in the panel, sales [n, W] with nan = not seen,
    age in days of each day [n, W] (below 0: not begun), day index [n, W]."""

    rows: I64
    sales: F32
    age: I64
    index: F64


@dataclasses.dataclass(frozen=True, slots=True)
class _Ground:
    """What a panel gives to learn from.

    demand: sales, or what they stand for, [N, T]. level: forecast a day, [N]. first: the first day
    of each series, [N]. settled: series to learn from; begun: those that began in the window; old:
    settled ones that did not. product, place: the names of their finest columns. known: whether a
    series' product is settled somewhere, [N]. index: day index of each kind of goods, [G, W].
    """

    panel: Panel
    demand: F32
    settings: LaunchSettings
    level: F64
    first: I64
    settled: Bool
    begun: Bool
    old: Bool
    groups: tuple[Partition, ...]
    product: str
    place: str
    like: Likeness
    known: Bool
    kinds: I64
    index: F64

    @classmethod
    def of(
        cls,
        panel: Panel,
        mean: F32,
        *,
        places: tuple[str, ...],
        demand: F32,
        settings: LaunchSettings,
    ) -> "_Ground":
        """The ground of a panel with a forecast; see `launched`."""
        seen = ~np.isnan(panel.sales)
        days_seen = seen.sum(1)
        settled = _settled(days_seen, settings)
        groups = partitions(panel, places)
        product = _finest(panel, tuple(n for n in panel.static_names if n not in places))
        level = mean.mean(1, dtype=np.float64)
        first = np.where(days_seen > 0, seen.argmax(1), panel.days)
        begun = (first > 0) & (first >= panel.days - settings.window_days) & (days_seen > 0)
        old = settled & ~begun
        old = old if old.sum() >= settings.least_like else settled
        like = fit_likeness(level, old, groups)
        kinds = _kinds(panel, settled, places)
        return cls(
            panel,
            demand,
            settings,
            level,
            # How long a series of the panel's first day had been there before is not known.
            np.where(first > 0, first, -settings.young_days),
            settled,
            begun,
            old,
            groups,
            product,
            _finest(panel, tuple(n for n in panel.static_names if n in places)),
            like,
            _known(like, product),
            kinds,
            _day_index(demand, level, old, kinds=kinds, days=settings.window_days),
        )

    def window(self, rows: I64) -> _Seen:
        """The last days of some series."""
        days = self.index.shape[1]
        start = self.panel.days - days
        age = np.arange(start, self.panel.days)[None, :] - self.first[rows][:, None]
        return _Seen(rows, self.demand[rows, start:], age, self.index[self.kinds[rows]])


def launched(
    panel: Panel,
    mean: F32,
    median: F32,
    *,
    places: tuple[str, ...],
    demand: F32 | None = None,
    settings: LaunchSettings | None = None,
) -> Launched:
    """Replace the forecast of new series; the others stay as they are.

    mean, median: the method's forecast, [N, H]. places: the static columns that are places.
    demand: sales with stock-outs taken out, [N, T], nan where nothing can be said, for a method
    that forecasts demand; the panel's sales by default. How new a series is its sales tell.
    Without like series to learn from the forecast is returned unchanged.
    """
    chosen = settings or LaunchSettings()
    days_seen = (~np.isnan(panel.sales)).sum(1)
    young = days_seen < chosen.replaced_days
    if not young.any() or not days_seen.any():
        nobody = np.zeros(panel.series, bool)
        return Launched(mean, median, nobody, nobody, np.inf, None)
    sold = panel.sales if demand is None else demand
    ground = _Ground.of(panel, mean, places=places, demand=sold, settings=chosen)
    curve = _curve(ground)
    spread = _spread(ground, curve)
    rows = np.flatnonzero(young)
    factor, doubt = _own_days(ground, rows, curve=curve, spread=spread)
    prior = ground.like.level[rows] * factor
    age = np.maximum(panel.days - ground.first[rows], 0)[:, None] + np.arange(panel.horizon_days)
    kinds, settled = ground.kinds, ground.settled
    shape = _ahead(mean, ground.level, settled, kinds=kinds)[kinds[rows]]
    path = curve.applied(prior[:, None] * shape, age, ground.known[rows])
    out, middle = mean.copy(), median.copy()
    out[rows] = path
    ratio = _median_ratio(mean, median, settled, at=path.mean(1)) * _gamma_median(doubt)
    middle[rows] = path * ratio[:, None]
    return Launched(out, middle, young, young & ground.known, spread[1] / spread[0], curve)


def _settled(days_seen: I64, settings: LaunchSettings) -> Bool:
    """Series to learn from: those that aren't new, or all that were seen when they are few."""
    settled = days_seen >= settings.young_days
    return settled if settled.sum() >= settings.least_like else days_seen > 0


def _finest(panel: Panel, names: tuple[str, ...]) -> str:
    """Of these columns the one of most values; "" without any."""
    static = panel.static
    most = {name: int(static[:, panel.static_names.index(name)].max()) for name in names}
    return max(most, key=lambda name: most[name], default="")


def _known(like: Likeness, product: str) -> Bool:
    """Series whose product has settled series."""
    if product in like.known:
        return like.known[product]
    return np.ones(len(like.level), bool)


def _kinds(panel: Panel, settled: Bool, places: tuple[str, ...]) -> I64:
    """The kind of goods of each series, for day index and shape: the coarsest product column."""
    names = [name for name in panel.static_names if name not in places]
    columns = [panel.static[:, panel.static_names.index(name)] for name in names]
    columns = [code for code in columns if code.max() > 0 and settled.sum() >= 30 * code.max()]
    if not columns:
        return np.zeros(panel.series, np.int64)
    coarse = min(columns, key=lambda code: int(code.max()))
    return np.unique(coarse, return_inverse=True)[1].ravel().astype(np.int64)


def _day_index(demand: F32, level: F64, settled: Bool, *, kinds: I64, days: int) -> F64:
    """Sales of each day of the window over the level of the horizon, by kind, [G, W].

    Small kinds are pulled to the index of all, by 30 series of average level.
    """
    days = min(days, demand.shape[1])
    rows = _sample(np.flatnonzero(settled), MOST_SAMPLED)
    sales = demand[rows, demand.shape[1] - days :]
    seen = ~np.isnan(sales)
    weight = np.where(seen, level[rows][:, None], 0.0)
    everyone = _over(np.nan_to_num(sales).sum(0, dtype=np.float64), weight.sum(0))
    groups = int(kinds.max()) + 1
    prior = 30.0 * float(level[rows].mean())
    above, below = np.zeros((groups, days)), np.zeros((groups, days))
    np.add.at(above, kinds[rows], np.nan_to_num(sales))
    np.add.at(below, kinds[rows], weight)
    return _over(above + prior * everyone, below + prior)


def _curve(ground: _Ground) -> Curve:
    """The launch curve of new products (case 0) and of known ones (case 1).

    Learned from the series that began in the window, against their likeness to those that began
    before it.
    """
    settings, window = ground.settings, ground.window(np.flatnonzero(ground.begun))
    curve = Curve(np.ones((2, len(settings.curve_days))), np.zeros(2), settings.curve_days)
    if ground.old.sum() < 10 * settings.least_like or len(window.rows) < settings.least_like:
        return curve
    known = ground.known[window.rows]
    expected = ground.like.level[window.rows][:, None] * window.index
    step = curve.step(window.age)
    seen = ~np.isnan(window.sales) & (window.age >= 0)
    sales = np.nan_to_num(window.sales)
    later = seen & (step > 0)
    overall = _ratio_of(sales, expected, later, usual=1.0, prior=settings.curve_prior)
    for case in (0, 1):
        mine = seen & (known == case)[:, None]
        start = mine & (step == 0)
        curve.opening[case], curve.ratio[case, 0] = _opening(
            sales[start], expected[start], settings.curve_prior
        )
        usual = _ratio_of(sales, expected, mine & later, usual=overall, prior=settings.curve_prior)
        for one in range(1, len(settings.curve_days)):
            curve.ratio[case, one] = _ratio_of(
                sales, expected, mine & (step == one), usual=usual, prior=settings.curve_prior
            )
    return curve


def _ratio_of(sales: F32 | F64, expected: F64, at: Bool, *, usual: float, prior: float) -> float:
    """Sold over expected where `at`, pulled to the usual ratio worth `prior` launches.

    It is worth the launches it rests on: the effective number of those expected or of those that
    sold, whichever is less. One bulk order among thousands of launches is one launch.
    """
    each, sold = (np.where(at, part, 0.0).sum(1, dtype=np.float64) for part in (expected, sales))
    if each.sum() <= 0:
        return usual
    count = min(_effective(each), _effective(sold)) if sold.sum() > 0 else _effective(each)
    ratio = float(sold.sum() / each.sum())
    return max((ratio * count + usual * prior) / (count + prior), 0.02)


def _effective(parts: F64) -> float:
    """How many equal parts would tell as much (Kish 1965)."""
    return float(parts.sum() ** 2 / (parts**2).sum())


def _opening(sold: F64, expected: F64, prior: float) -> tuple[float, float]:
    """Sales of the first day as a + b x expected, a >= 0, by weighted least squares.

    `prior` launches that sold what was expected are added: few launches tell little.
    """
    if not len(sold):
        return 0.0, 1.0
    weight = 1.0 / (expected + max(float(expected.mean()), 1e-9))
    usual = float(expected.mean())
    w, x, y = (
        np.append(part, end)
        for part, end in (
            (weight, prior * 0.5 / max(usual, 1e-9)),
            (expected, usual),
            (sold, usual),
        )
    )
    mx, my = np.average(x, weights=w), np.average(y, weights=w)
    spread = float((w * (x - mx) ** 2).sum())
    slope = float((w * (x - mx) * (y - my)).sum()) / spread if spread > 0 else my / max(mx, 1e-9)
    slope = min(max(slope, 0.0), my / max(mx, 1e-9))
    return float(my - slope * mx), slope


def _spread(ground: _Ground, curve: Curve) -> tuple[float, float]:
    """v and phi: from the first days of launches where they are many, else from settled series.

    Settled series are held against what the others say of them, from days before: the likeness
    they are part of knows them already, and a level of the same days knows what came.
    """
    span, days = ground.settings.young_days, ground.panel.days
    rows = np.flatnonzero(ground.settled & ground.begun & (days - ground.first >= span))
    if len(rows) >= ground.settings.least_launches:
        seen = ground.window(rows)
        expected = ground.like.level[rows][:, None] * seen.index
        expected = curve.applied(expected, seen.age, ground.known[rows])
        return _credibility(seen, expected, first=1, days=span)
    before, learn = _level_before(ground.demand, ground.level, ground.settled, days=span)
    apart = left_out(before, learn, ground.groups, unit=np.arange(len(before)))
    seen = ground.window(_sample(np.flatnonzero(learn), MOST_SAMPLED))
    age = np.broadcast_to(np.arange(seen.index.shape[1]), seen.index.shape)
    age = age - seen.index.shape[1] + span
    expected = apart[seen.rows][:, None] * seen.index
    told = ~np.isnan(seen.sales) & (age >= 0)
    expected *= _share(float(seen.sales[told].sum()), float(expected[told].sum()))
    return _credibility(dataclasses.replace(seen, age=age), expected, first=0, days=span)


def _level_before(demand: F32, level: F64, settled: Bool, *, days: int) -> tuple[F64, Bool]:
    """What settled series sold a day before the last `days` days, [N], and which are known then.

    Where too few were there already, their level of now.
    """
    end = max(demand.shape[1] - days, 0)
    sales = demand[:, max(end - days, 0) : end]
    seen = (~np.isnan(sales)).sum(1)
    known = settled & (seen >= max(days // 7, 1))
    if known.sum() < settled.sum() / 2:
        return level, settled
    return np.nan_to_num(sales).sum(1, dtype=np.float64) / np.maximum(seen, 1), known


def _credibility(seen: _Seen, expected: F64, *, first: int, days: int) -> tuple[float, float]:
    """v and phi: what the first and the second half of `days` days share around `expected`.

    With A sold and E expected, E (A1 - E1) (A2 - E2) = v E1 E2 and E (A1 - E1)^2 = v E1^2 +
    phi E1; series weigh 1 / (E1 + mean).
    """
    known = ~np.isnan(seen.sales)
    expected = np.where(known, expected, 0.0)
    error = np.where(known, np.nan_to_num(seen.sales) - expected, 0.0)
    middle = first + max(days // 2, 1)
    early = (seen.age >= first) & (seen.age < middle)
    late = (seen.age >= middle) & (seen.age < first + days)
    (e1, x1), (e2, x2) = (
        (np.where(part, expected, 0.0).sum(1), np.where(part, error, 0.0).sum(1))
        for part in (early, late)
    )
    weight = 1.0 / (e1 + max(float(e1.mean()), 1e-9))
    variance = float((weight * x1 * x2).sum() / max(float((weight * e1 * e2).sum()), 1e-12))
    variance = min(max(variance, 0.01), 10.0)
    left = (weight * x1**2).sum() - variance * (weight * e1**2).sum()
    return variance, float(max(left / max(float((weight * e1).sum()), 1e-12), 0.05))


def _own_days(
    ground: _Ground, rows: I64, *, curve: Curve, spread: tuple[float, float]
) -> tuple[F64, F64]:
    """What own days say beside the prior: the factor of each new series, and the relative
    variance that is left in its level, [n].

    Series that began lately and are settled by now tell of their product and place too.
    """
    variance, phi = spread
    lately = ground.begun & ground.settled & ~ground.old
    own = ground.window(np.concatenate([rows, np.flatnonzero(lately)]))
    # The first day is one because something was sold: it says little about the days after it.
    seen = ~np.isnan(own.sales) & (own.age >= 1)
    each = ground.like.level[own.rows][:, None] * own.index
    each = curve.applied(each, own.age, ground.known[own.rows])
    expected = np.where(seen, each, 0.0).sum(1)
    sold = np.where(seen, np.nan_to_num(own.sales), 0.0).sum(1)
    factor, doubt = np.ones(len(own.rows)), np.zeros(len(own.rows))
    for one, between in _unknown(ground, rows):
        fresh = ~ground.like.known[one.name][own.rows]
        code = one.code[own.rows]
        mine = expected * factor
        total = np.bincount(code, mine, minlength=one.groups)
        square = np.bincount(code, mine**2, minlength=one.groups)
        safe = np.maximum(total, 1e-12)
        ratio = np.bincount(code, sold, minlength=one.groups) / safe
        noise = variance * square / safe**2 + phi / safe
        learned = np.where(total > 0, pulled(ratio, between, noise), 1.0)
        factor = np.where(fresh, factor * learned[code], factor)
        left = np.where(total > 0, between * noise / np.maximum(between + noise, 1e-12), between)
        doubt += np.where(fresh, left[code], 0.0)
    prior = phi / variance
    doubt += phi / (expected * factor + prior)
    factor = factor * (sold + prior) / (expected * factor + prior)
    return factor[: len(rows)], doubt[: len(rows)]


def _unknown(ground: _Ground, rows: I64) -> list[tuple[Partition, float]]:
    """Products and places of which some of these series are the first, and how much they differ.

    Where each series is a product of its own that is what `_spread` has learned already.
    """
    return [
        (one, between_unknown(ground.level, ground.old, ground.groups, one=one))
        for one in ground.groups
        if one.name in (ground.place, ground.product)
        and one.groups < ground.panel.series
        and not ground.like.known[one.name][rows].all()
    ]


def _ahead(mean: F32, level: F64, settled: Bool, *, kinds: I64) -> F64:
    """Forecast of each day over the level, by kind, from settled series, [G, H]."""
    groups = int(kinds.max()) + 1
    above = np.zeros((groups, mean.shape[1]))
    np.add.at(above, kinds[settled], mean[settled])
    below = np.bincount(kinds[settled], level[settled], minlength=groups)[:, None]
    everyone = _over(mean[settled].sum(0, dtype=np.float64), np.array(level[settled].sum()))
    return np.where(below > 0, above / np.maximum(below, 1e-12), everyone)


def _median_ratio(mean: F32, median: F32, settled: Bool, *, at: F64) -> F64:
    """Median over mean of settled series that sell about as much, [n]."""
    level = mean[settled].mean(1, dtype=np.float64)
    order = np.argsort(level, kind="stable")
    blocks = np.array_split(order, max(1, min(20, len(order) // 50)))
    tops = np.array([level[block].max() for block in blocks])
    middle = median[settled].mean(1, dtype=np.float64)
    ratio = np.array([_share(middle[block].sum(), level[block].sum()) for block in blocks])
    return np.asarray(ratio[np.minimum(np.searchsorted(tops, at), len(tops) - 1)], np.float64)


def _gamma_median(variance: F64) -> F64:
    """Median over mean of a gamma of this relative variance (Wilson and Hilferty 1931)."""
    return np.asarray(np.maximum(1.0 - variance / 9.0, 0.5) ** 3, np.float64)


def _sample(rows: I64, most: int) -> I64:
    """At most `most` of the rows, evenly spread."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def _share(above: float, below: float) -> float:
    return above / below if below > 0 else 1.0


def _over(above: F64, below: F64) -> F64:
    out = np.ones(np.broadcast_shapes(above.shape, below.shape))
    np.divide(above, below, out=out, where=below > 0)
    return out
