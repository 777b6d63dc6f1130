"""The what-if: two policies from the same evening on, with the same shoppers and suppliers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Literal

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.sim.figures import Totals, by_class, by_day, totals
from sanhe.sim.policies import DaysOfCover, old_parameters
from sanhe.sim.run import Policy, run
from sanhe.sim.world import World

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from sanhe.sim.settings import WorldSettings

MakePolicy = Callable[[World], Policy]
Verdict = Literal["better", "worse", "about the same"]

LEAST_PROFIT_GAIN = 0.003
"""Differences of profit below this share of the margin are called no difference."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the what-if table.

    `unit`: "days", "share", "cents" or "count". `difference` = new - old with its 95 %
    interval `low` to `high`. `verdict` weighs the interval and which way is good.
    """

    metric: str
    unit: str
    old: float
    new: float
    difference: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Old against new over `first_day` to `last_day`, all seeds together.

    `rows`: the table, profit last. `classes`: by velocity class and policy. `days`: day by
    day and policy, of the first seed. `verdict`: by profit (margin less waste and holding).
    """

    old: str
    new: str
    seeds: tuple[int, ...]
    first_day: date
    last_day: date
    rows: tuple[Row, ...]
    classes: pa.Table
    days: pa.Table
    verdict: Verdict

    def row(self, metric: str) -> Row:
        """The row of a metric; raises BadInput for a name the table does not have."""
        for row in self.rows:
            if row.metric == metric:
                return row
        raise BadInput(
            f"no metric {metric!r}", remedy=f"choose of {', '.join(r.metric for r in self.rows)}"
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """Both policies in one world: sums by place, by class, and the days."""

    old: Totals
    new: Totals
    classes: pa.Table
    days: pa.Table


def days_of_cover(world: World) -> Policy:
    """The retailer's old policy."""
    return DaysOfCover()


def department_cover(world: World) -> Policy:
    """The old policy of the retailer of `department_world`."""
    return DaysOfCover(old_parameters("old_policy_department.toml"))


def sanhe(world: World) -> Policy:
    """sanhe's policy with the shipped settings."""
    from sanhe.sim.sanhe_policy import SanhePolicy

    return SanhePolicy()


def what_if(
    settings: WorldSettings,
    *,
    weeks: int = 10,
    seeds: Sequence[int] | None = None,
    old: MakePolicy = days_of_cover,
    new: MakePolicy = sanhe,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> WhatIf:
    """Compare two policies over the last `weeks` of the history, in one world per seed.

    The old policy runs all days before; from there on each policy goes its own way from the
    same stock, meeting the same demand and the same suppliers. `seeds` default to two from
    the settings' own on. With several `workers` the worlds are spread over as many processes;
    the policies' makers must then be functions of a module. `progress` hears of (seeds done,
    seeds). The result is the same for any number of workers.
    Raises BadInput when the history is too short to compare and to learn from.
    """
    first = settings.history_days - 7 * weeks
    if weeks < 1 or first < 28:
        raise BadInput(
            f"{weeks} weeks of {settings.history_days} days leave too little to learn from",
            place="what-if",
            remedy="compare fewer weeks, or make a world with more history_days",
        )
    chosen = tuple(seeds or range(settings.seed, settings.seed + 2))
    one = partial(_trial, old=old, new=new, from_index=first)
    worlds = [replace(settings, seed=seed) for seed in chosen]
    trials = []
    with _mapper(workers) as spread:
        for done, trial in enumerate(spread(one, worlds), start=1):
            trials.append(trial)
            if progress is not None:
                progress(done, len(chosen))
    return gather(settings, trials, first=first, seeds=chosen)


def _trial(settings: WorldSettings, *, old: MakePolicy, new: MakePolicy, from_index: int) -> Trial:
    world = World(settings)
    return compare(world, old(world), new(world), from_index=from_index)


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[..., Iterable[Trial]]]:
    """`map`, in this process or over several."""
    if workers <= 1:
        yield map
        return
    # Fresh processes: a fork would copy threads that LightGBM and others may have running.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield pool.map


def compare(world: World, old: Policy, new: Policy, *, from_index: int) -> Trial:
    """Run both policies from day `from_index` to the end of the history in one world."""
    import pyarrow as pa

    last = world.settings.history_days - 1
    history = run(world, old, days=from_index)
    outcomes = [run(world, policy, days=last + 1, after=history) for policy in (old, new)]
    window = (from_index, last)
    sums = [
        totals(world, outcome, window, group=world.lines.place, groups=len(world.places))
        for outcome in outcomes
    ]
    return Trial(
        old=sums[0],
        new=sums[1],
        classes=pa.concat_tables([by_class(world, outcome, window) for outcome in outcomes]),
        days=pa.concat_tables([by_day(world, outcome, window) for outcome in outcomes]),
    )


def gather(
    settings: WorldSettings, trials: Sequence[Trial], *, first: int, seeds: tuple[int, ...]
) -> WhatIf:
    """The what-if of several worlds: each place of each world is one observation."""
    import pyarrow as pa

    old = Totals(**_stacked([trial.old for trial in trials]))
    new = Totals(**_stacked([trial.new for trial in trials]))
    least = LEAST_PROFIT_GAIN * float(old.margin_cents.sum())
    rows = [_ratio_row(metric, old, new) for metric in _RATIOS]
    rows += [_sum_row(metric, old, new, least=0.0) for metric in _SUMS]
    rows.append(_sum_row(_PROFIT, old, new, least=least))
    names = trials[0].classes["policy"].unique().to_pylist()
    start = settings.first_day
    return WhatIf(
        old=names[0],
        new=names[-1],
        seeds=seeds,
        first_day=date.fromordinal(start.toordinal() + first),
        last_day=settings.last_history_day,
        rows=tuple(rows),
        classes=pa.concat_tables(
            [
                trial.classes.append_column("seed", pa.array([seed] * trial.classes.num_rows))
                for seed, trial in zip(seeds, trials, strict=True)
            ]
        ),
        days=trials[0].days,
        verdict=rows[-1].verdict,
    )


@dataclass(frozen=True, slots=True)
class _Metric:
    """A figure of the table: its unit, its sums, and whether more of it is good."""

    name: str
    unit: str
    above: str
    below: str = ""
    more_is_good: bool = False


_RATIOS = (
    _Metric("inventory_days", "days", "stock_cents", "sold_cost_cents"),
    _Metric("fill_rate", "share", "sold_units", "demand_units", more_is_good=True),
    _Metric("stock_out_share", "share", "dry_days", "line_days"),
)
_SUMS = (
    _Metric("lost_units", "count", "lost_units"),
    _Metric("lost_margin", "cents", "lost_margin_cents"),
    _Metric("waste", "cents", "waste_cents"),
    _Metric("holding_cost", "cents", "holding_cents"),
    _Metric("order_lines", "count", "order_lines"),
    _Metric("purchases", "cents", "ordered_cents"),
    _Metric("sales", "cents", "sales_cents", more_is_good=True),
)
_PROFIT = _Metric("profit", "cents", "profit_cents", more_is_good=True)


def _stacked(parts: Sequence[Totals]) -> dict[str, npt.NDArray[np.float64]]:
    names = Totals.__dataclass_fields__
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}


def _ratio_row(metric: _Metric, old: Totals, new: Totals) -> Row:
    """A ratio of sums; the interval by the linearised ratio (Cochran, Sampling Techniques, 6.3).

    Each cluster's share in the error is (above - ratio x below) / mean of below; old and new
    are paired within the cluster.
    """
    errors, values = [], []
    for part in (old, new):
        above = np.asarray(getattr(part, metric.above), dtype=np.float64)
        below = np.asarray(getattr(part, metric.below), dtype=np.float64)
        value = float(above.sum() / max(below.sum(), 1e-9))
        values.append(value)
        errors.append((above - value * below) / max(float(below.mean()), 1e-9))
    paired = errors[1] - errors[0]
    half = _half_width(paired) / len(paired)
    return _row(metric, values[0], values[1], half=half, least=0.0)


def _sum_row(metric: _Metric, old: Totals, new: Totals, *, least: float) -> Row:
    before = np.asarray(getattr(old, metric.above), dtype=np.float64)
    after = np.asarray(getattr(new, metric.above), dtype=np.float64)
    half = _half_width(after - before)
    return _row(metric, float(before.sum()), float(after.sum()), half=half, least=least)


def _half_width(paired: npt.NDArray[np.float64]) -> float:
    """Half the 95 % interval of the sum of paired differences (Student's t over clusters)."""
    from scipy.stats import t

    if len(paired) < 2:
        return float("inf")
    spread = float(paired.std(ddof=1))
    return float(t.ppf(0.975, len(paired) - 1)) * spread * float(np.sqrt(len(paired)))


def _row(metric: _Metric, old: float, new: float, *, half: float, least: float) -> Row:
    difference = new - old
    verdict: Verdict = "about the same"
    if abs(difference) > max(half, least):
        verdict = "better" if (difference > 0) == metric.more_is_good else "worse"
    return Row(
        metric=metric.name,
        unit=metric.unit,
        old=old,
        new=new,
        difference=difference,
        low=difference - half,
        high=difference + half,
        verdict=verdict,
    )
