"""What forecast and order rules are worth on recorded demand, beside a tuned (s, S) policy.

Both meet the same weeks, the same lateness of deliveries and the same seeds. The (s, S) policy:
days of cover on the 28-day mean of demand with one multiplier of (lead time + review) and one
reorder share a velocity class, tuned on earlier weeks to hold least stock at the target fill.
Ours: the champion, fitted on what lies before the warm-up, and the lines of goods.replenish
(prepare), with one service level for all lines (all have the same ratio of margin to cost, so
this is their cost ratio); the level is set where the fill equals that of the (s, S) policy in the
test weeks. Days of stock and fill are weighed by cost. A warm-up before each stretch lets the
opening stock wear off.
"""

import dataclasses
import datetime
import time
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.results_file import Figure
from sanhe.goods.replenish import Assumptions, Known, Lines, Policy, prepare
from sanhe.models.forecast import (
    SIMPLE,
    ChampionSettings,
    DispersionSet,
    GlobalGbm,
    Kind,
    Panel,
    demand_panel,
    forecast,
    own_spread,
    uncensored_days,
)
from sanhe.models.inventory import expected_demand, order_up_to
from sanhe.models.replay import (
    Cover,
    Fates,
    Grid,
    Lateness,
    LevelRule,
    Played,
    Record,
    Terms,
    cover_rule,
    days_at,
    draw_fates,
    half_width,
    replay,
    standing,
    tuned_cover,
)

Ints = NDArray[np.int64]
F64 = NDArray[np.float64]

LEVELS = (0.80, 0.85, 0.90, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)
"""Service levels of the curve."""


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A data set made ready: its panel [N, T], demand [T, N] in base units, terms and groups.

    `base_units`: base units in one unit of the panel. `review_days`: between two order days.
    `velocity`, `group`: codes [N]; `groups`: names of the product groups.
    """

    name: str
    panel: Panel
    demand: NDArray[np.float32]
    terms: Terms
    base_units: int
    review_days: int
    lateness: Lateness
    velocity: Ints
    group: Ints
    groups: tuple[str, ...]
    counted: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Stretch:
    """Days of the panel to replay: from `start`, `warm_days` uncounted and `days` counted."""

    start: int
    warm_days: int
    days: int


@dataclasses.dataclass(frozen=True, slots=True)
class Morning:
    """A forecast as goods.replenish takes it, [N, H] base units from `as_of` on."""

    id: str
    method: str
    as_of: datetime.date
    keys: pa.Table
    mean: NDArray[np.float32]
    counted: NDArray[np.bool_]
    dispersion: DispersionSet
    spread: F64
    base_units: int

    def window(self, keys: pa.Table, days: NDArray[np.int64]) -> "Window":
        """Demand of each line of `keys` over its first `days` days; SKUs are row numbers."""
        row = np.array([int(sku) for sku in keys["sku"].to_pylist()], np.int64)
        length = np.broadcast_to(np.asarray(days, np.int64), row.shape)
        if not row.size:
            return Window(np.zeros(0), np.zeros(0))
        mean = expected_demand(self.mean[row], length)
        variance = np.zeros(mean.shape)
        for one in np.unique(length[length > 0]):
            mine = length == one
            of_panel = self.dispersion.of(int(one)).variance(
                mean[mine] / self.base_units, spread=self.spread[row[mine]]
            )
            variance[mine] = of_panel * self.base_units**2
        return Window(mean, variance)

    def drivers(self, keys: pa.Table, days: NDArray[np.int64]) -> None:
        """Not opened into drivers: nobody reads a replayed morning."""


@dataclasses.dataclass(frozen=True, slots=True)
class Window:
    """Mean and variance of demand over an interval, [N]."""

    mean: F64
    variance: F64


def record_of(case: Case, stretch: Stretch, demand: NDArray[np.float32]) -> Record:
    """The stretch to replay, opening with the mean demand of lead time and review."""
    end = stretch.start + stretch.warm_days + stretch.days
    recent = demand[max(stretch.start - 28, 0) : stretch.start].mean(axis=0)
    opening = np.rint(recent * (case.terms.lead_time_days + case.review_days)).astype(np.int64)
    return Record(
        demand=demand[:end],
        history_days=stretch.start,
        first_weekday=(case.panel.first_day.weekday() + stretch.start) % 7,
        opening=opening,
        terms=case.terms,
        counted_from=stretch.warm_days,
    )


def our_lines(
    case: Case, stretch: Stretch, settings: ChampionSettings, *, refit_days: int
) -> dict[int, Lines]:
    """The product's lines for every order day of a stretch, from what was known that morning.

    The champion is chosen, and its distribution fitted, before the first day; the global model,
    where it won, is fitted there and again every `refit_days`, and the lines' own spread learned.
    """
    horizon = case.panel.horizon_days
    chosen = forecast(case.panel.cut(stretch.start, horizon), settings)
    known, policy, assumptions = known_of(case), Policy.load(), Assumptions.load()
    found: dict[int, Lines] = {}
    fitted, spread, fitted_on = chosen.model, chosen.spread, 0
    for index in range(stretch.warm_days + stretch.days):
        origin = stretch.start + index
        day = case.panel.first_day + datetime.timedelta(days=origin)
        if not case.terms.order_weekday[:, day.weekday()].any():
            continue
        seen = case.panel.cut(origin, horizon)
        if index - fitted_on >= refit_days:
            fitted_on = index
            fitted = fitted and GlobalGbm(settings.gbm).fit(seen)
            kind: Kind = "counts" if case.counted else "quantities"
            spread = own_spread(seen.sales, uncensored_days(seen), kind=kind)
        mean = fitted.predict(seen) if fitted else SIMPLE[chosen.method](demand_panel(seen))
        made = Morning(
            id=f"{case.name} {day}",
            method=chosen.method,
            as_of=day,
            keys=known.items.select(["sku", "place"]) if known.items else pa.table({}),
            mean=mean * case.base_units,
            counted=np.full(len(case.terms), case.counted),
            dispersion=chosen.dispersion,
            spread=spread,
            base_units=case.base_units,
        )
        found[index] = prepare(made, known, policy=policy, assumptions=assumptions).lines
    return found


def known_of(case: Case) -> Known:
    """The lines as the product's tables: terms, and lead times as measured from deliveries."""
    terms, lines = case.terms, len(case.terms)
    leads = np.unique(terms.lead_time_days)
    delays = [np.maximum(np.rint(case.lateness.ratios * lead), 1 - lead) for lead in leads]
    pair = {"sku": [str(n) for n in range(lines)], "place": ["1"] * lines}
    weekdays = [",".join(str(d + 1) for d in np.flatnonzero(row)) for row in terms.order_weekday]
    none = np.zeros(lines, np.int64)
    return Known(
        items=pa.table({**pair, "name": pair["sku"], "case_size": terms.case_size}),
        positions=pa.table({**pair, "net": none, "reserved": none, "known_since": ["x"] * lines}),
        terms=pa.table(
            {
                **pair,
                "supplier": [f"{lead} days" for lead in terms.lead_time_days],
                "unit_cost_cents": terms.unit_cost_cents,
                "lead_time_days": terms.lead_time_days,
                "moq": terms.moq,
                "case_size": terms.case_size,
                "order_weekdays": weekdays,
                "priority": np.ones(lines, np.int64),
            }
        ),
        lead_times=pa.table(
            {
                "supplier": [f"{lead} days" for lead in leads],
                "sku": pa.array([None] * len(leads), pa.string()),
                "n": np.full(len(leads), max(len(case.lateness.ratios), 5)),
                "mean_days": [float(n + d.mean()) for n, d in zip(leads, delays, strict=True)],
                "sd_days": [float(d.std()) for d in delays],
            }
        ),
    )


def ours(lines: Mapping[int, Lines], service: float) -> LevelRule:
    """The product's order-up-to levels at one service level."""
    levels = {
        index: order_up_to(one.until_next, np.full(len(one.moq), service))
        for index, one in lines.items()
    }
    return LevelRule("sanhe", lambda now: (levels[now.index] - 1, levels[now.index]))


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """Both policies over the test weeks at equal fill, and the curve of ours."""

    base: Played
    equal: Played
    service: float
    curve: tuple[Played, ...]


def measure(record: Record, fates: Fates, cover: Cover, *, lines: Mapping[int, Lines]) -> Value:
    """Play the tuned cover, trace our curve, and play ours where its fill is the cover's."""
    weight = record.terms.unit_cost_cents
    base = replay(record, cover_rule(cover), fates)
    curve = tuple(replay(record, ours(lines, level), fates) for level in LEVELS)
    fills = [float(standing(one, weight).fill.mean()) for one in curve]
    goal = float(standing(base, weight).fill.mean())
    low, high = 0.5, 0.9999
    service = float(np.interp(goal, fills, LEVELS))
    for _ in range(12):
        equal = replay(record, ours(lines, service), fates)
        gap = float(standing(equal, weight).fill.mean()) - goal
        if abs(gap) < 1e-4:
            break
        low, high = (service, high) if gap < 0 else (low, service)
        service = (low + high) / 2
    return Value(base, equal, service, curve)


def figures(case: Case, value: Value) -> tuple[float, dict[str, Figure]]:
    """The ratio of inventory days at equal fill, and all that is told beside it."""
    weight = case.terms.unit_cost_cents
    before, after = standing(value.base, weight), standing(value.equal, weight)
    ratios = after.days / before.days
    half = half_width(ratios)
    ratio = float(ratios.mean())
    by_group = group_ratios(case, value)
    name = case.name
    return round(ratio, 4), {
        f"{name}_ratio_low": round(ratio - half, 4),
        f"{name}_ratio_high": round(ratio + half, 4),
        f"{name}_days_before": round(float(before.days.mean()), 3),
        f"{name}_days_after": round(float(after.days.mean()), 3),
        f"{name}_fill_before": round(float(before.fill.mean()), 4),
        f"{name}_fill_after": round(float(after.fill.mean()), 4),
        f"{name}_service_level": round(value.service, 4),
        f"{name}_lines": len(case.terms),
        f"{name}_counted_days": value.base.counted_days,
        f"{name}_seeds": len(value.base.seeds),
        f"{name}_ratio_by_group": by_group,
        f"{name}_groups_not_helped": ", ".join(n for n, r in by_group.items() if not r < 1.0),
    }


def group_ratios(case: Case, value: Value) -> dict[str, float]:
    """Days ratio of each product group at the fill that the tuned cover has in it.

    Groups whose fill lies outside our curve are left out.
    """
    weight, found = case.terms.unit_cost_cents, {}
    for code, name in enumerate(case.groups):
        rows = np.flatnonzero(case.group == code)
        if not len(rows):
            continue
        before = standing(value.base, weight, rows)
        need = days_at([standing(one, weight, rows) for one in value.curve], before.fill)
        if np.isfinite(need).any():
            found[name] = round(float(np.nanmean(need / before.days)), 4)
    return found


def velocity_of(demand: NDArray[np.float32], before: int) -> Ints:
    """Four velocity classes of like size by the mean demand of the 28 days before a day."""
    mean = demand[max(before - 28, 0) : before].mean(axis=0)
    return np.digitize(mean, np.quantile(mean, [0.25, 0.5, 0.75])).astype(np.int64)


def whole_demand(panel: Panel) -> NDArray[np.float32]:
    """Demand by day and line, [T, N], stock-outs taken out; a day that tells nothing gets the mean
    of the fortnight before and after it."""
    units = demand_panel(panel).sales
    dropped = np.isnan(units)
    filled = np.where(dropped, 0, units)
    for day in np.flatnonzero(dropped.any(axis=0)):
        near = slice(max(day - 14, 0), day + 15)
        seen = ~dropped[:, near]
        mean = np.where(seen, units[:, near], 0).sum(1) / np.maximum(seen.sum(1), 1)
        filled[:, day] = np.where(dropped[:, day], mean, filled[:, day])
    return np.ascontiguousarray(filled.T, np.float32)


def run_case(
    case: Case,
    *,
    tune: Stretch,
    test: Stretch,
    settings: ChampionSettings,
    refit_days: int,
    grid: Grid,
    target_fill: float,
    seeds: int,
    also: NDArray[np.float32] | None = None,
) -> tuple[float, dict[str, Figure]]:
    """Tune the cover on the earlier weeks, measure both in the test weeks.

    `also`: a second demand [T, N] (raw sales) that the same policies meet in the test weeks.
    """
    begun = time.process_time()
    protection = case.terms.lead_time_days + case.review_days
    earlier = record_of(case, tune, case.demand)
    cover = tuned_cover(
        earlier,
        draw_fates(earlier, (101, 102), case.lateness),
        case.velocity,
        protection_days=protection,
        target_fill=target_fill,
        grid=grid,
    )
    multiplier = cover.cover_days / protection
    tuned = {
        f"class_{c}": round(float(multiplier[case.velocity == c][0]), 3)
        for c in np.unique(case.velocity)
    }
    shares = {
        f"class_{c}_reorder": float(cover.reorder_share[case.velocity == c][0])
        for c in np.unique(case.velocity)
    }
    print(f"{case.name}: tuned {tuned} {shares}", flush=True)
    lines = our_lines(case, test, settings, refit_days=refit_days)
    record = record_of(case, test, case.demand)
    fates = draw_fates(record, range(1, seeds + 1), case.lateness)
    ratio, found = figures(case, measure(record, fates, cover, lines=lines))
    found[f"{case.name}_tuned_multipliers"] = {**tuned, **shares}
    if also is not None:
        raw = record_of(case, test, also)
        met = measure(raw, draw_fates(raw, range(1, seeds + 1), case.lateness), cover, lines=lines)
        found[f"{case.name}_ratio_on_raw_sales"], raw_found = figures(case, met)
        found[f"{case.name}_fill_on_raw_sales"] = raw_found[f"{case.name}_fill_before"]
    found[f"{case.name}_cpu_seconds"] = round(time.process_time() - begun, 1)
    return ratio, found
