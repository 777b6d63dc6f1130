"""Orders below the supplier's minimum (起订额): filled up with cases brought forward, or left.

An order that is left arrives one delivery later: what it would have saved from being short is
lost (its worth). To fill it up, cases that are needed later are ordered now; each is held until
demand would have called for it: with surplus s over the level and daily demand d the j-th unit
for (s + j) / d days. They are taken by what they cost (holding less what they save) for what they
add to the minimum, the least first, whole cases within shelf life and a year's demand. The order
is filled up when its worth is above what this costs, else left for the next review.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sanhe.goods.replenish.capacity import Fitted, use
from sanhe.goods.replenish.lines import LONGEST_DAYS, Lines, Minimum
from sanhe.models.inventory import Bools, Floats, Ints, order_up_to, steps_of, whole_units


@dataclass(frozen=True, slots=True)
class Reached:
    """Of N lines: base units `added`, and those whose order `waits` by choice or because its
    minimum is `unreachable`."""

    added: Ints
    waits: Bools
    unreachable: Bools


@dataclass(frozen=True, slots=True)
class _Added:
    """The cases that fill up orders: of each the `line`, its number of `cases`, its `order` and
    what it is worth, `net_cents` (mostly below zero)."""

    line: Ints
    cases: Ints
    order: Ints
    net_cents: Floats


def reach_minimum(lines: Lines, fitted: Fitted, minimum: Minimum | None) -> Reached:
    """Fill up or leave each order that is begun but below its minimum."""
    quantity, none = fitted.quantity, np.zeros(fitted.quantity.size, bool)
    added = np.zeros(quantity.size, np.int64)
    if minimum is None:
        return Reached(added, none, none)
    on_order = (minimum.order >= 0) & (quantity > 0)
    orders, rows = minimum.cents.size, np.flatnonzero(on_order)
    at = minimum.order[rows]
    cents = np.bincount(at, quantity[rows] * lines.unit_cost_cents[rows], orders)
    cases = np.bincount(at, (quantity // lines.case_size)[rows], orders)
    # Half a cent is a rounding of sums, not a lack.
    lacks = np.maximum(minimum.cents - cents - 0.5, 0.0), np.maximum(minimum.cases - cases, 0.0)
    short = (np.bincount(at, minlength=orders) > 0) & ((lacks[0] > 0) | (lacks[1] > 0))
    if not short.any():
        return Reached(added, none, none)
    worth = np.bincount(at, lines.worth_cents(rows, quantity[rows]), orders)
    chosen = _cheapest(lines, quantity, minimum, short=short, lacks=lacks)
    reached = short & _met(lines, chosen, lacks)
    gain: Floats = (worth + np.bincount(chosen.order, chosen.net_cents, orders)).astype(np.float64)
    filled = _that_fit(lines, fitted, chosen, wanted=reached & (gain > 0), gain=gain)
    kept = filled[chosen.order]
    np.add.at(added, chosen.line[kept], (chosen.cases * lines.case_size[chosen.line])[kept])
    waits, unreachable = np.zeros((2, quantity.size), bool)
    waits[rows] = (reached & (gain <= 0))[at]
    unreachable[rows] = (short & ~filled)[at] & ~waits[rows]
    return Reached(added, waits, unreachable)


def _cheapest(
    lines: Lines,
    quantity: Ints,
    minimum: Minimum,
    *,
    short: Bools,
    lacks: tuple[Floats, Floats],
) -> _Added:
    """The cases that fill up each short order, the cheapest for what they add first."""
    open_lines = (minimum.order >= 0) & lines.can_order & ~lines.blocked & (minimum.daily > 0)
    rows = np.flatnonzero(open_lines & short[np.maximum(minimum.order, 0)])
    at, size = minimum.order[rows], lines.case_size[rows]
    cost = lines.unit_cost_cents[rows] * size
    lack_cents, lack_cases = (lack[at] for lack in lacks)
    # What a case adds, as a share of what is lacking.
    share = _ratio(cost, lack_cents) + _ratio(np.ones(rows.size), lack_cases)
    alone = np.maximum(np.ceil(_ratio(lack_cents, cost)), lack_cases)
    level = order_up_to(lines.until_next.take(rows), lines.service_level[rows])
    level = np.maximum(level, whole_units(lines.until_next.take(rows)) + lines.presentation[rows])
    stock = lines.position()[rows] + quantity[rows]
    surplus = np.maximum(stock - level, 0)
    sells = np.minimum(
        lines.room()[rows] - quantity[rows], LONGEST_DAYS * minimum.daily[rows] - stock
    )
    most = np.minimum(np.maximum(sells, 0) // size, alone).astype(np.int64)
    least = np.where(quantity[rows] > 0, 1, -(-lines.moq[rows] // size))
    most[(most < least) | (share <= 0)] = 0
    holding, daily = minimum.holding_cents[rows], minimum.daily[rows]

    def net(line: Ints, count: Ints) -> Floats:
        units = count * size[line]
        saved = lines.worth_cents(rows[line], units, after=quantity[rows[line]])
        held_unit_days: Floats = units * (surplus[line] + units / 2) / daily[line]
        return saved - holding[line] * held_unit_days

    steps = steps_of(net, least, most, lowest=-np.inf)
    order = at[steps.line]
    adds = share[steps.line] * steps.cases
    ranked = np.lexsort((-steps.worth / adds, order))
    line, count, order = steps.line[ranked], steps.cases[ranked], order[ranked]
    lacking = (_before(cost[line] * count, order) < lack_cents[line]) | (
        _before(count.astype(np.float64), order) < lack_cases[line]
    )
    ranked, line = ranked[lacking], rows[line[lacking]]
    return _Added(line, count[lacking], order[lacking], steps.worth[ranked])


def _met(lines: Lines, chosen: _Added, lacks: tuple[Floats, Floats]) -> Bools:
    """Which orders have all they lack once the chosen cases are added."""
    cost = (lines.unit_cost_cents * lines.case_size)[chosen.line] * chosen.cases
    cents = np.bincount(chosen.order, cost, lacks[0].size)
    cases = np.bincount(chosen.order, chosen.cases, lacks[1].size)
    met: Bools = (cents >= lacks[0]) & (cases >= lacks[1])
    return met


def _that_fit(
    lines: Lines, fitted: Fitted, chosen: _Added, *, wanted: Bools, gain: Floats
) -> Bools:
    """Which of the wanted orders can be filled up within the room left, most gain first."""
    if not fitted.limits:
        return wanted
    ordered = fitted.quantity // lines.case_size
    room = {name: one.capacity - use(one, ordered) for name, one in fitted.limits.items()}
    filled = np.zeros(wanted.size, bool)
    starts = np.searchsorted(chosen.order, np.arange(wanted.size + 1))
    for at in sorted(np.flatnonzero(wanted).tolist(), key=lambda at: -gain[at]):
        rows = slice(int(starts[at]), int(starts[at + 1]))
        line, count = chosen.line[rows], chosen.cases[rows]
        needs = {}
        for name, limit in fitted.limits.items():
            held = limit.group[line] >= 0
            amount = (limit.amount[line] * count)[held]
            needs[name] = np.bincount(limit.group[line][held], amount, limit.capacity.size)
        if all((needs[name] <= room[name] + 1e-9).all() for name in needs):
            filled[at] = True
            room = {name: room[name] - needs[name] for name in room}
    return filled


def _before(amount: Floats, group: Ints) -> Floats:
    """Of rows sorted by group: the sum of the amounts before each within its group."""
    running = np.cumsum(amount) - amount
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    lengths = np.diff(np.append(starts, group.size))
    result: Floats = running - np.repeat(running[starts], lengths)
    return result


def _ratio(one: Floats, other: Floats) -> Floats:
    """One over the other, 0 where there is no other."""
    ratio: Floats = np.divide(one, other, out=np.zeros(one.shape), where=other > 0)
    return ratio
