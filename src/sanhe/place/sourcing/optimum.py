"""The optimum in hindsight, all orders known: what any way of choosing is measured against."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from sanhe.core.errors import BadInput
from sanhe.place.sourcing.rules import PAID, Node, Order, Policy, Reach, reaches

BUCKET_MINUTES: Final = 15.0
"""About how long the spans are in which picks are counted."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """What was solved: `cost_cents` of the best found, `bound_cents` that nothing goes below.

    `places` of each order in the best found, in the orders' order; none = lost. Costs are those
    paid in money, with `lost_cents` for each order lost.
    """

    cost_cents: float
    bound_cents: float
    places: tuple[tuple[str, ...], ...]


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

    x(o, n, b) = 1 when place n begins order o in time span b; y(o, n, s) units of SKU s. Each
    order is sent whole or lost at `lost_cents`; Σ y ≤ stock; picks begun in a span ≤ its length ×
    capacity. An order begun in a span counts as begun at the span's start or its own coming, so
    the bound holds for every true schedule. Each order has the `most_places` cheapest places that
    hold something of it. Raises BadInput when nothing was solved within `seconds`,
    and for orders without a due time.
    """
    if policy.late_cents_per_hour <= 0 or any(order.due_at is None for order in orders):
        raise BadInput(
            "nothing bounds how late an order may come",
            remedy="give each order its due time, and late_cents_per_hour above 0",
        )
    program, sent = _program(orders, nodes, policy, lost_cents=lost_cents, most_places=most_places)
    rows, columns, values = zip(*program.entries, strict=True)
    matrix = csr_matrix((values, (rows, columns)), shape=(len(program.low), len(program.costs)))
    solved = milp(
        np.array(program.costs),
        integrality=np.array(program.whole),
        bounds=Bounds(0, np.array(program.most)),
        constraints=LinearConstraint(matrix, np.array(program.low), np.array(program.high)),
        options={"time_limit": seconds, "mip_rel_gap": 1e-3},
    )
    if solved.x is None:
        raise BadInput(f"nothing solved in {seconds} s", remedy="give more time or fewer orders")
    bound = solved.mip_dual_bound if solved.mip_dual_bound is not None else solved.fun
    chosen: list[dict[str, None]] = [{} for _ in orders]
    for column, (number, place) in sent.items():
        if solved.x[column] > 0.5:
            chosen[number][place] = None
    return Optimum(float(solved.fun), float(bound), tuple(tuple(found) for found in chosen))


def _program(
    orders: Sequence[Order],
    nodes: Sequence[Node],
    policy: Policy,
    *,
    lost_cents: int,
    most_places: int,
) -> tuple[_Program, dict[int, tuple[int, str]]]:
    """The program, and which order and place each x of it stands for."""
    program = _Program()
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
                units_sent = program.column(0.0, most=most, whole=False)
                program.put(stock[key], units_sent)
                program.put(units[need.sku], units_sent)
                only_when_begun = program.row(-math.inf, 0)
                program.put(only_when_begun, units_sent)
                for column in begun:
                    program.put(only_when_begun, column, -most)
    return program, sent


def _cheapest_places(
    order: Order, nodes: Sequence[Node], policy: Policy, *, most_places: int
) -> list[Node]:
    """The places that hold something of the order, cheapest first, no more than asked for."""
    asked, found = replace(order, due_at=None), []
    for node in nodes:
        if any(node.sellable(need.sku) for need in order.needs):
            cents = [_paid(way) for way in reaches(asked, node, policy)]
            if cents:
                found.append((min(cents), node.place, node))
    return [node for _, _, node in sorted(found, key=lambda one: one[:2])[:most_places]]


def _paid(way: Reach) -> int:
    return sum(term.cents for term in way.terms if term.name in PAID)


def _picks_in_span(node: Node) -> int:
    return max(1, round(node.store.pick_capacity_per_hour * BUCKET_MINUTES / 60))


def _spans(
    order: Order, node: Node, policy: Policy, *, begin: datetime, lost_cents: int
) -> Iterator[tuple[int, int]]:
    """The spans in which the order may be begun here, with what its cheapest courier costs then,
    until losing it is cheaper."""
    pick_minutes = 60 / node.store.pick_capacity_per_hour
    length = timedelta(minutes=pick_minutes * _picks_in_span(node))
    free_at = begin + timedelta(minutes=pick_minutes * node.open_picks)
    empty, first = replace(node, open_picks=0.0), max(order.at, free_at)
    span = math.floor((first - begin) / length)
    while True:
        begun_at = max(first, begin + span * length)
        ways = reaches(replace(order, at=begun_at), empty, policy)
        cost = min((_paid(way) for way in ways), default=lost_cents)
        if cost >= lost_cents:
            return
        yield span, cost
        span += 1
