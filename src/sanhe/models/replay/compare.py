"""What two rules amount to, and their difference with its interval: the table of every what-if."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Sums: TypeAlias = npt.NDArray[np.float64]
Verdict: TypeAlias = Literal["better", "worse", "about the same"]

LEAST_PROFIT_GAIN = 0.003
"""Differences of profit below this share of the margin are called no difference."""

HOLDING_RATE_PER_YEAR = 0.25
"""Cost of capital and space, share of the stock's cost a year; as in the shipped policy."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a window of days, one number for each group of lines, [groups].

    `stock_cents`: stock after closing at cost, summed over the days. `sold_cost_cents`: cost of
    what was sold; `lost_margin_cents`: margin of the demand that met an empty shelf.
    `margin_cents`: sales at the price paid, without tax, less their cost.
    """

    demand_units: Sums
    sold_units: Sums
    sales_cents: Sums
    sold_cost_cents: Sums
    margin_cents: Sums
    lost_margin_cents: Sums
    stock_cents: Sums
    waste_units: Sums
    waste_cents: Sums
    order_lines: Sums
    ordered_cents: Sums
    dry_days: Sums
    line_days: Sums

    @property
    def inventory_days(self) -> Sums:
        """Stock at cost / cost of goods sold a day (days of inventory)."""
        return _ratio(self.stock_cents, self.sold_cost_cents)

    @property
    def fill_rate(self) -> Sums:
        """Units sold / units wanted."""
        return _ratio(self.sold_units, self.demand_units, empty=1.0)

    @property
    def lost_units(self) -> Sums:
        """Units wanted that met an empty shelf."""
        return self.demand_units - self.sold_units

    @property
    def holding_cents(self) -> Sums:
        """Cost of capital and space for the stock held."""
        return self.stock_cents * HOLDING_RATE_PER_YEAR / 365

    @property
    def profit_cents(self) -> Sums:
        """Margin less waste and holding: what the policy is judged by."""
        return self.margin_cents - self.waste_cents - self.holding_cents

    @property
    def stock_out_share(self) -> Sums:
        """Share of line-days that ran dry or opened empty."""
        return _ratio(self.dry_days, self.line_days)


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


def compared_rows(old: Totals, new: Totals) -> tuple[Row, ...]:
    """The table: each group of both totals is one paired observation; profit comes last."""
    least = LEAST_PROFIT_GAIN * float(old.margin_cents.sum())
    rows = [_ratio_row(metric, old, new) for metric in _RATIOS]
    rows += [_sum_row(metric, old, new, least=0.0) for metric in _SUMS]
    rows.append(_sum_row(_PROFIT, old, new, least=least))
    return tuple(rows)


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
    half = half_width(paired)
    return _row(metric, values[0], values[1], half=half, least=0.0)


def _sum_row(metric: _Metric, old: Totals, new: Totals, *, least: float) -> Row:
    before = np.asarray(getattr(old, metric.above), dtype=np.float64)
    after = np.asarray(getattr(new, metric.above), dtype=np.float64)
    half = half_width(after - before) * len(before)
    return _row(metric, float(before.sum()), float(after.sum()), half=half, least=least)


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


def _ratio(above: Sums, below: Sums, *, empty: float = 0.0) -> Sums:
    return np.asarray(
        np.divide(above, below, out=np.full(above.shape, empty), where=below > 0), dtype=np.float64
    )


def half_width(values: Sums) -> float:
    """Half the 95 % interval of a mean (Student's t); infinite for one value."""
    from scipy.stats import t

    if len(values) < 2:
        return float("inf")
    return float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
