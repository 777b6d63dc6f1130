"""What changed from one day's plan to another's, and why: each change split into its causes.

A quantity is the sum of its terms, so a change is the sum of the changes of the terms. Demand
over the cover and safety stock together are the order-up-to level; its change is split further,
by putting the new inputs in the place of the old ones one after another and rounding each level
as the plan does. So the parts are whole units and sum exactly to the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.core.errors import NotFound
from sanhe.goods.replenish import store
from sanhe.goods.replenish.matching import Matched, encoded, whole
from sanhe.goods.replenish.rules import TERMS
from sanhe.models.inventory import Bools, Demand, Floats, Ints, order_up_to

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.lake import Lake

LEVEL_TERMS: Final = ("demand_over_cover", "safety_stock")
"""The terms that make the order-up-to level."""

CAUSES: Final = (
    *("forecast", "lead_time", "order_days", "service_level"),
    *(name for name in TERMS if name not in LEVEL_TERMS),
    *("new_line", "dropped_line"),
)
"""The causes of a change: of the level, of every other term, and lines of one plan alone."""


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One line whose quantity changed. `causes`: those that matter, the largest first; they sum
    to `change` = after - before. `value_change_cents`: the change at cost."""

    sku: str
    place: str
    item_name: str | None
    label: str
    before: int
    after: int
    change: int
    value_change_cents: int
    causes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CauseSum:
    """One cause over all changed lines: the lines it bears on, of them those it raises, and what
    it changes at cost."""

    cause: str
    lines: int
    raised: int
    value_change_cents: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed (计划变化) from the plan of `from_day` to that of `to_day`.

    `compared` lines stand in either plan; of them `more` and `fewer` order otherwise than
    before. `causes` and `lines` are of those, most money first; `value_change_cents` is the sum
    of the causes'.
    """

    from_day: date
    to_day: date
    compared: int
    more: int
    fewer: int
    value_change_cents: int
    causes: tuple[CauseSum, ...]
    lines: tuple[ChangedLine, ...]


def keep_plan_lines(lake: Lake, day: date, lines: pa.Table, *, whole: bool) -> None:
    """Keep the arithmetic of a plan, as `Replenish.propose` tells it, for later comparison.

    `whole`: all lines of the day; else these take the place of the day's earlier ones.
    """
    store.keep(lake, day, lines, whole=whole)


def kept_plan_lines(lake: Lake, day: date) -> pa.Table:
    """The arithmetic of a day's plan, each line as it was computed last.

    Raises NotFound where no plan of that day is kept.
    """
    if day not in store.kept_days(lake):
        raise NotFound(f"no plan of {day} is kept: plan that morning")
    return store.kept(lake, day)


def plan_changes(
    lake: Lake,
    from_day: date | None = None,
    to_day: date | None = None,
    *,
    sku: str | None = None,
    place: str | None = None,
    limit: int | None = None,
) -> Changes:
    """Compare two days' plans; of `sku` and `place` alone where they are given.

    `to_day`: the newest day planned on or before it; None = the newest. `from_day`: likewise,
    before that; None = the one before. `limit`: so many lines are listed; all count.
    Raises NotFound where no such plan is kept.
    """
    end = _kept_by(lake, to_day or date.max)
    before_end = end - timedelta(days=1)
    start = _kept_by(lake, min(from_day or before_end, before_end))
    was, now = (_chosen(store.kept(lake, day), sku, place) for day in (start, end))
    if (sku or place) and not was.num_rows + now.num_rows:
        asked = " at ".join(name for name in (sku, place) if name)
        raise NotFound(f"{asked} is in neither plan, {start} or {end}: check the codes")
    return compare(was, now, days=(start, end), limit=limit)


def compare(
    was: pa.Table, now: pa.Table, *, days: tuple[date, date], limit: int | None = None
) -> Changes:
    """The changes between two tables as `arithmetic` makes them."""
    both = _Both.of(was, now)
    change = both.now.units("quantity") - both.was.units("quantity")
    moved = both.take(np.flatnonzero(change))
    causes = _causes(moved)
    cost = np.where(
        moved.now.found, moved.now.numbers("unit_cost_cents"), moved.was.numbers("unit_cost_cents")
    )
    changed = change[change != 0]
    sums = _sums(causes, cost)
    ranked = np.lexsort((np.arange(changed.size), -np.abs(changed * cost)))
    return Changes(
        *days,
        compared=change.size,
        more=int((change > 0).sum()),
        fewer=int((change < 0).sum()),
        value_change_cents=sum(each.value_change_cents for each in sums),
        causes=sums,
        lines=_lines(moved.take(ranked[:limit]), causes[ranked[:limit]], cost[ranked[:limit]]),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """One plan at the lines compared; `rows` of its table, -1 where it had no such line."""

    table: pa.Table
    rows: Ints

    @property
    def found(self) -> Bools:
        """Which lines the plan had."""
        found: Bools = self.rows >= 0
        return found

    def numbers(self, name: str) -> Floats:
        """A column as numbers, 0 where there is no line or no such column yet."""
        if name not in self.table.column_names or not self.table.num_rows:
            return np.zeros(len(self.rows))
        values = np.asarray(self.table.column(name).to_numpy(), np.float64)
        return np.where(self.found, values[self.rows], 0.0)

    def units(self, name: str) -> Ints:
        """A column of whole numbers."""
        return whole(self.numbers(name), 0)

    def texts(self, name: str) -> list[str | None]:
        """A column of texts; None where there is no line."""
        import pyarrow as pa

        rows = pa.array(self.rows, mask=self.rows < 0)
        texts: list[str | None] = self.table.column(name).combine_chunks().take(rows).to_pylist()
        return texts


@dataclass(frozen=True, slots=True)
class _Both:
    """Both plans at the same lines."""

    was: _Side
    now: _Side

    @classmethod
    def of(cls, was: pa.Table, now: pa.Table) -> _Both:
        """The lines of the present plan, then those of the earlier one alone."""
        earlier = Matched(was, encoded(now.column("sku")), encoded(now.column("place"))).rows
        later = Matched(now, encoded(was.column("sku")), encoded(was.column("place"))).rows
        gone = np.flatnonzero(later < 0)
        return cls(
            _Side(was, np.concatenate([earlier, gone])),
            _Side(now, np.concatenate([np.arange(now.num_rows), np.full(gone.size, -1)])),
        )

    def take(self, lines: Ints) -> _Both:
        """Some of the lines."""
        return _Both(
            _Side(self.was.table, self.was.rows[lines]), _Side(self.now.table, self.now.rows[lines])
        )


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a level is computed from, [N]: demand a day over the cover, its variance a day without
    that of the lead time, the service level, the lead time, and the wait for the next order."""

    mean_per_day: Floats
    variance_per_day: Floats
    counted: Bools
    service_level: Floats
    lead_time_days: Floats
    lead_time_sd_days: Floats
    wait_days: Floats

    @classmethod
    def of(cls, side: _Side) -> _Basis:
        """The basis of a plan's lines."""
        lead, sd, wait = map(side.numbers, ("lead_time_days", "lead_time_sd_days", "wait_days"))
        days = np.maximum(lead + wait, 1e-9)
        mean = side.numbers("demand_mean") / days
        variance = np.square(side.numbers("demand_sd")) - np.square(sd * mean)
        return cls(
            mean_per_day=mean,
            variance_per_day=np.maximum(variance, 0.0) / days,
            counted=side.numbers("counted") > 0,
            service_level=side.numbers("service_level"),
            lead_time_days=lead,
            lead_time_sd_days=sd,
            wait_days=wait,
        )

    def level(self) -> Ints:
        """The order-up-to level."""
        days = self.lead_time_days + self.wait_days
        variance = self.variance_per_day * days + np.square(
            self.lead_time_sd_days * self.mean_per_day
        )
        demand = Demand(self.mean_per_day * days, variance, self.counted)
        return order_up_to(demand, self.service_level)


def _causes(both: _Both) -> Ints:
    """The units of each line that each of CAUSES accounts for, int64 [N, len(CAUSES)]."""
    was, now = both.was, both.now
    kept = was.found & now.found
    parts = {
        name: now.units(name) - was.units(name) for name in TERMS if name not in LEVEL_TERMS
    } | _level_causes(was, now)
    change = now.units("quantity") - was.units("quantity")
    parts = {name: np.where(kept, units, 0) for name, units in parts.items()}
    parts["new_line"] = np.where(~was.found, change, 0)
    parts["dropped_line"] = np.where(~now.found, change, 0)
    return np.stack([parts[name] for name in CAUSES], axis=1)


def _level_causes(was: _Side, now: _Side) -> dict[str, Ints]:
    """What changed the level: lead time first, then order days, service level and forecast.

    A cover of other length is first filled with the old forecast's mean a day.
    """
    old, new = _Basis.of(was), _Basis.of(now)
    lead = replace(old, lead_time_days=new.lead_time_days, lead_time_sd_days=new.lead_time_sd_days)
    wait = replace(lead, wait_days=new.wait_days)
    service = replace(wait, service_level=new.service_level)
    before, after_lead, after_wait, after_service = (
        basis.level() for basis in (old, lead, wait, service)
    )
    total = sum(now.units(name) - was.units(name) for name in LEVEL_TERMS)
    return {
        "lead_time": after_lead - before,
        "order_days": after_wait - after_lead,
        "service_level": after_service - after_wait,
        "forecast": total - (after_service - before),
    }


def _sums(causes: Ints, cost: Floats) -> tuple[CauseSum, ...]:
    """Each cause that bears on a line, most money first."""
    sums = [
        CauseSum(
            cause=name,
            lines=int((units != 0).sum()),
            raised=int((units > 0).sum()),
            value_change_cents=round(float(units @ cost)),
        )
        for name, units in zip(CAUSES, causes.T, strict=True)
        if units.any()
    ]
    return tuple(sorted(sums, key=lambda each: -abs(each.value_change_cents)))


def _lines(both: _Both, causes: Ints, cost: Floats) -> tuple[ChangedLine, ...]:
    """These lines opened up."""
    texts = {
        name: [
            now if now is not None else was
            for now, was in zip(both.now.texts(name), both.was.texts(name), strict=True)
        ]
        for name in ("sku", "place", "item_name", "label")
    }
    before, after = both.was.units("quantity").tolist(), both.now.units("quantity").tolist()
    return tuple(
        ChangedLine(
            sku=texts["sku"][at] or "",
            place=texts["place"][at] or "",
            item_name=texts["item_name"][at],
            label=texts["label"][at] or "",
            before=before[at],
            after=after[at],
            change=after[at] - before[at],
            value_change_cents=round((after[at] - before[at]) * float(cost[at])),
            causes=_largest_first(causes[at]),
        )
        for at in range(len(before))
    )


def _largest_first(units: Ints) -> dict[str, int]:
    named = [(name, part) for name, part in zip(CAUSES, units.tolist(), strict=True) if part]
    return dict(sorted(named, key=lambda each: -abs(each[1])))


def _chosen(lines: pa.Table, sku: str | None, place: str | None) -> pa.Table:
    import pyarrow.compute as pc

    for name, wanted in (("sku", sku), ("place", place)):
        if wanted is not None:
            lines = lines.filter(pc.equal(lines.column(name), wanted))
    return lines


def _kept_by(lake: Lake, day: date) -> date:
    """The newest planned day on or before a day."""
    days = [kept for kept in store.kept_days(lake) if kept <= day]
    if not days:
        raise NotFound(
            f"no plan is kept of {day} or before: each sanhe plan keeps that of its morning, "
            f"for {store.KEPT_DAYS} days; plan on two mornings to compare them"
        )
    return days[-1]
