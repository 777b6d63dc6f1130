"""How the business stands: the headline figures of a day, against an earlier one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sanhe.loop.desk.rules import ACTIONS

Sums = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kpi:
    """A headline figure. `unit`: days, share, times or cents. `value`: None where it can't be
    told. `before`: on the day compared with. `better`: which way is good, lower or higher."""

    name: str
    value: float | None
    unit: str
    before: float | None
    target: float | None
    better: str


@dataclass(frozen=True, slots=True)
class Todo:
    """One kind of exception: how many lines, the money at stake, and what to do."""

    kind: str
    lines: int
    value_cents: int
    action: str


@dataclass(frozen=True, slots=True)
class Cockpit:
    """The first page. `days`: the headline figures of every kept day. `categories`, `regions`:
    of each the figures of the newest day, with its stock_cents."""

    as_of: date
    compared_with: date | None
    kpis: tuple[Kpi, ...]
    todo: tuple[Todo, ...]
    days: tuple[Mapping[str, Any], ...]
    categories: tuple[Mapping[str, Any], ...]
    regions: tuple[Mapping[str, Any], ...]


def _ratio(top: str, below: str, *, factor: float = 1.0) -> Callable[[Sums], float | None]:
    def told(sums: Sums) -> float | None:
        of = sums.get(below) or 0.0
        return factor * (sums.get(top) or 0.0) / of if of > 0 else None

    return told


def _in_stock(sums: Sums) -> float | None:
    missed = _ratio("missed_a_day", "revenue_a_day")(sums)
    return None if missed is None else 1.0 - missed


FIGURES: Final[Mapping[str, tuple[Callable[[Sums], float | None], str, float | None, str]]] = {
    "inventory_days": (_ratio("stock_cents", "cost_a_day"), "days", 30.0, "lower"),
    "turnover": (_ratio("cost_a_day", "stock_cents", factor=365.0), "times", 12.0, "higher"),
    "stock_out_share": (_ratio("sold_out", "counted"), "share", 0.03, "lower"),
    "fill_rate": (_in_stock, "share", 0.97, "higher"),
    "margin_rate": (_ratio("margin_a_day", "revenue_a_day"), "share", None, "higher"),
    "expiring_cents": (lambda sums: sums.get("expiring_cents"), "cents", 0.0, "lower"),
}
"""Each headline figure: how it is told from sums, its unit, target, and which way is good.

Inventory days (库存天数) = stock at cost / cost of a day's expected demand; turnover (周转) = 365 /
inventory days. The fill rate (满足率) is the share of expected revenue whose line has stock. The
targets of inventory days and fill are the mission's: under 30 days at 97 % fill.
"""


def figures(sums: Sums) -> dict[str, float | None]:
    """The headline figures of one row of sums."""
    return {name: tell(sums) for name, (tell, *_) in FIGURES.items()}


def cockpit(
    as_of: date,
    days: Sequence[Sums],
    *,
    compared_with: date | None,
    todo: Sequence[Sums],
    categories: Sequence[Sums],
    regions: Sequence[Sums],
) -> Cockpit:
    """Put the sums of the days, exceptions, categories and regions together."""
    told = {date.fromisoformat(str(row["day"])): figures(row) for row in days}
    now, then = told.get(as_of, {}), told.get(compared_with, {}) if compared_with else {}
    return Cockpit(
        as_of=as_of,
        compared_with=compared_with,
        kpis=tuple(
            Kpi(name, now.get(name), unit, then.get(name), target, better)
            for name, (_, unit, target, better) in FIGURES.items()
        ),
        todo=tuple(
            Todo(row["kind"], row["lines"], row["cents"], ACTIONS[row["kind"]]) for row in todo
        ),
        days=tuple({"day": day, **values} for day, values in told.items()),
        categories=tuple(_named(row) for row in categories),
        regions=tuple(_named(row) for row in regions),
    )


def _named(row: Sums) -> dict[str, Any]:
    return {"name": row["name"], "stock_cents": row["stock_cents"], **figures(row)}
