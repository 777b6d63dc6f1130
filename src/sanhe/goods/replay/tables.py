"""A replay of two rules as tables: all lines, by class, and by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from sanhe.models.replay import (
    Row,
    Verdict,
    compared_rows,
    draw_fates,
    half_width,
    replay,
    totals_of,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.goods.replay.past import Past
    from sanhe.models.replay import Played, Rule


CLASS_LETTERS = 2
"""Classes are told by value and variability: the first letters of a label."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Old against new over `first_day` to `last_day`, the days counted.

    `rows`: the table over all lines, profit last; each seed is one paired observation, so the
    intervals say what chance in the deliveries does; the demand is the recorded one. `classes`:
    one row a class (value and variability) and policy. `days`: one row a day and policy, means
    over the seeds. `lines`: how many. `assumed`: lines that stand on an assumption, by its name.
    """

    old: str
    new: str
    seeds: tuple[int, ...]
    first_day: date
    last_day: date
    lines: int
    rows: tuple[Row, ...]
    classes: pa.Table
    days: pa.Table
    assumed: dict[str, int]
    verdict: Verdict

    def row(self, metric: str) -> Row:
        """The row of a metric. Raises KeyError for one the table does not have."""
        return {row.metric: row for row in self.rows}[metric]


def replayed(past: Past, old: Rule, new: Rule, *, seeds: Sequence[int]) -> Replayed:
    """Play both rules over the same past under the same fates."""
    import pyarrow as pa

    fates = draw_fates(past.record, seeds, past.lateness)
    played = [replay(past.record, rule, fates) for rule in (old, new)]
    sums = [totals_of(one, past.record.terms) for one in played]
    rows = compared_rows(*sums)
    return Replayed(
        old=old.name,
        new=new.name,
        seeds=tuple(seeds),
        first_day=past.first_day + timedelta(days=past.record.counted_from),
        last_day=past.first_day + timedelta(days=past.record.days - 1),
        lines=len(past.record.terms),
        rows=rows,
        classes=pa.concat_tables([class_rows(past, one) for one in played]),
        days=pa.concat_tables([day_rows(past, one) for one in played]),
        assumed=past.assumed,
        verdict=rows[-1].verdict,
    )


def class_rows(past: Past, played: Played) -> pa.Table:
    """By class, means over the seeds: class, policy, lines, inventory_days, fill_rate,
    stock_out_share, lost_units, waste_cents, order_lines, purchases_cents, profit_cents."""
    import pyarrow as pa

    letters = [label[:CLASS_LETTERS] for label in past.labels]
    names, code = np.unique(np.array(letters, str), return_inverse=True)
    sums = totals_of(played, past.record.terms, by=code.astype(np.int64))
    return pa.table(
        {
            "class": [str(name) or "none" for name in names],
            "policy": [played.name] * len(names),
            "lines": np.bincount(code, minlength=len(names)),
            "inventory_days": sums.inventory_days,
            "fill_rate": sums.fill_rate,
            "stock_out_share": sums.stock_out_share,
            "lost_units": sums.lost_units,
            "waste_cents": sums.waste_cents,
            "order_lines": sums.order_lines,
            "purchases_cents": sums.ordered_cents,
            "profit_cents": sums.profit_cents,
        }
    )


def day_rows(past: Past, played: Played) -> pa.Table:
    """By counted day, means over the seeds, at cost: day, policy, fill_rate, stock_cents,
    sold_cents, lost_cents, waste_cents, ordered_cents."""
    import pyarrow as pa

    start = past.record.counted_from
    by_day = {name: values[:, start:].mean(axis=0) for name, values in played.by_day.items()}
    wanted = by_day["sold_cents"] + by_day["lost_cents"]
    count = played.counted_days
    return pa.table(
        {
            "day": [past.first_day + timedelta(days=start + index) for index in range(count)],
            "policy": [played.name] * count,
            "fill_rate": np.divide(
                by_day["sold_cents"], wanted, out=np.ones(count), where=wanted > 0
            ),
            **by_day,
        }
    )


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a sweep: means over the seeds, with half the 95 % interval of `profit_cents`.

    `half_cents` is what chance in the deliveries leaves open; infinite for one seed.
    """

    value: float
    inventory_days: float
    fill_rate: float
    waste_cents: float
    order_lines: float
    purchases_cents: float
    profit_cents: float
    half_cents: float


def point(past: Past, rule: Rule, *, value: float, seeds: Sequence[int]) -> Point:
    """Play one rule and tell what it comes to, as the point of a curve."""
    played = replay(past.record, rule, draw_fates(past.record, seeds, past.lateness))
    sums = totals_of(played, past.record.terms)
    return Point(
        value=value,
        inventory_days=float(sums.stock_cents.sum() / max(sums.sold_cost_cents.sum(), 1e-9)),
        fill_rate=float(sums.sold_units.sum() / max(sums.demand_units.sum(), 1e-9)),
        waste_cents=float(sums.waste_cents.mean()),
        order_lines=float(sums.order_lines.mean()),
        purchases_cents=float(sums.ordered_cents.mean()),
        profit_cents=float(sums.profit_cents.mean()),
        half_cents=half_width(sums.profit_cents),
    )
