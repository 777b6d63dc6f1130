"""The optimum in hindsight, all orders known: what any way of choosing is measured against."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.place.sourcing.policy import Policy
from sanhe.place.sourcing.rules import PAID, Node, Order, Reach, reaches

BUCKET_MINUTES: Final = 15.0
"""About how long the spans are in which picks are counted."""


LATER_MINUTES: Final = 150.0
"""Picks begun later than this after an order came are not counted: one column stands for all."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """What was solved. Costs are those paid in money, with `lost_cents` for each order lost.

    No way of choosing comes below `bound_cents`. `cost_cents` and `places` of each order (none =
    lost) are of the best solution found, None where the time was too short for one; it takes
    picks as `optimum` counts them, so a true schedule may cost a little more.
    """

    bound_cents: float
    cost_cents: float | None
    places: tuple[tuple[str, ...], ...] | None


@dataclass(slots=True)
class _Program:
    """Columns and rows of a mixed-integer program, collected one after the other."""

    costs: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def column(self, cost: float, *, most: float = 1.0, whole: bool = True) -> int:
        self.costs.append(cost)
        self.most.append(most)
        self.whole.append(int(whole))
        return len(self.costs) - 1

    def row(self, low: float, high: float) -> int:
        self.low.append(low)
        self.high.append(high)
        return len(self.low) - 1

    def put(self, row: int, column: int, value: float = 1.0) -> None:
        self.entries.append((row, column, value))


def optimum(
    orders: Sequence[Order],
    nodes: Sequence[Node],
    policy: Policy,
    *,
    lost_cents: int,
    most_places: int = 12,
    seconds: float = 60.0,
) -> Optimum:
    """The cheapest way to send all orders, had their coming been known (`scipy.optimize.milp`).

    x(o, n, b) = 1 when place n begins order o in time span b; y(o, n, s) units of SKU s sent.
    Each order is sent whole or lost at `lost_cents`; y ≤ units wanted × Σ x; Σ y ≤ stock; picks
    begun in a span ≤ its length × capacity. An order begun in a span counts as begun at the span's
    start or its own coming, and one begun after `LATER_MINUTES` as begun then and out of turn, so
    the bound holds for every true schedule that uses the places looked at: of each order the
    `most_places` cheapest that hold all of it, and for each line half as many that hold a part.
    Raises BadInput when not even a bound was found within `seconds`, and for orders without a due
    time.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_matrix

    if policy.late_cents_per_hour <= 0 or any(order.due_at is None for order in orders):
        raise BadInput(
            "nothing bounds how late an order may come",
            remedy="give each order its due time, and late_cents_per_hour above 0",
        )
    program = _Program()
    sent = _fill(
        program, orders, nodes, policy=policy, lost_cents=lost_cents, most_places=most_places
    )
    rows, columns, values = zip(*program.entries, strict=True)
    matrix = csr_matrix((values, (rows, columns)), shape=(len(program.low), len(program.costs)))
    solved = milp(
        np.array(program.costs),
        integrality=np.array(program.whole),
        bounds=Bounds(0, np.array(program.most)),
        constraints=LinearConstraint(matrix, np.array(program.low), np.array(program.high)),
        options={"time_limit": seconds, "mip_rel_gap": 1e-3},
    )
    bound = solved.fun if solved.mip_dual_bound is None else solved.mip_dual_bound
    if bound is None or not math.isfinite(bound):
        raise BadInput(f"no bound found in {seconds} s", remedy="give more time or fewer orders")
    if solved.x is None:
        return Optimum(float(bound), None, None)
    chosen: list[dict[str, None]] = [{} for _ in orders]
    for column, (number, place) in sent.items():
        if solved.x[column] > 0.5:
            chosen[number][place] = None
    return Optimum(float(bound), float(solved.fun), tuple(tuple(found) for found in chosen))


def _fill(
    program: _Program,
    orders: Sequence[Order],
    nodes: Sequence[Node],
    *,
    policy: Policy,
    lost_cents: int,
    most_places: int,
) -> dict[int, tuple[int, str]]:
    """Write the program; returns which order and place each x of it stands for."""
    stock: dict[tuple[str, str], int] = {}
    picks: dict[tuple[str, int], int] = {}
    sent: dict[int, tuple[int, str]] = {}
    begin = min(order.at for order in orders)
    for number, order in enumerate(orders):
        lost = program.column(lost_cents)
        units = {need.sku: program.row(need.quantity, need.quantity) for need in order.needs}
        for need in order.needs:
            program.put(units[need.sku], lost, need.quantity)
        for node in _cheapest_places(order, nodes, policy, most_places=most_places):
            begun = []
            for span, cost in _spans(order, node, policy, begin=begin, lost_cents=lost_cents):
                column = program.column(cost)
                begun.append(column)
                sent[column] = (number, node.place)
                if span is None:
                    continue
                if (node.place, span) not in picks:
                    picks[node.place, span] = program.row(-math.inf, _picks_in_span(node))
                program.put(picks[node.place, span], column)
            for need in order.needs:
                most = min(need.quantity, node.sellable(need.sku))
                if most == 0:
                    continue
                key = (node.place, need.sku)
                if key not in stock:
                    stock[key] = program.row(-math.inf, node.sellable(need.sku))
                columns = begun
                if order.needs != (need,) or most > 1:
                    columns = [program.column(0.0, most=most, whole=False)]
                    only_when_begun = program.row(-math.inf, 0)
                    program.put(only_when_begun, columns[0])
                    for column in begun:
                        program.put(only_when_begun, column, -most)
                for column in columns:
                    program.put(stock[key], column)
                    program.put(units[need.sku], column)
    return sent


def _cheapest_places(
    order: Order, nodes: Sequence[Node], policy: Policy, *, most_places: int
) -> list[Node]:
    """The places looked at for an order: those that hold all of it, then those of each line."""
    asked = replace(order, due_at=None)
    whole: list[tuple[int, str, Node]] = []
    some: list[tuple[int, str, Node]] = []
    for node in nodes:
        if any(node.sellable(need.sku) for need in order.needs):
            cents = [_paid(way) for way in reaches(asked, node, policy)]
            kind = whole if node.holds(order.needs) else some
            kind += [(min(cents), node.place, node)] if cents else []
    found = {place: node for _, place, node in sorted(whole, key=_by_cost)[:most_places]}
    for need in order.needs:
        of_line = [one for one in some if one[2].sellable(need.sku)]
        for _, place, node in sorted(of_line, key=_by_cost)[: most_places // 2]:
            found[place] = node
    return list(found.values())


def _by_cost(one: tuple[int, str, Node]) -> tuple[int, str]:
    return one[:2]


def _paid(way: Reach) -> int:
    return sum(term.cents for term in way.terms if term.name in PAID)


def _picks_in_span(node: Node) -> int:
    return max(1, round(node.store.pick_capacity_per_hour * BUCKET_MINUTES / 60))


def _spans(
    order: Order, node: Node, policy: Policy, *, begin: datetime, lost_cents: int
) -> Iterator[tuple[int | None, int]]:
    """The spans in which the order may be begun here, with what its cheapest courier costs then,
    until losing it is cheaper; at last None for all that is later."""
    pick_minutes = 60 / node.store.pick_capacity_per_hour
    length = timedelta(minutes=pick_minutes * _picks_in_span(node))
    free_at = begin + timedelta(minutes=pick_minutes * node.open_picks)
    empty, first = replace(node, open_picks=0.0), max(order.at, free_at)
    span = math.floor((first - begin) / length)
    later = first + timedelta(minutes=LATER_MINUTES)
    while True:
        begun_at = max(first, begin + span * length)
        ways = reaches(replace(order, at=begun_at), empty, policy)
        cost = min((_paid(way) for way in ways), default=lost_cents)
        if cost >= lost_cents:
            return
        if begun_at >= later:
            yield None, cost
            return
        yield span, cost
        span += 1
